//! An operation on its way in: its original is found, judged and tied to it; and what its fate does to the original.
//!
//! Never admits what its original does not allow. Guards: ceilings follow only when the operation's OUTCOME is durable.

use super::rules::{self, Meant, Objection, Policy};
use super::ties::{Key, Link, Original, Phase, key};
use crate::effect::Effect;
use crate::engine::{Engine, expired_tombstone};
use crate::event::TxnId;
use crate::index::Entry;
use crate::record::{Charges, Drawn, Linked, Record};
use crate::replay::Past;
use crate::reverse::END;
use crate::settle::approve;
use crate::snapshot::{RefundTerms, merchant_key};
use crate::state::State;
use crate::transaction::{NIL, Transaction, Written};
use crate::turn::{Turn, token};
use journal::Lsn;
use terms::{Answer, Check, InternalCause, Kind, OriginalRef, Request, SlotKey};

impl Engine {
    /// Station 6 of an operation, first half: its original is looked for, in memory, else in the journal.
    pub(crate) fn seek_original(&mut self, turn: &mut Turn, id: TxnId) {
        let reference = self.slab.at(id.index).request.original.expect("checked when it came");
        let entry = self.index.find_original(&reference).filter(|entry| !expired_tombstone(entry, turn));
        let Some(entry) = entry else {
            return match self.index.is_complete() {
                true => self.original_missing(turn, id, InternalCause::OriginalNotFound),
                false => turn.ask(Effect::Find { txn: id, slot: reference.slot, before: END }),
            };
        };
        match (entry.slab(), entry.state) {
            (None, State::Approved | State::StipApproved) => {
                let lsn = entry.record().expect("what has left the slab has a record");
                turn.ask(Effect::Fetch { txn: id, lsn });
            }
            (Some(position), state) if state != State::Tombstone => {
                let (original, charges) = self.in_slab(turn, position);
                self.original_known(turn, id, &original, charges, original.drawn);
            }
            _ => self.original_missing(turn, id, InternalCause::OriginalNotOpen),
        }
    }

    /// An original that is still in the slab, as a copy. One that is not durable yet is in flight; one that waited for its
    /// terminal to come back has done so.
    pub(super) fn in_slab(&mut self, turn: &mut Turn, position: u32) -> (Transaction, Charges) {
        let id = self.slab.id(position);
        let original = self.slab.at(position);
        let held = original.charges().iter().copied().filter(|_| original.holds).collect();
        let settled = original.pending | original.unwritten == 0 && original.part.is_none();
        let state = if settled { original.state } else { State::Intent };
        let Transaction { request, role, origin, received, .. } = *original;
        let copy = Transaction {
            serial: original.serial,
            rrn: original.rrn,
            permit: original.permit,
            advice: original.advice,
            intent_lsn: original.intent_lsn,
            issuer_code: original.issuer_code,
            approval_code: original.approval_code,
            approved_amount: original.approved_amount,
            partly_reversed: original.partly_reversed,
            acquirer_day: original.acquirer_day,
            drawn: original.drawn,
            ..Transaction::new(&request, role, state, origin, received)
        };
        if original.in_grace {
            self.delivered(turn, id);
        }
        (copy, held)
    }

    /// What the journal's index says of the original.
    pub(crate) fn original_found(&mut self, turn: &mut Turn, id: TxnId, result: Result<Lsn, bool>) {
        match result {
            Ok(lsn) => turn.ask(Effect::Fetch { txn: id, lsn }),
            Err(true) => self.original_missing(turn, id, InternalCause::OriginalNotFound),
            Err(false) => self.original_missing(turn, id, InternalCause::JournalFailed),
        }
    }

    /// The original as the journal has it.
    pub(crate) fn original_fetched(&mut self, turn: &mut Turn, id: TxnId, past: Option<Past>) {
        let reference = self.slab.at(id.index).request.original.expect("checked when it came");
        let meant = past.filter(|past| {
            let state = past.transaction.state;
            Entry::settled(&past.transaction.request, state, past.lsn).is_meant_by(&reference)
        });
        let Some(past) = meant else {
            return self.original_missing(turn, id, InternalCause::OriginalNotFound);
        };
        let held = past.transaction.holds;
        let charges = past.transaction.charges().iter().copied().filter(|_| held).collect();
        self.original_known(turn, id, &past.transaction, charges, past.drawn);
    }

    pub(super) fn original_missing(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        if cause == InternalCause::OriginalNotFound && self.ask_for_name(turn, id) {
            return;
        }
        match self.ties.called_back.remove(&id.index) {
            Some(resolves) => self.take_back_alone(turn, id, resolves),
            None if self.ties.taken_up.remove(&id.index).is_some() => self.accept(turn, id),
            // What has happened is taken, whether we know what it belongs to or not.
            None if self.slab.at(id.index).request.kind.is_advice() => self.ask_admission(turn, id),
            None => self.refuse_kept(turn, id, cause),
        }
    }

