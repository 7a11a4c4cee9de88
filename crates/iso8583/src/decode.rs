//! Bytes to an index of fields, in one pass and without a copy.
//! Never allocates, never panics, never looks past the end. Guards: after `Ok`, every field has the length and the
//! characters that its dialect gives it, and the message ends where its last field ends.

use crate::digits::{
    are_ascii_digits, are_ebcdic_digits, are_hex, are_packed_digits, are_packed_track, are_printable,
    are_track, hex_value, hex_word,
};
use crate::error::{DecodeError, Expected, Found, Sample};
use crate::index::{Bits, Entry, Index, NO_MTI, place};
use crate::number::{characters, characters_before, packed, packed_before};
use crate::refuse::{byte_error, ended, fits, refuse};
use crate::spec::{Field, Prefix, Secret, Shape};
use crate::{Coding, Dialect};
use terms::Mti;

/// Longest message: offsets are two bytes.
pub(crate) const SIZE_MAX: usize = u16::MAX as usize;

/// Finds and checks every field of `bytes`.
///
/// # Errors
/// The first thing that is wrong. `index` then holds the fields before it.
#[inline]
pub fn decode(dialect: &Dialect, bytes: &[u8], index: &mut Index) -> Result<(), DecodeError> {
    find::<true>(dialect, bytes, index)
}

/// As [`decode`] for bytes that it (or a writer of ours) has passed before: finds the fields, does not look at their
/// content again. Lengths are checked as ever.
///
/// # Errors
/// As [`decode`], but for content.
#[inline]
pub fn locate(dialect: &Dialect, bytes: &[u8], index: &mut Index) -> Result<(), DecodeError> {
    find::<false>(dialect, bytes, index)
}

#[inline(always)]
fn find<const CHECK: bool>(dialect: &Dialect, bytes: &[u8], index: &mut Index) -> Result<(), DecodeError> {
    let at = head(dialect, bytes, index)?;
    let layout = dialect.layouts.find(dialect, &index.present());
    match layout.and_then(|layout| layout.walk::<CHECK>(dialect, bytes, at, index)) {
        Some(end) if end == bytes.len() => Ok(()),
        _ => one_by_one(dialect, bytes, at, index),
    }
}

/// As [`decode`], without a layout: what the quick way is held against.
pub(crate) fn decode_one_by_one(
    dialect: &Dialect,
    bytes: &[u8],
    index: &mut Index,
) -> Result<(), DecodeError> {
    let at = head(dialect, bytes, index)?;
    one_by_one(dialect, bytes, at, index)
}

/// Field by field: for bitmaps without a layout, and to name what is wrong.
#[cold]
#[inline(never)]
fn one_by_one(dialect: &Dialect, bytes: &[u8], mut at: usize, index: &mut Index) -> Result<(), DecodeError> {
    for (word, bits) in index.present().into_iter().enumerate() {
        let mut bits = bits;
        while bits != 0 {
            let zeros = bits.leading_zeros();
            bits &= !(FIRST >> zeros);
            let n = (word * 64) as u8 + zeros as u8 + 1;
            let Some(entry) = field(dialect.field(n), bytes, at) else {
                index.keep_below(n);
                return Err(refuse(dialect.field(n), n, bytes, at));
            };
            at = entry.end();
            *index.slot(n) = entry;
        }
    }
    if at == bytes.len() { Ok(()) } else { Err(trailing(bytes, at)) }
}

/// As [`decode`], but goes on past content that is wrong as long as lengths can be followed; wrong fields are left out.
/// Returns whether at least the head could be read.
pub(crate) fn salvage(dialect: &Dialect, bytes: &[u8], index: &mut Index) -> bool {
    let Ok(mut at) = head(dialect, bytes, index) else { return false };
    for n in Bits::new(index.present()) {
        let Some(entry) = extent(dialect.field(n), bytes, at) else {
            index.keep_below(n);
            break;
        };
        at = entry.end();
        *index.slot(n) = entry;
        if !holds(dialect.field(n), bytes, entry) {
            index.forget(n);
        }
    }
    true
}

/// Reads MTI and bitmaps; returns where the first field begins.
#[inline]
fn head(dialect: &Dialect, bytes: &[u8], index: &mut Index) -> Result<usize, DecodeError> {
    index.begin(NO_MTI, [0; 3], 0, 0);
    if bytes.len() > SIZE_MAX {
        let found = Found::Length(bytes.len() as u32);
        return Err(DecodeError { field: 0, offset: 0, expected: Expected::Size(SIZE_MAX as u32), found });
    }
    let (mti, mut at) = message_type(dialect.mti_coding(), bytes)?;
    let mut present = [0_u64; 3];
    for (level, word) in present.iter_mut().enumerate().take(dialect.levels()) {
        *word = bitmap(dialect.bitmap_coding(), bytes, &mut at)?;
        if level + 1 == dialect.levels() || *word & FIRST == 0 {
            break;
        }
        // The first bit says that another bitmap follows; it is not a field.
        *word &= !FIRST;
    }
    index.begin(mti, present, at, bytes.len());
    Ok(at)
}

