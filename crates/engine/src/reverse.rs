//! A terminal's reversal: which original it means, and what becomes of both.
//!
//! 0400, 0401, 0420 and 0421 are one event. The reversal takes a slab position of its own only while it waits: for the
//! record that makes its answer true, or for the journal to say what the original was.
//! Never answers 0410 00 before what it promises is durable. Guards: one obligation per original however often it is
//! reversed; an original that nobody could rule out stays owed until it is found or ruled out.

use crate::advice::is_forestalled;
use crate::check;
use crate::effect::{Code, Disposition, Effect, Note, Reply, ReversalReason, Timer};
use crate::engine::{Engine, expired_tombstone, plain};
use crate::event::{Origin, TxnId};
use crate::index::Entry;
use crate::record::{Part, Serial};
use crate::settle::{doubt, oblige};
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{NIL, Role, Transaction, Written};
use crate::turn::Turn;
use crate::write::reverses;
use journal::Lsn;
use terms::{Flags, InternalCause, OriginalRef, Request, ResponseCode, Rrn};

impl Engine {
    pub(crate) fn reversal(&mut self, turn: &mut Turn, request: &Request, origin: Origin) -> Disposition {
        let original = check::well_formed(request).and(request.original.ok_or(InternalCause::FormatError));
        let original = match original {
            Ok(original) => original,
            Err(cause) => return self.refuse(turn, request, origin, cause),
        };
        let entry = self.index.find_original(&original).filter(|entry| !expired_tombstone(entry, turn));
        let position = entry.and_then(|entry| entry.slab());
        if let Some(entry) = &entry
            && let Some(held) = self.reversal_of_tied(turn, request, origin, entry)
        {
            return held;
        }
        let stimulus = self.reversal_stimulus(request, position);
        let step = step(entry.map(|entry| self.state_of(&entry)), stimulus);
        // What waits for a record before it is taken back was taken back by an earlier one.
        let first = position.is_some_and(|position| !self.slab.read(position).unsaid);
        let known = matches!(step, Step::Reverse | Step::Unsay | Step::Forestall) && first;
        if step == Step::Cancel || known {
            turn.note(Note::TerminalReversal(request.reason));
        }
        match step {
            Step::Seek => self.seek(turn, request, origin, original),
            #[cfg(pointsman_zoo)]
            Step::Cancel if zoo::has(zoo::Bug::CancelForgotten) => self.confirm_now(turn, origin, None),
            #[cfg(pointsman_zoo)]
            Step::Reverse if zoo::has(zoo::Bug::ReverseForgotten) => self.confirm_now(turn, origin, None),
            Step::Cancel => self.cancel(turn, request, origin, entry),
            Step::Reverse if position.is_some() => self.reverse(turn, request, origin, entry),
            Step::ReversePart if position.is_some() => self.reverse_part(turn, request, origin, entry),
            Step::Unsay | Step::Forestall if position.is_some() => self.unsay(turn, request, origin, entry),
            Step::Reverse | Step::ReversePart | Step::Unsay | Step::Forestall => {
                self.fetch_original(turn, request, origin, entry)
            }
            Step::Confirm => self.confirm(turn, request, origin, entry),
            Step::RefusePartial => self.refuse(turn, request, origin, InternalCause::PartialNotAllowed),
            other => unreachable!("a reversal cannot lead to {other:?}"),
        }
    }

    /// What kind of reversal it is, as far as can be told without reading the journal.
    fn reversal_stimulus(&mut self, request: &Request, position: Option<u32>) -> Stimulus {
        match position.map(|position| self.slab.at(position)) {
            Some(original) if original.is_payment() => stimulus_of(request, original),
            _ if is_partial(request) => Stimulus::Partial,
            _ => Stimulus::Reversal,
        }
    }

    /// Of what is in the slab the index does not know the state.
    fn state_of(&mut self, entry: &Entry) -> State {
        match entry.slab() {
            Some(position) if entry.state != State::Tombstone => self.slab.at(position).state,
            _ => entry.state,
        }
    }

