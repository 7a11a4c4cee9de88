//! Digits and characters, eight at a time: checking, packing, unpacking.
//! Never allocates; branches on length, not on content. Guards: what passes a check here is what the type says.

use terms::text::copy_short;

const ONES: u64 = 0x0101_0101_0101_0101;
/// Digits that a word holds packed.
const SIXTEEN: usize = 16;
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether `bad` finds nothing in any byte. `bad` looks at eight bytes and returns non-zero for a wrong one.
#[inline(always)]
fn clean(bytes: &[u8], bad: impl Fn(u64) -> u64) -> bool {
    let len = bytes.len();
    match len {
        0 => true,
        // First, middle and last are all there are; the rest of the word repeats the first.
        1..=3 => {
            let word = (u64::from(bytes[0]) * ONES) << 16
                | u64::from(bytes[len / 2]) << 8
                | u64::from(bytes[len - 1]);
            bad(word) == 0
        }
        4..=7 => {
            let (head, _) = bytes.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
            let (_, tail) = bytes.split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
            bad(u64::from(u32::from_le_bytes(*head)) << 32 | u64::from(u32::from_le_bytes(*tail))) == 0
        }
        _ => {
            let mut wrong = 0;
            for chunk in bytes.as_chunks::<8>().0 {
                wrong |= bad(u64::from_le_bytes(*chunk));
            }
            let (_, tail) = bytes.split_last_chunk::<8>().unwrap_or((&[], &[0; 8]));
            wrong | bad(u64::from_le_bytes(*tail)) == 0
        }
    }
}

/// Copies, and says whether `bad` finds nothing in any byte.
#[inline(always)]
fn copy_clean(from: &[u8], to: &mut [u8], bad: impl Fn(u64) -> u64) -> bool {
    let (Some(last), Some(last_to)) = (from.last_chunk::<8>(), to.last_chunk_mut::<8>()) else {
        copy_short(from, to);
        return clean(from, bad);
    };
    *last_to = *last;
    let mut wrong = bad(u64::from_le_bytes(*last));
    for (at, chunk) in from.as_chunks::<8>().0.iter().enumerate() {
        wrong |= bad(u64::from_le_bytes(*chunk));
        if let Some(slot) = to.as_chunks_mut::<8>().0.get_mut(at) {
            *slot = *chunk;
        }
    }
    wrong == 0
}

/// As [`are_ascii_digits`], copying to a place of the same length.
#[inline(always)]
pub(crate) fn copy_ascii_digits(from: &[u8], to: &mut [u8]) -> bool {
    copy_clean(from, to, no_ascii_digit)
}

/// As [`are_printable`], copying to a place of the same length.
#[inline(always)]
pub(crate) fn copy_printable(from: &[u8], to: &mut [u8]) -> bool {
    copy_clean(from, to, not_printable)
}

/// Only `0`..=`9` in ASCII.
#[inline(always)]
pub(crate) fn are_ascii_digits(bytes: &[u8]) -> bool {
    clean(bytes, no_ascii_digit)
}

#[inline(always)]
fn no_ascii_digit(word: u64) -> u64 {
    ((word & (ONES * 0xF0)) ^ (ONES * 0x30)) | over_nine(word)
}

/// Non-zero where the low nibble is over 9.
#[inline(always)]
fn over_nine(word: u64) -> u64 {
    ((word & (ONES * 0x0F)) + ONES * 6) & (ONES * 0x10)
}

/// Only 0xF0..=0xF9: digits in EBCDIC.
#[inline(always)]
pub(crate) fn are_ebcdic_digits(bytes: &[u8]) -> bool {
    clean(bytes, |w| (!w & (ONES * 0xF0)) | over_nine(w))
}

/// Only 0x20..=0x7E.
#[inline(always)]
pub(crate) fn are_printable(bytes: &[u8]) -> bool {
    clean(bytes, not_printable)
}

#[inline(always)]
fn not_printable(word: u64) -> u64 {
    let low = word & (ONES * 0x7F);
    let below = !(low + ONES * 0x60);
    (word | below | (low + ONES)) & (ONES * 0x80)
}

/// Only packed decimal digits.
#[inline(always)]
pub(crate) fn are_packed_digits(bytes: &[u8]) -> bool {
    // A nibble is over 9 if its 8 is set with its 4 or its 2.
    clean(bytes, |w| w & (w << 1 | w << 2) & (ONES * 0x88))
}

