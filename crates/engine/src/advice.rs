//! What was approved before the issuer said so: a terminal's advice, and what stand-in approved (`stand_in.rs`).
//!
//! An advice is accepted as it stands: INTENT, then OUTCOME in state *stip-approved*, then the answer. From then on the issuer
//! is owed a 0220, by the same debts as reversals, until it answers with a 0230; where a request may have reached it, that is
//! reversed first.
//! Never declined for funds or limits; never sent before its terminal has its answer, or cannot have it any more. Guards: a
//! refusal by the issuer takes no approval back, it is recorded as a loss; a reversal of it never overtakes it.

use crate::debts::NONE;
use crate::effect::{Code, Disposition, Effect, Note, Reply, ReversalReason, StandIn, Timer};
use crate::engine::{Engine, plain};
use crate::event::{Origin, TxnId, Verdict};
use crate::flow::Phase;
use crate::index::Entry;
use crate::owe::Paid;
use crate::replay::Past;
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{Role, Transaction, Written};
use crate::turn::Turn;
use crate::words::is_final_advice;
use terms::{Answer, InternalCause, Request, ResponseCode};

impl Engine {
    /// The INTENT of an advice is durable: it stands from now on, whatever the issuer will say.
    pub(crate) fn accept(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let kind = transaction.request.kind;
        if kind.posts_on_approval() {
            transaction.holds = true;
        }
        if let Some((link, tie)) = self.ties.both(id.index) {
            tie.drawn.draw(kind, link.amount);
            link.phase = Phase::Approving;
            self.write_linked(turn, id, false);
        }
        self.stand(turn, id);
    }

    /// STIP_APPROVED: counted, written, told when that is durable.
    pub(crate) fn stand(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        self.batches.count(&transaction.request, transaction.foreign, false);
        transaction.state = State::StipApproved;
        transaction.cover_charged = false;
        transaction.advice = transaction.advice.or(transaction.number());
        turn.write_outcome(id, transaction);
        turn.count(transaction.request.kind, None, None, Some(transaction.issuer));
    }

    /// Everything written about it is durable: it is told, and when the terminal has that the issuer hears.
    pub(crate) fn stood(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        if core::mem::take(&mut transaction.unsaid) {
            return self.unsay_now(turn, id, ReversalReason::Terminal);
        }
        if core::mem::take(&mut transaction.contradicted) && is_forestalled(transaction) {
            return self.undo_again(turn, id);
        }
        if core::mem::take(&mut transaction.reply_due) {
            transaction.replied = true;
            let (origin, reply) = (transaction.origin, standing(transaction));
            return turn.ask(Effect::Reply { txn: Some(id), origin, reply });
        }
        let debt = transaction.debt;
        if debt != NONE && self.debts.get(debt).is_parked() {
            return self.shelve(turn, id, turn.now().tick);
        }
        if !transaction.replied && !transaction.in_grace {
            self.owe(turn, id);
        }
    }

    /// The terminal has its answer; or it has not, and is no terminal that an approval could be kept from.
    pub(crate) fn stands_told(&mut self, turn: &mut Turn, id: TxnId, delivered: bool) {
        let transaction = self.slab.at(id.index);
        if delivered || transaction.request.kind.is_advice() {
            (transaction.replied, transaction.in_grace) = (false, false);
            if transaction.pending | transaction.unwritten == 0 {
                self.owe(turn, id);
            }
            return;
        }
        (transaction.replied, transaction.in_grace) = (true, true);
        transaction.wake = turn.now().tick.plus_ms(u64::from(transaction.patience.grace_ms));
        turn.ask(Effect::Arm { txn: id, timer: Timer::Grace, at: transaction.wake });
    }

    /// The same request again, and the first is in the slab with nothing to wait for.
    pub(crate) fn tell_again(&mut self, turn: &mut Turn, origin: Origin, position: u32) -> Disposition {
        let reply = standing(self.slab.at(position));
        turn.ask(Effect::Reply { txn: None, origin, reply });
        Disposition::Done
    }

