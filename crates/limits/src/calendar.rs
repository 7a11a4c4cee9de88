//! Business days: a zone, a cutover, and which day an instant belongs to.
//!
//! Never reads a clock, a file or the environment: the zone rules are compiled in. Guards: days never run backwards, and
//! every instant has exactly one.
//!
//! *Which day a cutover begins.* A cutover before noon begins the day of its own date (00:00, or 03:00 where the night
//! still belongs to the evening before); from noon on it begins the *next* date's day (23:00, as UnionPay's), so that a
//! business day always carries the date that most of it falls on.
//!
//! *Clock changes.* A cutover that falls into a gap (the clock jumps over it) happens at the gap's end; one that happens
//! twice (the clock is set back) counts the first time. Days are then 23 or 25 hours long, never split.

use core::cmp::Reverse;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use terms::BusinessDay;

/// One institution's calendar. Pure; costs about a microsecond a question, so ask once per cutover and compare
/// [`Calendar::next_cutover_after`] with the wall clock.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    cutover: Time,
}

/// A calendar that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarFault {
    /// Not a name of the IANA database.
    #[error("zone {0:?} is unknown, expected a name such as \"Asia/Shanghai\"")]
    Zone(String),
    /// Not a time of day.
    #[error("cutover {0:?} is no time of day, expected hh:mm from 00:00 to 23:59")]
    Cutover(String),
}

impl Calendar {
    /// From an IANA zone name and a civil time `hh:mm`, as configuration has them.
    /// # Errors
    /// [`CalendarFault`] for a zone or a time that does not exist.
    pub fn new(zone: &str, cutover: &str) -> Result<Self, CalendarFault> {
        let time = clock(cutover).ok_or_else(|| CalendarFault::Cutover(cutover.into()))?;
        let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| CalendarFault::Zone(zone.into()))?;
        Ok(Self { zone, cutover: time })
    }

    /// Its zone: in it people read the times of what happened.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The business day of an instant (milliseconds since 1970-01-01 UTC). [`BusinessDay::NEVER`] before the year 2000.
    pub fn day_at(&self, wall_ms: i64) -> BusinessDay {
        let at = instant(wall_ms);
        let begun = self.around(at).filter(|(_, cutover)| *cutover <= at).last();
        begun.map_or(BusinessDay::NEVER, |(date, _)| self.named(date))
    }

    /// The first instant after `wall_ms` at which the business day changes, in milliseconds; [`i64::MAX`] if there is none.
    pub fn next_cutover_after(&self, wall_ms: i64) -> i64 {
        let at = instant(wall_ms);
        self.around(at).map(|(_, cutover)| cutover).find(|cutover| *cutover > at).map_or(i64::MAX, millis_up)
    }

    /// The day that begins with a cutover which somebody tells of at `wall_ms`: that of the calendar's nearest one, which is
    /// at most `slack_ms` ahead or behind. `None`: there is none so near, and nobody can say which day is meant.
    pub fn day_told_at(&self, wall_ms: i64, slack_ms: i64) -> Option<BusinessDay> {
        let at = instant(wall_ms);
        let away = |cutover: Timestamp| millis_up(cutover).saturating_sub(wall_ms).saturating_abs();
        let near = self.around(at).filter(|(_, cutover)| away(*cutover) <= slack_ms);
        near.max_by_key(|(_, cutover)| Reverse(away(*cutover))).map(|(date, _)| self.named(date))
    }

    /// The dates about `at` with their cutovers, in order. Three days either way, because a zone may skip a whole date
    /// (Samoa, 2011-12-30).
    fn around(&self, at: Timestamp) -> impl Iterator<Item = (Date, Timestamp)> {
        let today = self.zone.to_datetime(at).date();
        (-3..=3).filter_map(move |days: i64| {
            let date = today.checked_add(days.days()).ok()?;
            Some((date, self.cutover_on(date)?))
        })
    }

    fn cutover_on(&self, date: Date) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(date.to_datetime(self.cutover));
        match ambiguous.offset() {
            // Read with the offset from after the change, a time in the gap lies before the change: the next one is it.
            AmbiguousOffset::Gap { after, .. } => {
                let before_change = after.to_timestamp(date.to_datetime(self.cutover)).ok()?;
                self.zone.following(before_change).next().map(|change| change.timestamp())
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        }
    }

    fn named(&self, begun: Date) -> BusinessDay {
        let date = if self.cutover.hour() < 12 { begun } else { begun.tomorrow().unwrap_or(begun) };
        BusinessDay::from_civil(i64::from(date.year()), date.month() as u32, date.day() as u32)
    }
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two =
        |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok())?.filter(|_| !part.starts_with('+'));
    Time::new(i8::try_from(two(hour)?).ok()?, i8::try_from(two(minute)?).ok()?, 0, 0).ok()
}

fn instant(wall_ms: i64) -> Timestamp {
    let bound = if wall_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(wall_ms).unwrap_or(bound)
}

/// Cutovers fall on whole seconds; rounding up keeps `day_at(next_cutover_after(t))` the next day even if one did not.
fn millis_up(at: Timestamp) -> i64 {
    at.as_millisecond() + i64::from(at.subsec_nanosecond() % 1_000_000 > 0)
}

#[cfg(test)]
mod tests;