/// Only packed decimal digits and the separator `D`.
#[inline(always)]
pub(crate) fn are_packed_track(bytes: &[u8]) -> bool {
    clean(bytes, |w| {
        let (two, one, zero) = (w << 1, w << 2, w << 3);
        w & (two | one) & !(two & !one & zero) & (ONES * 0x88)
    })
}

/// 0x80 in every byte that is within `low` to `high`; bytes must be below 0x80.
#[inline(always)]
fn within(word: u64, low: u64, high: u64) -> u64 {
    (word + ONES * (0x80 - low)) & !(word + ONES * (0x7F - high)) & (ONES * 0x80)
}

/// 0x80 in every byte that is no hexadecimal digit.
#[inline(always)]
fn no_hex(word: u64) -> u64 {
    let low = word & (ONES * 0x7F);
    let good = within(low, 0x30, 0x39) | within(low | (ONES * 0x20), 0x61, 0x66);
    (word | !good) & (ONES * 0x80)
}

/// Only hexadecimal digits in ASCII.
#[inline(always)]
pub(crate) fn are_hex(bytes: &[u8]) -> bool {
    clean(bytes, no_hex)
}

/// Sixteen hexadecimal digits as a number.
#[inline]
pub(crate) fn hex_word(digits: &[u8; 16]) -> Option<u64> {
    let (halves, _) = digits.as_chunks::<8>();
    let mut value = 0;
    for half in halves {
        let word = u64::from_be_bytes(*half);
        if no_hex(word) != 0 {
            return None;
        }
        // Letters have bit 6: their value is nine more than their low nibble.
        let nibbles = (word & (ONES * 0x0F)) + ((word >> 6) & ONES) * 9;
        let bytes = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF;
        let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
        value = value << 32 | (pairs | pairs >> 16) & 0xFFFF_FFFF;
    }
    Some(value)
}

/// Only characters of track data in ASCII.
#[inline(always)]
pub(crate) fn are_track(bytes: &[u8]) -> bool {
    clean(bytes, |w| {
        let low = w & (ONES * 0x7F);
        let good = within(low, 0x30, 0x39) | within(low, 0x3D, 0x3D) | within(low, 0x44, 0x44);
        (w | !good) & (ONES * 0x80)
    })
}

/// A character of track data in ASCII.
#[inline]
pub(crate) fn is_track_char(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'=' || byte == b'D'
}

/// Writes `units` packed digits as ASCII: hexadecimal, so that a track's `D` stays one.
#[inline]
pub(crate) fn unpack(bytes: &[u8], units: usize, left: bool, out: &mut [u8]) {
    let behind = usize::from(units % 2 == 1 && left);
    if let (Some(mut word), Some(from)) = (last_bytes(bytes), SIXTEEN.checked_sub(units)) {
        word >>= 4 * behind;
        let digits = [unpack_eight((word >> 32) as u32), unpack_eight(word as u32)];
        return copy_short(&digits.as_flattened()[from..], &mut out[..units]);
    }
    for (at, slot) in out[..units].iter_mut().enumerate() {
        let nibble = at + usize::from(units % 2 == 1 && !left);
        let byte = bytes[nibble / 2];
        *slot = HEX[usize::from(if nibble.is_multiple_of(2) { byte >> 4 } else { byte & 0xF })];
    }
}

/// Up to eight bytes as one number.
#[inline(always)]
fn last_bytes(bytes: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    copy_short(bytes, word.get_mut(8_usize.checked_sub(bytes.len())?..)?);
    Some(u64::from_be_bytes(word))
}

/// Eight nibbles as hexadecimal digits, the highest first.
#[inline(always)]
fn unpack_eight(packed: u32) -> [u8; 8] {
    let packed = u64::from(packed);
    let halves = (packed | packed << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (bytes | bytes << 4) & (ONES * 0x0F);
    let letters = ((nibbles + ONES * 6) >> 4) & ONES;
    (nibbles + ONES * 0x30 + letters * 7).to_be_bytes()
}

/// Packs ASCII digits (and a track's `=` or `D`) into `out`, an odd one padded. `false` if a character has no nibble.
#[inline]
pub(crate) fn pack(ascii: &[u8], left: bool, pad: u8, track: bool, out: &mut [u8]) -> bool {
    let good = if track { are_track(ascii) } else { are_ascii_digits(ascii) };
    if left && ascii.len() % 2 == 1 {
        pack_forward(ascii, pad, out)
    } else {
        pack_backward(ascii, pad, out)
    }
    good
}

#[inline(always)]
fn pack_all(eights: &[[u8; 8]], out: &mut [u8]) {
    for (at, slot) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *slot = eights.get(at).map_or([0; 4], |eight| pack_eight(*eight));
    }
}

