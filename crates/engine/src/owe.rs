//! Reversals and advices that are owed to an issuer, until it acknowledges them: store-and-forward as a projection of the
//! journal.
//!
//! First a 0420 (or 0220) from the slab; what is not acknowledged, or finds no room in the issuer's window, goes on the shelf
//! ([`crate::debts`]) and is read back from the journal when its turn comes: 0421 (0221), with a back-off that doubles. Of one card
//! one goes after the other. A link that signs on is offered everything, a window at a time.
//! Never gives up, never by chance: the spread comes from the transaction's number. One that the issuer refuses again and
//! again is parked: it waits for the next sign-on or for people, holds nobody up, and stays owed.
//! Guards: a reversal once owed has a debt until its ACK is durable.

use crate::debts::NONE;
use crate::effect::{Effect, Note, Timer};
use crate::engine::{Engine, NOBODY_ASKED};
use crate::event::TxnId;
use crate::replay::Past;
use crate::settle::is_due;
use crate::snapshot::Patience;
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{NIL, Role, Transaction, Written};
use crate::turn::Turn;
use crate::write::gone;
use terms::{Answer, IssuerIx, Kind, LinkIx, Mti, Request, ResponseCode, Stan, Tick};

impl Engine {
    /// It is durably owed: it goes out for the first time, if it is its turn.
    pub(crate) fn owe(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        if transaction.part.is_some() {
            return self.owe_part(turn, id);
        }
        self.owed.remove(&mut self.slab, id);
        let transaction = self.slab.at(id.index);
        if transaction.debt == NONE {
            let Transaction { issuer, serial, lsn, .. } = *transaction;
            transaction.debt = self.debts.add(issuer, serial, lsn, &transaction.request.token);
            self.debts.get_mut(transaction.debt).slab = id.index;
        }
        hold_slot(turn, transaction);
        let (debt, lsn, stands) = (transaction.debt, transaction.lsn, transaction.stands());
        self.debts.get_mut(debt).owing = lsn;
        // Another message than the one that was refused.
        self.debts.unpark(debt);
        if stands {
            self.debts.stand(debt);
        }
        if is_idle(self.slab.at(id.index)) {
            self.debts.rest(debt);
            match self.is_at_hand(id) {
                true => self.dispatch(turn, id),
                false => self.wait_in_line(turn, id),
            }
        }
    }

    /// A part stays in the slab until it is acknowledged: its transaction stands.
    fn owe_part(&mut self, turn: &mut Turn, id: TxnId) {
        if !self.slab.at(id.index).listed {
            self.owed.push(&mut self.slab, id);
        }
        let transaction = self.slab.at(id.index);
        hold_slot(turn, transaction);
        if transaction.attempts == 0 && is_idle(transaction) {
            advise(turn, id, transaction);
        }
    }

    /// Sends it, or puts it on the shelf until its turn comes.
    pub(crate) fn dispatch(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let (debt, issuer) = (transaction.debt, transaction.issuer);
        if self.debts.go(debt, window(turn, issuer), turn.now().tick) {
            return advise(turn, id, self.slab.at(id.index));
        }
        self.wait_in_line(turn, id);
    }

    /// On the shelf until its turn comes.
    fn wait_in_line(&mut self, turn: &mut Turn, id: TxnId) {
        let issuer = self.slab.at(id.index).issuer;
        self.shelve(turn, id, turn.now().tick);
        self.rouse(turn, issuer);
    }

