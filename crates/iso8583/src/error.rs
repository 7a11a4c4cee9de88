//! What is wrong with a message, and where: the field, the byte, what was expected, what came.
//! Never holds content of a secret field, nor so much of any that a card number in the wrong place could be read; allocates
//! nothing. Guards: a text made from these can go to any log.

use crate::index::place;
use crate::spec::Secret;
use crate::view::{CONTENT_MAX, View};
use core::fmt;

/// Why bytes are no message of a dialect. Field 0 is the MTI, field 1 the bitmap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// Number of the field, 0..=192.
    pub field: u8,
    /// Offset into the message of the first byte that is wrong.
    pub offset: u32,
    /// What should have been there.
    pub expected: Expected,
    /// What was there.
    pub found: Found,
}

/// What the dialect asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Four decimal digits.
    Mti,
    /// Hexadecimal digits of a bitmap.
    Bitmap,
    /// A field number that the dialect knows.
    KnownField,
    /// So many bytes more.
    Bytes(u32),
    /// Decimal digits.
    Digits,
    /// Printable characters.
    Text,
    /// Digits and a separator.
    Track,
    /// A sign (C or D) and digits.
    Signed,
    /// Hexadecimal digits, two to a byte.
    Hex,
    /// The padding of an odd number of digits: this nibble.
    Padding(u8),
    /// A length prefix of decimal digits.
    LengthDigits,
    /// A length of at least and at most so many units.
    Length(u16, u16),
    /// The end of the message.
    End,
    /// The field itself.
    Present,
    /// A value that the field can mean, in words.
    Value(&'static str),
    /// A message of at most so many bytes.
    Size(u32),
}

/// What came instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The message ended after so many bytes of it.
    Only(u32),
    /// This byte.
    Byte(u8),
    /// These characters or bytes.
    Value(Sample),
    /// A byte or value of a secret field.
    Masked,
    /// This length.
    Length(u32),
    /// So many bytes too many.
    Trailing(u32),
    /// A bit for a field where none is known.
    Nothing,
    /// A bitmap that does not announce the field.
    NoBit,
}

/// The beginning of what came: enough to recognise a mistake by, no more than may be shown of a card number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    held: [u8; SAMPLE],
    /// Of all that came.
    len: u16,
    /// Bytes rather than characters.
    raw: bool,
}

const SAMPLE: usize = 6;
/// Packed digits are two to a byte.
const SAMPLE_RAW: usize = 4;

impl Sample {
    /// Of characters: as text if they are printable, else as bytes.
    pub(crate) fn of(found: &[u8]) -> Self {
        Self { raw: !found.iter().all(|byte| (0x20..=0x7E).contains(byte)), ..Self::of_bytes(found) }
    }

    /// Of bytes that are no characters.
    pub(crate) fn of_bytes(found: &[u8]) -> Self {
        let mut held = [0; SAMPLE];
        held.iter_mut().zip(found).for_each(|(slot, byte)| *slot = *byte);
        Self { held, len: found.len() as u16, raw: true }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = usize::from(self.len);
        let shown = &self.held[..len.min(if self.raw { SAMPLE_RAW } else { SAMPLE })];
        match core::str::from_utf8(shown) {
            Ok(text) if !self.raw => write!(f, "\"{text}\"")?,
            _ => {
                f.write_str("bytes")?;
                shown.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
            }
        }
        if len > shown.len() { write!(f, " and {} more", len - shown.len()) } else { Ok(()) }
    }
}

