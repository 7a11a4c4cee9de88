//! What the journal is told once for all workers: the configuration in force with the names behind stable numbers, and
//! business days as they begin.
//! Never decides what day it is: calendars do, from the turn's clock, and issuers (`cutovers`). Guards: a reader of the journal alone can name every
//! issuer, link and calendar.

use super::make;
use super::worker::Worker;
use crate::config::{Config, IssuerConfig};
use engine::record::{Config as Names, Day, Record};
use limits::Calendar;
use std::sync::Arc;
use terms::{BusinessDay, Now};

/// Token of records that nobody waits for.
const NOBODY: u64 = 0;

/// When an institution's next business day begins by the clock.
#[derive(Clone, Copy)]
pub struct Institution {
    calendar: usize,
    /// Wall milliseconds.
    cutover: i64,
}

/// Every institution's day and next cutover ([`Config::institutions`]). `told`: what the journal has of days that issuers
/// began; one counts as long as the clock has not come to it.
pub fn institutions(
    config: &Config,
    now: &Now,
    told: &[(u32, BusinessDay)],
) -> (Vec<BusinessDay>, Vec<Institution>) {
    let all = config.institutions().enumerate().map(|(at, calendar)| {
        let shape = &config.calendars[calendar].calendar;
        let cutover = shape.next_cutover_after(now.wall_ms);
        let (today, coming) = (shape.day_at(now.wall_ms), shape.day_at(cutover));
        let own =
            at.checked_sub(config.calendars.len()).map(|issuer| config.issuers[issuer].told_calendar().0);
        let begun = told.iter().any(|(id, day)| Some(*id) == own && *day == coming);
        (if begun { today.max(coming) } else { today }, Institution { calendar, cutover })
    });
    all.unzip()
}

impl Worker {
    /// Institutions whose cutover has come go on to the next day, unless they have begun it before.
    pub(super) fn roll_days(&mut self) {
        for at in 0..self.institutions.len() {
            if self.now.wall_ms >= self.institutions[at].cutover {
                self.roll_day(at);
            }
        }
    }

    fn roll_day(&mut self, at: usize) {
        let Institution { calendar, cutover } = &mut self.institutions[at];
        let shape = &self.shared.config.calendars[*calendar].calendar;
        let day = shape.day_at(self.now.wall_ms);
        *cutover = shape.next_cutover_after(self.now.wall_ms);
        if at < self.shared.config.calendars.len() {
            self.days[at] = day;
            return self.journal_day(at);
        }
        self.days[at] = self.days[at].max(day);
    }

    /// Business days are journaled, once for all workers.
    pub(super) fn journal_day(&mut self, calendar: usize) {
        if self.ix.0 == 0 {
            let id = self.shared.config.calendars[calendar].id;
            let day = Day { wall_ms: self.now.wall_ms, calendar: id, day: self.days[calendar] };
            day.append_to(&mut self.frames.owed, NOBODY);
        }
    }

    /// Issuers that a new configuration has put under another calendar have that one's day.
    fn change_calendars(&mut self, config: &Config) {
        for (at, calendar) in config.institutions().enumerate() {
            if self.institutions[at].calendar != calendar {
                self.institutions[at] = self.institutions[calendar];
                self.days[at] = self.days[calendar];
            }
        }
    }

    /// The names behind the stable numbers of records, before the first record that uses them.
    pub(super) fn journal_names(&mut self, hash: u64) {
        if self.ix.0 != 0 {
            return;
        }
        let config = &self.shared.config;
        let issuers = config.issuers.iter().map(|issuer| ("issuer", issuer.id, &issuer.name));
        let links = config.links.iter().map(|link| ("link", link.id, &link.full_name));
        let calendars = config.calendars.iter().map(|calendar| ("calendar", calendar.id, &calendar.name));
        let told: Vec<_> = config.issuers.iter().map(IssuerConfig::told_calendar).collect();
        let told = told.iter().map(|(id, name)| ("calendar", *id, name));
        let names = issuers.chain(links).chain(calendars).chain(told);
        let lines = names.map(|(kind, id, name)| format!("{kind} {id:08x} {name}\n"));
        let mut names = String::new();
        let mut records = Vec::new();
        for line in lines {
            if names.len() + line.len() > Names::NAMES_MAX {
                records.push(std::mem::take(&mut names));
            }
            names += &line;
        }
        records.push(names);
        let (wall_ms, version) = (self.now.wall_ms, self.snapshot.version);
        for names in &records {
            Names { wall_ms, version, hash, names }.append(&mut self.frames.owed, NOBODY);
        }
    }

    /// Goes over to the configuration in force, if it is another one than that of the last turn.
    pub(super) fn take_version(&mut self) {
        let version = self.shared.version();
        if version.snapshot.version == self.snapshot.version {
            return;
        }
        self.snapshot = Arc::clone(&version.snapshot);
        self.change_calendars(&version.config);
        for (at, issuer) in version.config.issuers.iter().enumerate() {
            self.slots_share[at] = make::slots_share(issuer, version.config.workers);
            self.high_water[at] = make::high_water(issuer, version.config.workers);
            let rest_ms = make::rest_ms(issuer);
            issuer.links.iter().for_each(|link| self.desks[link.at()].change_times(rest_ms, rest_ms));
        }
        let hash = version.hash;
        drop(version);
        self.journal_names(hash);
    }
}

/// When the counters of past days go.
#[derive(Default)]
pub struct Sweeps {
    last: Option<BusinessDay>,
}

/// Workers go over to a new day within a turn; after this long none charges the one before.
const SETTLED_MS: i64 = 60_000;

impl Sweeps {
    /// Days before this one are over in every calendar, and that is new.
    pub fn due<'c>(
        &mut self,
        calendars: impl Iterator<Item = &'c Calendar>,
        wall_ms: i64,
    ) -> Option<BusinessDay> {
        let oldest = calendars.map(|calendar| calendar.day_at(wall_ms - SETTLED_MS)).min()?;
        let due = self.last.is_none_or(|last| last < oldest).then_some(oldest);
        self.last = self.last.max(due);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_go_when_the_last_calendar_has_left_their_day() {
        let calendars = [Calendar::new("UTC", "00:00").unwrap(), Calendar::new("UTC", "01:00").unwrap()];
        let mut sweeps = Sweeps::default();
        let (midnight, minute) = (1_763_769_600_000, 60_000);
        let mut due = |wall_ms| sweeps.due(calendars.iter(), wall_ms);
        let first = due(midnight - minute).expect("what a restart brought back");
        assert_eq!(due(midnight + 2 * minute), None, "the second calendar is still at the day before");
        assert_eq!(due(midnight + 60 * minute), None, "a worker may be a turn behind");
        assert_eq!(due(midnight + 61 * minute), Some(BusinessDay(first.0 + 1)));
        assert_eq!(due(midnight + 62 * minute), None);
        assert_eq!(due(midnight - minute), None, "a clock that goes back sweeps nothing");
    }
}