    /// Leaves the slab: from now on the journal has what is owed, and its debt says where.
    pub(crate) fn shelve(&mut self, turn: &mut Turn, id: TxnId, wake: Tick) {
        let transaction = self.slab.at(id.index);
        assert!(transaction.waiters == NIL, "shelved while a reversal waits for it");
        let (at, state, lsn) = (transaction.debt, transaction.state, transaction.lsn);
        let debt = self.debts.get_mut(at);
        (debt.attempts, debt.bad_answers) = (transaction.attempts, transaction.bad_answers);
        debt.saw_approval(transaction.approval_seen);
        if core::mem::take(&mut transaction.slot_held) {
            debt.hold_slot();
        }
        // What it holds, its records say.
        (transaction.holds, transaction.debt) = (false, NONE);
        let ours = transaction.forwarded && transaction.serial.epoch() == self.config.epoch as u16;
        if ours {
            self.past.remember(gone(id, transaction));
        }
        let Request { slot, repeat, .. } = transaction.request;
        let ticket = id.ticket();
        self.debts.expect(at, if ours { ticket } else { 0 }, ticket);
        self.debts.shelve(at, wake);
        self.index.update(slot, repeat, |entry| entry.settle(state, lsn));
        self.forget(turn, id);
    }

    /// Calls what may go from the shelf, as far as the window has room, and sets the timer for the rest.
    pub(crate) fn rouse(&mut self, turn: &mut Turn, issuer: IssuerIx) {
        let (window, now) = (window(turn, issuer), turn.now().tick);
        for _ in 0..BATCH {
            let Some(at) = self.debts.next(issuer, window, now) else { break };
            if !self.call(turn, at, None) {
                self.debts.shelve(at, now);
                self.debts.block(issuer, now.plus_ms(NO_ROOM_MS));
            }
        }
        if let Some(at) = self.debts.alarm(issuer, window, now.plus_ms(1)) {
            let line = TxnId { index: u32::from(issuer.0), generation: 0 };
            turn.ask(Effect::Arm { txn: line, timer: Timer::Line, at });
        }
    }

    /// The timer of an issuer's line: a back-off is over, or it may be tried again.
    pub(crate) fn line_due(&mut self, turn: &mut Turn, line: TxnId) {
        let issuer = IssuerIx(line.index as u16);
        self.debts.alarm_over(issuer);
        self.rouse(turn, issuer);
    }

    /// Asks the journal for what is owed; `false` without room in the slab. `paid`: what the issuer said meanwhile.
    pub(crate) fn call(&mut self, turn: &mut Turn, at: u32, paid: Option<Paid>) -> bool {
        let request = Request::new(Mti::of(0x0400), Kind::Unknown, Stan::MIN);
        let mut asking =
            Transaction::new(&request, Role::Debt, State::Tombstone, NOBODY_ASKED, turn.now().tick);
        (asking.debt, asking.paid) = (at, paid);
        let lsn = self.debts.get(at).owing;
        let Some(id) = self.slab.open(asking, 0) else { return false };
        turn.ask(Effect::Fetch { txn: id, lsn });
        true
    }

    /// What is owed was read: it goes out.
    pub(crate) fn debt_fetched(&mut self, turn: &mut Turn, id: TxnId, past: Option<Past>, content: &[u8]) {
        let Transaction { debt: at, paid, .. } = *self.slab.at(id.index);
        let debt = *self.debts.get(at);
        let Some(past) = past.filter(|past| past.transaction.serial == debt.serial) else {
            // It cannot be read, now: it stays owed.
            turn.note(Note::Unreadable(debt.issuer()));
            self.debts.shelve(at, turn.now().tick.plus_ms(UNREADABLE_MS));
            self.forget(turn, id);
            return self.rouse(turn, debt.issuer());
        };
        let request = past.transaction.request;
        let known = self.index.find(request.slot, |entry| entry.repeat == request.repeat);
        let transaction = self.slab.at(id.index);
        *transaction = Transaction {
            state: match past.transaction.state {
                State::StipApproved => State::StipApproved,
                _ if debt.is_parked() => State::Quarantined,
                _ => State::Reversing,
            },
            lsn: known.and_then(|entry| entry.record()).unwrap_or(debt.owing),
            approval_seen: past.transaction.approval_seen || debt.approval_seen(),
            attempts: debt.attempts,
            bad_answers: debt.bad_answers,
            slot_held: debt.slot_held(),
            debt: at,
            ..past.transaction
        };
        self.debts.get_mut(at).slab = id.index;
        self.carry(id, content);
        self.enter(&request, id);
        self.fetched_debt_goes_on(turn, id, paid);
    }