/// From the front, so that an odd character's padding comes last.
#[inline(always)]
fn pack_forward(ascii: &[u8], pad: u8, out: &mut [u8]) {
    let (eights, rest) = ascii.as_chunks::<8>();
    let (whole, last) = out.split_at_mut(eights.len() * 4);
    pack_all(eights, whole);
    if !rest.is_empty() {
        let mut eight = [pad; 8];
        copy_short(rest, &mut eight[..rest.len()]);
        copy_short(&pack_eight(eight)[..last.len()], last);
    }
}

/// From the back, so that an odd character's padding comes first.
#[inline(always)]
fn pack_backward(ascii: &[u8], pad: u8, out: &mut [u8]) {
    let (rest, eights) = ascii.as_rchunks::<8>();
    let (first, whole) = out.split_at_mut(out.len() - eights.len() * 4);
    pack_all(eights, whole);
    if !rest.is_empty() {
        let mut eight = [pad; 8];
        copy_short(rest, &mut eight[8 - rest.len()..]);
        copy_short(&pack_eight(eight)[4 - first.len()..], first);
    }
}

/// Eight characters, the first in the lowest byte, into four bytes.
#[inline(always)]
fn pack_eight(eight: [u8; 8]) -> [u8; 4] {
    let word = u64::from_le_bytes(eight);
    // Bit 6 is only set in `D`: its low nibble 4 must become D.
    let nibbles = (word & (ONES * 0x0F)) + ((word >> 6) & ONES) * 9;
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF;
    let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    ((pairs | pairs >> 16) as u32).to_le_bytes()
}

/// The value of a hexadecimal digit in ASCII, either case.
#[inline]
pub(crate) fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// The two upper-case hexadecimal digits of a byte.
#[inline]
pub(crate) fn hex_pair(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xF)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check of eight at a time against the same check of one at a time, every byte at every place of every length.
    fn same(fast: impl Fn(&[u8]) -> bool, slow: impl Fn(u8) -> bool, good: u8) {
        for len in 0..=25_usize {
            assert!(fast(&vec![good; len]), "length {len}");
            for place in 0..len {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![good; len];
                    bytes[place] = byte;
                    assert_eq!(fast(&bytes), slow(byte), "byte {byte:#x} at {place} of {len}");
                }
            }
        }
    }

    #[test]
    fn checks_agree_with_their_plain_forms() {
        same(are_ascii_digits, |b| b.is_ascii_digit(), b'5');
        same(are_ebcdic_digits, |b| (0xF0..=0xF9).contains(&b), 0xF4);
        same(are_printable, |b| (0x20..=0x7E).contains(&b), b'x');
        same(are_packed_digits, |b| b >> 4 <= 9 && b & 0xF <= 9, 0x99);
        let track = |nibble: u8| nibble <= 9 || nibble == 0xD;
        same(are_packed_track, |b| track(b >> 4) && track(b & 0xF), 0x9D);
        same(are_track, is_track_char, b'=');
        same(are_hex, |b| b.is_ascii_hexdigit(), b'f');
    }

    /// A copy is whole whatever it holds, and judged as the check judges.
    #[test]
    fn copies_are_whole_and_judged_alike() {
        for len in 0..=40_usize {
            for place in 0..len {
                for byte in [b'0', b'9', b' ', b'~', 0x00, 0x1F, 0x7F, 0x80, 0xFF] {
                    let mut from = vec![b'5'; len];
                    from[place] = byte;
                    let mut to = vec![0; len];
                    assert_eq!(copy_ascii_digits(&from, &mut to), are_ascii_digits(&from));
                    assert_eq!(to, from, "{len} digits");
                    to.fill(0);
                    assert_eq!(copy_printable(&from, &mut to), are_printable(&from));
                    assert_eq!(to, from, "{len} characters");
                }
            }
        }
    }

    #[test]
    fn sixteen_hexadecimal_digits_are_a_number() {
        assert_eq!(hex_word(b"702406C020C19A31"), Some(0x7024_06C0_20C1_9A31));
        assert_eq!(hex_word(b"ffFF00aabbccddee"), Some(0xFFFF_00AA_BBCC_DDEE));
        assert_eq!(hex_word(b"702406C020C19A3G"), None);
    }
}