/// As for people: what is left out there is left out here.
impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DecodeError {
    /// A field that a request or answer cannot do without, or that means nothing there: the place is its bit in the bitmap.
    #[cold]
    pub(crate) fn missing(view: &View<'_>, field: u8, words: &'static str) -> Self {
        if view.has(field) {
            return Self::value(view, field, words);
        }
        let coding = view.dialect.bitmap_coding();
        let (word, bit) = place(field);
        let bits_before = word * 64 + bit.leading_zeros() as usize;
        let offset = view.dialect.mti_coding().mti_len() + bits_before * coding.bitmap_len() / 64;
        Self { field, offset: offset as u32, expected: Expected::Present, found: Found::NoBit }
    }

    /// A field whose value means nothing. What came is shown unless the dialect says that it is secret.
    #[cold]
    pub(crate) fn value(view: &View<'_>, field: u8, words: &'static str) -> Self {
        let offset = view.index.offset(field).unwrap_or(0) as u32;
        let mut content = [0; CONTENT_MAX];
        let found = match view.content(field, &mut content) {
            Some(len) if view.dialect.field(field).secret == Secret::No => {
                Found::Value(Sample::of(&content[..len]))
            }
            _ => Found::Masked,
        };
        Self { field, offset, expected: Expected::Value(words), found }
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            0 if matches!(self.expected, Expected::End | Expected::Size(_)) => f.write_str("message")?,
            0 => f.write_str("message type")?,
            1 => f.write_str("bitmap")?,
            n => write!(f, "field {n}")?,
        }
        write!(f, " at byte {}: expected {}, found {}", self.offset, self.expected, self.found)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mti => f.write_str("four decimal digits"),
            Self::Bitmap => f.write_str("hexadecimal digits"),
            Self::KnownField => f.write_str("a field of the dialect"),
            Self::Bytes(count) => write!(f, "{count} bytes"),
            Self::Digits => f.write_str("decimal digits"),
            Self::Text => f.write_str("printable characters"),
            Self::Track => f.write_str("digits and a separator"),
            Self::Signed => f.write_str("C or D and digits"),
            Self::Hex => f.write_str("pairs of hexadecimal digits"),
            Self::Padding(nibble) => write!(f, "padding nibble {nibble:X}"),
            Self::LengthDigits => f.write_str("a length in decimal digits"),
            Self::Length(min, max) => write!(f, "a length of {min} to {max}"),
            Self::End => f.write_str("the end of the message"),
            Self::Present => f.write_str("the field"),
            Self::Value(words) => f.write_str(words),
            Self::Size(max) => write!(f, "a message of at most {max} bytes"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only(count) => write!(f, "only {count}"),
            Self::Byte(byte) => write!(f, "byte {byte:#04x}"),
            Self::Value(sample) => sample.fmt(f),
            Self::Masked => f.write_str("something else (masked)"),
            Self::Length(length) => write!(f, "{length}"),
            Self::Trailing(count) => write!(f, "{count} bytes more"),
            Self::Nothing => f.write_str("none"),
            Self::NoBit => f.write_str("no bit for it in the bitmap"),
        }
    }
}

/// Why a message cannot be written. Our own mistake or a dialect that lacks something, never the peer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodeError {
    /// Number of the field.
    pub field: u8,
    /// What is wrong with it.
    pub why: EncodeWhy,
}

/// What is wrong with a field to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeWhy {
    /// The dialect has no such field.
    Unknown,
    /// Longer than the most units (digits, characters, bytes) it may have.
    TooLong(u16),
    /// Shorter than the least units it may have.
    TooShort(u16),
    /// The content is not of the field's type.
    WrongType,
    /// Fields must come in ascending order, each once.
    OutOfOrder,
    /// The message would pass 65,535 bytes.
    MessageTooLong,
    /// More edits than a [`crate::Patch`] holds.
    TooManyEdits,
    /// The dialect has no words for this type of transaction.
    Unsayable,
}

impl core::error::Error for EncodeError {}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write field {}: ", self.field)?;
        match self.why {
            EncodeWhy::Unknown => f.write_str("the dialect has no such field"),
            EncodeWhy::TooLong(max) => write!(f, "longer than {max}"),
            EncodeWhy::TooShort(min) => write!(f, "shorter than {min}"),
            EncodeWhy::WrongType => f.write_str("content of another type"),
            EncodeWhy::OutOfOrder => f.write_str("fields must come in ascending order"),
            EncodeWhy::MessageTooLong => f.write_str("the message would pass 65535 bytes"),
            EncodeWhy::TooManyEdits => f.write_str("too many edits at once"),
            EncodeWhy::Unsayable => f.write_str("the dialect has no words for this type of transaction"),
        }
    }
}
