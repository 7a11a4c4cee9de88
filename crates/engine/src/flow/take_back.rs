//! Reversals where operations are about: of an original that has some, and of an operation itself.
//!
//! Never lets a reversal overtake a void that is under way. Guards: what an operation had given back is charged again, as a
//! forced post, when the operation is taken back; an original that was voided is not given back a second time.

use super::ties::{Link, Original, Phase, key};
use crate::effect::{Disposition, Effect, Note, ReversalReason};
use crate::engine::Engine;
use crate::event::{Origin, TxnId};
use crate::index::Entry;
use crate::record::{Charges, Drawn, Serial};
use crate::replay::Past;
use crate::reverse::END;
use crate::state::State;
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use terms::{InternalCause, Request};

/// What operations make of a reversal of their original.
enum Held {
    /// Nothing: it goes on as usual.
    No,
    /// It waits for what is under way.
    Waits,
    /// 0410 00, no traffic: a void has given everything back.
    Voided,
    /// A part was refunded or completed: the whole cannot be reversed.
    Used,
}

impl Engine {
    fn held(&self, entry: &Entry, drawn: Drawn) -> Held {
        let tie = self.ties.get(key(entry.slot, entry.repeat));
        let drawn = tie.map_or(drawn, |tie| tie.drawn);
        match drawn {
            _ if tie.is_some_and(|tie| tie.open > 0) => Held::Waits,
            Drawn { voided: true, .. } => Held::Voided,
            Drawn::UNTOUCHED => Held::No,
            _ => Held::Used,
        }
    }

    /// What was done to an original in the slab.
    fn drawn_live(&self, entry: &Entry) -> Drawn {
        let live = entry.slab().filter(|_| entry.state != State::Tombstone);
        live.map_or(Drawn::UNTOUCHED, |position| self.slab.read(position).drawn)
    }

    /// Whether a void of the original was approved, as far as memory tells.
    pub(crate) fn is_voided(&self, entry: &Entry) -> bool {
        let tie = self.ties.get(key(entry.slot, entry.repeat));
        tie.map_or_else(|| self.drawn_live(entry), |tie| tie.drawn).voided
    }

    /// Whether operations on it are in the slab.
    pub(crate) fn is_tied(&self, entry: &Entry) -> bool {
        self.ties.get(key(entry.slot, entry.repeat)).is_some()
    }

    /// Whether anything was done to the transaction, or is about to be: then its terminal has its answer.
    pub(crate) fn has_operations(&self, id: TxnId) -> bool {
        let Some(original) = self.slab.get(id).filter(|original| original.is_payment()) else { return false };
        let tied = self.ties.get(key(original.request.slot, original.request.repeat)).is_some();
        tied || original.drawn != Drawn::UNTOUCHED
    }

    /// A reversal of an original that memory ties operations to; `None`: it goes on as usual.
    pub(crate) fn reversal_of_tied(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: &Entry,
    ) -> Option<Disposition> {
        let key = key(entry.slot, entry.repeat);
        match self.held(entry, self.drawn_live(entry)) {
            Held::No => None,
            Held::Voided => Some(self.confirm_now(turn, origin, None)),
            Held::Used => Some(self.refuse(turn, request, origin, InternalCause::OriginalNotOpen)),
            Held::Waits => Some(match self.open_reversal(turn, request, origin) {
                Some(waiter) => {
                    self.wait_behind(waiter, key);
                    Disposition::Kept(waiter)
                }
                None => self.refuse(turn, request, origin, InternalCause::Overloaded),
            }),
        }
    }

    fn wait_behind(&mut self, waiter: TxnId, key: super::Key) {
        let tie = self.ties.get_mut(key).expect("asked before");
        let first = core::mem::replace(&mut tie.waiting, waiter.index);
        self.slab.at(waiter.index).waiters = first;
    }

    /// As [`Engine::reversal_of_tied`], for an original that the journal was asked for. Tells whether it was dealt with.
    pub(crate) fn reversal_of_drawn(&mut self, turn: &mut Turn, reversal: TxnId, past: &Past) -> bool {
        let original = &past.transaction;
        if original.state != State::Approved {
            return false;
        }
        let entry = Entry::settled(&original.request, State::Approved, past.lsn);
        let (rrn, resolves) = (Some(original.rrn), self.slab.at(reversal.index).role == Role::Resolve);
        match self.held(&entry, past.drawn) {
            Held::No => return false,
            Held::Waits if resolves => self.found(turn, reversal, Err(false)),
            Held::Waits => self.wait_behind(reversal, key(entry.slot, entry.repeat)),
            Held::Voided | Held::Used if resolves => self.found(turn, reversal, Err(true)),
            Held::Voided => self.confirm_kept(turn, reversal, rrn),
            Held::Used => self.refuse_kept(turn, reversal, InternalCause::OriginalNotOpen),
        }
        true
    }

