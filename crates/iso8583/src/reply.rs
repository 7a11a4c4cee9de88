//! Answers to terminals: from the request alone (declines, repeats, reversals, network messages), from an issuer's
//! answer, or from the little that a malformed message lets us trust.
//! Never returns a track, a PIN or another link's MAC. Guards: the terminal gets back its own numbers.

use crate::canon::{ARPC, CHIP, Trusted};
use crate::dialect::{Dialect, Part};
use crate::error::EncodeError;
use crate::index::{Index, place};
use crate::patch::{Patch, Plan, compose};
use crate::settlement::{RESULTS, TOTALS, TOTALS_LEN};
use crate::text_place::{TEXT_MAX, TextPlace};
use crate::tlv::put_ber;
use crate::view::View;
use crate::write::Writer;
use bytes::BytesMut;
use terms::{ApprovalCode, Arpc, Minor, ResponseCode, Rrn};

/// What an answer says beyond what it repeats of the request.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// DE 39.
    pub code: ResponseCode,
    /// DE 37; `None` repeats the request's, if it had one.
    pub rrn: Option<Rrn>,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// Tag 91 of DE 55, where nothing else of the issuer's DE 55 is known any more.
    pub arpc: Option<Arpc>,
    /// DE 4, where less was approved than asked.
    pub amount: Option<Minor>,
    /// Text for people; cut to the field, left out where the dialect has no place.
    pub text: Option<&'a [u8]>,
    /// Where the text goes; `None`: where the dialect has it (DE 44, or 63.2 of UnionPay).
    pub place: Option<TextPlace>,
    /// Batch number, where the dialect has one: the answer to a sign-in.
    pub batch: Option<u32>,
    /// How a settlement's totals compare, as the digits that its DE 48 has for it; then there is no batch number to tell.
    pub compared: Option<[u8; 2]>,
    /// DE 12 (hhmmss) and DE 13 (MMDD), where the request has none: a terminal's clock follows them.
    pub local: Option<(u32, u16)>,
}

impl Reply<'_> {
    /// Only a code.
    pub fn new(code: ResponseCode) -> Self {
        Self {
            code,
            rrn: None,
            approval_code: None,
            arpc: None,
            amount: None,
            text: None,
            place: None,
            batch: None,
            compared: None,
            local: None,
        }
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
    let (text, batch) = (Made::text(dialect, reply, None), Made::batch(&request, reply));
    let mut patch = changes(&request, reply, &text, &batch);
    let mut chip = Vec::new();
    if let Some(arpc) = reply.arpc.filter(|_| dialect.has_field(CHIP)) {
        put_ber(ARPC, arpc.as_bytes(), &mut chip);
        patch.set_binary(CHIP, &chip);
    }
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
    let source = View::new(issuer_dialect, ans_bytes, ans_index);
    let told = Some(&source).filter(|_| core::ptr::eq(terminal_dialect, issuer_dialect));
    let (text, batch) = (Made::text(terminal_dialect, reply, told), Made::batch(&request, reply));
    let mut patch = changes(&request, reply, &text, &batch);
    if !req_index.has(7) {
        patch.remove(7);
    }
    let answers = &terminal_dialect.answers;
    let (answered, mut lend) = (ans_index.present(), [0; 3]);
    for (word, bits) in lend.iter_mut().enumerate() {
        // What the issuer left out is repeated from the request; what must be the terminal's is always so.
        *bits = (answers.restore[word] | answers.echo[word] & !answered[word]) & !answers.never[word];
    }
    if !core::ptr::eq(terminal_dialect, issuer_dialect) {
        // The issuer may have been asked in other words: the terminal hears its own.
        let (word, bits) = (place(3).0, place(3).1 | place(25).1);
        lend[word] |= bits;
    }
    let keep = without([u64::MAX; 3], answers.never);
    compose(terminal_dialect, &Plan { source, keep, lent: Some((request, lend)), patch: &patch }, out)
}

/// Appends the answer to a message of which only the least can be trusted: code and text of `reply`; returns the bytes written.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
pub fn write_refusal(
    dialect: &Dialect,
    trusted: &Trusted,
    reply: &Reply<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let text = Made::text(dialect, reply, None);
    let mut writer = Writer::new(dialect, trusted.mti.answer(), out);
    writer
        .number(11, u64::from(trusted.stan.get()))
        .text(dialect.roles.code, reply.code.as_bytes())
        .text(41, trusted.terminal.as_bytes());
    if let Made::Content { field, bytes, len } = &text {
        writer.text(*field, &bytes[..*len]);
    }
    writer.finish()
}

