//! The card: its number, its token, its expiry.
//! Never shows more than the first six and last four digits (PCI DSS 4.0.1, requirement 3.4.1).

use core::fmt;
use zeroize::Zeroize;

/// Primary account number, 8 to 19 digits (ISO/IEC 7812-1). Has no clear text form: [`Pan::digits`] is the only door.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Zeroize)]
pub struct Pan {
    value: u64,
    len: u8,
}

impl Pan {
    /// From ASCII digits. `None` unless there are 8 to 19 of them.
    pub fn new(digits: &[u8]) -> Option<Self> {
        if !(8..=19).contains(&digits.len()) {
            return None;
        }
        let mut value = 0_u64;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u64::from(digit - b'0');
        }
        Some(Self { value, len: digits.len() as u8 })
    }

    /// From its number and length: how records carry it. `None` if the number needs more digits than `len`.
    pub fn from_parts(value: u64, len: u8) -> Option<Self> {
        ((8..=19).contains(&len) && (len == 19 || value < 10_u64.pow(u32::from(len))))
            .then_some(Self { value, len })
    }

    /// The number as an integer (19 digits fit) and the count of digits.
    pub fn parts(self) -> (u64, u8) {
        (self.value, self.len)
    }

    /// Count of digits, 8..=19.
    pub fn len(self) -> usize {
        usize::from(self.len)
    }

    /// A card number is never empty; here because it has a `len`.
    pub fn is_empty(self) -> bool {
        false
    }

    /// The first `n` digits as a number; `n` is cut to the length.
    pub fn prefix(self, n: u8) -> u64 {
        self.value / 10_u64.pow(u32::from(self.len.saturating_sub(n)))
    }

    /// The first twelve digits as a number, filled on the right with zeros: the key that BIN ranges compare.
    pub fn bin12(self) -> u64 {
        if self.len >= 12 {
            self.value / 10_u64.pow(u32::from(self.len - 12))
        } else {
            self.value * 10_u64.pow(u32::from(12 - self.len))
        }
    }

    /// Writes the digits as ASCII into `out` and returns how many: for the wire, never for people.
    pub fn digits(self, out: &mut [u8; 19]) -> usize {
        let mut rest = self.value;
        for slot in out[..self.len()].iter_mut().rev() {
            *slot = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.len()
    }

    /// The check digit of ISO/IEC 7812-1 annex B. Not every UnionPay card has one: only where a BIN range asks.
    pub fn luhn_holds(self) -> bool {
        let mut rest = self.value;
        let mut sum = 0_u64;
        for position in 0..self.len {
            let digit = rest % 10;
            rest /= 10;
            sum += match position % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            };
        }
        sum.is_multiple_of(10)
    }

    /// The last four digits.
    pub fn last4(self) -> u16 {
        (self.value % 10_000) as u16
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Masked: first six and last four; shorter cards show the last four only.
impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.len >= 13 { 6 } else { 0 };
        if shown > 0 {
            write!(f, "{:06}", self.prefix(6))?;
        }
        for _ in shown..self.len - 4 {
            f.write_str("*")?;
        }
        write!(f, "{:04}", self.last4())
    }
}

/// What stands for a card in limits, look-ups and records: AES-CMAC of the whole number under its own key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CardToken(pub [u8; 16]);

impl CardToken {
    /// No card in the message.
    pub const NONE: Self = Self([0; 16]);
}

impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..")
    }
}

/// Expiry as it stands on the card: two digits year, two digits month (DE 14).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Expiry(u16);

impl Expiry {
    /// From YYMM as a decimal number, e.g. 2806. `None` if the month is not 1..=12.
    pub fn new(yymm: u16) -> Option<Self> {
        (yymm <= 9912 && (1..=12).contains(&(yymm % 100))).then_some(Self(yymm))
    }

    /// YYMM as a decimal number.
    pub fn yymm(self) -> u16 {
        self.0
    }

    /// A card is good to the last day of its month. `today` is YYMM of the day of the transaction.
    pub fn is_past(self, today: u16) -> bool {
        self.0 < today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pan_shows_six_and_four() {
        let pan = Pan::new(b"6224242900000113").unwrap();
        assert_eq!(format!("{pan} {pan:?}"), "622424******0113 622424******0113");
        assert_eq!(format!("{}", Pan::new(b"123456789012").unwrap()), "********9012");
    }

    #[test]
    fn a_pan_keeps_its_digits() {
        for digits in ["4242424242424242", "9999999999999999999", "00000000", "6224242900000113"] {
            let pan = Pan::new(digits.as_bytes()).unwrap();
            let mut out = [0; 19];
            let len = pan.digits(&mut out);
            assert_eq!(&out[..len], digits.as_bytes());
            let (value, len) = pan.parts();
            assert_eq!(Pan::from_parts(value, len), Some(pan));
        }
        assert!(Pan::new(b"1234567").is_none() && Pan::new(b"12345678901234567890").is_none());
        assert!(Pan::new(b"1234x678").is_none());
    }

    #[test]
    fn prefixes_and_check_digit() {
        let pan = Pan::new(b"4242424242424242").unwrap();
        assert_eq!((pan.prefix(6), pan.bin12(), pan.last4()), (424_242, 424_242_424_242, 4242));
        assert!(pan.luhn_holds() && !Pan::new(b"4242424242424241").unwrap().luhn_holds());
        assert_eq!(Pan::new(b"12345678").unwrap().bin12(), 123_456_780_000);
    }
}
