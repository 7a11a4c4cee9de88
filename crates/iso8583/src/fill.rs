//! One field to its bytes: how long it will be, its length prefix, its content.
//! Never writes outside the room that [`measure`] asked for; guards: content of another type is not written.

use crate::digits::{
    are_ascii_digits, are_printable, copy_ascii_digits, copy_printable, hex_pair, is_track_char, pack,
};
use crate::error::EncodeWhy;
use crate::number::{digits_of, write_ascii, write_packed};
use crate::spec::{Field, Prefix, Shape};
use terms::text::copy_short;

/// What a field is to contain.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A number, filled with zeros to a fixed size; shortest form where the length is variable.
    Number(u64),
    /// Canonical content: ASCII characters, or bytes for a binary field.
    Content(&'a [u8]),
    /// The whole field as it is on the wire of this dialect, length prefix included.
    Whole(&'a [u8]),
}

/// Lengths of one field to be written.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    prefix: usize,
    content: usize,
    units: usize,
    /// The value does not fill a fixed field.
    short: bool,
}

impl Measure {
    #[inline]
    pub(crate) fn total(self) -> usize {
        self.prefix + self.content
    }
}

/// How long a field will be, if its value may be as long as that.
#[inline]
pub(crate) fn measure(spec: &Field, value: Value<'_>) -> Result<Measure, EncodeWhy> {
    let units = match value {
        Value::Whole(bytes) => {
            return Ok(Measure { prefix: 0, content: bytes.len(), units: 0, short: false });
        }
        Value::Content(content) => spec.units_of(content.len()),
        Value::Number(_) if spec.is_fixed() => usize::from(spec.max),
        Value::Number(number) => digits_of(number).max(usize::from(spec.min)),
    };
    // The least of a fixed field is its most, and it has no prefix.
    if units < usize::from(spec.min) || units > usize::from(spec.max) {
        return unusual(spec, units);
    }
    Ok(Measure { prefix: usize::from(spec.width), content: spec.wire_len(units), units, short: false })
}

/// A length that is wrong, or that of a fixed field to be filled up.
#[cold]
fn unusual(spec: &Field, units: usize) -> Result<Measure, EncodeWhy> {
    let must_be_whole = spec.hex == 1 || spec.binary;
    if units > usize::from(spec.max) {
        Err(EncodeWhy::TooLong(spec.max))
    } else if !spec.is_fixed() || must_be_whole {
        Err(EncodeWhy::TooShort(spec.min))
    } else {
        let units = usize::from(spec.max);
        Ok(Measure { prefix: 0, content: spec.wire_len(units), units, short: true })
    }
}

/// Writes prefix and content into exactly the room that [`measure`] asked for.
#[inline]
pub(crate) fn fill(spec: &Field, value: Value<'_>, len: Measure, out: &mut [u8]) -> Result<(), EncodeWhy> {
    if let Value::Whole(bytes) = value {
        copy_short(bytes, out);
        return Ok(());
    }
    let (prefix, content) = out.split_at_mut(len.prefix);
    if !prefix.is_empty() {
        put_length(spec, len.units, prefix);
    }
    let good = match value {
        Value::Number(number) => put_number(spec, number, len.units, content),
        Value::Content(text) if len.short => put_short(spec, text, len.units, content),
        Value::Content(text) => put_content(spec, text, content),
        Value::Whole(_) => true,
    };
    if good { Ok(()) } else { Err(EncodeWhy::WrongType) }
}

/// Content of the usual types, prefix and all. `false`: another type, or content that is not of its type.
#[inline(always)]
pub(crate) fn fill_usual(spec: &Field, text: &[u8], prefix: &mut [u8], content: &mut [u8]) -> bool {
    if !prefix.is_empty() {
        put_length(spec, text.len(), prefix);
    }
    match spec.shape {
        Shape::AsciiText => copy_printable(text, content),
        Shape::AsciiDigits => copy_ascii_digits(text, content),
        Shape::Bcd => pack(text, spec.left, spec.pad, false, content),
        Shape::BcdTrack => pack(text, spec.left, spec.pad, true, content),
        Shape::Bytes => {
            copy_short(text, content);
            true
        }
        _ => false,
    }
}

