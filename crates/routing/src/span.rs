//! A stretch of card numbers: a prefix or a range of 1 to 12 digits, as configuration writes it.
//! Never holds a whole card number; guards: low ≤ high, both of the same count of digits.

use core::fmt;

/// Digits compared: card numbers are told apart by their first twelve at most.
pub const DIGITS: u8 = 12;

/// All numbers that begin with a prefix, or with one of the prefixes from a low to a high one of equal length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    low: u64,
    high: u64,
    digits: u8,
}

/// A text that is no span.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpanFault {
    /// Something other than digits, or too few or many of them.
    #[error("{0:?} is no prefix, expected 1 to {DIGITS} digits")]
    Digits(String),
    /// The two ends differ in length.
    #[error("range {0:?} has ends of different length")]
    Uneven(String),
    /// The high end lies before the low one.
    #[error("range {0:?} ends before it begins")]
    Backwards(String),
}

impl Span {
    /// From `622848`, `541333..=541399` or `541333-541399`; both ends are meant.
    /// # Errors
    /// [`SpanFault`] with the text as it was given.
    pub fn parse(text: &str) -> Result<Self, SpanFault> {
        let (low, high) = text.split_once("..=").or_else(|| text.split_once('-')).unwrap_or((text, text));
        let (low, high) = (low.trim(), high.trim());
        let fault = |part: &str| SpanFault::Digits(part.into());
        let first = number(low).ok_or_else(|| fault(low))?;
        let last = number(high).ok_or_else(|| fault(high))?;
        if low.len() != high.len() {
            return Err(SpanFault::Uneven(text.into()));
        }
        if last < first {
            return Err(SpanFault::Backwards(text.into()));
        }
        let digits = low.len() as u8;
        let unit = unit(digits);
        Ok(Self { low: first * unit, high: last * unit + (unit - 1), digits })
    }

    /// First number of the span, its twelve leading digits.
    pub fn low(&self) -> u64 {
        self.low
    }

    /// Last number of the span, its twelve leading digits.
    pub fn high(&self) -> u64 {
        self.high
    }

    /// How many digits a card number must have to be told by this span.
    pub fn digits(&self) -> u8 {
        self.digits
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, unit) = (usize::from(self.digits), unit(self.digits));
        let (low, high) = (self.low / unit, self.high / unit);
        write!(f, "{low:0width$}")?;
        if low == high { Ok(()) } else { write!(f, "..={high:0width$}") }
    }
}

fn number(digits: &str) -> Option<u64> {
    let fits = (1..=usize::from(DIGITS)).contains(&digits.len());
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// What one step of the last digit is worth among twelve.
fn unit(digits: u8) -> u64 {
    10_u64.pow(u32::from(DIGITS - digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, low, high, shown) in [
            ("6", 600_000_000_000, 699_999_999_999, "6"),
            ("622848", 622_848_000_000, 622_848_999_999, "622848"),
            ("541333..=541399", 541_333_000_000, 541_399_999_999, "541333..=541399"),
            ("04-07", 40_000_000_000, 79_999_999_999, "04..=07"),
            (" 41 - 42 ", 410_000_000_000, 429_999_999_999, "41..=42"),
            ("123456789012", 123_456_789_012, 123_456_789_012, "123456789012"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.low(), span.high(), span.to_string()), (low, high, shown.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_says_why() {
        for (text, why) in [
            ("", "\"\" is no prefix, expected 1 to 12 digits"),
            ("1234567890123", "\"1234567890123\" is no prefix, expected 1 to 12 digits"),
            ("62x", "\"62x\" is no prefix, expected 1 to 12 digits"),
            ("+6", "\"+6\" is no prefix, expected 1 to 12 digits"),
            ("62-", "\"\" is no prefix, expected 1 to 12 digits"),
            ("62-625", "range \"62-625\" has ends of different length"),
            ("63..=62", "range \"63..=62\" ends before it begins"),
        ] {
            assert_eq!(Span::parse(text).unwrap_err().to_string(), why);
        }
    }
}
