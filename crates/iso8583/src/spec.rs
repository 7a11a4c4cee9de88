//! One field of a compiled dialect: small, `Copy`, everything the hot path asks about it in one place.
//! Never holds a name (names are for people and live beside the table). Guards: `wire_len` and the length prefix agree.

use crate::ebcdic::Page;

/// Highest field number: three bitmaps of 64.
pub const FIELD_MAX: u8 = 192;

/// How content stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Shape {
    /// The dialect does not have the field.
    Unknown,
    /// One ASCII digit per unit.
    AsciiDigits,
    /// One printable ASCII character per unit.
    AsciiText,
    /// ASCII digits with `=` or `D` between.
    AsciiTrack,
    /// `C` or `D`, then ASCII digits.
    AsciiSigned,
    /// Bytes as ASCII hexadecimal digits; a unit is a digit.
    AsciiHex,
    /// As the ASCII ones, in EBCDIC.
    EbcdicDigits,
    /// Printable EBCDIC.
    EbcdicText,
    /// Track data in EBCDIC.
    EbcdicTrack,
    /// Signed amount in EBCDIC.
    EbcdicSigned,
    /// Bytes as EBCDIC hexadecimal digits.
    EbcdicHex,
    /// Text of any characters in EBCDIC.
    EbcdicAny,
    /// Two digits a byte; a unit is a digit.
    Bcd,
    /// Two characters of a track a byte, separator `D`.
    BcdTrack,
    /// Bytes as they are (also text of any characters, such as GBK).
    Bytes,
}

/// Encoding of the length in front of the content; `width` of [`Field`] says how many bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Prefix {
    /// No length: always `max` units.
    Fixed,
    /// Decimal digits in ASCII.
    Ascii,
    /// Decimal digits in EBCDIC.
    Ebcdic,
    /// Packed decimal digits.
    Bcd,
    /// A big-endian binary number.
    Binary,
}

/// What people may see of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Secret {
    /// All of it.
    No,
    /// First six and last four digits.
    Pan,
    /// Nothing (tracks, PIN, keys).
    Whole,
    /// Nothing, unless it is printable text: keys travel where texts do.
    UnlessText,
    /// All but long runs of digits.
    Runs,
    /// All but the tags that carry card data.
    Tags,
}

/// One field. 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Field {
    pub shape: Shape,
    pub prefix: Prefix,
    /// Bytes of the length prefix.
    pub width: u8,
    /// 1 where two units share a byte.
    pub packed: u8,
    /// 1 where a byte of canonical content is two units.
    pub hex: u8,
    /// The length prefix counts `units >> scale`.
    pub scale: u8,
    /// Nibble (packed) or ASCII character that fills.
    pub pad: u8,
    /// Content starts at the left, padding follows.
    pub left: bool,
    /// Canonical content is bytes rather than characters: people see it in hexadecimal.
    pub binary: bool,
    pub page: Page,
    pub secret: Secret,
    /// Fewest units.
    pub min: u16,
    /// Most units; the only count where the prefix is `Fixed`.
    pub max: u16,
    /// Whose private use the field is: it crosses to another dialect only if that has the same. 0: everybody's.
    pub family: u32,
}

impl Field {
    pub(crate) const UNKNOWN: Self = Self {
        shape: Shape::Unknown,
        prefix: Prefix::Fixed,
        width: 0,
        packed: 0,
        hex: 0,
        scale: 0,
        pad: 0,
        left: false,
        binary: false,
        page: Page::Cp037,
        secret: Secret::No,
        min: 0,
        max: 0,
        family: 0,
    };

    /// Bytes of so many units on the wire, without the prefix.
    #[inline]
    pub(crate) fn wire_len(&self, units: usize) -> usize {
        (units + usize::from(self.packed)) >> self.packed
    }

    /// Whether every content has the same bytes, so that it can be replaced where it stands.
    #[inline]
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.prefix, Prefix::Fixed)
    }

    /// As [`Self::is_fixed`] for a field that may not be there at all.
    pub(crate) fn has_one_length(&self) -> bool {
        self.is_fixed() && self.shape != Shape::Unknown
    }

    /// Units of a canonical content of so many bytes.
    #[inline]
    pub(crate) fn units_of(&self, content: usize) -> usize {
        content << self.hex
    }

    /// Bytes of canonical content of so many units.
    #[inline]
    pub(crate) fn content_len(&self, units: usize) -> usize {
        units >> self.hex
    }
}
