//! Times as people say and read them: in the zone of the node's calendar.
//! Never guesses a date: a time of day alone is today's. Guards: a text that is no time is refused with what is expected.

use super::Failure;
use crate::config::Config;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Where the clock hangs.
pub(super) struct Zone(TimeZone);

impl Zone {
    /// Of the node's first calendar.
    pub(super) fn of(config: &Config) -> Self {
        let calendar = config.calendars.first();
        Self(calendar.map_or(TimeZone::UTC, |calendar| calendar.calendar.zone().clone()))
    }

    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// `2025-06-30 18:05:03.120`
    pub(super) fn full(&self, ms: i64) -> String {
        self.at(ms).strftime("%F %T%.3f").to_string()
    }

    /// `18:05:03.120`
    pub(super) fn clock(&self, ms: i64) -> String {
        self.at(ms).strftime("%T%.3f").to_string()
    }

    fn at(&self, ms: i64) -> Zoned {
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.0.clone())
    }

    /// What somebody typed, ms since 1970.
    pub(super) fn parse(&self, text: &str, now: i64) -> Result<i64, Failure> {
        let today = self.at(now).date();
        let local = |civil: DateTime| civil.to_zoned(self.0.clone()).ok().map(|zoned| zoned.timestamp());
        let at = text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| local(text.parse::<DateTime>().ok()?))
            .or_else(|| local(today.to_datetime(text.parse::<Time>().ok()?)));
        let expected = "expected 2025-06-30, 2025-06-30T18:05, 18:05 or 2025-06-30T10:05:00Z";
        at.map(|at| at.as_millisecond())
            .ok_or_else(|| Failure::new(format!("\"{text}\" is no time, {expected}")))
    }
}

/// `15m`, `2h`, `3d`, in ms.
pub(super) fn span(text: &str) -> Result<i64, Failure> {
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let ms = match days {
        Some(days) => days.checked_mul(86_400_000),
        None => text.parse::<SignedDuration>().ok().map(|span| span.as_millis() as i64),
    };
    let expected = "expected such as 15m, 2h or 3d";
    ms.filter(|ms| *ms > 0).ok_or_else(|| Failure::new(format!("\"{text}\" is no span, {expected}")))
}

/// Now, ms since 1970.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_times_in_several_ways() {
        let zone = Zone(TimeZone::fixed(jiff::tz::offset(8)));
        let now = 1_767_254_400_000;
        let at = |text: &str| {
            zone.parse(text, now).map(|ms| zone.full(ms)).unwrap_or_else(|fault| fault.to_string())
        };
        assert_eq!(at("2025-06-30"), "2025-06-30 00:00:00.000");
        assert_eq!(at("2025-06-30T18:05"), "2025-06-30 18:05:00.000");
        assert_eq!(at("2025-06-30 18:05:03.5"), "2025-06-30 18:05:03.500");
        assert_eq!(at("2025-06-30T10:05:00Z"), "2025-06-30 18:05:00.000");
        assert_eq!(at("18:05"), "2026-01-01 18:05:00.000");
        assert!(at("yesterday").contains("is no time, expected"), "{}", at("yesterday"));
        assert_eq!(
            (span("15m").unwrap(), span("2h").unwrap(), span("3d").unwrap()),
            (900_000, 7_200_000, 259_200_000)
        );
        assert!(span("soon").is_err() && span("-2h").is_err());
    }
}
