//! Digits and characters, eight at a time: checking, packing, unpacking, reading and writing numbers.
//! Never allocates; branches on length, not on content. Guards: what passes a check here is what the type says.

const ONES: u64 = 0x0101_0101_0101_0101;

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

/// Only `0`..=`9` in ASCII.
#[inline(always)]
pub(crate) fn are_ascii_digits(bytes: &[u8]) -> bool {
    clean(bytes, |w| ((w & (ONES * 0xF0)) ^ (ONES * 0x30)) | over_nine(w))
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
    clean(bytes, |w| {
        let low = w & (ONES * 0x7F);
        let below = !(low + ONES * 0x60);
        (w | below | (low + ONES)) & (ONES * 0x80)
    })
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

/// The number that ASCII digits make; only for bytes that passed [`are_ascii_digits`], at most 19 of them.
#[inline]
pub(crate) fn ascii_number(bytes: &[u8]) -> u64 {
    let (head, words) = bytes.as_rchunks::<8>();
    let mut value = match head {
        [] => 0,
        [first] => u64::from(first & 0xF),
        [first, second] => u64::from(first & 0xF) * 10 + u64::from(second & 0xF),
        [first, middle, .., last] => {
            // Four from the front and four from the back; where they overlap they say the same. Zeros fill the front.
            let (front, back) = match (head.first_chunk::<4>(), head.last_chunk::<4>()) {
                (Some(front), Some(back)) => (u32::from_le_bytes(*front), u32::from_le_bytes(*back)),
                _ => {
                    let back = u32::from_le_bytes([0, *first, *middle, *last]);
                    (back, back)
                }
            };
            let gap = 8 - head.len().max(4);
            eight_digits(u64::from(front) << (gap * 8) | u64::from(back) << 32)
        }
    };
    for word in words {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(u64::from_le_bytes(*word)));
    }
    value
}

/// Eight digits, first in the lowest byte, pairwise into one number.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let word = word & (ONES * 0x0F);
    let pairs = (word.wrapping_mul(10).wrapping_add(word >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xFFFF_FFFF
}

/// The number of so many packed digits, padding left out; only for bytes that passed their check.
#[inline]
pub(crate) fn packed_number(bytes: &[u8], units: usize, left: bool) -> u64 {
    let odd = units % 2 == 1;
    if odd && left {
        return packed_left(bytes);
    }
    let (head, low) = match bytes.split_last_chunk::<8>() {
        Some((head, low)) => (head, u64::from_be_bytes(*low)),
        None => (&bytes[..0], front(bytes)),
    };
    let mut value = sixteen_digits(if head.is_empty() && odd { low & !(0xF << (units * 4)) } else { low });
    if !head.is_empty() {
        let mask = if odd { 0x0F } else { 0xFF };
        let high = head.iter().enumerate().fold(0_u64, |high, (at, byte)| {
            let byte = if at == 0 { byte & mask } else { *byte };
            high.wrapping_mul(100).wrapping_add(pair(byte))
        });
        value = value.wrapping_add(high.wrapping_mul(10_000_000_000_000_000));
    }
    value
}

/// Up to seven bytes as one big-endian number, in moves of fixed length; overlapping bytes say the same.
#[inline(always)]
fn front(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    match bytes {
        [] => 0,
        [a] => u64::from(*a),
        [a, b] => u64::from(*a) << 8 | u64::from(*b),
        [a, b, c] => u64::from(*a) << 16 | u64::from(*b) << 8 | u64::from(*c),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(high), Some(low)) => {
                u64::from(u32::from_be_bytes(*high)) << ((len - 4) * 8) | u64::from(u32::from_be_bytes(*low))
            }
            _ => 0,
        },
    }
}

/// Sixteen packed digits, pairwise into one number.
#[inline(always)]
fn sixteen_digits(packed: u64) -> u64 {
    let pairs = (packed & (ONES * 0x0F)) + ((packed >> 4) & (ONES * 0x0F)) * 10;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF) + ((pairs >> 8) & 0x00FF_00FF_00FF_00FF) * 100;
    let eights = (fours & 0x0000_FFFF_0000_FFFF) + ((fours >> 16) & 0x0000_FFFF_0000_FFFF) * 10_000;
    (eights & 0xFFFF_FFFF).wrapping_add((eights >> 32).wrapping_mul(100_000_000))
}

/// An odd number of digits with the padding behind them.
fn packed_left(bytes: &[u8]) -> u64 {
    let Some((last, head)) = bytes.split_last() else { return 0 };
    let value = head.iter().fold(0_u64, |value, byte| value.wrapping_mul(100).wrapping_add(pair(*byte)));
    value.wrapping_mul(10).wrapping_add(u64::from(last >> 4))
}

#[inline]
fn pair(byte: u8) -> u64 {
    u64::from(byte >> 4) * 10 + u64::from(byte & 0xF)
}

