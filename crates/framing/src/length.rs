//! The length prefix: five ways to write a number, and no opinion on what it counts.
//! Never believes a digit unseen: every byte of a decimal or hexadecimal prefix is checked.

use crate::Violation;

/// How the length in front of a frame is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LengthForm {
    /// Two bytes, big-endian: 0..=65,535.
    #[default]
    Binary2,
    /// Two bytes of BCD, four digits: 0..=9,999.
    Bcd2,
    /// Four ASCII digits: 0..=9,999.
    Ascii4,
    /// Four ASCII hexadecimal digits: 0..=65,535. Written in upper case, read in either.
    Hex4,
    /// Four bytes, big-endian: 0..=4,294,967,295.
    Binary4,
}

impl LengthForm {
    /// Every form, in the order in which `detect` prefers them.
    pub const ALL: [Self; 5] = [Self::Binary2, Self::Bcd2, Self::Ascii4, Self::Hex4, Self::Binary4];

    /// Bytes the prefix takes.
    pub const fn size(self) -> usize {
        match self {
            Self::Binary2 | Self::Bcd2 => 2,
            Self::Ascii4 | Self::Hex4 | Self::Binary4 => 4,
        }
    }

    /// Greatest number the prefix can say.
    pub const fn greatest(self) -> u64 {
        match self {
            Self::Binary2 | Self::Hex4 => 0xFFFF,
            Self::Bcd2 | Self::Ascii4 => 9_999,
            Self::Binary4 => 0xFFFF_FFFF,
        }
    }

    /// Reads the number at the front of `buf`; `None` while the prefix itself is not whole.
    ///
    /// # Errors
    /// [`Violation::LengthDigit`], as soon as the wrong digit is there, even in an unfinished prefix.
    pub(crate) fn read(self, buf: &[u8]) -> Result<Option<u64>, Violation> {
        let prefix = &buf[..buf.len().min(self.size())];
        let value = match self {
            Self::Binary2 | Self::Binary4 => fold(prefix, 256, |byte| Some(u64::from(byte)), "a byte")?,
            Self::Bcd2 => fold(prefix, 100, bcd, "two decimal digits")?,
            Self::Ascii4 => fold(prefix, 10, |byte| ascii(byte, 10), "an ASCII decimal digit")?,
            Self::Hex4 => fold(prefix, 16, |byte| ascii(byte, 16), "an ASCII hexadecimal digit")?,
        };
        Ok((prefix.len() == self.size()).then_some(value))
    }

    /// Writes `value` (at most [`LengthForm::greatest`], which the caller has checked) over `prefix`.
    pub(crate) fn patch(self, prefix: &mut [u8], value: u64) {
        let base = match self {
            Self::Binary2 | Self::Binary4 => 256,
            Self::Bcd2 => 100,
            Self::Ascii4 => 10,
            Self::Hex4 => 16,
        };
        let mut rest = value;
        for byte in prefix.iter_mut().rev() {
            *byte = self.digit((rest % base) as u8);
            rest /= base;
        }
    }

    fn digit(self, value: u8) -> u8 {
        match self {
            Self::Binary2 | Self::Binary4 => value,
            Self::Bcd2 => ((value / 10) << 4) | (value % 10),
            Self::Ascii4 | Self::Hex4 => b"0123456789ABCDEF"[usize::from(value & 0x0F)],
        }
    }
}

fn fold(
    prefix: &[u8],
    base: u64,
    digit: impl Fn(u8) -> Option<u64>,
    expected: &'static str,
) -> Result<u64, Violation> {
    let mut value = 0;
    for (position, &found) in prefix.iter().enumerate() {
        let digit = digit(found).ok_or(Violation::LengthDigit { position, expected, found })?;
        value = value * base + digit;
    }
    Ok(value)
}

fn bcd(byte: u8) -> Option<u64> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    (high < 10 && low < 10).then(|| u64::from(high * 10 + low))
}

fn ascii(byte: u8, radix: u32) -> Option<u64> {
    char::from(byte).to_digit(radix).map(u64::from)
}