    /// A reversal of it while it is in the slab.
    pub(crate) fn unsay(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let position = entry.and_then(|entry| entry.slab()).expect("checked by the caller");
        if !crate::write::reverses(self.slab.at(position)) {
            let rrn = Some(self.slab.at(position).rrn);
            return self.confirm_now(turn, origin, rrn);
        }
        let Some(waiter) = self.wait_for(turn, request, origin, position) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        let (id, original) = (self.slab.id(position), self.slab.at(position));
        (original.reply_due, original.terminal_reason) = (false, request.reason);
        self.unsay_when_durable(turn, id, ReversalReason::Terminal);
        Disposition::Kept(waiter)
    }

    pub(crate) fn unsay_when_durable(&mut self, turn: &mut Turn, id: TxnId, reason: ReversalReason) {
        let original = self.slab.at(id.index);
        (original.replied, original.in_grace) = (false, false);
        match original.pending | original.unwritten {
            0 => self.unsay_now(turn, id, reason),
            _ => original.unsaid = true,
        }
    }

    /// Taken back. What the issuer has not been sent it will not be; what it may have been sent is acknowledged first.
    pub(crate) fn unsay_now(&mut self, turn: &mut Turn, id: TxnId, reason: ReversalReason) {
        if is_tied(self.slab.at(id.index)) && self.ties.link(id.index).is_none() {
            // It was on the shelf meanwhile: its original is read, and comes back to this.
            self.ties.called_back.insert(id.index, crate::record::Serial::NONE);
            return self.seek_original(turn, id);
        }
        self.unsay_tied(turn, id, reason);
    }

    /// With its original at hand, if it has one.
    pub(crate) fn unsay_tied(&mut self, turn: &mut Turn, id: TxnId, reason: ReversalReason) {
        self.take_back_operation(turn, id);
        self.withdraw(turn, id);
        let original = self.slab.at(id.index);
        if is_forestalled(original) {
            original.advice = None;
            original.state = State::Reversed;
            (original.issuer_code, original.approval_code) = (None, None);
            original.release_on |= Written::Ack.bit();
            return turn.write_ack(id, original, None);
        }
        original.state = State::Reversing;
        if core::mem::take(&mut original.undo) {
            original.advice = None;
            // What may be out already is repeated as it was.
            original.first_reason = Some(original.reason).filter(|_| original.attempts > 0);
        } else {
            original.advice_first = true;
            #[cfg(pointsman_zoo)]
            if zoo::has(zoo::Bug::TakeBackOvertakes) {
                original.advice_first = false;
            }
        }
        // Not why its request was to be reversed: why the approval does not stand.
        original.reason = reason;
        turn.write_obligation(id, original, crate::record::Serial::NONE);
        turn.note(Note::ReversalOwed(original.issuer, original.reason));
    }

    /// A reversal of what is on the shelf: it comes back with its debt.
    pub(crate) fn unsay_fetched(&mut self, turn: &mut Turn, reversal: TxnId, past: Past) {
        let waiting = self.slab.at(reversal.index);
        let (looked_for, reason) = (waiting.role == Role::Resolve, waiting.terminal_reason);
        if looked_for {
            self.drop_tombstone(reversal);
        }
        let (request, resolves) = (past.transaction.request, self.slab.at(reversal.index).serial);
        let Some(id) = self.take_from_shelf(past, reason) else {
            return match looked_for {
                true => self.found(turn, reversal, Err(false)),
                false => self.refuse_kept(turn, reversal, InternalCause::Overloaded),
            };
        };
        self.enter(&request, id);
        match looked_for {
            true => self.forget(turn, reversal),
            false => self.queue(reversal, id),
        }
        if looked_for && is_tied(self.slab.at(id.index)) {
            self.ties.called_back.insert(id.index, resolves);
            return self.seek_original(turn, id);
        }
        self.unsay_now(turn, id, ReversalReason::Terminal);
    }

    /// Into the slab, with the debt that remembers it. It counts as under way until it is sent.
    fn take_from_shelf(&mut self, past: Past, reason: Option<ResponseCode>) -> Option<TxnId> {
        let at = self.debts.standing(past.transaction.serial);
        let id = self.slab.open(past.transaction, 0)?;
        let transaction = self.slab.at(id.index);
        transaction.terminal_reason = reason;
        if let Some(at) = at {
            self.debts.withdraw(at);
            let debt = self.debts.get_mut(at);
            debt.slab = id.index;
            (transaction.debt, transaction.slot_held) = (at, debt.slot_held());
            (transaction.attempts, transaction.bad_answers) = (debt.attempts, debt.bad_answers);
            transaction.approval_seen |= debt.approval_seen();
        }
        Some(id)
    }