/// Writes `units` packed digits as ASCII: hexadecimal, so that a track's `D` stays one.
#[inline]
pub(crate) fn unpack(bytes: &[u8], units: usize, left: bool, out: &mut [u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let skip = usize::from(units % 2 == 1 && !left);
    for (at, slot) in out[..units].iter_mut().enumerate() {
        let nibble = at + skip;
        let byte = bytes[nibble / 2];
        *slot = HEX[usize::from(if nibble.is_multiple_of(2) { byte >> 4 } else { byte & 0xF })];
    }
}

/// Packs ASCII digits (and a track's `=` or `D`) into `out`, an odd one padded. `false` if a character has no nibble.
#[inline]
pub(crate) fn pack(ascii: &[u8], left: bool, pad: u8, track: bool, out: &mut [u8]) -> bool {
    let good = if track { are_track(ascii) } else { are_ascii_digits(ascii) };
    let odd = ascii.len() % 2 == 1;
    let (mut rest, mut out) = (ascii, out);
    if odd && !left {
        let (Some((first, digits)), Some((slot, slots))) = (ascii.split_first(), out.split_first_mut())
        else {
            return false;
        };
        *slot = pad << 4 | nibble(*first);
        (rest, out) = (digits, slots);
    }
    let (eights, rest) = rest.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        if let Some(slot) = out.get_mut(at * 4..at * 4 + 4) {
            slot.copy_from_slice(&pack_eight(*eight));
        }
    }
    let out = out.get_mut(eights.len() * 4..).unwrap_or_default();
    let (pairs, last) = rest.as_chunks::<2>();
    for (at, [high, low]) in pairs.iter().enumerate() {
        if let Some(slot) = out.get_mut(at) {
            *slot = nibble(*high) << 4 | nibble(*low);
        }
    }
    if let ([last], Some(slot)) = (last, out.get_mut(pairs.len())) {
        *slot = nibble(*last) << 4 | pad;
    }
    good
}

/// Digits have their value in the low nibble, `=` has a D there; `D` itself has not.
#[inline(always)]
fn nibble(byte: u8) -> u8 {
    if byte == b'D' { 0xD } else { byte & 0xF }
}

/// Eight characters, the first in the lowest byte, into four bytes.
#[inline(always)]
fn pack_eight(eight: [u8; 8]) -> [u8; 4] {
    let word = u64::from_le_bytes(eight);
    // Bit 6 is only set in `D`: its low nibble 4 must become D.
    let nibbles = (word & (ONES * 0x0F)) + ((word >> 6) & ONES) * 9;
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF;
    (squeeze(pairs) as u32).to_le_bytes()
}

/// The low bytes of four lanes side by side.
#[inline(always)]
fn squeeze(lanes: u64) -> u64 {
    let pairs = (lanes | lanes >> 8) & 0x0000_FFFF_0000_FFFF;
    (pairs | pairs >> 16) & 0xFFFF_FFFF
}

/// Eight packed digits of a number below 10^8, first digit highest.
#[inline(always)]
fn bcd_eight(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = ((fours - hundreds * 100) << 16) + hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    // ten * 16 + one = pair + ten * 6.
    u64::from((squeeze(pairs + tens * 6) as u32).swap_bytes())
}

/// Writes `value` as ASCII digits filling `out`. `false` if it needs more.
#[inline]
pub(crate) fn write_ascii(mut value: u64, out: &mut [u8]) -> bool {
    let (first, pairs) = out.as_rchunks_mut::<2>();
    for slot in pairs.iter_mut().rev() {
        *slot = PAIRS[(value % 100) as usize];
        value /= 100;
    }
    if let [first] = first {
        *first = b'0' + (value % 10) as u8;
        value /= 10;
    }
    value == 0
}

/// Writes `value` as `units` packed digits filling `out`. `false` if it needs more.
#[inline(always)]
pub(crate) fn write_packed(value: u64, units: usize, left: bool, pad: u8, out: &mut [u8]) -> bool {
    let Some(limit) = POWERS.get(units) else { return write_packed_long(value, units, left, pad, out) };
    if value >= *limit {
        return false;
    }
    let mut word = if units <= 8 {
        bcd_eight(value)
    } else {
        bcd_eight(value / 100_000_000) << 32 | bcd_eight(value % 100_000_000)
    };
    if units % 2 == 1 {
        let pad = u64::from(pad);
        word = if left { word << 4 | pad } else { word | pad << (units * 4) };
    }
    tail(word.to_be_bytes(), out)
}

/// The last bytes of a word. The usual lengths are spelled out: a copy of known length is one or two moves.
#[inline(always)]
fn tail(word: [u8; 8], out: &mut [u8]) -> bool {
    match out.len() {
        1 => out.copy_from_slice(&word[7..]),
        2 => out.copy_from_slice(&word[6..]),
        3 => out.copy_from_slice(&word[5..]),
        4 => out.copy_from_slice(&word[4..]),
        5 => out.copy_from_slice(&word[3..]),
        6 => out.copy_from_slice(&word[2..]),
        7 => out.copy_from_slice(&word[1..]),
        8 => out.copy_from_slice(&word),
        _ => return false,
    }
    true
}

