//! Whether an issuer is asked at all: a circuit breaker as pure state, one per issuer.
//!
//! Opens when so many requests in a row were not answered in time, or when the last link is lost: a slow issuer is a dead
//! one. After a while it is *half open*: probes (0800 echo) go out, and so many good ones in a row close it. One that opens
//! again before a single request was answered waits twice as long before it probes. Where only links were lost, the first
//! that is back closes it: a link comes up again only after good echoes of its own (`link::IssuerSession`).
//! Never reads a clock, never sends anything. Guards: requests close nothing and probes open nothing; what is told late about
//! requests of before it opened changes nothing.

use terms::Tick;

/// When it opens and closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerRule {
    /// Opens on so many time-outs in a row; 0: only when every link is lost.
    pub timeouts: u32,
    /// Closes on so many good probes in a row.
    pub probes: u32,
    /// Between one probe and the next.
    pub probe_ms: u64,
    /// Longest such wait, however often it opened again in vain.
    pub probe_max_ms: u64,
}

/// Where it stands: the value of the metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Position {
    /// Requests flow.
    Closed = 0,
    /// No requests; probes are under way.
    HalfOpen = 1,
    /// No requests, no probes yet.
    Open = 2,
}

/// Why it opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    /// Time-outs in a row.
    Timeouts,
    /// No link is left.
    Links,
}

/// The breaker of one issuer.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: BreakerRule,
    position: Position,
    /// Time-outs since the last answer in time.
    silent: u32,
    /// Good probes in a row.
    good: u32,
    /// A probe is out and was not answered.
    asked: bool,
    /// The next probe goes out then, unless it is closed or no link is left.
    probe_at: Tick,
    /// How often it opened since a request was last answered in time.
    vain: u32,
    links: bool,
    /// It was time-outs that opened it, whatever became of the links since.
    mute: bool,
}

impl Breaker {
    /// Closed. Links count as there until it is told that the last was lost.
    pub const fn new(rule: BreakerRule) -> Self {
        let position = Position::Closed;
        let (asked, links, mute) = (false, true, false);
        Self { rule, position, silent: 0, good: 0, asked, probe_at: Tick(0), vain: 0, links, mute }
    }

    /// Where it stands.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Whether requests may go to the issuer.
    pub fn is_closed(&self) -> bool {
        self.position == Position::Closed
    }

    /// So many requests were not answered in time, after one that was if `answered`. Tells whether that opened it.
    pub fn timed_out(&mut self, times: u32, answered: bool, now: Tick) -> Option<Opened> {
        if !self.is_closed() {
            return None;
        }
        if answered {
            (self.silent, self.vain) = (0, 0);
        }
        self.silent = self.silent.saturating_add(times);
        if self.rule.timeouts == 0 || self.silent < self.rule.timeouts {
            return None;
        }
        self.open(now);
        Some(Opened::Timeouts)
    }

    /// The last link was lost, or the first is back: where nothing else is wrong that closes it, else probes may go at once.
    pub fn links(&mut self, any: bool, now: Tick) -> Option<Opened> {
        if core::mem::replace(&mut self.links, any) == any {
            return None;
        }
        (self.good, self.asked, self.probe_at) = (0, false, now);
        let was_closed = self.is_closed();
        self.position = if any && !self.mute { Position::Closed } else { Position::Open };
        (!any && was_closed).then_some(Opened::Links)
    }

    /// Whether a probe goes out now; it is half open from the first one on. An earlier one without an answer was a bad one.
    pub fn probe(&mut self, now: Tick) -> bool {
        if self.is_closed() || !self.links || now < self.probe_at {
            return false;
        }
        if core::mem::replace(&mut self.asked, true) {
            self.good = 0;
        }
        self.position = Position::HalfOpen;
        self.probe_at = now.plus_ms(self.rule.probe_ms);
        true
    }

    /// A probe was answered. Tells whether that closed it.
    pub fn probe_answered(&mut self) -> bool {
        if self.position != Position::HalfOpen || !core::mem::take(&mut self.asked) {
            return false;
        }
        self.good += 1;
        if self.good < self.rule.probes.max(1) {
            return false;
        }
        (self.position, self.silent, self.good, self.mute) = (Position::Closed, 0, 0, false);
        true
    }

    fn open(&mut self, now: Tick) {
        let wait_ms = (self.rule.probe_ms << self.vain).min(self.rule.probe_max_ms.max(self.rule.probe_ms));
        (self.position, self.mute) = (Position::Open, true);
        (self.silent, self.good, self.asked) = (0, 0, false);
        (self.vain, self.probe_at) = ((self.vain + 1).min(VAIN_MAX), now.plus_ms(wait_ms));
    }
}

/// Doubling more often than this says nothing new.
const VAIN_MAX: u32 = 20;

#[cfg(test)]
mod tests;