    /// What a reversal is to an original in this state that is on the shelf.
    pub(crate) fn shelved_stimulus(&self, original: &Transaction) -> Stimulus {
        let at = self.debts.standing(original.serial);
        let attempts = at.map_or(0, |at| self.debts.get(at).attempts);
        if attempts == 0 && !original.undo { Stimulus::Forestalled } else { Stimulus::Reversal }
    }

    /// The issuer approves a request that it could not decide about, or has reversed: both that and the advice would debit. So it is
    /// reversed, once more if need be, before the advice goes; if that is out already people must look: the alarm was given.
    pub(crate) fn approves_what_stands(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        if transaction.state != State::StipApproved || !is_forestalled(transaction) {
            return;
        }
        match transaction.pending | transaction.unwritten {
            0 => self.undo_again(turn, id),
            _ => transaction.contradicted = true,
        }
    }

    fn undo_again(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        (transaction.undo, transaction.approval_seen) = (true, true);
        transaction.reason = ReversalReason::Contradiction;
        turn.write_obligation(id, transaction, crate::record::Serial::NONE);
        turn.note(Note::ReversalOwed(transaction.issuer, transaction.reason));
    }

    /// The issuer acknowledged the reversal of the request: now the advice goes.
    pub(crate) fn undone(&mut self, turn: &mut Turn, id: TxnId, code: ResponseCode) {
        let transaction = self.slab.at(id.index);
        (transaction.undo, transaction.advised, transaction.approval_seen) = (false, false, false);
        (transaction.attempts, transaction.bad_answers) = (0, 0);
        let debt = transaction.debt;
        turn.write_ack(id, transaction, Some(code).filter(|code| !code.as_bytes().is_empty()));
        // What comes now was never refused.
        self.debts.unpark(debt);
    }

    /// The issuer answered the advice.
    pub(crate) fn advice_answer(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer, verdict: Verdict) {
        let awaited = |txn: &&mut Transaction| txn.is_payment() && txn.owes_advice();
        let Some(transaction) = self.slab.get_mut(id).filter(awaited) else {
            return self.late_advice_answer(turn, id, answer, verdict);
        };
        let most = transaction.patience.quarantine_after;
        let stimulus = match is_final_advice(answer.code, verdict) {
            Some(true) => Stimulus::Accepted,
            Some(false) => Stimulus::Refused,
            None if transaction.bad_answers.saturating_add(1) < most => Stimulus::Rebuffed,
            None => Stimulus::Exhausted,
        };
        if transaction.advice_first && matches!(stimulus, Stimulus::Rebuffed | Stimulus::Exhausted) {
            return match stimulus {
                Stimulus::Rebuffed => self.rebuffed(turn, id),
                _ => self.park_reversal(turn, id, answer),
            };
        }
        if matches!(stimulus, Stimulus::Accepted | Stimulus::Refused) {
            return self.advice_paid(turn, id, answer.code, stimulus == Stimulus::Accepted);
        }
        match step(Some(transaction.state), stimulus) {
            Step::Retry => self.rebuffed(turn, id),
            Step::ParkAdvice => self.park_advice(turn, id, answer.code),
            other => assert!(other == Step::Nothing, "an answer to an advice cannot lead to {other:?}"),
        }
    }

    /// The issuer has decided about the advice.
    pub(crate) fn advice_paid(&mut self, turn: &mut Turn, id: TxnId, code: ResponseCode, taken: bool) {
        let transaction = self.slab.at(id.index);
        if transaction.advice_first {
            return self.overtaken(turn, id, code, taken);
        }
        let stimulus = if taken { Stimulus::Accepted } else { Stimulus::Refused };
        match step(Some(transaction.state), stimulus) {
            Step::AdviceTaken => settle_advice(turn, id, transaction, code),
            Step::AdviceLost => self.advice_refused(turn, id, code),
            other => assert!(other == Step::Nothing, "a decision about an advice cannot lead to {other:?}"),
        }
    }

