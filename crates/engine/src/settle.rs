//! From a durable INTENT to a durable OUTCOME and a delivered answer.
//!
//! Never answers before the record is durable; never approves by default. Guards: one OUTCOME per INTENT, one release per
//! reservation, no forward of what was reversed meanwhile.

use crate::check;
use crate::debts::NONE;
use crate::effect::{Effect, Note, ReversalReason, Timer};
use crate::engine::Engine;
use crate::event::{TxnId, Verdict};
use crate::index::Entry;
use crate::owe::Paid;
use crate::past::Gone;
use crate::record::{Part, Told, UnmatchedReason};
use crate::stand_in::is_unable;
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{NIL, Role, Transaction, Written};
use crate::turn::{Turn, awaited};
use crate::words::{bad_answer, differs, late, reply_approval, reply_decline};
use crate::write::{gone, reverses};
use journal::Lsn;
use terms::{Answer, InternalCause, Minor, ResponseCode, Tick};

impl Engine {
    /// A record is durable: what waited for it may happen.
    pub(crate) fn durable(&mut self, turn: &mut Turn, token: u64, lsn: Lsn) {
        let Some((id, written)) = awaited(token) else { return };
        let Some(transaction) = self.slab.get_mut(id) else { return };
        if written == Written::Linked && self.ties.still_writing(id.index) {
            return self.linked_durable(turn, id, lsn);
        }
        assert!(
            transaction.pending & written.bit() != 0,
            "{written:?} of {} durable twice",
            transaction.serial
        );
        transaction.pending &= !written.bit();
        if written == Written::Linked {
            return self.linked_durable(turn, id, lsn);
        }
        let notes_only = match written {
            Written::Batch => transaction.is_payment(),
            Written::Parked => transaction.stands(),
            _ => false,
        };
        if notes_only {
            // An earlier record says how the transaction stands.
            return self.conclude(turn, id);
        }
        transaction.lsn = lsn;
        if transaction.release_on & written.bit() != 0 {
            transaction.release_on &= !written.bit();
            release(turn, id, transaction);
        }
        let posts = transaction.request.kind.posts_on_approval() && transaction.advice.is_some();
        if posts && written == Written::Outcome && self.ties.link(id.index).is_none() {
            turn.ask(Effect::Post { txn: id });
        }
        if transaction.reduce_on & written.bit() != 0 {
            transaction.reduce_on &= !written.bit();
            turn.ask(Effect::Reduce { txn: id });
        }
        match (written, transaction.role) {
            (Written::Intent, _) => self.forward(turn, id, lsn),
            (Written::Batch, _) => self.batch_durable(turn, id),
            (_, Role::Payment) => self.conclude(turn, id),
            (_, _) => self.reversal_durable(turn, id),
        }
    }