const FIRST: u64 = 1 << 63;

#[inline]
fn message_type(coding: Coding, bytes: &[u8]) -> Result<(Mti, usize), DecodeError> {
    let short = || ended(0, bytes, 0, coding.mti_len());
    let mti = match coding {
        Coding::Binary => {
            let bcd = bytes.first_chunk::<2>().ok_or_else(short)?;
            Mti::new(u16::from_be_bytes(*bcd))
        }
        Coding::Ascii => Mti::from_ascii(*bytes.first_chunk::<4>().ok_or_else(short)?),
        Coding::Ebcdic => {
            let digits = bytes.first_chunk::<4>().ok_or_else(short)?;
            Mti::from_ascii(digits.map(|digit| if digit >= 0xF0 { digit - 0xC0 } else { 0 }))
        }
    };
    mti.map(|mti| (mti, coding.mti_len())).ok_or_else(|| no_type(coding, bytes))
}

#[cold]
fn no_type(coding: Coding, bytes: &[u8]) -> DecodeError {
    let found = bytes.get(..coding.mti_len()).unwrap_or(bytes);
    let sample = if let Coding::Ascii = coding { Sample::of(found) } else { Sample::of_bytes(found) };
    DecodeError { field: 0, offset: 0, expected: Expected::Mti, found: Found::Value(sample) }
}

#[inline]
fn bitmap(coding: Coding, bytes: &[u8], at: &mut usize) -> Result<u64, DecodeError> {
    let rest = &bytes[*at..];
    let (len, start) = (coding.bitmap_len(), *at);
    let Some(found) = rest.get(..len) else { return Err(ended(1, bytes, start, len)) };
    *at += len;
    if let Coding::Binary = coding {
        return Ok(found.first_chunk::<8>().map_or(0, |word| u64::from_be_bytes(*word)));
    }
    if let (Coding::Ascii, Some(digits)) = (coding, found.first_chunk::<16>())
        && let Some(word) = hex_word(digits)
    {
        return Ok(word);
    }
    slow_bitmap(coding, found, start)
}

/// A bitmap in EBCDIC digits, or one with a wrong digit.
#[cold]
fn slow_bitmap(coding: Coding, found: &[u8], start: usize) -> Result<u64, DecodeError> {
    let mut word = 0;
    for (place, byte) in found.iter().enumerate() {
        let ascii = if let Coding::Ebcdic = coding {
            crate::ebcdic::Page::Cp037.to_latin()[usize::from(*byte)]
        } else {
            *byte
        };
        let Some(nibble) = hex_value(ascii) else {
            return Err(byte_error(1, start + place, Expected::Bitmap, *byte, Secret::No));
        };
        word = word << 4 | u64::from(nibble);
    }
    Ok(word)
}

/// One field, found and checked. `None` says only that something is wrong: what it is, [`refuse`] finds out, so that the
/// good way carries no error around.
#[inline(always)]
pub(crate) fn field(spec: &Field, bytes: &[u8], at: usize) -> Option<Entry> {
    let entry = extent(spec, bytes, at)?;
    holds(spec, bytes, entry).then_some(entry)
}

/// Where the field begins and ends.
#[inline(always)]
pub(crate) fn extent(spec: &Field, bytes: &[u8], at: usize) -> Option<Entry> {
    let (content, units) = match spec.prefix {
        Prefix::Fixed if let Shape::Unknown = spec.shape => return None,
        Prefix::Fixed => (at, usize::from(spec.max)),
        _ => {
            let content = at + usize::from(spec.width);
            let units = length(spec, bytes.get(at..content)?)? << spec.scale;
            (units <= usize::from(spec.max) && units >= usize::from(spec.min)).then_some((content, units))?
        }
    };
    let end = content + spec.wire_len(units);
    (end <= bytes.len()).then_some(Entry::new(at, content, end, units))
}

/// The number in a length prefix; `None` if it is none.
#[inline(always)]
pub(crate) fn length(spec: &Field, prefix: &[u8]) -> Option<usize> {
    let (value, good) = match (spec.prefix, prefix) {
        (Prefix::Bcd, [byte]) => packed_pair(*byte),
        (Prefix::Bcd, [high, low]) => {
            let (high, low) = (packed_pair(*high), packed_pair(*low));
            (high.0 * 100 + low.0, high.1 & low.1)
        }
        (Prefix::Ascii, [high, low]) => {
            let (high, low) = (high.wrapping_sub(b'0'), low.wrapping_sub(b'0'));
            (usize::from(high) * 10 + usize::from(low), high <= 9 && low <= 9)
        }
        (Prefix::Ascii, _) => decimal(prefix, 0x30),
        (Prefix::Ebcdic, _) => decimal(prefix, 0xF0),
        (Prefix::Binary, _) => (prefix.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)), true),
        (Prefix::Bcd | Prefix::Fixed, _) => (0, false),
    };
    good.then_some(value)
}