    pub(super) fn original_known(
        &mut self,
        turn: &mut Turn,
        id: TxnId,
        original: &Transaction,
        given_back: Charges,
        drawn: Drawn,
    ) {
        if self.is_another(id, original) && self.ask_for_name(turn, id) || self.waits_for_lent(id, original) {
            return;
        }
        if let Some(resolves) = self.ties.called_back.remove(&id.index) {
            return self.take_back_fetched(turn, id, original, drawn, resolves);
        }
        let key = key(original.request.slot, original.request.repeat);
        let tie = self.ties.get(key);
        let lent = tie.is_some_and(|tie| tie.lent);
        let (drawn, under_way, open) = tie.map_or((drawn, 0, 0), |tie| (tie.drawn, tie.under_way, tie.open));
        let policy = self.policy(turn, id);
        let operation = self.slab.at(id.index);
        let taken_up = self.ties.taken_up.remove(&id.index).is_some();
        let judged = match lent {
            true => Err(rules::plain(InternalCause::OriginalNotOpen)),
            false => rules::check(operation, &Meant { original, drawn, under_way, open }, &policy),
        };
        // An adjustment only refers to it; a notice is tied to it, or goes by itself.
        if operation.request.kind.is_advice()
            && (judged.is_ok() || operation.request.kind == Kind::Adjustment)
        {
            operation.named = Some(Original::of(original).named);
        }
        if let Err(objection) = judged {
            return match taken_up {
                true => self.accept(turn, id),
                false => self.object(turn, id, objection),
            };
        }
        let request = &mut operation.request;
        request.original = Some(exact(original));
        let gives_back = !matches!(request.kind, terms::Kind::Refund);
        let given_back = if gives_back { given_back } else { Charges::NONE };
        let link =
            Link { original: key, amount: request.amount, phase: Phase::UnderWay, given_back, writing: 0 };
        self.ties.tie(id.index, Original::of(original), drawn, link);
        match taken_up {
            true => self.accept(turn, id),
            false => self.ask_admission(turn, id),
        }
    }

    /// Permit, slot and ceilings; an advice needs no permit.
    pub(crate) fn ask_admission(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let issuer = transaction.issuer;
        turn.ask(match transaction.request.kind.is_advice() {
            true => Effect::Enlist { txn: id, issuer },
            false => Effect::Reserve { txn: id, issuer },
        });
    }

    fn policy(&mut self, turn: &Turn, id: TxnId) -> Policy {
        let operation = self.slab.at(id.index);
        let issuer = turn.snapshot().issuers.get(operation.issuer.at());
        let request = &operation.request;
        let merchant = turn.snapshot().merchants.get(&merchant_key(&request.acquirer, &request.merchant));
        Policy {
            completion_percent: issuer.map_or(100, |terms| terms.completion_percent),
            refund: merchant.map_or_else(RefundTerms::default, |terms| terms.refund),
        }
    }

    /// Refused because of its original: the record says what was left.
    fn object(&mut self, turn: &mut Turn, id: TxnId, Objection { cause, remaining }: Objection) {
        if self.slab.at(id.index).request.kind.is_advice() {
            return self.ask_admission(turn, id);
        }
        self.slab.at(id.index).remaining = remaining;
        self.refuse_kept(turn, id, cause);
    }

    /// Station 9 of an operation: with its approval the original stands differently.
    pub(crate) fn approve_operation(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let operation = self.slab.at(id.index);
        let kind = operation.request.kind;
        if let Some((link, tie)) = self.ties.both(id.index) {
            tie.drawn.draw(kind, link.amount);
            link.phase = Phase::Approving;
        }
        self.write_linked(turn, id, false);
        self.post(id);
        let operation = self.slab.at(id.index);
        self.batches.count(&operation.request, operation.foreign, false);
        approve(turn, id, operation, answer, None);
    }

    /// A completion is charged now, in the place of its pre-authorization.
    pub(crate) fn post(&mut self, id: TxnId) {
        let operation = self.slab.at(id.index);
        if operation.request.kind.posts_on_approval() {
            operation.charge_count = 0;
            for demand in self.demands[id.index as usize].as_slice() {
                operation.charge(demand.charge());
            }
            operation.holds = true;
        }
    }