    /// Reversed in flight. What has not been sent will not be; else the reversal follows the request.
    fn cancel(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let position = entry.and_then(|entry| entry.slab()).expect("an INTENT is in the slab");
        let Some(waiter) = self.wait_for(turn, request, origin, position) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        let (id, original) = (self.slab.id(position), self.slab.at(position));
        (original.reply_due, original.terminal_reason) = (false, request.reason);
        if original.forwarded {
            turn.ask(Effect::Retire { txn: id });
            doubt(turn, id, original, InternalCause::ReversedInFlight, ReversalReason::Terminal);
        } else {
            original.cancelled = Some(InternalCause::ReversedInFlight);
        }
        Disposition::Kept(waiter)
    }

    /// Reversed after the approval, while it is still here.
    fn reverse(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let position = entry.and_then(|entry| entry.slab()).expect("checked by the caller");
        let original = self.slab.at(position);
        if !reverses(original) {
            let rrn = Some(original.rrn);
            return self.confirm_now(turn, origin, rrn);
        }
        if original.part.is_some() && (original.pending | original.unwritten) & Written::Obligation.bit() != 0
        {
            // One obligation at a time: the terminal reverses again.
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        }
        let Some(waiter) = self.wait_for(turn, request, origin, position) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        if self.ties.called_back.contains_key(&position) {
            // An operation that is taken back already: its original is being asked for.
            return Disposition::Kept(waiter);
        }
        let (id, original) = (self.slab.id(position), self.slab.at(position));
        (original.reply_due, original.terminal_reason) = (false, request.reason);
        self.take_back_when_durable(turn, id);
        Disposition::Kept(waiter)
    }

    /// An approval in the slab, as its terminal wants: no record of its end before the one of its beginning stands, which a full
    /// disk may still refuse.
    pub(crate) fn take_back_when_durable(&mut self, turn: &mut Turn, id: TxnId) {
        let original = self.slab.at(id.index);
        (original.replied, original.in_grace) = (false, false);
        match original.pending | original.unwritten {
            0 => self.take_back(turn, id, ReversalReason::Terminal),
            _ => original.unsaid = true,
        }
    }

    /// REVERSING: an approval that is durable does not stand any more.
    pub(crate) fn take_back(&mut self, turn: &mut Turn, id: TxnId, reason: ReversalReason) {
        self.take_back_operation(turn, id);
        self.withdraw(turn, id);
        oblige(turn, id, self.slab.at(id.index), reason);
    }

    /// Reversed in part, while it is still here. Not while its approval is on its way, nor while another part is owed.
    fn reverse_part(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let position = entry.and_then(|entry| entry.slab()).expect("checked by the caller");
        let original = self.slab.at(position);
        if repeats_part(request, original) {
            return self.confirm(turn, request, origin, entry);
        }
        if original.pending | original.unwritten != 0 || original.reply_due || original.leaves {
            // On its way from one record to the next: the terminal reverses again.
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        }
        if original.part.is_some() || original.request.kind.is_linked() || !reverses(original) {
            return self.refuse(turn, request, origin, InternalCause::PartialNotAllowed);
        }
        let Some(waiter) = self.wait_for(turn, request, origin, position) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        let (id, original) = (self.slab.id(position), self.slab.at(position));
        oblige_part(turn, id, original, request, Serial::NONE);
        Disposition::Kept(waiter)
    }

    /// Nothing is owed that is not owed already: 0410 00, at once or with the record under way.
    fn confirm(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let Some(position) = entry.and_then(|entry| entry.slab()) else {
            return self.confirm_now(turn, origin, None);
        };
        let original = self.slab.at(position);
        if original.pending | original.unwritten == 0 {
            let rrn = original.is_payment().then_some(original.rrn);
            return self.confirm_now(turn, origin, rrn);
        }
        match self.wait_for(turn, request, origin, position) {
            Some(waiter) => Disposition::Kept(waiter),
            None => self.refuse(turn, request, origin, InternalCause::Overloaded),
        }
    }

    pub(crate) fn confirm_now(&mut self, turn: &mut Turn, origin: Origin, rrn: Option<Rrn>) -> Disposition {
        turn.ask(Effect::Reply { txn: None, origin, reply: confirmation(rrn) });
        Disposition::Done
    }

