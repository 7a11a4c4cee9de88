//! What one worker counts between two flushes: plain numbers, not shared with anybody.
//! Never allocates after it is made; guards: nothing is counted twice, a flush leaves zeros.

use crate::{
    Families,
    labels::{Handshake, Outcome, ReversalReason, Side, StandIn, TerminalFailure},
    layout::Layout,
};
use std::sync::Arc;
use terms::{Cause, IssuerIx, Kind, Source};

/// A worker's counters. Every method is one addition into an array.
#[derive(Debug)]
pub struct Counts {
    layout: Arc<Layout>,
    cells: Box<[u64]>,
    in_flight: Box<[i64]>,
    saf_depth: Box<[i64]>,
    quarantined: Box<[i64]>,
    connections: [i64; Side::ALL.len()],
}

/// One decline, as its OUTCOME or REFUSED has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decline {
    /// Why.
    pub cause: Cause,
    /// Who found it.
    pub source: Source,
    /// Whose transaction it was, if it was routed.
    pub issuer: Option<IssuerIx>,
    /// Place of the code in [`crate::Labels::codes`]; `None` counts as `other`.
    pub code: Option<u16>,
}

impl Counts {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self {
            cells: vec![0; layout.cells].into(),
            in_flight: vec![0; layout.issuers].into(),
            saf_depth: vec![0; layout.issuers].into(),
            quarantined: vec![0; layout.issuers].into(),
            connections: [0; Side::ALL.len()],
            layout,
        }
    }

    /// A transaction was approved. Once per transaction, when its OUTCOME is written; never on replays.
    pub fn approved(&mut self, kind: Kind) {
        self.transactions(kind, Outcome::Approved);
    }

    /// A transaction was declined. Once per transaction, when its OUTCOME or REFUSED is written; never on replays.
    pub fn declined(&mut self, kind: Kind, decline: Decline) {
        self.transactions(kind, Outcome::Declined);
        self.cells[self.layout.decline(decline.cause, decline.source, decline.issuer)] += 1;
        let code = decline.code.map_or(self.layout.codes, |code| usize::from(code).min(self.layout.codes));
        self.cells[self.layout.by_code + code] += 1;
    }

    fn transactions(&mut self, kind: Kind, outcome: Outcome) {
        self.cells[self.layout.transactions + kind as usize * Outcome::ALL.len() + outcome.at()] += 1;
    }

    /// The issuer did not answer in time.
    pub fn issuer_timeout(&mut self, issuer: IssuerIx) {
        self.of_issuer(self.layout.timeouts, issuer);
    }

    /// An answer came after its deadline.
    pub fn late_response(&mut self, issuer: IssuerIx) {
        self.of_issuer(self.layout.late, issuer);
    }

    /// The issuer contradicts its own earlier answer.
    pub fn issuer_contradiction(&mut self, issuer: IssuerIx) {
        self.of_issuer(self.layout.contradictions, issuer);
    }

    /// A request could not be written in the issuer's dialect.
    pub fn unencodable(&mut self, issuer: IssuerIx) {
        self.of_issuer(self.layout.unencodable, issuer);
    }

    /// Stand-in answered in the issuer's stead.
    pub fn stand_in(&mut self, issuer: IssuerIx, outcome: StandIn) {
        self.of_issuer(self.layout.stand_in + outcome.at() * self.layout.issuers, issuer);
    }

    /// The issuer's breaker opened.
    pub fn breaker_opened(&mut self, issuer: IssuerIx) {
        self.of_issuer(self.layout.breaker_opened, issuer);
    }

    /// A reversal is owed.
    pub fn reversal(&mut self, reason: ReversalReason) {
        self.cells[self.layout.reversals + reason.at()] += 1;
    }

    /// Something went wrong on a terminal's side.
    pub fn terminal_failure(&mut self, reason: TerminalFailure) {
        self.cells[self.layout.terminal_failures + reason.at()] += 1;
    }

    /// A peer broke the protocol: length over its bound, silence inside a frame, bytes that are no message.
    pub fn violation(&mut self, side: Side) {
        self.cells[self.layout.violations + side.at()] += 1;
    }

    /// The same request came again (replayed or joined).
    pub fn duplicate(&mut self) {
        self.cells[self.layout.duplicates] += 1;
    }

    /// The same key came with other content.
    pub fn contradictory_repeat(&mut self) {
        self.cells[self.layout.contradictory_repeats] += 1;
    }

    /// An answer matches nothing that was asked.
    pub fn unmatched_response(&mut self) {
        self.cells[self.layout.unmatched] += 1;
    }

    /// A forced post was added over a ceiling's head.
    pub fn limit_forced(&mut self) {
        self.cells[self.layout.limit_forced] += 1;
    }

    /// A TLS handshake ended.
    pub fn handshake(&mut self, result: Handshake, resumed: bool) {
        self.cells[self.layout.handshakes + result.at() * 2 + usize::from(resumed)] += 1;
    }

    /// Requests in flight to the issuer: `+1` when one is forwarded, `-1` when it is answered or given up.
    pub fn in_flight(&mut self, issuer: IssuerIx, change: i64) {
        Self::add(&mut self.in_flight, issuer, change);
    }

    /// Messages owed to the issuer: `+1` when one is owed, `-1` when it is acknowledged.
    pub fn saf_depth(&mut self, issuer: IssuerIx, change: i64) {
        Self::add(&mut self.saf_depth, issuer, change);
    }

    /// Reversals and advices the issuer refused too often: `+1` when one is parked, `-1` when it is acknowledged after all.
    pub fn saf_quarantined(&mut self, issuer: IssuerIx, change: i64) {
        Self::add(&mut self.quarantined, issuer, change);
    }

    /// Open connections: `+1` and `-1`.
    pub fn connections(&mut self, side: Side, change: i64) {
        self.connections[side.at()] += change;
    }

    /// Adds everything to the shared handles and begins at zero again. Once per turn or every 100 ms, not per transaction.
    ///
    /// # Panics
    /// If `families` are not the ones that made these counts: a mistake of the caller.
    pub fn flush(&mut self, families: &Families) {
        assert!(families.made(&self.layout), "counts of other families");
        for (counter, cell) in families.counters.iter().zip(&mut self.cells) {
            if *cell != 0 {
                counter.increment(std::mem::take(cell));
            }
        }
        let issuers = families.in_flight.iter().chain(&families.saf_depth).chain(&families.quarantined);
        let gauges = issuers.chain(&families.connections);
        let issuers = self.in_flight.iter_mut().chain(&mut self.saf_depth).chain(&mut self.quarantined);
        let changes = issuers.chain(&mut self.connections);
        for (gauge, change) in gauges.zip(changes) {
            if *change != 0 {
                gauge.increment(std::mem::take(change) as f64);
            }
        }
    }

    fn of_issuer(&mut self, family: usize, issuer: IssuerIx) {
        debug_assert!(issuer.at() < self.layout.issuers, "issuer {issuer} is not in these labels");
        if issuer.at() < self.layout.issuers {
            self.cells[family + issuer.at()] += 1;
        }
    }

    fn add(cells: &mut [i64], issuer: IssuerIx, change: i64) {
        debug_assert!(issuer.at() < cells.len(), "issuer {issuer} is not in these labels");
        if let Some(cell) = cells.get_mut(issuer.at()) {
            *cell += change;
        }
    }
}
