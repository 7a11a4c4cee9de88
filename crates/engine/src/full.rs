//! The disk is full: a frame came back and nothing of it was written.
//!
//! Never exits, never forgets what is owed. Guards: a request without an INTENT leaves no trace but its refusal; a record
//! that is owed is written again until it stands.

use crate::effect::{Effect, Timer};
use crate::engine::Engine;
use crate::event::TxnId;
use crate::record::Serial;
use crate::state::State;
use crate::transaction::{NIL, Role, Written};
use crate::turn::{Turn, awaited};
use terms::InternalCause;

impl Engine {
    pub(crate) fn not_written(&mut self, turn: &mut Turn, token: u64) {
        let Some((id, written)) = awaited(token) else { return };
        let Some(transaction) = self.slab.get_mut(id) else { return };
        if written == Written::Linked && self.ties.still_writing(id.index) {
            // The later one tells how the original stands.
            return;
        }
        transaction.pending &= !written.bit();
        if written == Written::Intent {
            return self.not_admitted(turn, id);
        }
        if transaction.role == Role::Batch {
            return self.refuse_kept(turn, id, InternalCause::DiskFull);
        }
        if transaction.role == Role::Reversal {
            return self.not_promised(turn, id);
        }
        transaction.unwritten |= written.bit();
        transaction.wake = turn.now().tick.plus_ms(WRITE_AGAIN_MS);
        turn.ask(Effect::Arm { txn: id, timer: Timer::Retry, at: transaction.wake });
    }

    /// No INTENT: nothing was sent and nothing will be. 96, unless the terminal has taken it back meanwhile.
    fn not_admitted(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let (slot, repeat) = (transaction.request.slot, transaction.request.repeat);
        let answered = !core::mem::take(&mut transaction.reply_due);
        self.index.remove(slot, repeat);
        self.bury_waiters(turn, id);
        if !answered {
            return self.unadmit(turn, id, InternalCause::DiskFull);
        }
        let transaction = self.slab.at(id.index);
        (transaction.holds, transaction.slot_held) = (false, false);
        let (kind, issuer) = (transaction.request.kind, transaction.issuer);
        turn.write_refused(&transaction.request, transaction.issuer_id, InternalCause::ReversedInFlight, 0);
        turn.ask(Effect::Return { txn: id });
        turn.ask(Effect::Release { txn: id });
        turn.count(kind, Some(InternalCause::ReversedInFlight), None, Some(issuer));
        self.forget(turn, id);
    }

    /// Not even the reserve had room for a TOMBSTONE or a look-up: 96 to all who wait, the terminal reverses again.
    fn not_promised(&mut self, turn: &mut Turn, id: TxnId) {
        self.drop_tombstone(id);
        self.refuse_in_line(turn, id, InternalCause::DiskFull);
    }

    /// Refuses a reversal and those in line behind it.
    pub(crate) fn refuse_in_line(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        let mut next = core::mem::replace(&mut self.slab.at(id.index).waiters, NIL);
        self.refuse_kept(turn, id, cause);
        while next != NIL {
            let waiter = self.slab.id(next);
            next = self.slab.at(next).waiters;
            self.refuse_kept(turn, waiter, cause);
        }
    }

    /// Writes again what was refused: the present state says it, since no state follows one that is not durable.
    pub(crate) fn write_again(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let missing = core::mem::take(&mut transaction.unwritten);
        let lacks = |written: Written| missing & written.bit() != 0;
        if transaction.role == Role::Resolve {
            let original = transaction.request.original.expect("checked when it came");
            match transaction.state {
                State::Reversed => turn.write_tombstone(id, transaction, original),
                _ => turn.write_resolve(id, transaction, original),
            }
            return;
        }
        #[cfg(pointsman_zoo)]
        let lacks =
            |written| lacks(written) && !(written == Written::Batch && zoo::has(zoo::Bug::WithdrawnOnce));
        if lacks(Written::Linked) {
            self.write_linked_again(turn, id);
        }
        let transaction = self.slab.at(id.index);
        if lacks(Written::Outcome) {
            turn.write_outcome(id, transaction);
        }
        if lacks(Written::Batch) {
            turn.write_withdrawn(id, transaction);
        }
        if lacks(Written::Obligation) {
            turn.write_obligation(id, transaction, Serial::NONE);
        }
        if lacks(Written::Parked) {
            turn.write_parked(id, transaction, transaction.issuer_code);
        }
        if lacks(Written::Ack) {
            turn.write_ack(id, transaction, transaction.issuer_code);
        }
    }
}

/// Space returns when segments go: there is no hurry, and no event that tells.
const WRITE_AGAIN_MS: u64 = 1_000;