    /// Sent, or settled by what was said while it was on the shelf.
    fn fetched_debt_goes_on(&mut self, turn: &mut Turn, id: TxnId, paid: Option<Paid>) {
        let transaction = self.slab.at(id.index);
        match (paid, transaction.owes_advice()) {
            (None, _) => advise(turn, id, transaction),
            (Some(Paid::Contradicted), true) if transaction.state == State::StipApproved => {
                turn.note(Note::IssuerContradiction(transaction.issuer));
                self.approves_what_stands(turn, id);
            }
            (Some(Paid::Advice { code, taken }), true) => self.advice_paid(turn, id, code, taken),
            (Some(Paid::Reversal(code)), false) if transaction.state == State::StipApproved => {
                self.undone(turn, id, code);
            }
            (Some(Paid::Reversal(code)), false) => acknowledge(turn, id, transaction, code),
            // What it answered is not what is owed any more.
            (Some(_), _) => {
                let issuer = transaction.issuer;
                self.shelve(turn, id, turn.now().tick);
                self.rouse(turn, issuer);
            }
        }
    }

    /// The issuer answered the reversal.
    pub(crate) fn reversal_answer(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let Some(transaction) = self.slab.get_mut(id).filter(|txn| txn.is_payment()) else {
            return self.late_acknowledgement(turn, id, answer);
        };
        if core::mem::take(&mut transaction.stale) {
            return self.made_room(turn, id);
        }
        let most = transaction.patience.quarantine_after;
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::AnyAnswerAcknowledges) && transaction.state == State::Reversing {
            return acknowledge(turn, id, transaction, answer.code);
        }
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::AdviceOvertakes) && transaction.state == State::StipApproved && transaction.undo
        {
            return self.undone(turn, id, answer.code);
        }
        let stimulus = match is_final(answer.code, transaction.approval_seen) {
            true => Stimulus::Acknowledged,
            // A part that is refused stays owed: what the terminal holds is right.
            _ if transaction.part.is_some() || transaction.bad_answers.saturating_add(1) < most => {
                Stimulus::Rebuffed
            }
            _ => Stimulus::Exhausted,
        };
        if transaction.owes_advice() {
            // What is owed now is another message: this answered an earlier one a second time.
            return;
        }
        match step(Some(owing(transaction)), stimulus) {
            Step::Acknowledge => acknowledge(turn, id, transaction, answer.code),
            Step::Undone => self.undone(turn, id, answer.code),
            Step::Retry => {
                transaction.bad_answers = transaction.bad_answers.saturating_add(1);
                self.wait(turn, id);
            }
            Step::Park => self.park_reversal(turn, id, answer),
            Step::ParkAdvice => self.park_advice(turn, id, answer.code),
            _ => self.rest(turn, id),
        }
    }

    /// The issuer refused it too often: others go on.
    pub(crate) fn park_reversal(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let transaction = self.slab.at(id.index);
        park(turn, id, transaction, answer);
        let (debt, issuer) = (transaction.debt, transaction.issuer);
        self.debts.park(debt);
        self.rouse(turn, issuer);
    }

    /// The issuer answers what was given up: its debt is on the shelf, or under way again.
    fn late_acknowledgement(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let Some(at) = self.debts.of_ticket(id.ticket()) else { return };
        let debt = *self.debts.get(at);
        if debt.slab != NONE {
            let now = self.slab.id(debt.slab);
            return self.reversal_answer(turn, now, answer);
        }
        if is_final(answer.code, debt.approval_seen()) {
            self.call_paid(turn, at, Paid::Reversal(answer.code));
        }
    }

    /// Out of its turn: it was settled while it was on the shelf.
    pub(crate) fn call_paid(&mut self, turn: &mut Turn, at: u32, paid: Paid) {
        self.debts.withdraw(at);
        if !self.call(turn, at, Some(paid)) {
            self.debts.shelve(at, turn.now().tick);
        }
    }

    /// What was under way is not owed any more: what is, may go.
    fn made_room(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        transaction.advised = false;
        if transaction.debt != NONE && is_idle(transaction) {
            self.dispatch(turn, id);
        }
    }

    /// No acknowledgement in time, or no link to send it on.
    pub(crate) fn unacknowledged(&mut self, turn: &mut Turn, id: TxnId, no_link: bool) {
        let Some(transaction) = self.slab.get_mut(id).filter(|txn| txn.is_payment() && txn.advised) else {
            return;
        };
        if core::mem::take(&mut transaction.stale) {
            return self.made_room(turn, id);
        }
        if no_link {
            let again = turn.now().tick.plus_ms(u64::from(transaction.patience.retry_first_ms));
            self.debts.block(transaction.issuer, again);
        }
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ReversalGivenUp) {
            return;
        }
        match step(Some(owing(transaction)), Stimulus::Unacknowledged) {
            Step::Retry => self.wait(turn, id),
            _ => self.rest(turn, id),
        }
    }

    /// Not acknowledged: again after a back-off.
    pub(crate) fn wait(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        transaction.advised = false;
        let Patience { retry_first_ms, retry_max_ms, .. } = transaction.patience;
        let delay = back_off(retry_first_ms, retry_max_ms, transaction.attempts, transaction.serial.0);
        let (wake, issuer) = (turn.now().tick.plus_ms(delay), transaction.issuer);
        if transaction.part.is_some() {
            transaction.wake = wake;
            return turn.ask(Effect::Arm { txn: id, timer: Timer::Retry, at: wake });
        }
        if transaction.pending | transaction.unwritten != 0 {
            // Reversed while it was under way: it goes on when that is durable.
            return;
        }
        self.shelve(turn, id, wake);
        self.rouse(turn, issuer);
    }

    /// A parked one was tried again in vain: it waits for the next sign-on.
    fn rest(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let issuer = transaction.issuer;
        transaction.advised = false;
        if transaction.state == State::Quarantined && is_idle(transaction) {
            self.shelve(turn, id, turn.now().tick);
            self.rouse(turn, issuer);
        }
    }

    /// A back-off of a part is over, or a record that a full disk refused is to be tried again.
    pub(crate) fn retry(&mut self, turn: &mut Turn, id: TxnId) {
        let Some(transaction) = self.slab.get_mut(id) else { return };
        if !is_due(turn.now().tick, transaction.wake) {
            return;
        }
        if transaction.unwritten != 0 {
            return self.write_again(turn, id);
        }
        if may_go(transaction) {
            advise(turn, id, transaction);
        }
    }

    /// What waits for this issuer goes out, as fast as the window lets it; what was parked is tried once more.
    pub(crate) fn link_up(&mut self, turn: &mut Turn, link: LinkIx) {
        let Some(issuer) = turn.snapshot().links.get(link.at()).map(|terms| terms.issuer) else { return };
        let mut next = self.owed.first(issuer);
        while next != NIL {
            let (id, transaction) = (self.slab.id(next), self.slab.at(next));
            next = transaction.owed_next;
            if may_go(transaction) {
                advise(turn, id, transaction);
            }
        }
        self.debts.unblock(issuer);
        self.rouse(turn, issuer);
    }
}

