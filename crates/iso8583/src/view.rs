//! Reading the fields of a decoded message as people and programs mean them: numbers, ASCII text, bytes.
//! Never allocates. Guards: canonical content is the same whatever the dialect's encoding was.

use crate::decode::number;
use crate::dialect::{Dialect, Part};
use crate::digits::{hex_value, unpack};
use crate::index::Index;
use crate::number::characters;
use crate::spec::{Field, Shape};
use terms::{Mti, Text};

/// Longest content that is translated between encodings, in canonical bytes. (Copies are not bounded by it.)
pub const CONTENT_MAX: usize = 1024;

/// A decoded message: dialect, bytes and index together.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What the bytes were decoded with.
    pub dialect: &'a Dialect,
    /// The message, without envelope.
    pub bytes: &'a [u8],
    /// What [`crate::decode`] filled from these bytes.
    pub index: &'a Index,
}

impl<'a> View<'a> {
    /// Puts together what belongs together. An index of other bytes gives wrong content, never a panic.
    #[inline]
    pub fn new(dialect: &'a Dialect, bytes: &'a [u8], index: &'a Index) -> Self {
        Self { dialect, bytes, index }
    }

    /// The message type.
    #[inline]
    pub fn mti(&self) -> Mti {
        self.index.mti()
    }

    /// Whether field `n` is there.
    #[inline]
    pub fn has(&self, n: u8) -> bool {
        self.index.has(n)
    }

    /// A field of digits as a number. `None` if absent, over 19 digits, or not of digits.
    #[inline]
    pub fn number(&self, n: u8) -> Option<u64> {
        let entry = self.index.entry(n)?;
        number(self.dialect.field(n), self.bytes, entry)
    }

    /// Canonical content into `out`: ASCII for characters and digits, bytes for binary. Its length; `None` if absent or
    /// longer than `out`.
    #[inline]
    pub fn content(&self, n: u8, out: &mut [u8]) -> Option<usize> {
        let entry = self.index.entry(n)?;
        canonical(self.dialect.field(n), self.index.raw(n, self.bytes)?, entry.units(), out)
    }

    /// A field of characters as text of at most `N`. `None` if absent or longer.
    #[inline]
    pub fn text<const N: usize>(&self, n: u8) -> Option<Text<N>> {
        let entry = self.index.entry(n)?;
        if let Shape::AsciiText | Shape::AsciiDigits = self.dialect.field(n).shape {
            return Text::new(self.bytes.get(entry.content()..entry.end())?);
        }
        let mut content = [0; N];
        let len = self.content(n, &mut content)?;
        Text::new(&content[..len])
    }

    /// A fixed sub-field of digits as a number; `None` if the field is absent or too short to have it.
    #[inline]
    pub fn part_number(&self, part: Part) -> Option<u64> {
        if part.is_whole() {
            return self.number(part.field);
        }
        let mut digits = [0; 19];
        let len = self.part(part, &mut digits)?;
        digits[..len].iter().all(u8::is_ascii_digit).then(|| characters(&digits[..len]))
    }

    /// Canonical content of a sub-field into `out`; its length. `None` if it is not there or does not fit.
    #[inline]
    pub fn part(&self, part: Part, out: &mut [u8]) -> Option<usize> {
        let entry = self.index.entry(part.field)?;
        let (spec, raw) = (self.dialect.field(part.field), self.index.raw(part.field, self.bytes)?);
        slice_of(spec, raw, entry.units(), part, out)
    }
}

/// Cuts a sub-field out of a field.
fn slice_of(spec: &Field, raw: &[u8], units: usize, part: Part, out: &mut [u8]) -> Option<usize> {
    let (from, len) = (usize::from(part.from), usize::from(part.len));
    if from + len > units {
        return None;
    }
    let out = out.get_mut(..len)?;
    match spec.shape {
        Shape::Bcd | Shape::BcdTrack => {
            let skip = usize::from(units % 2 == 1 && !spec.left);
            for (at, slot) in out.iter_mut().enumerate() {
                let nibble = from + at + skip;
                let byte = raw.get(nibble / 2)?;
                *slot = b'0' + if nibble.is_multiple_of(2) { byte >> 4 } else { byte & 0xF };
            }
        }
        Shape::EbcdicDigits | Shape::EbcdicText | Shape::EbcdicAny => {
            let table = spec.page.to_latin();
            for (slot, byte) in out.iter_mut().zip(raw.get(from..from + len)?) {
                *slot = table[usize::from(*byte)];
            }
        }
        _ => out.copy_from_slice(raw.get(from..from + len)?),
    }
    Some(len)
}

/// Wire bytes to canonical content.
#[inline]
pub(crate) fn canonical(spec: &Field, raw: &[u8], units: usize, out: &mut [u8]) -> Option<usize> {
    let out = out.get_mut(..spec.content_len(units))?;
    match spec.shape {
        Shape::AsciiDigits | Shape::AsciiText | Shape::AsciiTrack | Shape::AsciiSigned | Shape::Bytes => {
            out.copy_from_slice(raw.get(..out.len())?);
        }
        Shape::Bcd | Shape::BcdTrack => unpack(raw.get(..spec.wire_len(units))?, units, spec.left, out),
        Shape::AsciiHex => {
            for (slot, pair) in out.iter_mut().zip(raw.as_chunks::<2>().0) {
                *slot = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
            }
        }
        Shape::EbcdicHex => {
            let table = spec.page.to_latin();
            for (slot, pair) in out.iter_mut().zip(raw.as_chunks::<2>().0) {
                let digit = |byte: u8| hex_value(table[usize::from(byte)]);
                *slot = digit(pair[0])? << 4 | digit(pair[1])?;
            }
        }
        Shape::EbcdicDigits
        | Shape::EbcdicText
        | Shape::EbcdicTrack
        | Shape::EbcdicSigned
        | Shape::EbcdicAny => {
            let table = spec.page.to_latin();
            for (slot, byte) in out.iter_mut().zip(raw) {
                *slot = table[usize::from(*byte)];
            }
        }
        Shape::Unknown => return None,
    }
    Some(out.len())
}