    /// Station 8: the request goes to its issuer, unless it was taken back before.
    fn forward(&mut self, turn: &mut Turn, id: TxnId, lsn: Lsn) {
        let transaction = self.slab.at(id.index);
        transaction.intent_lsn = lsn;
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ForwardBeforeDurable) && transaction.forwarded {
            return;
        }
        if let Some(cause) = transaction.cancelled {
            return self.decline_unsent(turn, id, cause);
        }
        if transaction.request.kind.is_advice() {
            self.post(id);
            return self.accept(turn, id);
        }
        if transaction.covered {
            return self.approve_here(turn, id);
        }
        transaction.deadline = turn.now().tick.plus_ms(u64::from(transaction.patience.timeout_ms));
        transaction.forwarded = true;
        turn.ask(Effect::Forward { txn: id, deadline: transaction.deadline });
    }

    /// The link died before the request's first byte.
    pub(crate) fn not_sent(&mut self, turn: &mut Turn, id: TxnId) {
        if self.advice_not_sent(turn, id) {
            return;
        }
        let intent = self.next_step(id, Stimulus::NotSent) == Step::DeclineUnsent;
        let stimulus = match intent && self.is_covered(turn, id) {
            true => Stimulus::CoveredUnsent,
            false => Stimulus::NotSent,
        };
        match self.next_step(id, stimulus) {
            Step::DeclineUnsent => self.decline_unsent(turn, id, InternalCause::NotSent),
            Step::CoverUnsent => {
                self.slab.at(id.index).forwarded = false;
                turn.ask(Effect::Retire { txn: id });
                self.cover(turn, id, InternalCause::NotSent, None);
            }
            _ => {}
        }
    }

    pub(crate) fn decline_unsent(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        let transaction = self.slab.at(id.index);
        transaction.slot_held = false;
        // Nothing was sent: no issuer will ever speak of it.
        transaction.forwarded = false;
        turn.ask(Effect::Return { txn: id });
        decline(turn, id, transaction, Some(cause), None);
    }

    /// Station 9: the issuer's answer, in time or late.
    pub(crate) fn answer(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer, verdict: Verdict) {
        let Some(transaction) = self.slab.get_mut(id).filter(|txn| txn.is_payment() && txn.forwarded) else {
            return self.answer_to_past(turn, id, answer, verdict);
        };
        let coded = transaction.patience.require_approval_code;
        let mut stimulus = check::stimulus(transaction, answer, verdict, coded);
        if differs(transaction, answer) && stimulus == Stimulus::Approves {
            stimulus = Stimulus::Mismatches;
        }
        let unable = transaction.state == State::Intent && is_unable(answer.code);
        if unable && stimulus == Stimulus::Declines && self.is_covered(turn, id) {
            stimulus = Stimulus::CoveredDecline;
        }
        let transaction = self.slab.at(id.index);
        match step(Some(transaction.state), stimulus) {
            Step::Approve if transaction.request.kind.is_linked() => self.approve_operation(turn, id, answer),
            known @ (Step::Approve | Step::ApprovePart) => {
                let part = answer.amount.filter(|_| known == Step::ApprovePart);
                let mut counted = transaction.request;
                counted.amount = part.unwrap_or(counted.amount);
                self.batches.count(&counted, transaction.foreign, false);
                approve(turn, id, transaction, answer, part);
            }
            Step::Decline => {
                transaction.issuer_code = Some(answer.code);
                decline(turn, id, transaction, None, Some(answer.code));
            }
            Step::CoverDecline => {
                transaction.issuer_code = Some(answer.code);
                self.cover(turn, id, InternalCause::IssuerDeclined, None);
            }
            Step::Doubt => {
                transaction.issuer_code = Some(answer.code);
                transaction.approval_seen |= verdict == Verdict::Approves;
                doubt(turn, id, transaction, bad_answer(verdict), ReversalReason::BadAnswer);
            }
            Step::Contradiction if reverses(transaction) && !transaction.contradicted => {
                turn.write_late(&gone(id, transaction), answer, verdict);
                self.contradiction_when_durable(turn, id);
            }
            #[cfg(pointsman_zoo)]
            Step::Late if zoo::has(zoo::Bug::BelieveLateApproval) && verdict == Verdict::Approves => {
                if transaction.pending | transaction.unwritten == 0 {
                    crate::owe::acknowledge(turn, id, transaction, answer.code);
                }
            }
            Step::Late | Step::Contradiction => self.late(turn, id, answer, verdict),
            Step::Alarm => {
                turn.write_late(&gone(id, transaction), answer, verdict);
                turn.note(Note::IssuerContradiction(transaction.issuer));
            }
            other => assert!(other == Step::Nothing, "an answer cannot lead to {other:?}"),
        }
    }

    /// The transaction left the slab: what its issuer says now is late, contradictory, or about nothing we know.
    fn answer_to_past(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer, verdict: Verdict) {
        if let Some(at) = self.debts.of_ticket(id.ticket()) {
            return self.late_for_debt(turn, id, at, answer, verdict);
        }
        let known = self.past.find(id).and_then(|gone| {
            let own = |entry: &Entry| entry.repeat == gone.repeat && entry.state != State::Tombstone;
            Some((gone, self.index.find(gone.slot, own)?))
        });
        let Some((gone, entry)) = known else {
            return turn.write_unmatched(None, answer, verdict, UnmatchedReason::NoSuchRequest);
        };
        if let Some(position) = entry.slab() {
            return self.late(turn, self.slab.id(position), answer, verdict);
        }
        if gone.stood_in && entry.state == State::Approved && verdict == Verdict::Approves {
            // Its advice was taken: a second debit there, which only people can take back.
            turn.write_late(&gone, answer, verdict);
            return turn.note(Note::IssuerContradiction(gone.issuer));
        }
        let stimulus = match verdict {
            Verdict::Approves => Stimulus::Approves,
            Verdict::Declines => Stimulus::Declines,
            Verdict::InDoubt | Verdict::Neither => Stimulus::Doubtful,
        };
        if step(Some(entry.state), stimulus) == Step::Contradiction {
            turn.write_late(&gone, answer, verdict);
            match gone.reverses {
                true => self.recall(turn, &entry),
                false => turn.note(Note::Late(gone.issuer)),
            }
        }
    }

    /// It is on the shelf, or back from it under another id: its reversal stays owed, whatever the issuer says.
    fn late_for_debt(&mut self, turn: &mut Turn, id: TxnId, at: u32, answer: &Answer, verdict: Verdict) {
        let debt = self.debts.get_mut(at);
        debt.saw_approval(verdict == Verdict::Approves);
        let (position, issuer, serial, attempts) = (debt.slab, debt.issuer(), debt.serial, debt.attempts);
        if position != NONE {
            return self.late(turn, self.slab.id(position), answer, verdict);
        }
        // The ring may have forgotten where it lived: the serial alone names it.
        let gone = self.past.find(id).unwrap_or(Gone::nameless(id, serial, issuer));
        turn.write_late(&gone, answer, verdict);
        turn.note(Note::Late(issuer));
        let stands = self.debts.standing(serial) == Some(at) && verdict == Verdict::Approves;
        if stands && attempts == 0 {
            self.call_paid(turn, at, Paid::Contradicted);
        }
    }

    /// Nobody waits for this answer: recorded. One that approves what stands approved here has to be undone.
    fn late(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer, verdict: Verdict) {
        let transaction = self.slab.at(id.index);
        late(turn, id, transaction, answer, verdict);
        if verdict == Verdict::Approves {
            self.approves_what_stands(turn, id);
        }
    }

    /// The deadline passed, or the link was lost after the first byte.
    pub(crate) fn silence(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        let waits = self.slab.get(id).is_some_and(|txn| txn.forwarded);
        if !waits || self.next_step(id, Stimulus::Silence) != Step::GiveUp {
            return;
        }
        let covered = self.is_covered(turn, id);
        let transaction = self.slab.at(id.index);
        let reason = match cause {
            InternalCause::LinkLost => ReversalReason::LinkLost,
            _ => {
                turn.note(Note::Timeout(transaction.issuer));
                ReversalReason::Timeout
            }
        };
        turn.ask(Effect::Retire { txn: id });
        #[cfg(pointsman_zoo)]
        if zoo::has(match reason {
            ReversalReason::LinkLost => zoo::Bug::LinkLossNotReversed,
            _ => zoo::Bug::TimeoutNotReversed,
        }) {
            return decline(turn, id, transaction, Some(cause), None);
        }
        match covered {
            true => self.cover(turn, id, cause, Some(reason)),
            false => doubt(turn, id, transaction, cause, reason),
        }
    }

    /// What a payment in this state makes of it; nothing for ids that are stale.
    pub(crate) fn next_step(&self, id: TxnId, stimulus: Stimulus) -> Step {
        let transaction = self.slab.get(id).filter(|txn| txn.is_payment());
        transaction.map_or(Step::Nothing, |transaction| step(Some(transaction.state), stimulus))
    }

    /// Station 11: everything written about it is durable, so its state may be told.
    pub(crate) fn conclude(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        if transaction.pending | transaction.unwritten != 0 {
            return;
        }
        self.conclude_operation(turn, id);
        if self.acknowledge_yielded(turn, id) {
            return;
        }
        self.answer_issuer(turn, id);
        let transaction = self.slab.at(id.index);
        match transaction.state {
            State::Approved => self.approved(turn, id),
            State::StipApproved => self.stood(turn, id),
            State::Declined | State::Reversed if transaction.contradicted => {
                reply_decline(turn, id, transaction);
                self.answer_waiters(turn, id);
                self.contradiction(turn, id);
            }
            State::Declined => {
                reply_decline(turn, id, transaction);
                settle(turn, id, transaction);
                self.answer_waiters(turn, id);
                self.close(turn, id);
            }
            State::Reversing => {
                reply_decline(turn, id, transaction);
                self.answer_waiters(turn, id);
                self.owe(turn, id);
            }
            State::Reversed => self.leave(turn, id),
            State::Quarantined => {
                self.answer_waiters(turn, id);
                self.shelve(turn, id, turn.now().tick);
            }
            state => unreachable!("a transaction in the slab cannot be {state}"),
        }
    }

    /// The approval may be told; what is owed of it, or was, goes on.
    fn approved(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        reply_approval(turn, id, transaction);
        let unsaid = core::mem::take(&mut transaction.unsaid);
        if transaction.yields {
            return self.yield_to_issuer(turn, id);
        }
        if unsaid {
            return self.take_back(turn, id, ReversalReason::Terminal);
        }
        if transaction.leaves {
            return self.leave(turn, id);
        }
        if transaction.part.is_some() {
            self.answer_waiters(turn, id);
            self.owe(turn, id);
        }
    }

    /// The issuer acknowledged, and that is durable: nothing is owed any more.
    fn leave(&mut self, turn: &mut Turn, id: TxnId) {
        settle(turn, id, self.slab.at(id.index));
        self.answer_waiters(turn, id);
        self.owed.remove(&mut self.slab, id);
        let transaction = self.slab.at(id.index);
        let (debt, issuer) = (core::mem::replace(&mut transaction.debt, NONE), transaction.issuer);
        self.close(turn, id);
        if debt != NONE {
            self.debts.remove(debt);
            self.rouse(turn, issuer);
        }
    }

    /// The terminal has its approval.
    pub(crate) fn delivered(&mut self, turn: &mut Turn, id: TxnId) {
        let told = |txn: &&mut Transaction| txn.is_payment() && txn.stands() && txn.replied;
        let Some(transaction) = self.slab.get_mut(id).filter(told) else { return };
        if transaction.state == State::StipApproved {
            return self.stands_told(turn, id, true);
        }
        settle(turn, id, transaction);
        self.close(turn, id);
    }

    /// The connection died before the kernel took the approval's first byte: the terminal may come back for a while.
    pub(crate) fn undelivered(&mut self, turn: &mut Turn, id: TxnId) {
        let told = |txn: &&mut Transaction| txn.is_payment() && txn.stands() && txn.replied;
        let proven = self.has_operations(id);
        let Some(transaction) = self.slab.get_mut(id).filter(told) else { return };
        turn.note(Note::Undelivered);
        turn.write_undelivered(transaction);
        if transaction.state == State::StipApproved {
            return self.stands_told(turn, id, false);
        }
        if !reverses(transaction) || proven {
            settle(turn, id, transaction);
            return self.close(turn, id);
        }
        transaction.in_grace = true;
        transaction.wake = turn.now().tick.plus_ms(u64::from(transaction.patience.grace_ms));
        turn.ask(Effect::Arm { txn: id, timer: Timer::Grace, at: transaction.wake });
    }

    /// Nobody came back for the approval.
    pub(crate) fn grace_over(&mut self, turn: &mut Turn, id: TxnId) {
        if self.next_step(id, Stimulus::Undelivered) != Step::TakeBack {
            return;
        }
        let transaction = self.slab.at(id.index);
        if transaction.in_grace && is_due(turn.now().tick, transaction.wake) {
            if transaction.state == State::StipApproved {
                return self.unsay_when_durable(turn, id, ReversalReason::Undelivered);
            }
            self.take_back(turn, id, ReversalReason::Undelivered);
        }
    }

    /// Leaves the slab: from now on index and journal know it.
    pub(crate) fn close(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        assert!(
            !transaction.holds || transaction.state == State::Approved,
            "closed while it holds a reservation"
        );
        assert!(!transaction.slot_held, "closed while it holds a store-and-forward slot");
        assert!(transaction.waiters == NIL, "closed while a reversal waits for it");
        let (state, lsn) = (transaction.state, transaction.lsn);
        let (slot, repeat) = (transaction.request.slot, transaction.request.repeat);
        if transaction.forwarded && (state != State::Approved || transaction.stood_in()) {
            self.past.remember(gone(id, transaction));
        }
        self.index.update(slot, repeat, |entry| entry.settle(state, lsn));
        self.forget(turn, id);
    }
}