/// What an issuer said about something on the shelf.
#[derive(Clone, Copy)]
pub(crate) enum Paid {
    /// It acknowledged a reversal.
    Reversal(ResponseCode),
    /// It took an advice, or refused it.
    Advice { code: ResponseCode, taken: bool },
    /// It approved the request after all, for which an advice is still to go.
    Contradicted,
}

/// Messages to `issuer` about what is owed that may be out at once.
fn window(turn: &Turn, issuer: IssuerIx) -> u32 {
    turn.snapshot().issuers.get(issuer.at()).map_or(0, |terms| terms.saf_window)
}

/// What is owed counts against the issuer's store-and-forward slots, also where its request no longer had one.
pub(crate) fn hold_slot(turn: &mut Turn, transaction: &mut Transaction) {
    if !core::mem::replace(&mut transaction.slot_held, true) {
        turn.ask(Effect::Occupy { issuer: transaction.issuer, count: 1 });
    }
}

/// A part that is owed, durable, and not under way.
fn may_go(transaction: &Transaction) -> bool {
    transaction.listed && transaction.part.is_some() && is_idle(transaction)
}

fn is_idle(transaction: &Transaction) -> bool {
    !transaction.advised && transaction.pending | transaction.unwritten == 0
}

/// The row of the table for what is owed: a reversal of a part is one like any other.
fn owing(transaction: &Transaction) -> State {
    if transaction.part.is_some() { State::Reversing } else { transaction.state }
}