    /// A slab position for a reversal that waits; in line behind `position`.
    pub(crate) fn wait_for(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        position: u32,
    ) -> Option<TxnId> {
        self.heard_from(turn, origin, position);
        let waiter = self.open_reversal(turn, request, origin)?;
        self.line_up(waiter, position);
        Some(waiter)
    }

    fn line_up(&mut self, waiter: TxnId, position: u32) {
        let first = core::mem::replace(&mut self.slab.at(position).waiters, waiter.index);
        self.slab.at(waiter.index).waiters = first;
    }

    pub(crate) fn open_reversal(&mut self, turn: &Turn, request: &Request, origin: Origin) -> Option<TxnId> {
        let mut reversal =
            Transaction::new(request, Role::Reversal, State::Tombstone, origin, turn.now().tick);
        (reversal.terminal_reason, reversal.reply_due) = (request.reason, true);
        reversal.serial = Serial::new(self.config.epoch, self.config.shard, self.serials);
        let waiter = self.slab.open(reversal, 0)?;
        self.serials += 1;
        Some(waiter)
    }

    /// What the reversals in line behind `id` waited for is durable.
    pub(crate) fn answer_waiters(&mut self, turn: &mut Turn, id: TxnId) {
        let original = self.slab.at(id.index);
        let rrn = original.is_payment().then_some(original.rrn);
        let mut next = core::mem::replace(&mut original.waiters, NIL);
        while next != NIL {
            let waiter = self.slab.id(next);
            next = self.slab.at(next).waiters;
            self.confirm_kept(turn, waiter, rrn);
        }
    }

    /// 0410 00 to one that waited.
    pub(crate) fn confirm_kept(&mut self, turn: &mut Turn, waiter: TxnId, rrn: Option<Rrn>) {
        let origin = self.slab.at(waiter.index).origin;
        turn.ask(Effect::Reply { txn: Some(waiter), origin, reply: confirmation(rrn) });
        self.forget(turn, waiter);
    }

    /// The original is not in memory: a definitive miss sets a tombstone, else the journal is asked.
    fn seek(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        original: OriginalRef,
    ) -> Disposition {
        let Some(waiter) = self.open_reversal(turn, request, origin) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        if self.index.is_complete() {
            turn.note(Note::TerminalReversal(request.reason));
            self.bury(turn, waiter, original);
        } else {
            turn.ask(Effect::Find { txn: waiter, slot: original.slot, before: END });
        }
        Disposition::Kept(waiter)
    }

    fn fetch_original(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Option<Entry>,
    ) -> Disposition {
        let lsn = entry.and_then(|entry| entry.record()).expect("what is settled has a record");
        let Some(waiter) = self.open_reversal(turn, request, origin) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        turn.ask(Effect::Fetch { txn: waiter, lsn });
        Disposition::Kept(waiter)
    }

    /// What the journal's index says of an original that memory does not have.
    pub(crate) fn found(&mut self, turn: &mut Turn, id: TxnId, result: Result<Lsn, bool>) {
        if self.slab.get(id).is_some_and(Transaction::is_payment) {
            return self.original_found(turn, id, result);
        }
        match self.slab.get(id).map(|searching| searching.role) {
            Some(Role::Recant) => return self.recant_found(turn, id, result),
            Some(Role::Lend) => return self.lend_found(turn, id, result),
            _ => {}
        }
        let searching = |txn: &&mut Transaction| matches!(txn.role, Role::Reversal | Role::Resolve);
        let Some(reversal) = self.slab.get_mut(id).filter(searching) else { return };
        let original = reversal.request.original.expect("checked when it came");
        match (result, reversal.role) {
            (Ok(lsn), _) => {
                reversal.looked = lsn;
                turn.ask(Effect::Fetch { txn: id, lsn });
            }
            (Err(true), Role::Resolve) => self.rule_out(turn, id),
            (Err(false), Role::Resolve) => self.resolve_later(turn, id),
            (Err(missing), _) => {
                turn.note(Note::TerminalReversal(reversal.terminal_reason));
                match missing {
                    true => self.bury(turn, id, original),
                    false => self.owe_resolve(turn, id, original),
                }
            }
        }
    }

