//! Time as an argument: nobody here asks a clock. A [`Tick`] is monotonic, wall time only stamps records.

use core::fmt;

/// Microseconds on the process's monotonic clock. Deadlines are ticks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Tick(pub u64);

impl Tick {
    /// This many milliseconds later.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// Microseconds since `earlier`, 0 if it is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One reading of both clocks, taken once per turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic.
    pub tick: Tick,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// The same instant as DE 7 (MMDDhhmmss, UTC).
    pub transmission: crate::TransmissionTime,
    /// Day of year, 1..=366, UTC: the start of our RRNs.
    pub day_of_year: u16,
    /// YYMM, UTC: what expiry dates are compared with.
    pub yymm: u16,
}

impl Now {
    /// Both clocks at `tick` and `wall_ms`. Cheap enough for once per turn, not for once per transaction.
    pub fn at(tick: Tick, wall_ms: i64) -> Self {
        let seconds = wall_ms.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
        let (year, month, day) = civil(days);
        let clock = (second / 3600) * 10_000 + (second / 60 % 60) * 100 + second % 60;
        let january = days_from_civil(year, 1, 1);
        Self {
            tick,
            wall_ms,
            transmission: crate::TransmissionTime(month * 100_000_000 + day * 1_000_000 + clock),
            day_of_year: (days - january + 1) as u16,
            yymm: (year.rem_euclid(100) as u16) * 100 + month as u16,
        }
    }
}

/// Days since 1970-01-01 as (year, month, day) of the proleptic Gregorian calendar.
pub fn civil(days: i64) -> (i64, u32, u32) {
    // Eras of 400 years beginning in March, so that leap days end a year (the usual derivation).
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * march_month + 2) / 5 + 1) as u32;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01 of a date.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A business day of one institution: days since 2000-01-01 plus one; 0 is "never", so that a zeroed cell is in the past.
/// Good to the year 2179.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct BusinessDay(pub u16);

const DAY_2000: i64 = 10_957;

impl BusinessDay {
    /// Before any business day.
    pub const NEVER: Self = Self(0);

    /// From a civil date.
    pub fn from_civil(year: i64, month: u32, day: u32) -> Self {
        Self(u16::try_from(days_from_civil(year, month, day) - DAY_2000 + 1).unwrap_or(0))
    }

    /// The civil date.
    pub fn civil(self) -> (i64, u32, u32) {
        civil(i64::from(self.0) + DAY_2000 - 1)
    }

    /// The day after.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Debug for BusinessDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BusinessDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for days in (-1_000_000..1_000_000).step_by(317) {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(BusinessDay::from_civil(2026, 11, 22).to_string(), "2026-11-22");
        assert_eq!(BusinessDay::from_civil(2024, 2, 29).next().to_string(), "2024-03-01");
    }

    #[test]
    fn one_instant_in_every_form() {
        // 2024-12-31T23:59:58Z
        let now = Now::at(Tick(5), 1_735_689_598_000);
        assert_eq!((now.transmission.0, now.day_of_year, now.yymm), (1_231_235_958, 366, 2412));
    }
}
