//! The numbers that identify a transaction on the wire: STAN, RRN, transmission time, processing code, entry mode.
//! Never prints a card. Guards: each is in its field's range once it exists.

use core::fmt;
use core::num::NonZeroU32;

/// Systems trace audit number (ISO 8583:1987, DE 11): 1..=999_999, then wraps to 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stan(NonZeroU32);

impl Stan {
    /// How many there are before they repeat.
    pub const COUNT: u32 = 999_999;
    /// The first.
    pub const MIN: Self = Self(NonZeroU32::MIN);

    /// `None` outside 1..=999_999.
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) if value.get() <= Self::COUNT => Some(Self(value)),
            _ => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The one after it, wrapping to 1.
    pub fn next(self) -> Self {
        Self::new(self.get() % Self::COUNT + 1).unwrap_or(Self::MIN)
    }
}

impl fmt::Debug for Stan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Display for Stan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// Retrieval reference number (DE 37, an 12).
///
/// Ours are: day of year (three digits) and nine base-36 digits that hold `counter * 1_000_000 + STAN of the terminal`;
/// so an RRN with its terminal leads back to the request's key without an index of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rrn([u8; 12]);

/// How many counter values fit beside a STAN in nine base-36 digits.
pub const RRN_COUNTERS: u64 = 36_u64.pow(9) / 1_000_000;

impl Rrn {
    /// From the wire, any twelve bytes.
    pub fn new(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// One of ours. `day` is 1..=366; `counter` is taken modulo [`RRN_COUNTERS`].
    pub fn issue(day: u16, counter: u64, stan: u32) -> Self {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut bytes = [b'0'; 12];
        let mut day = day;
        for slot in bytes[..3].iter_mut().rev() {
            *slot = b'0' + (day % 10) as u8;
            day /= 10;
        }
        let mut rest = counter % RRN_COUNTERS * 1_000_000 + u64::from(stan);
        for slot in bytes[3..].iter_mut().rev() {
            *slot = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        Self(bytes)
    }

    /// The terminal's STAN inside one of ours; `None` if this cannot be ours.
    pub fn stan(self) -> Option<u32> {
        let mut rest = 0_u64;
        for byte in &self.0[3..] {
            rest = rest * 36 + u64::from((*byte as char).to_digit(36)?);
        }
        Some((rest % 1_000_000) as u32)
    }

    /// The twelve bytes.
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Debug for Rrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Rrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.0).unwrap_or("?"))
    }
}

/// Transmission date and time (DE 7): MMDDhhmmss as a decimal number; 0 stands for "not given".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct TransmissionTime(pub u32);

impl TransmissionTime {
    /// Absent.
    pub const NONE: Self = Self(0);
}

/// Processing code (DE 3) as a six digit number: type (2), account from (2), account to (2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProcessingCode(pub u32);

impl ProcessingCode {
    /// First two digits: the type of transaction.
    pub fn kind(self) -> u8 {
        (self.0 / 10_000) as u8
    }
}

impl fmt::Debug for ProcessingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// Point of service entry mode (DE 22) as a three digit number; 0 stands for "not given".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct EntryMode(pub u16);

impl EntryMode {
    /// First two digits: how the card was read (01 manual, 02 stripe, 05 chip, 07 contactless).
    pub fn reading(self) -> u8 {
        (self.0 / 10) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stans_wrap_to_one() {
        assert_eq!(Stan::new(999_999).unwrap().next(), Stan::MIN);
        assert_eq!(Stan::new(7).unwrap().next().get(), 8);
        assert!(Stan::new(0).is_none() && Stan::new(1_000_000).is_none());
    }

    #[test]
    fn our_rrn_leads_back_to_the_terminals_stan() {
        for (day, counter, stan) in [(1, 0, 1), (366, 7, 999_999), (42, RRN_COUNTERS - 1, 123_456)] {
            let rrn = Rrn::issue(day, counter, stan);
            assert_eq!((rrn.stan(), rrn.as_bytes().len()), (Some(stan), 12));
            assert!(rrn.to_string().starts_with(&format!("{day:03}")));
        }
        assert_eq!(Rrn::new(*b"123456-89012").stan(), None);
    }
}
