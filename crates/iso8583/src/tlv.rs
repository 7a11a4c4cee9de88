//! Tagged sub-structures: BER-TLV of chip data, and the text tags of terminal data.
//! Never interprets a tag, never drops one it does not know. Guards: reading never passes the end, whatever a length says.

use core::fmt;

/// One tag and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag's bytes (BER: one to four; text: two characters).
    pub tag: &'a [u8],
    /// The value's bytes.
    pub value: &'a [u8],
    /// Offset of the tag in the field.
    pub offset: usize,
}

/// Where tags cannot be followed any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlvError {
    /// Offset in the field.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl core::error::Error for TlvError {}

impl fmt::Display for TlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at byte {} of the field: expected {}, found its end or another byte",
            self.offset, self.expected
        )
    }
}

/// Walks BER-TLV (ISO/IEC 8825-1, definite lengths up to three bytes). Zero bytes between tags are padding (EMV book 3).
pub fn ber(bytes: &[u8]) -> impl Iterator<Item = Result<Tlv<'_>, TlvError>> {
    Walk { bytes, at: 0, padded: true, next: next_ber }
}

/// Walks text tags: two characters of tag, two digits of length, as many bytes of value.
pub fn text(bytes: &[u8]) -> impl Iterator<Item = Result<Tlv<'_>, TlvError>> {
    Walk { bytes, at: 0, padded: false, next: next_text }
}

/// The value of a tag among its siblings; `None` if it is not there before tags end or cannot be followed.
pub fn find_ber<'a>(bytes: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    ber(bytes).map_while(Result::ok).find(|found| found.tag == tag).map(|found| found.value)
}

/// Appends one BER-TLV. `false`, and nothing appended, if the value passes 65,535 bytes.
pub fn put_ber(tag: &[u8], value: &[u8], out: &mut impl bytes::BufMut) -> bool {
    let len = value.len();
    if len > usize::from(u16::MAX) {
        return false;
    }
    out.put_slice(tag);
    match len {
        0..=0x7F => out.put_u8(len as u8),
        0x80..=0xFF => out.put_slice(&[0x81, len as u8]),
        _ => out.put_slice(&[0x82, (len >> 8) as u8, len as u8]),
    }
    out.put_slice(value);
    true
}

/// Whether a BER tag holds tags rather than a value.
pub fn is_constructed(tag: &[u8]) -> bool {
    tag.first().is_some_and(|first| first & 0x20 != 0)
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Zero bytes may stand between tags.
    padded: bool,
    next: fn(&'a [u8], &mut usize) -> Result<Tlv<'a>, TlvError>,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.padded && self.bytes.get(self.at) == Some(&0) {
            self.at += 1;
        }
        if self.at >= self.bytes.len() {
            return None;
        }
        let found = (self.next)(self.bytes, &mut self.at);
        if found.is_err() {
            self.at = self.bytes.len();
        }
        Some(found)
    }
}

fn next_ber<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Tlv<'a>, TlvError> {
    let offset = *at;
    let fail = |offset, expected| TlvError { offset, expected };
    let mut end = offset + 1;
    if bytes[offset] & 0x1F == 0x1F {
        // More tag bytes while the high bit is set.
        loop {
            let byte = bytes.get(end).ok_or(fail(end, "the rest of a tag"))?;
            end += 1;
            if byte & 0x80 == 0 {
                break;
            }
            if end - offset == 4 {
                return Err(fail(end, "a tag of at most four bytes"));
            }
        }
    }
    let tag = &bytes[offset..end];
    let (len, start) = ber_length(bytes, end)?;
    let value = bytes.get(start..start + len).ok_or(fail(start, "as many bytes as the length says"))?;
    *at = start + len;
    Ok(Tlv { tag, value, offset })
}

/// The length at `at` and where the value begins.
fn ber_length(bytes: &[u8], at: usize) -> Result<(usize, usize), TlvError> {
    let fail = |expected| TlvError { offset: at, expected };
    let first = *bytes.get(at).ok_or(fail("a length"))?;
    if first < 0x80 {
        return Ok((usize::from(first), at + 1));
    }
    let count = usize::from(first & 0x7F);
    if !(1..=3).contains(&count) {
        return Err(fail("a length of at most three bytes"));
    }
    let digits = bytes.get(at + 1..at + 1 + count).ok_or(fail("the rest of a length"))?;
    Ok((digits.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), at + 1 + count))
}

fn next_text<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Tlv<'a>, TlvError> {
    let offset = *at;
    let fail = |offset, expected| TlvError { offset, expected };
    let tag = bytes.get(offset..offset + 2).ok_or(fail(offset, "a tag of two characters"))?;
    let digits = bytes.get(offset + 2..offset + 4).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let digits = digits.ok_or(fail(offset + 2, "a length of two digits"))?;
    let len = usize::from(digits[0] - b'0') * 10 + usize::from(digits[1] - b'0');
    let value = bytes.get(offset + 4..offset + 4 + len);
    let value = value.ok_or(fail(offset + 4, "as many bytes as the length says"))?;
    *at = offset + 4 + len;
    Ok(Tlv { tag, value, offset })
}
