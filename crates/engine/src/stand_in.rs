//! Stand-in: approving in an issuer's stead when that cannot be asked, out of the switch's limits and its own ceilings.
//!
//! What no configuration allows is here: a card number keyed by hand, a PIN that nobody has verified, an amount of zero or in
//! another currency than the ceilings', anything but a purchase or a pre-authorization.
//! Never after a restart, never for what was reversed. Guards: nothing is told before the OUTCOME is durable; a request that
//! may have reached the issuer is reversed before the advice goes.

use crate::effect::{Effect, Note, ReversalReason, StandIn};
use crate::engine::Engine;
use crate::event::TxnId;
use crate::record::Advised;
use crate::settle::{decline, doubt};
use crate::snapshot::{Snapshot, StandInTerms};
use crate::state::State;
use crate::transaction::Transaction;
use crate::turn::Turn;
use limits::{Demand, LimitKey, Scope};
use terms::{ApprovalCode, Flags, InternalCause, Kind, Money, Request, ResponseCode};

impl Engine {
    /// Whether its issuer's stand-in may be asked for it; the ceilings speak later.
    pub(crate) fn is_covered(&self, turn: &mut Turn, id: TxnId) -> bool {
        let transaction = self.slab.get(id).filter(|txn| txn.is_payment() && !txn.covered);
        let Some(transaction) = transaction.filter(|txn| txn.cancelled.is_none()) else { return false };
        let Some(terms) = terms_of(turn.snapshot(), transaction) else { return false };
        let allowed = allows(terms, &transaction.request);
        if !allowed {
            turn.note(Note::StandIn(transaction.issuer, StandIn::Forbidden));
        }
        allowed
    }

    /// What [`Effect::StandIn`] must charge; `None` where stand-in is not configured any more.
    pub fn stand_in_demand(&self, snapshot: &Snapshot, id: TxnId) -> Option<Demand> {
        let transaction = self.slab.last(id)?;
        let request = &transaction.request;
        let key = LimitKey::stand_in(&request.token, transaction.issuer_calendar);
        let amount = Money { minor: request.amount, currency: request.currency };
        let rule = &terms_of(snapshot, transaction)?.rule;
        rule.demand(Scope::Card, key, transaction.issuer_day, amount, amount).ok().flatten()
    }

    /// Asks the ceilings. `undo`: a request went out, so its reversal goes first; `cause`: why the issuer is not asked.
    pub(crate) fn cover(
        &mut self,
        turn: &mut Turn,
        id: TxnId,
        cause: InternalCause,
        undo: Option<ReversalReason>,
    ) {
        let transaction = self.slab.at(id.index);
        transaction.covered = true;
        (transaction.cause, transaction.undo) = (Some(cause), undo.is_some());
        transaction.reason = undo.unwrap_or(transaction.reason);
        let issuer = transaction.issuer;
        turn.ask(Effect::StandIn { txn: id, issuer });
    }

    /// The ceilings have spoken.
    pub(crate) fn stood_in(&mut self, turn: &mut Turn, id: TxnId, result: Result<Advised, InternalCause>) {
        let Some(transaction) = self.slab.get_mut(id).filter(|txn| txn.is_payment() && txn.covered) else {
            return;
        };
        let issuer = transaction.issuer;
        let outcome = if result.is_ok() { StandIn::Approved } else { StandIn::Forbidden };
        let before = transaction.serial == crate::record::Serial::NONE;
        transaction.cover_charged = result.is_ok();
        match result {
            Ok(number) if !before => {
                transaction.advice = Some(number);
                self.approve_here(turn, id);
            }
            Ok(_) => self.begin(turn, id),
            Err(_) if before => self.unadmit(turn, id, InternalCause::IssuerDown),
            Err(_) => uncovered(turn, id, transaction),
        }
        turn.note(Note::StandIn(issuer, outcome));
    }

    /// It leaves without having stood: what stand-in's own counter was charged no record will ever tell of.
    pub(crate) fn uncover(&mut self, turn: &mut Turn, id: TxnId) {
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::CoverKept) {
            return;
        }
        if core::mem::take(&mut self.slab.at(id.index).cover_charged) {
            turn.ask(Effect::Uncover { txn: id });
        }
    }

    /// STIP_APPROVED, with an approval code of our own.
    pub(crate) fn approve_here(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::StandInNotReversed) {
            transaction.undo = false;
        }
        transaction.approval_code = Some(own_code(transaction.serial.counter()));
        self.stand(turn, id);
    }
}

/// Stand-in may not: as it would be without.
fn uncovered(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    let cause = transaction.cause.take().unwrap_or(InternalCause::IssuerTimeout);
    let reason = transaction.reason;
    match (core::mem::take(&mut transaction.undo), transaction.issuer_code) {
        (true, _) => doubt(turn, id, transaction, cause, reason),
        (false, Some(code)) => decline(turn, id, transaction, None, Some(code)),
        (false, None) => decline(turn, id, transaction, Some(cause), None),
    }
}

fn terms_of<'a>(snapshot: &'a Snapshot, transaction: &Transaction) -> Option<&'a StandInTerms> {
    snapshot.issuers.get(transaction.issuer.at())?.stand_in.as_ref()
}

/// Everything but the ceilings.
fn allows(terms: &StandInTerms, request: &Request) -> bool {
    let kind = matches!(request.kind, Kind::Purchase | Kind::PreAuth) && terms.kinds.contains(&request.kind);
    let merchant = request.merchant.trimmed();
    let listed = terms.merchants.is_empty() || terms.merchants.iter().any(|one| one.trimmed() == merchant);
    let category = category(merchant);
    let barred = category.is_some_and(|category| terms.never.contains(&category));
    kind && listed
        && !barred
        && !is_never_covered(request)
        && request.currency == terms.rule.ceilings().currency
}

/// The floor under every configuration.
fn is_never_covered(request: &Request) -> bool {
    let keyed = matches!(request.entry_mode.0 / 10, 0 | 1 | 79);
    keyed || request.flags.has(Flags::PIN) || request.amount <= 0
}

/// Merchant category: digits 8 to 11 of a DE 42 that has 15.
fn category(merchant: &[u8]) -> Option<u16> {
    let digits = merchant.get(7..11).filter(|_| merchant.len() == 15)?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// An issuer's 91 or 96: it cannot decide now.
pub(crate) fn is_unable(code: ResponseCode) -> bool {
    matches!(code.as_bytes(), b"91" | b"96")
}

/// DE 38 of what stands approved here, where its latest record does not say it; a terminal's advice has none.
pub(crate) fn approved_here(transaction: &Transaction) -> Option<ApprovalCode> {
    let here = transaction.state == State::StipApproved && !transaction.request.kind.is_advice();
    here.then(|| own_code(transaction.serial.counter()))
}

/// DE 38 of an approval of ours: six digits that go with its number.
fn own_code(counter: u64) -> ApprovalCode {
    let (mut digits, mut rest) = ([b'0'; 6], counter);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    ApprovalCode(digits)
}

const _: () = assert!(State::StipApproved.number() == 7, "records say so");