fn without(mask: [u64; 3], gone: [u64; 3]) -> [u64; 3] {
    [mask[0] & !gone[0], mask[1] & !gone[1], mask[2] & !gone[2]]
}

/// Content of a field that is made of pieces: usually of none, and then nothing is set up.
enum Made<const N: usize> {
    Nothing,
    Content { field: u8, bytes: [u8; N], len: usize },
}

impl Made<TEXT_MAX> {
    /// Text behind whatever parts come before it, cut to what the field holds. The parts before are those of `told`, an
    /// answer in the same dialect.
    #[inline(always)]
    fn text(dialect: &Dialect, reply: &Reply<'_>, told: Option<&View<'_>>) -> Self {
        match (reply.text, reply.place.map(|place| place.part).or(dialect.roles.text)) {
            (Some(text), Some(part)) => Self::text_of(dialect, part, text, told),
            _ => Self::Nothing,
        }
    }

    #[inline(never)]
    fn text_of(dialect: &Dialect, part: Part, text: &[u8], told: Option<&View<'_>>) -> Self {
        let mut bytes = [b' '; TEXT_MAX];
        let from = usize::from(part.from);
        if let Some(told) = told.filter(|_| from > 0) {
            let had = told.content(part.field, &mut bytes).unwrap_or(0);
            bytes[had.min(from)..].fill(b' ');
        }
        let max = usize::from(dialect.field(part.field).max).min(bytes.len());
        let len = text.len().min(max.saturating_sub(from));
        bytes[from..from + len].copy_from_slice(&text[..len]);
        Self::Content { field: part.field, bytes, len: from + len }
    }
}

impl Made<64> {
    /// The request's field with another batch number in it, or a settlement's totals with our results.
    #[inline(always)]
    fn batch(request: &View<'_>, reply: &Reply<'_>) -> Self {
        if let Some(compared) = reply.compared {
            return Self::compared(request, compared);
        }
        match (reply.batch, request.dialect.roles.batch) {
            (Some(batch), Some(part)) => Self::batch_of(request, part, batch),
            _ => Self::Nothing,
        }
    }

    /// Totals of no known shape are answered with zeros around the results.
    #[inline(never)]
    fn compared(request: &View<'_>, compared: [u8; 2]) -> Self {
        if !request.dialect.has_field(TOTALS) {
            return Self::Nothing;
        }
        let mut bytes = [b'0'; 64];
        if request.content(TOTALS, &mut bytes) != Some(TOTALS_LEN) {
            bytes = [b'0'; 64];
        }
        for (place, digit) in RESULTS.into_iter().zip(compared) {
            bytes[place] = digit;
        }
        Self::Content { field: TOTALS, bytes, len: TOTALS_LEN }
    }

    #[inline(never)]
    fn batch_of(request: &View<'_>, part: Part, batch: u32) -> Self {
        let mut bytes = [b'0'; 64];
        let (from, to) = (usize::from(part.from), usize::from(part.from + part.len));
        let had = request.content(part.field, &mut bytes).unwrap_or(0);
        let Some(slot) = bytes.get_mut(from..to) else { return Self::Nothing };
        crate::number::write_ascii(u64::from(batch), slot);
        Self::Content { field: part.field, bytes, len: had.max(to) }
    }
}

/// What the answer says beyond what it repeats. Fields come in ascending order where the dialect is as others are: a
/// patch likes that.
fn changes<'a>(
    request: &View<'_>,
    reply: &'a Reply<'_>,
    text: &'a Made<TEXT_MAX>,
    batch: &'a Made<64>,
) -> Patch<'a> {
    let (dialect, roles) = (request.dialect, &request.dialect.roles);
    let mut patch = Patch::new();
    patch.mti(request.mti().answer());
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
    if let Some(rrn) = &reply.rrn {
        patch.set_text(roles.rrn, rrn.as_bytes());
    }
    if let Some(code) = &reply.approval_code {
        patch.set_text(roles.approval_code, &code.0);
    }
    patch.set_text(roles.code, reply.code.as_bytes());
    if let Made::Content { field, bytes, len } = text {
        patch.set_text(*field, &bytes[..*len]);
    }
    if let Made::Content { field, bytes, len } = batch {
        patch.set_text(*field, &bytes[..*len]);
    }
    patch
}