/// APPROVED, wholly or with less than was asked for: the answer waits for the OUTCOME.
pub(crate) fn approve(
    turn: &mut Turn,
    id: TxnId,
    transaction: &mut Transaction,
    answer: &Answer,
    amount: Option<Minor>,
) {
    if let Some(stays) = amount {
        transaction.share = Part { before: transaction.request.amount, stays };
        transaction.reduce_on |= Written::Outcome.bit();
    }
    transaction.state = State::Approved;
    transaction.approved_amount = amount;
    transaction.issuer_code = Some(answer.code);
    transaction.approval_code = answer.approval_code;
    transaction.arpc = answer.arpc;
    transaction.approval_seen = true;
    turn.write_outcome(id, transaction);
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::ReplyBeforeDurable) {
        reply_approval(turn, id, transaction);
    }
    turn.count(transaction.request.kind, None, Some(answer.code), Some(transaction.issuer));
}

/// DECLINED: nothing happened at the issuer. The hold goes when the OUTCOME is durable.
pub(crate) fn decline(
    turn: &mut Turn,
    id: TxnId,
    transaction: &mut Transaction,
    cause: Option<InternalCause>,
    code: Option<ResponseCode>,
) {
    assert!(transaction.state == State::Intent, "{} settled twice", transaction.serial);
    transaction.state = State::Declined;
    transaction.cause = cause;
    transaction.told = Told { cause, code };
    transaction.release_on |= Written::Outcome.bit();
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::ReleaseNever) {
        (transaction.release_on, transaction.holds) = (0, false);
    }
    turn.write_outcome(id, transaction);
    let counted = cause.unwrap_or(InternalCause::IssuerDeclined);
    turn.count(transaction.request.kind, Some(counted), code, Some(transaction.issuer));
}

