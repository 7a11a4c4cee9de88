//! Numbers and their digits, packed or as characters: read and written in whole words where the digits are at most 16.
//! Never allocates; branches on length, not on content. Guards: the quick ways say what digit by digit says (tests below).

const ONES: u64 = 0x0101_0101_0101_0101;

/// Most digits that the quick ways take: two words of characters, one of packed digits.
pub(crate) const QUICK: usize = 16;

/// The number of the last `units` characters of `bytes`, all digits, in ASCII or EBCDIC. The words are read as they
/// end, and what stands before the digits is masked off. `None`: too many digits, or too few bytes before them.
#[inline(always)]
pub(crate) fn characters_before(bytes: &[u8], units: usize) -> Option<u64> {
    let (rest, low) = bytes.split_last_chunk::<8>().filter(|_| units <= QUICK)?;
    let low = u64::from_le_bytes(*low);
    if units <= 8 {
        return Some(eight_digits(low & last_bytes(units)));
    }
    let high = u64::from_le_bytes(*rest.last_chunk::<8>()?);
    Some(eight_digits(high & last_bytes(units - 8)) * 100_000_000 + eight_digits(low))
}

/// Masks the last so many (0 to 8) of eight bytes in memory.
#[inline(always)]
fn last_bytes(len: usize) -> u64 {
    u64::MAX.unbounded_shl(64 - 8 * len as u32)
}

/// The number of the `units` packed digits that end `bytes`, as [`characters_before`].
#[inline(always)]
pub(crate) fn packed_before(bytes: &[u8], units: usize, left: bool) -> Option<u64> {
    let word = u64::from_be_bytes(*bytes.last_chunk::<8>()?);
    let word = if left && units % 2 == 1 { word >> 4 } else { word };
    (units <= QUICK).then(|| sixteen_digits(word & u64::MAX.unbounded_shr(64 - 4 * units as u32)))
}

/// The number that digits make, in ASCII or EBCDIC; only for bytes that passed their check, at most 19 of them.
pub(crate) fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value: u64, byte| value.wrapping_mul(10).wrapping_add(u64::from(byte & 0xF)))
}

/// The number of so many packed digits, padding left out; only for bytes that passed their check.
pub(crate) fn packed(bytes: &[u8], units: usize, left: bool) -> u64 {
    let skip = usize::from(units % 2 == 1 && !left);
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).skip(skip).take(units);
    nibbles.fold(0, |value: u64, nibble| value.wrapping_mul(10).wrapping_add(u64::from(nibble)))
}