    /// TOMBSTONE: it was never seen, and must not be forwarded should it still come.
    pub(crate) fn bury(&mut self, turn: &mut Turn, waiter: TxnId, original: OriginalRef) {
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::NoTombstone) {
            return self.confirm_kept(turn, waiter, None);
        }
        if self.remember_tombstone(turn, waiter, original) {
            let reversal = self.slab.at(waiter.index);
            turn.write_tombstone(waiter, reversal, original);
        }
    }

    /// OBLIGATION(resolve): promised, and looked for behind.
    pub(crate) fn owe_resolve(&mut self, turn: &mut Turn, waiter: TxnId, original: OriginalRef) {
        if self.remember_tombstone(turn, waiter, original) {
            let reversal = self.slab.at(waiter.index);
            reversal.role = Role::Resolve;
            turn.write_resolve(waiter, reversal, original);
        }
    }

    /// Without room in the index nothing is promised: 96.
    fn remember_tombstone(&mut self, turn: &mut Turn, waiter: TxnId, original: OriginalRef) -> bool {
        let (owner, wall_ms) = (self.slab.at(waiter.index).request.owner(), turn.now().wall_ms);
        let mut entry = Entry::tombstone(&original, owner, Lsn(u64::from(waiter.index)), wall_ms);
        entry.flags |= Entry::LIVE;
        if self.index.insert(entry).is_err() {
            self.refuse_in_line(turn, waiter, InternalCause::Overloaded);
            return false;
        }
        let Self { index, tombs, .. } = self;
        tombs.set(owner, wall_ms, original, |gone| {
            let settled = index
                .find(gone.slot, |entry| entry.state == State::Tombstone && entry.repeat == gone.repeat)
                .is_some_and(|entry| !entry.is_live());
            if settled {
                index.remove(gone.slot, gone.repeat);
            }
        });
        true
    }

    /// The record of a reversal itself is durable: its TOMBSTONE, or its OBLIGATION(resolve).
    pub(crate) fn reversal_durable(&mut self, turn: &mut Turn, id: TxnId) {
        let reversal = self.slab.at(id.index);
        if reversal.pending | reversal.unwritten != 0 {
            return;
        }
        let (original, lsn) = (reversal.request.original, reversal.lsn);
        let original = original.expect("checked when it came");
        self.answer_waiters(turn, id);
        let reversal = self.slab.at(id.index);
        let open = reversal.role == Role::Resolve && reversal.state != State::Reversed;
        if core::mem::take(&mut reversal.reply_due) {
            let origin = reversal.origin;
            turn.ask(Effect::Reply { txn: Some(id), origin, reply: confirmation(None) });
        }
        if open {
            return self.resolve_later(turn, id);
        }
        let own = open_tombstone(id);
        self.index.update_where(original.slot, own, |entry| entry.settle(State::Tombstone, lsn));
        self.forget(turn, id);
    }

    /// Looks again after a back-off.
    fn resolve_later(&mut self, turn: &mut Turn, id: TxnId) {
        let reversal = self.slab.at(id.index);
        let wait = (RESOLVE_FIRST_MS << reversal.attempts.min(16)).min(RESOLVE_MAX_MS);
        reversal.attempts = reversal.attempts.saturating_add(1);
        reversal.wake = turn.now().tick.plus_ms(wait);
        turn.ask(Effect::Arm { txn: id, timer: Timer::Resolve, at: reversal.wake });
    }

    pub(crate) fn resolve_again(&mut self, turn: &mut Turn, id: TxnId) {
        let waiting = |txn: &&mut Transaction| txn.role == Role::Resolve && txn.pending == 0;
        let Some(reversal) = self.slab.get_mut(id).filter(waiting) else { return };
        let original = reversal.request.original.expect("checked when it came");
        reversal.looked = END;
        turn.ask(Effect::Find { txn: id, slot: original.slot, before: END });
    }

    /// It does not exist after all: the tombstone stays, nothing is owed.
    fn rule_out(&mut self, turn: &mut Turn, id: TxnId) {
        let reversal = self.slab.at(id.index);
        let original = reversal.request.original.expect("checked when it came");
        reversal.state = State::Reversed;
        turn.write_tombstone(id, reversal, original);
    }

    /// The original's first record was not written: what its reversals promised becomes a tombstone.
    pub(crate) fn bury_waiters(&mut self, turn: &mut Turn, id: TxnId) {
        let first = core::mem::replace(&mut self.slab.at(id.index).waiters, NIL);
        if first == NIL {
            return;
        }
        let rest = core::mem::replace(&mut self.slab.at(first).waiters, NIL);
        let reversal = self.slab.at(first);
        let original = reversal.request.original.expect("checked when it came");
        reversal.waiters = rest;
        let waiter = self.slab.id(first);
        self.bury(turn, waiter, original);
    }

    /// A settled transaction is reversed: it comes back into the slab, and a reversal is owed.
    pub(crate) fn revive(
        &mut self,
        turn: &mut Turn,
        original: Transaction,
        reversal: TxnId,
    ) -> Option<TxnId> {
        let waiting = self.slab.at(reversal.index);
        let request = waiting.request;
        let resolves = if waiting.role == Role::Resolve { waiting.serial } else { Serial::NONE };
        let id = self.slab.open(original, 0)?;
        let original = self.slab.at(id.index);
        if is_partial(&request) {
            oblige_part(turn, id, original, &request, resolves);
            return Some(id);
        }
        self.withdraw(turn, id);
        let original = self.slab.at(id.index);
        original.terminal_reason = request.reason;
        (original.state, original.reason) = (State::Reversing, ReversalReason::Terminal);
        turn.write_obligation(id, original, resolves);
        turn.note(Note::ReversalOwed(original.issuer, ReversalReason::Terminal));
        Some(id)
    }

    pub(crate) fn queue(&mut self, reversal: TxnId, original: TxnId) {
        self.line_up(reversal, original.index);
    }
}