#[inline]
fn packed_pair(byte: u8) -> (usize, bool) {
    let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0xF));
    (high * 10 + low, high <= 9 && low <= 9)
}

#[inline]
fn decimal(prefix: &[u8], zero: u8) -> (usize, bool) {
    prefix.iter().fold((0, true), |(value, good), byte| {
        let digit = byte.wrapping_sub(zero);
        (value * 10 + usize::from(digit), good && digit <= 9)
    })
}

/// Whether the content is what the field's type allows.
#[inline(always)]
pub(crate) fn holds(spec: &Field, bytes: &[u8], entry: Entry) -> bool {
    let Some(content) = bytes.get(entry.content()..entry.end()) else { return false };
    match spec.shape {
        Shape::Bytes | Shape::EbcdicAny => true,
        Shape::AsciiDigits => are_ascii_digits(content),
        Shape::AsciiText => are_printable(content),
        Shape::Bcd if spec.pad > 9 && entry.units() % 2 == 1 => padded_digits(spec, content),
        Shape::Bcd => are_packed_digits(content) & padded(spec, content, entry.units()),
        Shape::BcdTrack if spec.pad > 9 && entry.units() % 2 == 1 => padded_digits(spec, content),
        Shape::BcdTrack => are_packed_track(content) & padded(spec, content, entry.units()),
        Shape::AsciiTrack => are_track(content),
        Shape::AsciiHex => are_hex(content) & content.len().is_multiple_of(2),
        Shape::EbcdicDigits => are_ebcdic_digits(content),
        Shape::AsciiSigned | Shape::EbcdicText | Shape::EbcdicTrack => slow_check(spec, content),
        Shape::EbcdicSigned | Shape::EbcdicHex => slow_check(spec, content),
        Shape::Unknown => false,
    }
}

/// An odd number of packed digits leaves one nibble over: it must be the dialect's padding.
#[inline]
fn padded(spec: &Field, content: &[u8], units: usize) -> bool {
    if units.is_multiple_of(2) {
        return true;
    }
    match (spec.left, content) {
        (true, [.., last]) => last & 0xF == spec.pad,
        (false, [first, ..]) => first >> 4 == spec.pad,
        (_, []) => true,
    }
}

/// An odd number of packed digits whose padding is no digit, or of a track.
fn padded_digits(spec: &Field, content: &[u8]) -> bool {
    let track = spec.shape == Shape::BcdTrack;
    let fits = |nibble: u8| nibble <= 9 || track && nibble == 0xD;
    let (edge, rest) = match (spec.left, content) {
        (true, [rest @ .., last]) => (last.rotate_right(4), rest),
        (false, [first, rest @ ..]) => (*first, rest),
        (_, []) => return true,
    };
    edge >> 4 == spec.pad && fits(edge & 0xF) && rest.iter().all(|byte| fits(byte >> 4) && fits(byte & 0xF))
}

fn slow_check(spec: &Field, content: &[u8]) -> bool {
    let even = !matches!(spec.shape, Shape::AsciiHex | Shape::EbcdicHex) || content.len().is_multiple_of(2);
    even && content.iter().enumerate().all(|(at, byte)| fits(spec, at, *byte))
}

#[cold]
fn trailing(bytes: &[u8], at: usize) -> DecodeError {
    let found = Found::Trailing((bytes.len() - at) as u32);
    DecodeError { field: 0, offset: at as u32, expected: Expected::End, found }
}

/// Reads a number of plain digits in any coding; used where the shape is known to hold digits.
#[inline]
pub(crate) fn number(spec: &Field, bytes: &[u8], entry: Entry) -> Option<u64> {
    let (upto, units) = (bytes.get(..entry.end())?, entry.units());
    let quick = match spec.shape {
        Shape::Bcd => packed_before(upto, units, spec.left),
        Shape::AsciiDigits | Shape::EbcdicDigits => characters_before(upto, units),
        _ => None,
    };
    quick.or_else(|| slow_number(spec, upto.get(entry.content()..)?, units))
}

/// As [`number`] where it takes more than two words, or is text that may be a number.
pub(crate) fn slow_number(spec: &Field, content: &[u8], units: usize) -> Option<u64> {
    if units > 19 {
        return None;
    }
    match spec.shape {
        Shape::AsciiDigits | Shape::EbcdicDigits => Some(characters(content)),
        Shape::Bcd => Some(packed(content, units, spec.left)),
        Shape::AsciiText if are_ascii_digits(content) => Some(characters(content)),
        Shape::EbcdicText if are_ebcdic_digits(content) => Some(characters(content)),
        _ => None,
    }
}

/// Whether a bit of a bitmap is kept for "another bitmap follows".
pub(crate) fn is_structural(n: u8, levels: usize) -> bool {
    let (word, bit) = place(n);
    bit == FIRST && word + 1 < levels.max(1) || n == 1
}
