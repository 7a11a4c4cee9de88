//! The request as the issuer gets it: ours where numbers must be ours, the terminal's everywhere else.
//! Never forwards what the link may not carry. Guards: the reference of a void or refund (DE 37) is not overwritten
//! unless the caller says so.

use crate::dialect::Dialect;
use crate::error::EncodeError;
use crate::index::Index;
use crate::named::Named;
use crate::patch::{Patch, Plan, compose};
use crate::say::Words;
use crate::view::View;
use bytes::BytesMut;
use terms::{Mti, Rrn, Stan, Text, TransmissionTime};

/// What differs between a request as it came and as it goes on.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// DE 11: ours, unique on the link.
    pub stan: Stan,
    /// DE 7, where the issuer's dialect has it.
    pub transmission: TransmissionTime,
    /// DE 37: ours. `None` leaves what the terminal sent, which for a void or refund names its original.
    pub rrn: Option<Rrn>,
    /// DE 32, where the request has none or its dialect does not believe it; empty leaves it as it is.
    pub acquirer: Text<11>,
    /// DE 12 (hhmmss) and DE 13 (MMDD), where the request has none.
    pub local: Option<(u32, u16)>,
    /// Another message type, e.g. a repeat's.
    pub mti: Option<Mti>,
    /// The type of transaction in the other dialect's words, as [`crate::say`] has them.
    pub words: Option<Words>,
    /// UnionPay 60.2, where DE 60 has to be made for it.
    pub batch: u32,
    /// Leave DE 52 behind.
    pub drop_pin: bool,
    /// Leave DE 64 and 128 behind: a MAC is good for one link.
    pub drop_mac: bool,
    /// The original of a void, completion or refund: what the terminal calls it means nothing to the issuer.
    pub original: Option<Named>,
}

impl Forward {
    /// The usual: our numbers, no PIN, no MAC.
    pub fn new(stan: Stan, transmission: TransmissionTime) -> Self {
        Self {
            stan,
            transmission,
            rrn: None,
            acquirer: Text::EMPTY,
            local: None,
            mti: None,
            words: None,
            batch: 0,
            drop_pin: true,
            drop_mac: true,
            original: None,
        }
    }
}

/// Appends the request of `bytes`, as the dialect `to` has it, to `out` and returns the bytes written.
///
/// # Errors
/// Content that does not fit the other dialect; `out` is then as it was.
#[inline]
pub fn forward(
    from: &Dialect,
    bytes: &[u8],
    index: &Index,
    to: &Dialect,
    forward: &Forward,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let mut patch = Patch::new();
    // In ascending order: each is then the last of the patch.
    if to.has_field(7) {
        patch.set_number(7, u64::from(forward.transmission.0));
    }
    patch.set_number(11, u64::from(forward.stan.get()));
    if let Some((time, date)) = forward.local {
        add_local(to, index, time, date, &mut patch);
    }
    let is_named = from.roles.acquirer != 0 && index.has(32);
    if !forward.acquirer.is_empty() && !is_named && to.has_field(32) {
        patch.set_text(32, forward.acquirer.as_bytes());
    }
    if let Some(rrn) = &forward.rrn {
        patch.set_text(to.roles.rrn, rrn.as_bytes());
    }
    let mut function = [b'0'; 8];
    if let Some(words) = &forward.words {
        words.put(to, forward.batch, &mut function, &mut patch);
    }
    if let Some(mti) = forward.mti {
        patch.mti(mti);
    }
    if forward.drop_pin {
        patch.remove(52);
    }
    if forward.drop_mac {
        patch.remove(64).remove(128);
    }
    let mut data = [b'0'; Named::DIGITS];
    if let Some(original) = &forward.original {
        original.put(to, &mut data, &mut patch);
    }
    let source = View::new(from, bytes, index);
    compose(to, &Plan { source, keep: [u64::MAX; 3], lent: None, patch: &patch }, out)
}

fn add_local(to: &Dialect, index: &Index, time: u32, date: u16, patch: &mut Patch<'_>) {
    if !index.has(12) && to.has_field(12) {
        patch.set_number(12, u64::from(time));
    }
    if !index.has(13) && to.has_field(13) {
        patch.set_number(13, u64::from(date));
    }
}