    /// A reversal that waited goes on.
    pub(crate) fn reversal_again(&mut self, turn: &mut Turn, reversal: TxnId) {
        let reference = self.slab.at(reversal.index).request.original.expect("checked when it came");
        let entry = self.index.find_original(&reference);
        let Some(entry) = entry else {
            return turn.ask(Effect::Find { txn: reversal, slot: reference.slot, before: END });
        };
        match entry.slab() {
            None => {
                let lsn = entry.record().expect("what has left the slab has a record");
                turn.ask(Effect::Fetch { txn: reversal, lsn });
            }
            Some(position) => self.reversal_of_live(turn, reversal, &entry, position),
        }
    }

    fn reversal_of_live(&mut self, turn: &mut Turn, reversal: TxnId, entry: &Entry, position: u32) {
        let original = self.slab.at(position);
        let (state, rrn) = (original.state, Some(original.rrn));
        match self.held(entry, self.drawn_live(entry)) {
            Held::No if state == State::Approved => {
                self.queue(reversal, self.slab.id(position));
                let reason = self.slab.at(reversal.index).terminal_reason;
                let (id, original) = (self.slab.id(position), self.slab.at(position));
                (original.reply_due, original.terminal_reason) = (false, reason);
                self.take_back_when_durable(turn, id);
            }
            Held::Used => self.refuse_kept(turn, reversal, InternalCause::OriginalNotOpen),
            Held::Waits => self.wait_behind(reversal, key(entry.slot, entry.repeat)),
            Held::Voided | Held::No => {
                let original = self.slab.at(position);
                match original.pending | original.unwritten {
                    0 => self.confirm_kept(turn, reversal, rrn),
                    _ => self.queue(reversal, self.slab.id(position)),
                }
            }
        }
    }

    /// An approved operation in the slab is taken back: before its OBLIGATION the original is as it was.
    pub(crate) fn take_back_operation(&mut self, turn: &mut Turn, id: TxnId) {
        let kind = self.slab.at(id.index).request.kind;
        let Some((link, tie)) = self.ties.both(id.index) else { return };
        if link.phase != Phase::Applied {
            return;
        }
        link.phase = Phase::TakingBack;
        tie.drawn.put_back(kind, link.amount);
        self.write_linked(turn, id, true);
    }

    /// An approved operation that has left the slab is reversed: it returns, and its original is read.
    pub(crate) fn call_back_operation(&mut self, turn: &mut Turn, reversal: TxnId, mut past: Past) {
        let waiting = self.slab.at(reversal.index);
        let looked_for = waiting.role == Role::Resolve;
        let resolves = if looked_for { waiting.serial } else { Serial::NONE };
        past.transaction.terminal_reason = waiting.terminal_reason;
        if looked_for {
            self.drop_tombstone(reversal);
        }
        let request = past.transaction.request;
        let Some(id) = self.slab.open(past.transaction, 0) else {
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
        self.ties.called_back.insert(id.index, resolves);
        self.seek_original(turn, id);
    }

    /// Its original was read: it stands again as before the operation.
    pub(crate) fn take_back_fetched(
        &mut self,
        turn: &mut Turn,
        id: TxnId,
        original: &Transaction,
        drawn: Drawn,
        resolves: Serial,
    ) {
        let operation = self.slab.at(id.index);
        let (kind, amount) = (operation.request.kind, operation.request.amount);
        let gives_back = kind != terms::Kind::Refund;
        let given_back = original.charges().iter().copied().filter(|_| gives_back).collect::<Charges>();
        let named = Original::of(original);
        let link = Link { original: named.key(), amount, phase: Phase::TakingBack, given_back, writing: 0 };
        self.ties.tie(id.index, named, drawn, link);
        if let Some((_, tie)) = self.ties.both(id.index) {
            tie.drawn.put_back(kind, amount);
        }
        self.write_linked(turn, id, true);
        self.take_back_alone(turn, id, resolves);
    }

    /// REVERSING: the operation's own part.
    pub(crate) fn take_back_alone(&mut self, turn: &mut Turn, id: TxnId, resolves: Serial) {
        if self.slab.at(id.index).yields {
            return self.yield_to_issuer(turn, id);
        }
        if self.slab.at(id.index).state == State::StipApproved {
            return self.unsay_tied(turn, id, ReversalReason::Terminal);
        }
        self.withdraw(turn, id);
        let operation = self.slab.at(id.index);
        (operation.state, operation.reason) = (State::Reversing, ReversalReason::Terminal);
        turn.write_obligation(id, operation, resolves);
        turn.note(Note::ReversalOwed(operation.issuer, ReversalReason::Terminal));
    }
}
