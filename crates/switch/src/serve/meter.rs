//! Counts what the engine says happened: once per OUTCOME or REFUSED, and its oddities.
//!
//! Plain numbers of this worker, flushed once per turn. Never a lock, never a label that is not in its closed set.

use declines::{Catalogue, CodeTable};
use engine::effect::{Note, ReversalReason as Owed, Tally};
use routing::Position;
use std::sync::Arc;
use telemetry::{
    Counts, Decline, Families, Handshake, Latencies, ReversalReason, Side, Stage, TerminalFailure,
};
use terms::{InternalCause, IssuerIx, LinkIx};

/// One worker's counters.
pub struct Meter {
    counts: Counts,
    families: Arc<Families>,
    latencies: Arc<Latencies>,
    tables: Vec<CodeTable>,
    /// Names, by `IssuerIx`.
    issuers: Vec<String>,
    levels: Vec<Levels>,
}

/// One worker's share of what is open with an issuer.
#[derive(Clone, Copy, Default)]
pub struct Levels {
    /// Requests under way.
    pub in_flight: i64,
    /// Messages owed, quarantined ones included.
    pub owed: i64,
    /// Of those, refused too often.
    pub quarantined: i64,
}

impl Meter {
    /// `issuers`: names and dialects, by `IssuerIx`.
    pub fn new<'a>(families: Arc<Families>, issuers: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let catalogue = Catalogue::builtin();
        let (issuers, tables): (Vec<_>, Vec<_>) =
            issuers.map(|(name, dialect)| (name.to_owned(), catalogue.table(dialect))).unzip();
        let levels = vec![Levels::default(); issuers.len()];
        Self { counts: families.counts(), latencies: families.latencies(), families, tables, issuers, levels }
    }

    /// How a transaction ended.
    pub fn tally(&mut self, tally: &Tally) {
        let Some(internal) = tally.cause else { return self.counts.approved(tally.kind) };
        let table = tally.issuer.and_then(|issuer| self.tables.get(issuer.at()));
        let by_code = tally.code.and_then(|code| Some((code, table?)));
        let (cause, code) = match by_code {
            // The issuer's own code tells more than "the issuer declined".
            Some((code, table)) if internal == InternalCause::IssuerDeclined => {
                (table.cause(code), table.index_of(code))
            }
            Some((code, table)) => (internal.cause(), table.index_of(code)),
            None => {
                let code = terms::ResponseCode::of(internal.iso_code());
                (internal.cause(), Catalogue::builtin().index_of(&code))
            }
        };
        self.counts
            .declined(tally.kind, Decline { cause, source: internal.source(), issuer: tally.issuer, code });
    }

    /// An oddity.
    pub fn note(&mut self, note: &Note) {
        match *note {
            Note::Duplicate => self.counts.duplicate(),
            Note::Reconnected => self.counts.terminal_failure(TerminalFailure::Reconnect),
            Note::Contradiction => self.counts.contradictory_repeat(),
            Note::Late(issuer) => self.counts.late_response(issuer),
            Note::Unmatched(_) => self.counts.unmatched_response(),
            Note::IssuerContradiction(issuer) => {
                self.counts.issuer_contradiction(issuer);
                tracing::error!(issuer = self.name(issuer), "an issuer contradicts its earlier answer");
            }
            Note::Timeout(issuer) => self.counts.issuer_timeout(issuer),
            Note::ReversalOwed(_, reason) => self.counts.reversal(reason_of(reason)),
            Note::TerminalReversal(reason) => {
                let reason = reason.as_ref().map_or(&[][..], |code| code.as_bytes());
                self.counts.terminal_failure(TerminalFailure::of_reversal(reason));
            }
            Note::Parked(issuer) => {
                tracing::error!(
                    issuer = self.name(issuer),
                    "an issuer refuses what is owed to it: it waits in quarantine"
                );
            }
            Note::Unreadable(issuer) => {
                tracing::error!(
                    issuer = self.name(issuer),
                    "a record of what is owed cannot be read: it is tried again"
                );
            }
            Note::StandIn(issuer, outcome) => {
                self.counts.stand_in(issuer, outcome_of(outcome));
                if outcome == engine::effect::StandIn::Refused {
                    tracing::error!(issuer = issuer.at(), "an issuer refuses an advice: a loss");
                }
            }
            Note::Undelivered => self.counts.terminal_failure(TerminalFailure::Undelivered),
        }
    }

    fn name(&self, issuer: IssuerIx) -> &str {
        self.issuers.get(issuer.at()).map_or("", String::as_str)
    }

    /// Microseconds of one stage.
    pub fn latency(&self, stage: Stage, micros: u64) {
        self.latencies.record(stage, micros);
    }

    /// A connection came (+1) or went (−1).
    pub fn connections(&mut self, side: Side, change: i64) {
        self.counts.connections(side, change);
    }

    /// A TLS handshake ended.
    pub fn handshake(&mut self, result: Handshake, resumed: bool) {
        self.counts.handshake(result, resumed);
    }

    /// A peer broke the protocol.
    pub fn violation(&mut self, side: Side) {
        self.counts.violation(side);
    }

    /// Something failed on a terminal's side.
    pub fn terminal_failure(&mut self, failure: TerminalFailure) {
        self.counts.terminal_failure(failure);
    }

    /// A request could not be written in its issuer's dialect.
    pub fn unencodable(&mut self, issuer: IssuerIx) {
        self.counts.unencodable(issuer);
    }

    /// A ceiling was passed by a forced post.
    pub fn limit_forced(&mut self) {
        self.counts.limit_forced();
    }

    /// What is under way at an issuer and owed to it, as it is now: the gauges move by the difference, since other workers
    /// move them too.
    pub fn levels(&mut self, issuer: IssuerIx, now: Levels) {
        let last = std::mem::replace(&mut self.levels[issuer.at()], now);
        self.counts.in_flight(issuer, now.in_flight - last.in_flight);
        self.counts.saf_depth(issuer, now.owed - last.owed);
        self.counts.saf_quarantined(issuer, now.quarantined - last.quarantined);
    }

    /// Where an issuer's breaker stands, and whether it has just opened.
    pub fn breaker(&mut self, issuer: IssuerIx, position: Position, opened: bool) {
        self.families.breaker(issuer, position as u8);
        if opened {
            self.counts.breaker_opened(issuer);
        }
    }

    /// A link's state.
    pub fn link_up(&self, link: LinkIx, up: bool) {
        self.families.link_up(link, up);
    }

    /// Into the shared families: once per turn.
    pub fn flush(&mut self) {
        self.counts.flush(&self.families);
    }
}

fn reason_of(reason: Owed) -> ReversalReason {
    match reason {
        Owed::Terminal => ReversalReason::Terminal,
        Owed::Timeout => ReversalReason::Timeout,
        Owed::LinkLost => ReversalReason::LinkLost,
        Owed::Undelivered => ReversalReason::Undelivered,
        Owed::BadAnswer => ReversalReason::BadAnswer,
        Owed::Restart => ReversalReason::Restart,
        Owed::Contradiction => ReversalReason::Contradiction,
        Owed::Issuer => ReversalReason::Issuer,
    }
}

fn outcome_of(outcome: engine::effect::StandIn) -> telemetry::StandIn {
    match outcome {
        engine::effect::StandIn::Approved => telemetry::StandIn::Approved,
        engine::effect::StandIn::Forbidden => telemetry::StandIn::Declined,
        engine::effect::StandIn::Refused => telemetry::StandIn::Refused,
    }
}