/// In doubt, by type: REVERSING with the reversal owed in the same record and the hold kept, or DECLINED where nothing is.
pub(crate) fn doubt(
    turn: &mut Turn,
    id: TxnId,
    transaction: &mut Transaction,
    cause: InternalCause,
    reason: ReversalReason,
) {
    if !reverses(transaction) {
        let code = transaction.issuer_code;
        return decline(turn, id, transaction, Some(cause), code);
    }
    assert!(transaction.state == State::Intent, "{} settled twice", transaction.serial);
    transaction.state = State::Reversing;
    transaction.reason = reason;
    transaction.cause = Some(cause);
    transaction.told = Told { cause: Some(cause), code: transaction.issuer_code };
    turn.write_outcome(id, transaction);
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::ReleaseEarly) {
        turn.ask(Effect::Release { txn: id });
    }
    turn.count(transaction.request.kind, Some(cause), transaction.issuer_code, Some(transaction.issuer));
    turn.note(Note::ReversalOwed(transaction.issuer, reason));
}

/// REVERSING after an OUTCOME: an OBLIGATION of its own.
pub(crate) fn oblige(turn: &mut Turn, id: TxnId, transaction: &mut Transaction, reason: ReversalReason) {
    transaction.state = State::Reversing;
    (transaction.reason, transaction.first_reason) = (reason, None);
    (transaction.in_grace, transaction.replied) = (false, false);
    // A reversal of a part that is under way comes to its end first: its answer must not be taken for this one's.
    transaction.stale |= transaction.advised && transaction.part.take().is_some();
    transaction.leaves = false;
    (transaction.attempts, transaction.bad_answers) = (0, 0);
    transaction.advised = transaction.stale;
    turn.write_obligation(id, transaction, crate::record::Serial::NONE);
    turn.note(Note::ReversalOwed(transaction.issuer, reason));
}

fn release(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    if core::mem::take(&mut transaction.holds) {
        turn.ask(Effect::Release { txn: id });
    }
}

/// Nothing more is owed for it.
fn settle(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    if core::mem::take(&mut transaction.slot_held) {
        turn.ask(Effect::Settle { txn: id, issuer: transaction.issuer });
    }
}

/// Timers are cut to ticks of some milliseconds: one that comes a moment early is not taken for a stale one.
pub(crate) fn is_due(now: Tick, wake: Tick) -> bool {
    now.plus_ms(TIMER_SLACK_MS) >= wake
}

const TIMER_SLACK_MS: u64 = 20;