    /// LINKED, as the original stands now.
    pub(crate) fn write_linked(&mut self, turn: &mut Turn, id: TxnId, taken_back: bool) {
        let Some((link, tie)) = self.ties.both(id.index) else { return };
        let original = &tie.original;
        let operation = self.slab.at(id.index);
        let record = Linked {
            serial: original.serial,
            slot: original.slot,
            repeat: original.repeat,
            intent_lsn: original.intent_lsn,
            wall_ms: turn.now().wall_ms,
            taken_back,
            drawn: tie.drawn,
            told: original.told,
            approval_code: original.approval_code,
            approved_amount: original.approved_amount,
            operation: operation.serial,
            charges: link.given_back,
            advised: original.advised,
        };
        operation.pending |= Written::Linked.bit();
        link.writing += 1;
        record.append_to(&mut turn.frames.owed, token(id, Written::Linked));
    }

    /// A LINKED that a full disk refused, once more.
    pub(crate) fn write_linked_again(&mut self, turn: &mut Turn, id: TxnId) {
        let phase = self.ties.link(id.index).map(|link| link.phase);
        self.write_linked(turn, id, phase == Some(Phase::TakingBack));
    }

    /// From now on the LINKED at `lsn` tells how the original stands.
    pub(crate) fn linked_durable(&mut self, turn: &mut Turn, id: TxnId, lsn: Lsn) {
        let Some((_, tie)) = self.ties.both(id.index) else { return };
        tie.lsn = Some(lsn);
        let (key, drawn) = (tie.original.key(), tie.drawn);
        self.stands_at(key, drawn, lsn);
        let operation = self.slab.at(id.index);
        if operation.pending | operation.unwritten == 0 {
            self.conclude(turn, id);
        }
    }

    /// The newest record of an original of ours, and what it says.
    pub(super) fn stands_at(&mut self, (slot, repeat): Key, drawn: Drawn, lsn: Lsn) {
        let (slot, repeat) = (SlotKey(slot), Check(repeat));
        let entry = self.index.find(slot, |entry| entry.repeat == repeat && entry.state != State::Tombstone);
        match entry.and_then(|entry| entry.slab()) {
            Some(position) => {
                let original = self.slab.at(position);
                (original.lsn, original.drawn) = (lsn, drawn);
            }
            None => {
                let approved = |entry: &Entry| {
                    entry.repeat == repeat && entry.state == State::Approved && !entry.is_live()
                };
                self.index.update_where(slot, approved, |entry| entry.settle(State::Approved, lsn));
            }
        }
    }

    /// Everything written about the operation is durable: ceilings follow, and reversals of the original go on.
    pub(crate) fn conclude_operation(&mut self, turn: &mut Turn, id: TxnId) {
        let state = self.slab.at(id.index).state;
        let Some((link, _)) = self.ties.both(id.index) else { return };
        let phase = link.phase;
        link.phase = match phase {
            Phase::Approving => Phase::Applied,
            Phase::UnderWay if state == State::Intent => return,
            Phase::Applied => return,
            _ => Phase::Over,
        };
        match phase {
            Phase::Approving => self.give_back_original(turn, id),
            Phase::TakingBack => return turn.ask(Effect::Restore { txn: id }),
            Phase::UnderWay => {}
            Phase::Applied | Phase::Over => return,
        }
        let waiting = self.ties.close(id.index);
        self.resume(turn, waiting);
    }

    fn give_back_original(&mut self, turn: &mut Turn, id: TxnId) {
        turn.ask(Effect::GiveBack { txn: id });
        let kind = self.slab.at(id.index).request.kind;
        if kind.posts_on_approval() {
            // After a restart only the record knows what an advice is charged.
            turn.ask(if kind.is_advice() { Effect::Post { txn: id } } else { Effect::Force { txn: id } });
        }
    }

    /// The operation leaves the slab.
    pub(crate) fn untie(&mut self, turn: &mut Turn, id: TxnId) {
        let (waiting, ended) = self.ties.untie(id.index);
        self.resume(turn, waiting);
        if let Some(tie) = ended {
            self.tie_ended(turn, &tie);
        }
    }

    /// Reversals of an original that waited for operations on it.
    pub(super) fn resume(&mut self, turn: &mut Turn, mut next: u32) {
        while next != NIL {
            let reversal = self.slab.id(next);
            next = core::mem::replace(&mut self.slab.at(next).waiters, NIL);
            self.reversal_again(turn, reversal);
        }
    }
}

/// The original by everything that names it.
fn exact(original: &Transaction) -> OriginalRef {
    exactly(&original.request)
}

pub(super) fn exactly(request: &Request) -> OriginalRef {
    OriginalRef {
        slot: request.slot,
        repeat: request.repeat,
        alias: request.alias,
        class: request.mti.class_digit(),
    }
}