    /// What was approved stays approved: a loss.
    fn advice_refused(&mut self, turn: &mut Turn, id: TxnId, code: ResponseCode) {
        let transaction = self.slab.at(id.index);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::RefusedAdviceReversed) {
            transaction.state = State::Reversed;
            transaction.release_on |= Written::Ack.bit();
            return turn.write_ack(id, transaction, Some(code));
        }
        transaction.refused = true;
        turn.note(Note::StandIn(transaction.issuer, StandIn::Refused));
        settle_advice(turn, id, transaction, code);
    }

    /// The advice of something that was reversed meanwhile: its reversal may go, or is not needed.
    fn overtaken(&mut self, turn: &mut Turn, id: TxnId, code: ResponseCode, taken: bool) {
        let transaction = self.slab.at(id.index);
        (transaction.advice_first, transaction.advised) = (false, false);
        if !taken {
            return crate::owe::acknowledge(turn, id, transaction, code);
        }
        (transaction.attempts, transaction.bad_answers) = (0, 0);
        transaction.approval_seen = true;
        if transaction.pending | transaction.unwritten == 0 {
            let debt = transaction.debt;
            self.debts.rest(debt);
            self.dispatch(turn, id);
        }
    }

    /// No link took the advice: nobody can know of it yet.
    pub(crate) fn advice_not_sent(&mut self, turn: &mut Turn, id: TxnId) -> bool {
        let owes = |txn: &&mut Transaction| txn.is_payment() && txn.advised && txn.owes_advice();
        let Some(transaction) = self.slab.get_mut(id).filter(owes) else { return false };
        transaction.attempts = transaction.attempts.saturating_sub(1);
        self.unacknowledged(turn, id, true);
        true
    }

    /// Of no use: again after a back-off.
    fn rebuffed(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        transaction.bad_answers = transaction.bad_answers.saturating_add(1);
        self.wait(turn, id);
    }

    /// Refused without a verdict too often: it stays approved and owed, and holds nobody up. It is shelved when that is durable; one
    /// that was parked before and tried again is at once.
    pub(crate) fn park_advice(&mut self, turn: &mut Turn, id: TxnId, code: ResponseCode) {
        let transaction = self.slab.at(id.index);
        let (debt, issuer) = (transaction.debt, transaction.issuer);
        transaction.bad_answers = transaction.bad_answers.saturating_add(1);
        transaction.advised = false;
        if self.debts.get(debt).is_parked() {
            self.shelve(turn, id, turn.now().tick);
        } else {
            turn.write_parked(id, transaction, Some(code).filter(|code| !code.as_bytes().is_empty()));
            turn.note(Note::Parked(issuer));
            self.debts.park(debt);
        }
        self.rouse(turn, issuer);
    }

    /// The answer to an advice that was given up: its debt is on the shelf, or under way again.
    fn late_advice_answer(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer, verdict: Verdict) {
        let Some(at) = self.debts.of_ticket(id.ticket()) else { return };
        let position = self.debts.get(at).slab;
        if position == NONE {
            if let Some(taken) = is_final_advice(answer.code, verdict) {
                self.call_paid(turn, at, Paid::Advice { code: answer.code, taken });
            }
        } else if position != id.index {
            let now = self.slab.id(position);
            self.advice_answer(turn, now, answer, verdict);
        }
    }
}

/// Approved by both now.
fn settle_advice(turn: &mut Turn, id: TxnId, transaction: &mut Transaction, code: ResponseCode) {
    transaction.advised = false;
    transaction.state = State::Approved;
    (transaction.leaves, transaction.approval_seen) = (true, true);
    turn.write_ack(id, transaction, Some(code).filter(|code| !code.as_bytes().is_empty()));
}

/// A notice that took the place of its pre-authorization: only then the issuer is told which that was.
pub(crate) fn is_tied(transaction: &Transaction) -> bool {
    let kind = transaction.request.kind;
    kind.is_linked() && kind.is_advice() && transaction.named.is_some()
}

/// Nothing about it went to the issuer, or nothing that it took.
pub(crate) fn is_forestalled(original: &Transaction) -> bool {
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::TakeBackUntold) {
        return true;
    }
    !original.undo && original.attempts == 0
}

/// The approval, as often as it is asked for.
pub(crate) fn standing(transaction: &Transaction) -> Reply {
    let stand_in = transaction.state == State::StipApproved && !transaction.request.kind.is_advice();
    Reply {
        rrn: Some(transaction.rrn),
        approval_code: transaction.approval_code,
        amount: transaction.approved_amount,
        stand_in,
        ..plain(Code::Wire(ResponseCode::approved()))
    }
}
