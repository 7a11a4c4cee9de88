//! Advices of ours: what was approved before the issuer said so, told to it as often as it takes.
//!
//! Never needs the terminal's bytes: a journal keeps no wire message, so track and PIN are never in one, and of chip data only what
//! a notice of script results is about. Guards: a repeat differs from the first in its message type only.

use crate::canon::CHIP;
use crate::chip::{SEQUENCE, kept};
use crate::dialect::Dialect;
use crate::error::EncodeError;
use crate::named::Named;
use crate::reversal::{ReversalOf, field, text};
use crate::write::Writer;
use bytes::BytesMut;
use terms::Mti;

/// Appends the advice that tells of a transaction, to be known as `mti` (0120, 0220, 0620; its repeat where `of` says so) under
/// `of.stan` and `of.transmission`, to `out` and returns the bytes written. `original`: what it does something to; `chip`: what
/// [`crate::keep_chip`] kept of the terminal's own message, or nothing.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
pub fn write_advice(
    dialect: &Dialect,
    mti: Mti,
    of: &ReversalOf,
    original: Option<&Named>,
    chip: &[u8],
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let mti = if of.repeat { mti.repeated() } else { mti };
    let of = ReversalOf { stan_new: of.stan, transmission_new: of.transmission, ..*of };
    let mut writer = Writer::new(dialect, mti, out);
    let mut named = [b'0'; Named::DIGITS];
    let (home, len) = original.map_or((0, 0), |original| original.digits(dialect, &mut named));
    let (sequence, data) = kept(chip);
    for n in FIELDS {
        match n {
            _ if n == home => text(&named[..len], n, &mut writer),
            11 => _ = writer.number(11, u64::from(of.stan.get())),
            SEQUENCE if dialect.has_field(n) => {
                if let Some(sequence) = sequence {
                    writer.number(n, sequence);
                }
            }
            CHIP if dialect.has_field(n) && !data.is_empty() => _ = writer.binary(n, data),
            CHIP => {}
            _ if dialect.has_field(n) => field(dialect, &of, n, &mut writer),
            _ => {}
        }
    }
    writer.finish()
}

/// Everything a journal keeps, and where an original may be named.
const FIELDS: [u8; 22] =
    [2, 3, 4, 7, 11, 12, 13, 14, 22, SEQUENCE, 25, 32, 37, 38, 41, 42, 49, CHIP, 60, 61, 90, 95];