#[inline(always)]
fn put_length(spec: &Field, units: usize, out: &mut [u8]) {
    let value = units >> spec.scale;
    let pair = |value: usize| (value + value / 10 * 6) as u8;
    match (spec.prefix, out) {
        (Prefix::Bcd, [only]) => *only = pair(value),
        (Prefix::Bcd, [high, low]) => (*high, *low) = (pair(value / 100), pair(value % 100)),
        (Prefix::Ascii, [tens, ones]) => {
            (*tens, *ones) = (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8);
        }
        (Prefix::Ascii, out) => _ = write_ascii(value as u64, out),
        (Prefix::Ebcdic, out) => {
            _ = write_ascii(value as u64, out);
            out.iter_mut().for_each(|digit| *digit += 0xC0);
        }
        (Prefix::Binary, out) => {
            for (place, slot) in out.iter_mut().rev().enumerate() {
                *slot = (value >> (8 * place)) as u8;
            }
        }
        (Prefix::Fixed | Prefix::Bcd, _) => {}
    }
}

#[inline(always)]
fn put_number(spec: &Field, number: u64, units: usize, out: &mut [u8]) -> bool {
    match spec.shape {
        Shape::Bcd => write_packed(number, units, spec.left, spec.pad, out),
        Shape::AsciiDigits | Shape::AsciiText => write_ascii(number, out),
        Shape::EbcdicDigits | Shape::EbcdicText => {
            let fits = write_ascii(number, out);
            out.iter_mut().for_each(|digit| *digit += 0xC0);
            fits
        }
        _ => false,
    }
}

/// Canonical content that fills its units exactly.
fn put_content(spec: &Field, text: &[u8], out: &mut [u8]) -> bool {
    match spec.shape {
        Shape::AsciiText | Shape::AsciiDigits | Shape::Bcd | Shape::BcdTrack | Shape::Bytes => {
            fill_usual(spec, text, &mut [], out)
        }
        _ => put_rare(spec, text, out),
    }
}

fn put_rare(spec: &Field, text: &[u8], out: &mut [u8]) -> bool {
    let signed = |text: &[u8]| matches!(text, [b'C' | b'D', rest @ ..] if are_ascii_digits(rest));
    let good = match spec.shape {
        Shape::AsciiTrack | Shape::EbcdicTrack => text.iter().all(|byte| is_track_char(*byte)),
        Shape::AsciiSigned | Shape::EbcdicSigned => signed(text),
        Shape::EbcdicDigits => are_ascii_digits(text),
        Shape::EbcdicText => are_printable(text),
        _ => true,
    };
    match spec.shape {
        Shape::AsciiHex | Shape::EbcdicHex => {
            for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(text) {
                *pair = hex_pair(*byte);
            }
        }
        _ => out.copy_from_slice(text),
    }
    if matches!(
        spec.shape,
        Shape::EbcdicTrack
            | Shape::EbcdicHex
            | Shape::EbcdicSigned
            | Shape::EbcdicText
            | Shape::EbcdicDigits
            | Shape::EbcdicAny
    ) {
        let table = spec.page.of_latin();
        out.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
    }
    good
}

/// Content shorter than a fixed field: filled on the side that the dialect says.
#[cold]
fn put_short(spec: &Field, text: &[u8], units: usize, out: &mut [u8]) -> bool {
    let mut full = [0_u8; crate::view::CONTENT_MAX];
    let Some(full) = full.get_mut(..units) else { return false };
    let digits = matches!(spec.shape, Shape::Bcd | Shape::AsciiDigits | Shape::EbcdicDigits);
    full.fill(if digits { b'0' } else { b' ' });
    // Numbers are filled with zeros in front, whatever side an odd nibble is on.
    let from = if digits || !spec.left { units - text.len() } else { 0 };
    full[from..from + text.len()].copy_from_slice(text);
    put_content(spec, full, out)
}
