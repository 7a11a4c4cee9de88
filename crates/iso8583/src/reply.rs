//! Answers to terminals: from the request alone (declines, repeats, reversals, network messages), from an issuer's
//! answer, or from the little that a malformed message lets us trust.
//! Never returns a track, a PIN or another link's MAC. Guards: the terminal gets back its own numbers.

use crate::canon::Trusted;
use crate::dialect::{Dialect, Part};
use crate::error::EncodeError;
use crate::index::Index;
use crate::patch::{Patch, Plan, compose};
use crate::view::View;
use crate::write::Writer;
use bytes::BytesMut;
use terms::{ApprovalCode, Minor, ResponseCode, Rrn};

/// What an answer says beyond what it repeats of the request.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// DE 39.
    pub code: ResponseCode,
    /// DE 37; `None` repeats the request's, if it had one.
    pub rrn: Option<Rrn>,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// DE 4, where less was approved than asked.
    pub amount: Option<Minor>,
    /// Text for people (DE 44, or 63.2 of UnionPay); cut to the field, left out where the dialect has no place.
    pub text: Option<&'a [u8]>,
    /// Batch number, where the dialect has one: the answer to a sign-in.
    pub batch: Option<u32>,
    /// DE 12 (hhmmss) and DE 13 (MMDD), where the request has none: a terminal's clock follows them.
    pub local: Option<(u32, u16)>,
}

impl Reply<'_> {
    /// Only a code.
    pub fn new(code: ResponseCode) -> Self {
        Self { code, rrn: None, approval_code: None, amount: None, text: None, batch: None, local: None }
    }
}

/// Appends the answer to a request that no issuer answered; returns the bytes written.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
#[inline]
pub fn write_reply(
    dialect: &Dialect,
    req_bytes: &[u8],
    req_index: &Index,
    reply: &Reply<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let request = View::new(dialect, req_bytes, req_index);
    let mut rooms = Rooms::new(&request, reply);
    let mut patch = rooms.patch(&request, reply);
    patch.mti(req_index.mti().answer());
    let keep = without(dialect.answers.echo, dialect.answers.never);
    compose(dialect, &Plan { source: request, keep, lent: None, patch: &patch }, out)
}

/// Appends the answer to a request that an issuer answered: the issuer's fields, the terminal's own numbers, and what
/// `reply` says. The two dialects may differ. Returns the bytes written.
///
/// # Errors
/// Content that does not fit the terminal's dialect; `out` is then as it was.
#[inline]
pub fn reply_from_answer(
    terminal_dialect: &Dialect,
    req_bytes: &[u8],
    req_index: &Index,
    issuer_dialect: &Dialect,
    ans_bytes: &[u8],
    ans_index: &Index,
    reply: &Reply<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let request = View::new(terminal_dialect, req_bytes, req_index);
    let mut rooms = Rooms::new(&request, reply);
    let mut patch = rooms.patch(&request, reply);
    patch.mti(req_index.mti().answer());
    if !req_index.has(7) {
        patch.remove(7);
    }
    let answers = &terminal_dialect.answers;
    let (answered, mut lend) = (ans_index.present(), [0; 3]);
    for (word, bits) in lend.iter_mut().enumerate() {
        // What the issuer left out is repeated from the request; what must be the terminal's is always so.
        *bits = (answers.restore[word] | answers.echo[word] & !answered[word]) & !answers.never[word];
    }
    let keep = without([u64::MAX; 3], answers.never);
    let source = View::new(issuer_dialect, ans_bytes, ans_index);
    compose(terminal_dialect, &Plan { source, keep, lent: Some((request, lend)), patch: &patch }, out)
}

/// Appends the answer to a message of which only the least can be trusted; returns the bytes written.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
pub fn write_refusal(
    dialect: &Dialect,
    trusted: &Trusted,
    code: ResponseCode,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    Writer::new(dialect, trusted.mti.answer(), out)
        .number(11, u64::from(trusted.stan.get()))
        .text(dialect.roles.code, code.as_bytes())
        .text(41, trusted.terminal.as_bytes())
        .finish()
}

fn without(mask: [u64; 3], gone: [u64; 3]) -> [u64; 3] {
    [mask[0] & !gone[0], mask[1] & !gone[1], mask[2] & !gone[2]]
}

/// Room for fields that are made of pieces, alive as long as the patch that points into it.
struct Rooms {
    text: [u8; 256],
    text_len: usize,
    batch: [u8; 64],
    batch_len: usize,
    rrn: [u8; 12],
    code: ResponseCode,
    approval: [u8; 6],
}

impl Rooms {
    fn new(request: &View<'_>, reply: &Reply<'_>) -> Self {
        let roles = &request.dialect.roles;
        let mut rooms = Self {
            text: [b' '; 256],
            text_len: 0,
            batch: [b'0'; 64],
            batch_len: 0,
            rrn: reply.rrn.map_or([0; 12], |rrn| *rrn.as_bytes()),
            code: reply.code,
            approval: reply.approval_code.map_or([0; 6], |code| code.0),
        };
        if let (Some(text), Some(part)) = (reply.text, roles.text) {
            rooms.put_text(request.dialect, part, text);
        }
        if let (Some(batch), Some(part)) = (reply.batch, roles.batch) {
            rooms.put_batch(request, part, batch);
        }
        rooms
    }

    /// Text behind whatever parts come before it, cut to what the field holds.
    fn put_text(&mut self, dialect: &Dialect, part: Part, text: &[u8]) {
        let from = usize::from(part.from);
        let max = usize::from(dialect.field(part.field).max).min(self.text.len());
        let len = text.len().min(max.saturating_sub(from));
        self.text[from..from + len].copy_from_slice(&text[..len]);
        self.text_len = from + len;
    }

    /// The request's field with another batch number in it.
    fn put_batch(&mut self, request: &View<'_>, part: Part, batch: u32) {
        let (from, len) = (usize::from(part.from), usize::from(part.len));
        let had = request.content(part.field, &mut self.batch).unwrap_or(0);
        if had > self.batch.len() || from + len > self.batch.len() {
            return;
        }
        self.batch_len = had.max(from + len);
        crate::digits::write_ascii(u64::from(batch), &mut self.batch[from..from + len]);
    }

    fn patch<'a>(&'a mut self, request: &View<'_>, reply: &Reply<'_>) -> Patch<'a> {
        let (dialect, roles) = (request.dialect, &request.dialect.roles);
        let mut patch = Patch::new();
        patch.set_text(roles.code, self.code.as_bytes());
        if let Some(amount) = reply.amount {
            patch.set_number(4, amount.unsigned_abs());
        }
        if let Some((time, date)) = reply.local {
            if !request.has(12) && dialect.has_field(12) {
                patch.set_number(12, u64::from(time));
            }
            if !request.has(13) && dialect.has_field(13) {
                patch.set_number(13, u64::from(date));
            }
        }
        if reply.rrn.is_some() {
            patch.set_text(roles.rrn, &self.rrn);
        }
        if reply.approval_code.is_some() {
            patch.set_text(roles.approval_code, &self.approval);
        }
        if let (Some(part), true) = (roles.text, self.text_len > 0) {
            patch.set_text(part.field, &self.text[..self.text_len]);
        }
        if let (Some(part), true) = (roles.batch, self.batch_len > 0) {
            patch.set_text(part.field, &self.batch[..self.batch_len]);
        }
        patch
    }
}
