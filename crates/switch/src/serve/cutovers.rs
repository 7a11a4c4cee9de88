//! An issuer tells of its cutover (0800 with its dialect's word for it): its business day goes on, once, whatever the clock does
//! then.
//!
//! One worker keeps an issuer's day; the others hear of it by letter. A day that was told is the one that the issuer's calendar
//! has next: its own cutover then finds it begun. Never moves another institution's day, nor one by more than that. Guards: an
//! issuer is told 00 only when its DAY is durable; telling again moves nothing.

use super::worker::Worker;
use engine::record::{Day, Record};
use engine::{Code, IssuerAsk};
use framing::Envelope;
use std::sync::Arc;
use terms::{BusinessDay, InternalCause, IssuerIx, LinkIx, ResponseCode};

/// How far from its calendar's cutover an issuer may tell of one: further off nobody can say which day it means, and a day
/// begun at will would be new ceilings at will.
pub const TOLD_WITHIN_MS: i64 = 2 * 3_600_000;

/// What issuers tell, on its way.
#[derive(Default)]
pub struct Cutovers {
    /// Came since the last turn, on links of ours.
    heard: Vec<IssuerAsk>,
    /// Told 00 when the DAY of that institution is durable.
    waiting: Vec<(usize, IssuerAsk)>,
    /// Institutions whose DAY a full disk refused.
    unwritten: Vec<usize>,
}

impl Cutovers {
    /// The DAY of this token was not written: it is tried again.
    pub(super) fn unwritten(&mut self, token: u64) {
        self.unwritten.extend(institution(token));
    }
}

/// Whose DAY a token stands for; nobody waits for those of calendars.
fn institution(token: u64) -> Option<usize> {
    (token as usize).checked_sub(1)
}

impl Worker {
    /// From a link of ours; between turns.
    pub(super) fn hear_cutover(&mut self, link: LinkIx, envelope: Envelope, body: Vec<u8>) {
        let Some(port) = self.ports[link.at()].as_mut() else { return };
        self.cutovers.heard.push(IssuerAsk { link, ask: port.asked.keep(envelope, body) });
    }

    /// To the workers that keep these issuers' days.
    pub(super) fn take_cutovers(&mut self) {
        for asked in std::mem::take(&mut self.cutovers.heard) {
            let issuer = self.shared.config.links[asked.link.at()].issuer;
            match issuer.at() % self.outbox.len() {
                owner if owner == self.ix.at() => self.cut_over(asked),
                owner => self.outbox[owner].cutovers.push(asked),
            }
        }
    }

    /// The day that the issuer means begins, if it has not.
    pub(super) fn cut_over(&mut self, asked: IssuerAsk) {
        let version = Arc::clone(&self.shared.version());
        let issuer = self.shared.config.links[asked.link.at()].issuer;
        let config = &version.config.issuers[issuer.at()];
        let calendar = &version.config.calendars[config.calendar.at()].calendar;
        let at = version.config.institution(issuer);
        let Some(day) = calendar.day_told_at(self.now.wall_ms, TOLD_WITHIN_MS) else {
            if let Some(before) = self.complaints.links[asked.link.at()].messages.tell(self.now.tick) {
                let (issuer, cause) = (&config.name, InternalCause::CutoverNotDue);
                tracing::warn!(%issuer, %cause, today = %self.days[at], before, "a cutover is refused");
            }
            return self.answer_recant(asked.link, asked.ask, Code::Internal(InternalCause::CutoverNotDue));
        };
        if self.days[at] < day {
            tracing::info!(issuer = %config.name, %day, "an issuer has begun its business day");
            self.begin_day(issuer, day);
            self.journal_told(at);
            for worker in (0..self.outbox.len()).filter(|worker| *worker != self.ix.at()) {
                self.outbox[worker].days.push((issuer, day));
            }
            self.cutovers.waiting.push((at, asked));
        } else if self.cutovers.waiting.iter().any(|(waiting, _)| *waiting == at) {
            self.cutovers.waiting.push((at, asked));
        } else {
            self.answer_recant(asked.link, asked.ask, Code::Wire(ResponseCode::approved()));
        }
    }

    /// From here on the issuer's transactions are of that day.
    pub(super) fn begin_day(&mut self, issuer: IssuerIx, day: BusinessDay) {
        let at = self.shared.config.institution(issuer);
        self.days[at] = self.days[at].max(day);
    }

    /// A DAY is durable: who waited for it may know.
    pub(super) fn day_durable(&mut self, token: u64) {
        let Some(at) = institution(token) else { return };
        for (institution, asked) in std::mem::take(&mut self.cutovers.waiting) {
            match institution == at {
                true => self.answer_recant(asked.link, asked.ask, Code::Wire(ResponseCode::approved())),
                false => self.cutovers.waiting.push((institution, asked)),
            }
        }
    }

    /// What a full disk refused, once more.
    pub(super) fn journal_days_again(&mut self) {
        for at in std::mem::take(&mut self.cutovers.unwritten) {
            self.journal_told(at);
        }
    }

    fn journal_told(&mut self, at: usize) {
        let config = &self.shared.config;
        let (calendar, _) = config.issuers[at - config.calendars.len()].told_calendar();
        let day = Day { wall_ms: self.now.wall_ms, calendar, day: self.days[at] };
        day.append_to(&mut self.frames.owed, at as u64 + 1);
    }
}