/// 00, 94 and 21 ("no action taken": it was reversed already) end a reversal; "no such original" (25) and "invalid" (12)
/// only while no approval was ever seen.
fn is_final(code: ResponseCode, approval_seen: bool) -> bool {
    match code.as_bytes() {
        b"00" | b"94" | b"21" => true,
        b"25" | b"12" => !approval_seen,
        _ => false,
    }
}

/// Reversed; of a reversed part, approved with what stays.
pub(crate) fn acknowledge(turn: &mut Turn, id: TxnId, transaction: &mut Transaction, code: ResponseCode) {
    transaction.advised = false;
    match transaction.part.take() {
        Some(part) => {
            transaction.approved_amount = Some(part.stays);
            (transaction.share, transaction.leaves) = (part, true);
            transaction.reduce_on |= Written::Ack.bit();
        }
        None => {
            transaction.state = State::Reversed;
            transaction.release_on |= Written::Ack.bit();
        }
    }
    transaction.issuer_code = Some(code).filter(|code| !code.as_bytes().is_empty());
    turn.write_ack(id, transaction, transaction.issuer_code);
}

/// Parked: still owed, but it no longer comes back by itself.
fn park(turn: &mut Turn, id: TxnId, transaction: &mut Transaction, answer: &Answer) {
    transaction.state = State::Quarantined;
    transaction.advised = false;
    transaction.bad_answers = transaction.bad_answers.saturating_add(1);
    transaction.issuer_code = Some(answer.code).filter(|code| !code.as_bytes().is_empty());
    turn.write_parked(id, transaction, transaction.issuer_code);
    turn.note(Note::Parked(transaction.issuer));
}

fn advise(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    let repeat = transaction.attempts > 0;
    transaction.attempts = transaction.attempts.saturating_add(1);
    transaction.advised = true;
    turn.ask(Effect::Advise {
        txn: id,
        prefer: transaction.link(),
        issuer: transaction.issuer,
        advice: transaction.owes_advice(),
        repeat,
        deadline: turn.now().tick.plus_ms(u64::from(transaction.patience.reversal_timeout_ms)),
    });
}

/// Doubles from `first` to `most`, plus up to an eighth by number: those that failed together do not come back together.
pub(crate) fn back_off(first: u32, most: u32, attempts: u16, serial: u64) -> u64 {
    let doublings = u32::from(attempts.saturating_sub(1)).min(31);
    let delay = (u64::from(first.max(1)) << doublings).min(u64::from(most.max(first).max(1)));
    let spread = (serial ^ u64::from(attempts)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    delay + spread % (delay / 8 + 1)
}

/// Records read at once: a turn does not take long, what is left follows in the next.
const BATCH: u32 = 64;
/// Until the slab may have room again for what is called from the shelf.
const NO_ROOM_MS: u64 = 1_000;
/// Until a record that cannot be read is tried again.
const UNREADABLE_MS: u64 = 60_000;
