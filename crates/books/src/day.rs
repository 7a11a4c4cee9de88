//! Business days as the journal numbers them: days since 2000-01-01 plus one, 0 for none.
//!
//! Never reads a clock or a zone: which instant belongs to which day is journaled. Guards: a date that is none is refused.

/// The number of `2026-11-23`; `None` for what is no date, or none that a journal can hold.
pub fn number(text: &str) -> Option<u16> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let since = (year >= FIRST_YEAR).then(|| first_of(year, month)).flatten()? + day.checked_sub(1)?;
    let number = u16::try_from(since + 1).ok()?;
    // The 30th of February would be a day of March.
    (self::text(number) == text).then_some(number)
}

/// `2026-11-23`; `none` for 0.
pub fn text(number: u16) -> String {
    let Some(mut left) = u32::from(number).checked_sub(1) else { return "none".to_owned() };
    let mut year = FIRST_YEAR;
    while left >= 365 + u32::from(is_leap(year)) {
        left -= 365 + u32::from(is_leap(year));
        year += 1;
    }
    let month = (1..=12).rev().find(|month| before(year, *month) <= left).unwrap_or(1);
    format!("{year:04}-{month:02}-{:02}", left - before(year, month) + 1)
}

/// Days from the first of all to the first of this month.
fn first_of(year: u32, month: u32) -> Option<u32> {
    let years: u32 = (FIRST_YEAR..year).map(|year| 365 + u32::from(is_leap(year))).sum();
    (1..=12).contains(&month).then(|| years + before(year, month))
}

/// Days of the year before this month.
fn before(year: u32, month: u32) -> u32 {
    let leap = month > 2 && is_leap(year);
    DAYS_BEFORE[month as usize - 1] + u32::from(leap)
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const FIRST_YEAR: u32 = 2000;
const DAYS_BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_goes_there_and_back() {
        for day in 1..=u16::MAX {
            assert_eq!(number(&text(day)), Some(day), "{}", text(day));
        }
        assert_eq!(
            (text(1), text(60), text(61)),
            ("2000-01-01".into(), "2000-02-29".into(), "2000-03-01".into())
        );
        assert_eq!((number("2026-11-22"), text(0).as_str()), (Some(9823), "none"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "1999-12-31",
            "2026-1-01",
            "26-01-01",
            "2026-01-01x",
            "2026-01-00",
            "2179-99-99",
            "9999-01-01",
            "2026/01/01",
            "+026-01-01",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