/// The index entry of a reversal that is in the slab.
pub(crate) fn open_tombstone(id: TxnId) -> impl Fn(&Entry) -> bool {
    move |entry| entry.state == State::Tombstone && entry.slab() == Some(id.index)
}

/// What a reversal is to the original it means.
pub(crate) fn stimulus_of(reversal: &Request, original: &Transaction) -> Stimulus {
    let stays = reversal.replacement_amount;
    match is_partial(reversal) {
        _ if misstates(reversal, original) => Stimulus::Misstated,
        true if original.state == State::Approved && repeats_part(reversal, original) => Stimulus::Partial,
        true if original.state == State::Approved && stays >= original.amount() => Stimulus::Misstated,
        true => Stimulus::Partial,
        false if original.state == State::StipApproved && is_forestalled(original) => Stimulus::Forestalled,
        false => Stimulus::Reversal,
    }
}

/// DE 95 says what is to stay; nothing at all is the whole reversed.
pub(crate) fn is_partial(reversal: &Request) -> bool {
    reversal.flags.has(Flags::REPLACEMENT) && reversal.replacement_amount > 0
}

/// Whether a reversal leaves what an earlier one has left already, or is about to: the same 0400 again.
pub(crate) fn repeats_part(reversal: &Request, original: &Transaction) -> bool {
    let left = original.part.map_or(original.amount(), |part| part.stays);
    original.partly_reversed && is_partial(reversal) && reversal.replacement_amount == left
}

/// Whether a reversal names another amount than its original has. Absent is not different.
fn misstates(reversal: &Request, original: &Transaction) -> bool {
    reversal.amount != 0 && ![original.request.amount, original.amount()].contains(&reversal.amount)
}

/// Approved with what stays, and the difference owed.
fn oblige_part(turn: &mut Turn, id: TxnId, original: &mut Transaction, reversal: &Request, resolves: Serial) {
    original.part = Some(Part { before: original.amount(), stays: reversal.replacement_amount });
    (original.terminal_reason, original.partly_reversed) = (reversal.reason, true);
    (original.in_grace, original.replied, original.attempts) = (false, false, 0);
    turn.write_obligation(id, original, resolves);
    turn.note(Note::ReversalOwed(original.issuer, ReversalReason::Terminal));
}

fn confirmation(rrn: Option<Rrn>) -> Reply {
    Reply { rrn, ..plain(Code::Wire(ResponseCode::approved())) }
}

/// Behind every record.
pub(crate) const END: Lsn = Lsn(u64::MAX);
const RESOLVE_FIRST_MS: u64 = 1_000;
const RESOLVE_MAX_MS: u64 = 60_000;
