//! Money and currencies as people write them in a configuration: "5000.00", "CNY".
//! Never a float, never a rounding. Guards: an amount with more decimal places than its currency has is refused.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use terms::{Currency, Minor};

/// A currency by its ISO 4217 letters or its three digits.
pub fn currency(text: &str) -> Option<Currency> {
    let known = LETTERS.iter().find(|(letters, _)| *letters == text).map(|(_, numeric)| *numeric);
    let digits =
        || (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok());
    let numeric = known.or_else(|| digits()?)?;
    Currency::new(numeric).filter(|currency| *currency != Currency::NONE)
}

/// Minor units of an amount with at most `exponent` decimal places; `None` if it is no such amount, or negative.
pub fn minor(text: &str, exponent: u32) -> Option<Minor> {
    let amount = Decimal::from_str_exact(text).ok().filter(|amount| !amount.is_sign_negative())?;
    let units = amount.checked_mul(Decimal::from(10_u64.pow(exponent)))?;
    units.fract().is_zero().then(|| units.to_i64())?
}

/// Letters of currencies in use by card schemes here; any other one goes by its number.
const LETTERS: [(&str, u16); 40] = [
    ("AED", 784),
    ("AUD", 36),
    ("BDT", 50),
    ("BHD", 48),
    ("BRL", 986),
    ("CAD", 124),
    ("CHF", 756),
    ("CNY", 156),
    ("CZK", 203),
    ("DKK", 208),
    ("EGP", 818),
    ("EUR", 978),
    ("GBP", 826),
    ("HKD", 344),
    ("HUF", 348),
    ("IDR", 360),
    ("ILS", 376),
    ("INR", 356),
    ("JOD", 400),
    ("JPY", 392),
    ("KRW", 410),
    ("KWD", 414),
    ("MOP", 446),
    ("MXN", 484),
    ("MYR", 458),
    ("NGN", 566),
    ("NOK", 578),
    ("NZD", 554),
    ("OMR", 512),
    ("PHP", 608),
    ("PKR", 586),
    ("PLN", 985),
    ("SAR", 682),
    ("SEK", 752),
    ("SGD", 702),
    ("THB", 764),
    ("TRY", 949),
    ("TWD", 901),
    ("USD", 840),
    ("VND", 704),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, exponent, expected) in [
            ("5000.00", 2, Some(500_000)),
            ("5000", 2, Some(500_000)),
            ("0.5", 2, Some(50)),
            ("0", 2, Some(0)),
            ("1.250", 3, Some(1250)),
            ("12.500", 2, Some(1250)),
            ("1.005", 2, None),
            ("0.5", 0, None),
            ("-1", 2, None),
            ("1e3", 2, None),
            ("five", 2, None),
            ("99999999999999999999999999", 2, None),
        ] {
            assert_eq!(minor(text, exponent), expected, "{text}");
        }
    }

    #[test]
    fn currencies_go_by_letters_or_digits() {
        assert_eq!((currency("CNY"), currency("156")), (Some(Currency::CNY), Some(Currency::CNY)));
        assert_eq!(currency("036"), Currency::new(36));
        for wrong in ["", "cny", "000", "15", "1560", "+15", "XXX"] {
            assert_eq!(currency(wrong), None, "{wrong}");
        }
    }
}
