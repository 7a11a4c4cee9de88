//! Money: whole minor units with their currency. Never a float; addition that can fail says so.

use core::fmt;

/// Minor units (fen, cent), as limits and records count them. Never negative on the wire.
pub type Minor = i64;

/// The largest amount DE 4 can carry (n 12).
pub const AMOUNT_MAX: Minor = 999_999_999_999;

/// ISO 4217 numeric code, 0..=999; 0 stands for "not given".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Currency(u16);

impl Currency {
    /// Not given in the message.
    pub const NONE: Self = Self(0);
    /// Renminbi.
    pub const CNY: Self = Self(156);
    /// US dollar.
    pub const USD: Self = Self(840);
    /// Euro.
    pub const EUR: Self = Self(978);

    /// `None` over 999.
    pub fn new(numeric: u16) -> Option<Self> {
        (numeric <= 999).then_some(Self(numeric))
    }

    /// The numeric code.
    pub fn numeric(self) -> u16 {
        self.0
    }

    /// Decimal places between major and minor unit (ISO 4217; the currencies that differ from two).
    pub fn exponent(self) -> u32 {
        match self.0 {
            392 | 410 | 704 | 152 | 352 | 600 | 800 | 950 | 952 | 953 => 0,
            48 | 368 | 400 | 414 | 434 | 512 | 788 => 3,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// An amount and its currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Money {
    /// Minor units, 0..=[`AMOUNT_MAX`].
    pub minor: Minor,
    /// ISO 4217 numeric.
    pub currency: Currency,
}

/// As people write it: `12.50` (the currency is the caller's to show).
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent() as usize;
        let unit = 10_i64.pow(exponent as u32);
        match exponent {
            0 => write!(f, "{}", self.minor),
            _ => write!(f, "{}.{:0exponent$}", self.minor / unit, self.minor % unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_its_exponent() {
        for (minor, currency, text) in
            [(1250, 156, "12.50"), (5, 840, "0.05"), (1250, 392, "1250"), (1250, 414, "1.250")]
        {
            let money = Money { minor, currency: Currency::new(currency).unwrap() };
            assert_eq!(money.to_string(), text);
        }
    }
}
