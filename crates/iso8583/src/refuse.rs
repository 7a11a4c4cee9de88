//! What exactly is wrong with a field that decoding refused: the slow second look, taken only then.
//! Never shows a byte of a secret field. Guards: whatever decoding refuses has a reason here.

use crate::decode::length;
use crate::digits::{hex_value, is_track_char};
use crate::error::{DecodeError, Expected, Found};
use crate::index::Entry;
use crate::spec::{Field, Prefix, Secret, Shape};

/// Why the field at `at` was refused.
#[cold]
pub(crate) fn refuse(spec: &Field, n: u8, bytes: &[u8], at: usize) -> DecodeError {
    if spec.shape == Shape::Unknown {
        return DecodeError {
            field: n,
            offset: at as u32,
            expected: Expected::KnownField,
            found: Found::Nothing,
        };
    }
    let (content, units) = match prefix(spec, n, bytes, at) {
        Ok(found) => found,
        Err(error) => return error,
    };
    let end = content + spec.wire_len(units);
    match bytes.get(content..end) {
        None => ended(n, bytes, content, end - content),
        Some(held) => culprit(spec, n, held, Entry::new(at, content, end, units)),
    }
}

/// Where the content begins and how many units it has.
fn prefix(spec: &Field, n: u8, bytes: &[u8], at: usize) -> Result<(usize, usize), DecodeError> {
    if spec.prefix == Prefix::Fixed {
        return Ok((at, usize::from(spec.max)));
    }
    let width = usize::from(spec.width);
    let prefix = bytes.get(at..at + width).ok_or_else(|| ended(n, bytes, at, width))?;
    let first = prefix.first().copied().unwrap_or_default();
    let value =
        length(spec, prefix).ok_or_else(|| byte_error(n, at, Expected::LengthDigits, first, Secret::No))?;
    let units = value << spec.scale;
    if units > usize::from(spec.max) || units < usize::from(spec.min) {
        let expected = Expected::Length(spec.min >> spec.scale, spec.max >> spec.scale);
        return Err(DecodeError {
            field: n,
            offset: at as u32,
            expected,
            found: Found::Length(value as u32),
        });
    }
    Ok((at + width, units))
}

/// Names the byte that a check refused.
fn culprit(spec: &Field, n: u8, content: &[u8], entry: Entry) -> DecodeError {
    let start = entry.content();
    // The byte that holds the padding is judged below.
    let odd = matches!(spec.shape, Shape::Bcd | Shape::BcdTrack) && entry.units() % 2 == 1;
    let edge = if spec.left { content.len().wrapping_sub(1) } else { 0 };
    let wrong = |(at, byte): &(usize, &u8)| !(fits(spec, *at, **byte) || odd && *at == edge);
    if let Some((at, byte)) = content.iter().enumerate().find(wrong) {
        let expected = match spec.shape {
            Shape::AsciiText | Shape::EbcdicText => Expected::Text,
            Shape::AsciiTrack | Shape::EbcdicTrack | Shape::BcdTrack => Expected::Track,
            Shape::AsciiSigned | Shape::EbcdicSigned => Expected::Signed,
            Shape::AsciiHex | Shape::EbcdicHex => Expected::Hex,
            _ => Expected::Digits,
        };
        return byte_error(n, start + at, expected, *byte, spec.secret);
    }
    let last = entry.end().saturating_sub(1);
    match spec.shape {
        Shape::AsciiHex | Shape::EbcdicHex => {
            let found = Found::Length(entry.units() as u32);
            DecodeError { field: n, offset: start as u32, expected: Expected::Hex, found }
        }
        _ => {
            let offset = if spec.left { last } else { start };
            let byte = content.get(offset - start).copied().unwrap_or_default();
            byte_error(n, offset, Expected::Padding(spec.pad), byte, spec.secret)
        }
    }
}

/// Whether a byte may stand at this place of a field of characters.
pub(crate) fn fits(spec: &Field, at: usize, byte: u8) -> bool {
    let ascii = match spec.shape {
        Shape::EbcdicDigits
        | Shape::EbcdicText
        | Shape::EbcdicTrack
        | Shape::EbcdicSigned
        | Shape::EbcdicHex => spec.page.to_latin()[usize::from(byte)],
        _ => byte,
    };
    match spec.shape {
        Shape::AsciiDigits | Shape::EbcdicDigits => ascii.is_ascii_digit(),
        Shape::AsciiText | Shape::EbcdicText => (0x20..=0x7E).contains(&ascii),
        Shape::AsciiTrack | Shape::EbcdicTrack => is_track_char(ascii),
        Shape::AsciiSigned | Shape::EbcdicSigned if at == 0 => matches!(ascii, b'C' | b'D'),
        Shape::AsciiSigned | Shape::EbcdicSigned => ascii.is_ascii_digit(),
        Shape::AsciiHex | Shape::EbcdicHex => hex_value(ascii).is_some(),
        Shape::Bcd => byte >> 4 <= 9 && byte & 0xF <= 9,
        Shape::BcdTrack => packed_track(byte),
        Shape::Bytes | Shape::EbcdicAny => true,
        Shape::Unknown => false,
    }
}

/// Both nibbles a digit or the separator.
fn packed_track(byte: u8) -> bool {
    let fits = |nibble: u8| nibble <= 9 || nibble == 0xD;
    fits(byte >> 4) && fits(byte & 0xF)
}

#[cold]
pub(crate) fn byte_error(field: u8, at: usize, expected: Expected, byte: u8, secret: Secret) -> DecodeError {
    let found = if secret == Secret::No { Found::Byte(byte) } else { Found::Masked };
    DecodeError { field, offset: at as u32, expected, found }
}

#[cold]
pub(crate) fn ended(field: u8, bytes: &[u8], at: usize, wanted: usize) -> DecodeError {
    let found = Found::Only(bytes.len().saturating_sub(at) as u32);
    DecodeError { field, offset: at as u32, expected: Expected::Bytes(wanted as u32), found }
}
