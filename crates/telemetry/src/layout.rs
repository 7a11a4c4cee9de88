//! Where each counter has its cell. Made once from the labels; a look-up is arithmetic on small numbers.
//! Guards: two series never share a cell unless the labels say `other`.

use crate::labels::{Labels, Outcome, ReversalReason, Side, StandIn, TerminalFailure};
use terms::{Cause, InternalCause, IssuerIx, Kind, Source};

/// First cell of each counter family, and the places of decline reasons.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) transactions: usize,
    pub(crate) declines: usize,
    pub(crate) by_code: usize,
    pub(crate) handshakes: usize,
    pub(crate) timeouts: usize,
    pub(crate) late: usize,
    pub(crate) contradictions: usize,
    pub(crate) unencodable: usize,
    pub(crate) stand_in: usize,
    pub(crate) breaker_opened: usize,
    pub(crate) reversals: usize,
    pub(crate) terminal_failures: usize,
    pub(crate) violations: usize,
    pub(crate) duplicates: usize,
    pub(crate) contradictory_repeats: usize,
    pub(crate) unmatched: usize,
    pub(crate) limit_forced: usize,
    /// Cells in all.
    pub(crate) cells: usize,
    pub(crate) issuers: usize,
    /// Issuers that `declines_total` names; the others share `other`.
    pub(crate) named: usize,
    pub(crate) codes: usize,
    /// (cause, source) pairs that can happen, in the order of their rows.
    pub(crate) rows: Vec<(Cause, Source)>,
    row_of: [[u8; Source::ALL.len()]; Cause::ALL.len()],
}

impl Layout {
    /// `named` issuers get their own decline counters.
    pub(crate) fn new(labels: &Labels, named: usize) -> Self {
        let (rows, row_of) = rows();
        let issuers = labels.issuers.len();
        let named = named.min(issuers);
        let mut next = 0;
        let mut take = |count: usize| {
            next += count;
            next - count
        };
        let transactions = take(Kind::ALL.len() * Outcome::ALL.len());
        let declines = take(rows.len() * slots(issuers, named));
        let by_code = take(labels.codes.len() + 1);
        let handshakes = take(4);
        let timeouts = take(issuers);
        let late = take(issuers);
        let contradictions = take(issuers);
        let unencodable = take(issuers);
        let stand_in = take(issuers * StandIn::ALL.len());
        let breaker_opened = take(issuers);
        let reversals = take(ReversalReason::ALL.len());
        let terminal_failures = take(TerminalFailure::ALL.len());
        let violations = take(Side::ALL.len());
        let duplicates = take(1);
        let contradictory_repeats = take(1);
        let unmatched = take(1);
        let limit_forced = take(1);
        let cells = take(0);
        Self {
            transactions,
            declines,
            by_code,
            handshakes,
            timeouts,
            late,
            contradictions,
            unencodable,
            stand_in,
            breaker_opened,
            reversals,
            terminal_failures,
            violations,
            duplicates,
            contradictory_repeats,
            unmatched,
            limit_forced,
            cells,
            issuers,
            named,
            codes: labels.codes.len(),
            rows,
            row_of,
        }
    }

    /// The cell of a decline. A pair that no internal cause has is our own mistake and counts under source `system`.
    pub(crate) fn decline(&self, cause: Cause, source: Source, issuer: Option<IssuerIx>) -> usize {
        let row = usize::from(self.row_of[cause as usize][source as usize]);
        let slot = match issuer {
            None => 0,
            Some(issuer) => 1 + issuer.at().min(self.slots() - 2),
        };
        self.declines + row * self.slots() + slot
    }

    /// Issuer slots of a decline row: `none`, the named ones, and `other` if not all are named.
    pub(crate) fn slots(&self) -> usize {
        slots(self.issuers, self.named)
    }
}

/// At least one slot beside `none`, so that an issuer nobody configured has a place.
pub(crate) fn slots(issuers: usize, named: usize) -> usize {
    1 + named + usize::from(named < issuers || issuers == 0)
}

type RowOf = [[u8; Source::ALL.len()]; Cause::ALL.len()];

/// The pairs that can happen: any cause from an issuer's code, any cause as our own failure, what internal causes say,
/// and what stand-in may answer. All 80 pairs times the issuers would pass the bound on series.
fn rows() -> (Vec<(Cause, Source)>, RowOf) {
    let internal = InternalCause::ALL.iter().map(|cause| (cause.cause(), cause.source()));
    let any = |source| Cause::ALL.iter().map(move |cause| (*cause, source));
    let stand_in = [Cause::Network, Cause::Limit, Cause::Risk].map(|cause| (cause, Source::StandIn));
    let mut rows: Vec<_> =
        any(Source::Issuer).chain(any(Source::System)).chain(internal).chain(stand_in).collect();
    rows.sort();
    rows.dedup();
    let place = |pair| rows.binary_search(&pair).ok();
    let mut row_of = RowOf::default();
    for (cause, source) in
        Cause::ALL.iter().flat_map(|cause| Source::ALL.iter().map(move |source| (*cause, *source)))
    {
        let row = place((cause, source)).or_else(|| place((cause, Source::System)));
        row_of[cause as usize][source as usize] = row.expect("every cause has a row for `system`") as u8;
    }
    (rows, row_of)
}