/// Eight digits, first in the lowest byte, pairwise into one number.
#[inline(always)]
fn eight_digits(word: u64) -> u64 {
    let word = word & (ONES * 0x0F);
    let pairs = (word.wrapping_mul(10).wrapping_add(word >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xFFFF_FFFF
}

/// Sixteen packed digits, pairwise into one number.
#[inline(always)]
fn sixteen_digits(packed: u64) -> u64 {
    let pairs = (packed & (ONES * 0x0F)) + ((packed >> 4) & (ONES * 0x0F)) * 10;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF) + ((pairs >> 8) & 0x00FF_00FF_00FF_00FF) * 100;
    let eights = (fours & 0x0000_FFFF_0000_FFFF) + ((fours >> 16) & 0x0000_FFFF_0000_FFFF) * 10_000;
    (eights & 0xFFFF_FFFF).wrapping_add((eights >> 32).wrapping_mul(100_000_000))
}

/// The pairs of digits of a number below 10^8, the first pair in the lowest 16 bits, and the tens of each.
#[inline(always)]
fn pairs_and_tens(value: u64) -> (u64, u64) {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = ((fours - hundreds * 100) << 16) + hundreds;
    (pairs, ((pairs * 103) >> 10) & 0x000F_000F_000F_000F)
}

/// The eight digits of a number below 10^8, one a byte, the first in the lowest.
#[inline(always)]
fn spread(value: u64) -> u64 {
    let (pairs, tens) = pairs_and_tens(value);
    ((pairs - tens * 10) << 8) + tens
}

/// Eight packed digits of a number below 10^8, first digit highest.
#[inline(always)]
fn pack_eight(value: u64) -> u64 {
    let (pairs, tens) = pairs_and_tens(value);
    // ten * 16 + one = pair + ten * 6.
    let bytes = pairs + tens * 6;
    let halves = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    u64::from(((halves | halves >> 16) as u32).swap_bytes())
}

/// Four packed digits of a number below 10^4.
#[inline(always)]
fn pack_four(value: u32) -> u64 {
    let pairs = ((value / 100) << 16) + value % 100;
    let tens = ((pairs * 103) >> 10) & 0x000F_000F;
    let bytes = pairs + tens * 6;
    u64::from((bytes >> 8 | bytes) & 0xFFFF)
}

/// The packed digits at the low end of a word, an odd one's padding included. `None` if a word or `units` is too small.
#[inline(always)]
fn packed_word(value: u64, units: usize, left: bool, pad: u8) -> Option<u64> {
    if value >= *POWERS.get(units)? {
        return None;
    }
    let mut word = match units {
        0..=4 => pack_four(value as u32),
        5..=8 => pack_eight(value),
        _ => pack_eight(value / 100_000_000) << 32 | pack_eight(value % 100_000_000),
    };
    if units % 2 == 1 {
        let pad = u64::from(pad);
        word = if left { word << 4 | pad } else { word | pad << (units * 4) };
    }
    Some(word)
}

/// Writes `value` as `units` packed digits to the front of `room`, whatever is behind them; how many bytes they are.
/// `None` if that is not the quick way, or the number needs more digits.
#[inline(always)]
pub(crate) fn quick_packed(
    value: u64,
    units: usize,
    left: bool,
    pad: u8,
    room: &mut [u8; QUICK],
) -> Option<usize> {
    let word = packed_word(value, units, left, pad)?;
    let len = units.div_ceil(2);
    *room.first_chunk_mut::<8>()? = word.wrapping_shl(64 - 8 * len as u32).to_be_bytes();
    Some(len)
}

/// As [`quick_packed`] for characters, of which `zero` is the first digit.
#[inline(always)]
pub(crate) fn quick_characters(value: u64, units: usize, zero: u8, room: &mut [u8; QUICK]) -> Option<usize> {
    if value >= *POWERS.get(units)? {
        return None;
    }
    let zeros = ONES * u64::from(zero);
    if units <= 8 {
        let digits = spread(value) + zeros;
        *room.first_chunk_mut::<8>()? = digits.wrapping_shr(64 - 8 * units as u32).to_le_bytes();
        return Some(units);
    }
    let (high, low) = (spread(value / 100_000_000) + zeros, spread(value % 100_000_000) + zeros);
    *room.first_chunk_mut::<8>()? = (high >> (128 - 8 * units)).to_le_bytes();
    *room.get_mut(units - 8..)?.first_chunk_mut::<8>()? = low.to_le_bytes();
    Some(units)
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
#[inline]
pub(crate) fn write_packed(value: u64, units: usize, left: bool, pad: u8, out: &mut [u8]) -> bool {
    if units > QUICK {
        return write_packed_long(value, units, left, pad, out);
    }
    let Some(word) = packed_word(value, units, left, pad) else { return false };
    let word = word.to_be_bytes();
    match word.get(word.len() - out.len().min(8)..) {
        Some(last) if last.len() == out.len() => {
            terms::text::copy_short(last, out);
            true
        }
        _ => false,
    }
}

/// As [`write_packed`], digit by digit.
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

/// 10^n for as many digits as the quick ways take.
const POWERS: [u64; QUICK + 1] = {
    let mut powers = [1; QUICK + 1];
    let mut at = 1;
    while at <= QUICK {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digits::{pack, unpack};

    const PADDINGS: [(bool, u8); 4] = [(false, 0), (true, 0), (false, 0xF), (true, 0xF)];

    /// Numbers of every width, many of each.
    fn numbers() -> impl Iterator<Item = (u64, usize)> {
        let mut value = 0x9E37_79B9_7F4A_7C15_u64;
        let random = core::iter::repeat_with(move || {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value
        });
        let each = |value: u64| (1..=19_usize).map(move |units| (value % 10_u64.pow(units as u32), units));
        random.take(2000).chain([0, u64::MAX, 9_999_999_999_999_999_999]).flat_map(each)
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        for (value, units) in numbers() {
            let digits = format!("{value:0units$}").into_bytes();
            assert_eq!(characters(&digits), value, "{units} characters");
            let noisy: Vec<u8> = [0xFF; 16].iter().chain(&digits).copied().collect();
            let quick = (units <= QUICK).then_some(value);
            assert_eq!(characters_before(&noisy, units), quick, "{units} characters behind others");
            for (left, pad) in PADDINGS {
                let mut bytes = vec![0; units.div_ceil(2)];
                assert!(pack(&digits, left, pad, false, &mut bytes));
                assert_eq!(packed(&bytes, units, left), value, "{units} packed, left {left}, pad {pad}");
                bytes.splice(0..0, [0xFF; 8]);
                assert_eq!(packed_before(&bytes, units, left), quick, "{units} packed behind others");
            }
        }
    }

    #[test]
    fn too_few_bytes_are_left_to_the_slow_way() {
        assert_eq!((characters_before(b"1234567", 7), characters_before(b"123456789", 9)), (None, None));
        assert_eq!((packed_before(&[1; 7], 14, false), packed_before(&[1; 8], 17, false)), (None, None));
        assert_eq!((characters_before(b"12345678", 0), packed_before(&[1; 8], 0, false)), (Some(0), Some(0)));
    }

    #[test]
    fn numbers_of_every_width_are_written() {
        for (value, units) in numbers() {
            let text = format!("{value:0units$}");
            let mut ascii = [0; 19];
            assert!(write_ascii(value, &mut ascii[..units]));
            assert_eq!(&ascii[..units], text.as_bytes());
            let mut room = [0xEE; QUICK];
            match quick_characters(value, units, b'0', &mut room) {
                Some(len) => assert_eq!(&room[..len], text.as_bytes()),
                None => assert!(units > QUICK, "{text} is quick"),
            }
            for (left, pad) in PADDINGS {
                written_alike(value, units, &text, left, pad);
            }
        }
    }

    fn written_alike(value: u64, units: usize, text: &str, left: bool, pad: u8) {
        let len = units.div_ceil(2);
        let (mut exact, mut plain, mut packed, mut room) = ([0; 10], [0; 10], [0; 10], [0xEE; QUICK]);
        assert!(write_packed(value, units, left, pad, &mut exact[..len]));
        assert!(write_packed_long(value, units, left, pad, &mut plain[..len]));
        assert!(pack(text.as_bytes(), left, pad, false, &mut packed[..len]));
        assert_eq!((exact, packed), (plain, plain), "{text} left {left} pad {pad:X}");
        match quick_packed(value, units, left, pad, &mut room) {
            Some(quick) => assert_eq!(room[..quick], plain[..len], "{text} left {left} pad {pad:X}"),
            None => assert!(units > QUICK, "{text} is quick"),
        }
        let mut again = [0; 19];
        unpack(&packed[..len], units, left, &mut again);
        assert_eq!(&again[..units], text.as_bytes());
    }

    #[test]
    fn a_number_that_does_not_fit_says_so() {
        let mut room = [0; QUICK];
        assert!(!write_ascii(1000, &mut [0; 3]));
        assert!(!write_packed(1000, 3, false, 0, &mut [0; 2]));
        assert!(!write_packed(1000, 3, true, 0, &mut [0; 2]));
        assert!(!write_packed(10_000, 4, true, 0, &mut [0; 2]));
        assert_eq!(quick_packed(1000, 3, false, 0, &mut room), None);
        assert_eq!(quick_characters(100_000_000, 8, b'0', &mut room), None);
        assert_eq!((digits_of(0), digits_of(9), digits_of(10), digits_of(u64::MAX)), (1, 1, 2, 20));
    }
}