/// As [`write_packed`] for more digits than a word holds.
#[cold]
fn write_packed_long(mut value: u64, units: usize, left: bool, pad: u8, out: &mut [u8]) -> bool {
    let odd = units % 2 == 1;
    for at in (0..units).rev() {
        let nibble = at + usize::from(odd && !left);
        let digit = (value % 10) as u8;
        value /= 10;
        if let Some(slot) = out.get_mut(nibble / 2) {
            *slot = if nibble.is_multiple_of(2) { digit << 4 | *slot & 0xF } else { *slot & 0xF0 | digit };
        }
    }
    match out {
        [.., last] if odd && left => *last = *last & 0xF0 | pad,
        [first, ..] if odd && !left => *first = *first & 0xF | pad << 4,
        _ => {}
    }
    value == 0
}

/// 10^n for as many digits as a word holds packed, beside an odd one's padding.
const POWERS: [u64; 17] = {
    let mut powers = [1; 17];
    let mut at = 1;
    while at < 17 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Decimal digits that `value` needs, at least one.
#[inline]
pub(crate) fn digits_of(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

const PAIRS: [[u8; 2]; 100] = {
    let mut table = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        table[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    table
};

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
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
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

    #[test]
    fn sixteen_hexadecimal_digits_are_a_number() {
        assert_eq!(hex_word(b"702406C020C19A31"), Some(0x7024_06C0_20C1_9A31));
        assert_eq!(hex_word(b"ffFF00aabbccddee"), Some(0xFFFF_00AA_BBCC_DDEE));
        assert_eq!(hex_word(b"702406C020C19A3G"), None);
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        for width in 1..=19_usize {
            let digits: Vec<u8> = (0..width).map(|at| b'0' + ((at * 7 + width) % 10) as u8).collect();
            let value: u64 = String::from_utf8_lossy(&digits).parse().unwrap();
            assert_eq!(ascii_number(&digits), value, "{width} characters");
            for (left, pad) in [(false, 0), (true, 0), (false, 0xF), (true, 0xF)] {
                let mut packed = vec![0; width.div_ceil(2)];
                assert!(pack(&digits, left, pad, false, &mut packed));
                assert_eq!(
                    packed_number(&packed, width, left),
                    value,
                    "{width} packed, left {left}, pad {pad}"
                );
            }
        }
    }

    #[test]
    fn numbers_go_there_and_back() {
        for (value, width) in
            [(0, 1), (7, 3), (123_456, 6), (999_999_999_999, 12), (9_999_999_999_999_999_999, 19)]
        {
            let mut ascii = [0; 19];
            assert!(write_ascii(value, &mut ascii[..width]));
            assert_eq!(ascii_number(&ascii[..width]), value);
            for left in [false, true] {
                let mut packed = [0xEE; 10];
                let bytes = width.div_ceil(2);
                assert!(write_packed(value, width, left, 0, &mut packed[..bytes]));
                assert_eq!(packed_number(&packed[..bytes], width, left), value, "{value} left {left}");
                let mut text = [0; 19];
                unpack(&packed[..bytes], width, left, &mut text);
                assert_eq!(text[..width], ascii[..width]);
                let mut again = [0; 10];
                assert!(pack(&ascii[..width], left, 0, false, &mut again));
                assert_eq!(again[..bytes], packed[..bytes]);
            }
        }
    }

    #[test]
    fn every_length_packs_as_digit_by_digit() {
        let mut value = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..2000 {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for units in 1..=18_usize {
                let number = value % 10_u64.pow(units as u32);
                for (left, pad) in [(false, 0), (true, 0), (false, 0xF), (true, 0xF)] {
                    let (mut fast, mut plain, mut packed) = ([0; 9], [0; 9], [0; 9]);
                    let len = units.div_ceil(2);
                    assert!(write_packed(number, units, left, pad, &mut fast[..len]));
                    assert!(write_packed_long(number, units, left, pad, &mut plain[..len]));
                    let text = format!("{number:0units$}");
                    assert!(pack(text.as_bytes(), left, pad, false, &mut packed[..len]));
                    assert_eq!((fast, packed), (plain, plain), "{text} left {left} pad {pad:X}");
                }
            }
        }
    }

    #[test]
    fn a_number_that_does_not_fit_says_so() {
        assert!(!write_ascii(1000, &mut [0; 3]));
        assert!(!write_packed(1000, 3, false, 0, &mut [0; 2]));
        assert!(!write_packed(1000, 3, true, 0, &mut [0; 2]));
        assert!(!write_packed(10_000, 4, true, 0, &mut [0; 2]));
        assert_eq!((digits_of(0), digits_of(9), digits_of(10), digits_of(u64::MAX)), (1, 1, 2, 20));
    }
}
