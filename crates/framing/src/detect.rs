//! Guesses the framing of bytes somebody captured, for `pointsman decode --framing auto`.
//! Never used on a live connection, where the framing is configured; it may allocate.
//! Judges by lengths and envelopes only: what a message looks like inside is not known here.

use std::cmp::Reverse;

use crate::envelope::TPDU_TRANSACTION;
use crate::{ETX, Envelope, Framing, Header, LengthForm, Next};

/// A framing under which the whole buffer is frames and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The framing; its `Display` is the name to show.
    pub framing: Framing,
    /// Messages found, at least one.
    pub frames: usize,
    /// Keep-alives found between them. Zeros at the end of a message can look like one.
    pub keepalives: usize,
}

/// The framings that explain `buf` to its last byte, best first: those that also explain the envelope before
/// those that do not, few pieces before many, exclusive lengths and usual forms before rare ones.
/// Empty when no framing fits, as for a bare message.
pub fn detect(buf: &[u8]) -> Vec<Candidate> {
    let mut found: Vec<_> = guesses(buf.len()).filter_map(|framing| explain(framing, buf)).collect();
    // The sort is stable: what ties here keeps the order of `guesses`.
    found.sort_by_key(|candidate| {
        (Reverse(structure(&candidate.framing)), candidate.frames + candidate.keepalives)
    });
    found
}

fn guesses(len: usize) -> impl Iterator<Item = Framing> {
    let max_frame = u32::try_from(len).unwrap_or(u32::MAX);
    let plain = Framing { max_frame, ..Framing::default() };
    let shapes = [
        Framing { tpdu: true, header: Header::UnionPay6, ..plain },
        Framing { tpdu: true, ..plain },
        Framing { trailer: Some(ETX), ..plain },
        Framing { trailer: Some(ETX), trailer_counted: false, ..plain },
        plain,
    ];
    [false, true].into_iter().flat_map(move |inclusive| {
        LengthForm::ALL.into_iter().flat_map(move |length| {
            shapes.into_iter().map(move |shape| Framing { length, inclusive, ..shape })
        })
    })
}

fn explain(framing: Framing, buf: &[u8]) -> Option<Candidate> {
    let (mut rest, mut frames, mut keepalives) = (buf, 0, 0);
    while !rest.is_empty() {
        let consumed = match framing.next(rest).ok()? {
            Next::Incomplete { .. } => return None,
            Next::KeepAlive { consumed } => {
                keepalives += 1;
                consumed
            }
            Next::Frame { consumed, envelope, .. } => {
                frames += 1;
                if !plausible(&framing, &envelope) {
                    return None;
                }
                consumed
            }
        };
        rest = &rest[consumed..];
    }
    let framing = Framing { max_frame: framing.max_frame.max(crate::MAX_FRAME_DEFAULT), ..framing };
    (frames > 0).then_some(Candidate { framing, frames, keepalives })
}

/// A TPDU starts with 60; a UnionPay header is all digits and of a class in the sixties, where no message
/// type can be mistaken for it (those start with 0 or 1, in BCD, ASCII or EBCDIC).
fn plausible(framing: &Framing, envelope: &Envelope) -> bool {
    let tpdu = !framing.tpdu || envelope.tpdu[0] == TPDU_TRANSACTION;
    let digits = envelope.header.iter().all(|byte| byte >> 4 < 10 && byte & 0x0F < 10);
    let header = framing.header == Header::None || (digits && envelope.application_class() >> 4 == 6);
    tpdu && header
}

/// How much of the bytes around the message the framing explains. A message may end in ETX
/// by chance, one in 256 if its bytes are random; the trailer is taken to be the likelier reason, and the
/// framing without it is offered next.
fn structure(framing: &Framing) -> usize {
    framing.around() - framing.length.size()
}
