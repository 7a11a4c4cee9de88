//! The issuer reverses by itself: its own 0420 or 0421, about something that it was asked for.
//!
//! It names the original by our RRN; where the original lives follows from DE 41, DE 42 and the terminal's STAN in it, and
//! the shell says which slots that can be. Each is looked into, memory first, then the journal, until one holds that RRN.
//! Never believes an issuer about another issuer's transaction, nor about a part or another amount. Guards: 0430 00 only
//! when what it promises is durable; an approval that the issuer took back is an open item, and alarmed.

use crate::advice::is_tied;
use crate::effect::{Code, Effect, Note, ReversalReason};
use crate::engine::{Engine, NOBODY_ASKED};
use crate::event::TxnId;
use crate::index::Entry;
use crate::owe::{acknowledge, hold_slot};
use crate::record::{Drawn, Serial};
use crate::replay::Past;
use crate::reverse::{END, is_partial};
use crate::settle::{doubt, oblige};
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use crate::write::reverses;
use journal::Lsn;
use terms::{Check, InternalCause, LinkIx, OriginalRef, Request, ResponseCode, SlotKey};

/// Where the answer to an issuer's own message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IssuerAsk {
    /// The link it came on.
    pub link: LinkIx,
    /// The shell's number for the message.
    pub ask: u32,
}

/// An original that is still looked for.
#[derive(Default)]
pub(crate) struct Sought {
    /// Slots not yet looked into, the next one last.
    slots: Vec<SlotKey>,
    /// The one that is looked into.
    slot: SlotKey,
    /// Of one slot nobody could say.
    unsure: bool,
}

impl Engine {
    /// Begins the search; everything after it happens in its own slab position.
    pub(crate) fn recant(
        &mut self,
        turn: &mut Turn,
        asked: IssuerAsk,
        reversal: &Request,
        slots: &[SlotKey],
    ) {
        let searching =
            Transaction::new(reversal, Role::Recant, State::Tombstone, NOBODY_ASKED, turn.now().tick);
        let Some(id) = self.slab.open(Transaction { asked: Some(asked), ..searching }, 0) else {
            return answer(turn, asked, Code::Internal(InternalCause::Overloaded));
        };
        let slots = slots.iter().rev().copied().collect();
        self.sought.insert(id.index, Sought { slots, ..Sought::default() });
        self.seek_recanted(turn, id);
    }

    /// The next slot, or the end of the search.
    fn seek_recanted(&mut self, turn: &mut Turn, id: TxnId) {
        let Some(sought) = self.sought.get_mut(&id.index) else { return };
        let Some(slot) = sought.slots.pop() else {
            let cause =
                if sought.unsure { InternalCause::Overloaded } else { InternalCause::OriginalNotFound };
            return self.end_recant(turn, id, Code::Internal(cause));
        };
        sought.slot = slot;
        let rrn = self.slab.at(id.index).request.rrn;
        let slab = &self.slab;
        let is_it = |entry: &Entry| {
            let live = entry.slab().filter(|_| entry.state != State::Tombstone);
            live.is_some_and(|position| Some(slab.read(position).rrn) == rrn)
        };
        if let Some(position) = self.index.find(slot, is_it).and_then(|entry| entry.slab()) {
            return self.recant_live(turn, id, position);
        }
        let any = OriginalRef { slot, repeat: Check::ANY, alias: Check::ANY, class: 0 };
        let settled = self.index.find_original(&any).filter(|entry| entry.state != State::Tombstone);
        match settled.and_then(|entry| entry.record()) {
            Some(lsn) => self.look_at(turn, id, lsn),
            None if self.index.is_complete() => self.seek_recanted(turn, id),
            None => turn.ask(Effect::Find { txn: id, slot, before: END }),
        }
    }

    /// What the journal's index says of the slot.
    pub(crate) fn recant_found(&mut self, turn: &mut Turn, id: TxnId, result: Result<Lsn, bool>) {
        match result {
            Ok(lsn) => self.look_at(turn, id, lsn),
            Err(missing) => {
                if let Some(sought) = self.sought.get_mut(&id.index) {
                    sought.unsure |= !missing;
                }
                self.seek_recanted(turn, id);
            }
        }
    }

    fn look_at(&mut self, turn: &mut Turn, id: TxnId, lsn: Lsn) {
        self.slab.at(id.index).looked = lsn;
        turn.ask(Effect::Fetch { txn: id, lsn });
    }

    /// A record under the slot was read: of the one that is meant, or another's; one that ends nothing is passed over.
    pub(crate) fn recant_fetched(&mut self, turn: &mut Turn, id: TxnId, read: bool, past: Option<Past>) {
        let searching = self.slab.at(id.index);
        let (rrn, looked) = (searching.request.rrn, searching.looked);
        let Some(past) = past.filter(|past| Some(past.transaction.rrn) == rrn) else {
            let slot = self.sought.get(&id.index).map_or(SlotKey(0), |sought| sought.slot);
            return match read {
                true => turn.ask(Effect::Find { txn: id, slot, before: looked }),
                false => self.recant_found(turn, id, Err(false)),
            };
        };
        let entry = Entry::settled(&past.transaction.request, past.transaction.state, past.lsn);
        match self.verdict_on(turn, id, &past.transaction, &entry, past.drawn) {
            Err(code) => self.end_recant(turn, id, code),
            Ok(()) => self.yield_settled(turn, id, past.transaction),
        }
    }

    /// It is in the slab.
    fn recant_live(&mut self, turn: &mut Turn, id: TxnId, position: u32) {
        let original = self.slab.read(position);
        let entry = Entry::settled(&original.request, original.state, original.lsn);
        if original.state == State::Intent && original.forwarded {
            return self.comply(turn, id, position);
        }
        match self.verdict_on(turn, id, self.slab.read(position), &entry, original.drawn) {
            Ok(()) => self.yield_live(turn, id, position),
            Err(code) if code == agreed() => self.agree_live(turn, id, position),
            Err(code) => self.end_recant(turn, id, code),
        }
    }

    /// `Ok`: an approval that the issuer may take back. Else what it is told.
    fn verdict_on(
        &self,
        turn: &Turn,
        id: TxnId,
        original: &Transaction,
        entry: &Entry,
        drawn: Drawn,
    ) -> Result<(), Code> {
        let searching = self.slab.read(id.index);
        if !is_theirs(turn, searching, original) {
            return Err(Code::Internal(InternalCause::OriginalNotFound));
        }
        match step(Some(original.state), Stimulus::Recanted) {
            Step::Yield => {}
            Step::Agree => return Err(agreed()),
            _ => return Err(Code::Internal(InternalCause::OriginalNotFound)),
        }
        let amount = searching.request.amount;
        if is_partial(&searching.request) || amount != 0 && amount != original.amount() {
            return Err(Code::Internal(InternalCause::PartialNotAllowed));
        }
        let tied = self.is_tied(entry);
        match drawn {
            _ if tied || original.part.is_some() || original.leaves => {
                Err(Code::Internal(InternalCause::Overloaded))
            }
            Drawn { voided: true, .. } => Err(agreed()),
            Drawn::UNTOUCHED if reverses(original) => Ok(()),
            _ => Err(Code::Internal(InternalCause::OriginalNotOpen)),
        }
    }

    /// In flight: declined here, and reversed by us as well, since nobody knows what the issuer does with the request.
    fn comply(&mut self, turn: &mut Turn, id: TxnId, position: u32) {
        let theirs = is_theirs(turn, self.slab.read(id.index), self.slab.read(position));
        if !theirs || step(Some(State::Intent), Stimulus::Recanted) != Step::Comply {
            return self.end_recant(turn, id, Code::Internal(InternalCause::OriginalNotFound));
        }
        let asked = self.take_recant(turn, id);
        let (original, transaction) = (self.slab.id(position), self.slab.at(position));
        transaction.asked = asked;
        turn.ask(Effect::Retire { txn: original });
        doubt(turn, original, transaction, InternalCause::IssuerReversed, ReversalReason::Issuer);
    }

    /// Nothing changes; what is being written about it is waited for.
    fn agree_live(&mut self, turn: &mut Turn, id: TxnId, position: u32) {
        let original = self.slab.at(position);
        if original.pending | original.unwritten == 0 {
            return self.end_recant(turn, id, agreed());
        }
        let asked = self.take_recant(turn, id);
        self.slab.at(position).asked = asked;
    }

    /// Approved, and here: taken back as soon as the approval itself is durable.
    fn yield_live(&mut self, turn: &mut Turn, id: TxnId, position: u32) {
        let asked = self.take_recant(turn, id);
        let (original, transaction) = (self.slab.id(position), self.slab.at(position));
        (transaction.asked, transaction.yields) = (asked, true);
        let settled = transaction.pending | transaction.unwritten == 0;
        // One that was called back has its original read first, and yields then.
        if settled && !self.ties.called_back.contains_key(&position) {
            self.yield_to_issuer(turn, original);
        }
    }

    /// Approved, and read from the journal: it takes the place of the search.
    fn yield_settled(&mut self, turn: &mut Turn, id: TxnId, past: Transaction) {
        self.sought.remove(&id.index);
        let asked = self.slab.at(id.index).asked;
        let request = past.request;
        *self.slab.at(id.index) = Transaction { asked, yields: true, ..past };
        self.enter(&request, id);
        if !request.kind.is_linked() || request.kind.is_advice() && !is_tied(self.slab.at(id.index)) {
            return self.yield_to_issuer(turn, id);
        }
        self.ties.called_back.insert(id.index, Serial::NONE);
        self.seek_original(turn, id);
    }

    /// The approval no longer stands: an OBLIGATION that the issuer has met already. Its ACK follows at once. Of an operation
    /// the original stands again as before it.
    pub(crate) fn yield_to_issuer(&mut self, turn: &mut Turn, id: TxnId) {
        turn.note(Note::IssuerContradiction(self.slab.at(id.index).issuer));
        self.take_back_operation(turn, id);
        self.withdraw(turn, id);
        let transaction = self.slab.at(id.index);
        hold_slot(turn, transaction);
        transaction.approval_seen = true;
        oblige(turn, id, transaction, ReversalReason::Issuer);
    }

    /// The OBLIGATION is durable: acknowledged by what the issuer said before it. Tells whether there was one.
    pub(crate) fn acknowledge_yielded(&mut self, turn: &mut Turn, id: TxnId) -> bool {
        let transaction = self.slab.at(id.index);
        if transaction.state != State::Reversing || !core::mem::take(&mut transaction.yields) {
            return false;
        }
        acknowledge(turn, id, transaction, ResponseCode::approved());
        true
    }

    /// What was promised to the issuer is durable: 0430 00.
    pub(crate) fn answer_issuer(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        if !transaction.yields
            && let Some(asked) = transaction.asked.take()
        {
            answer(turn, asked, agreed());
        }
    }

    /// The search is over with this answer.
    fn end_recant(&mut self, turn: &mut Turn, id: TxnId, code: Code) {
        if let Some(asked) = self.take_recant(turn, id) {
            answer(turn, asked, code);
        }
    }

    fn take_recant(&mut self, turn: &mut Turn, id: TxnId) -> Option<IssuerAsk> {
        self.sought.remove(&id.index);
        let asked = self.slab.at(id.index).asked.take();
        self.forget(turn, id);
        asked
    }
}

/// The issuer's own transaction, and the card that it names, if it names one.
fn is_theirs(turn: &Turn, searching: &Transaction, original: &Transaction) -> bool {
    let snapshot = turn.snapshot();
    let link = searching.asked.and_then(|asked| snapshot.links.get(asked.link.at()));
    let issuer = link.and_then(|link| snapshot.issuers.get(link.issuer.at()));
    let same_card = match (searching.request.pan, original.request.pan) {
        (Some(named), Some(card)) => named == card,
        _ => true,
    };
    same_card && issuer.is_some_and(|issuer| issuer.id == original.issuer_id)
}

fn answer(turn: &mut Turn, asked: IssuerAsk, code: Code) {
    turn.ask(Effect::Answer { link: asked.link, ask: asked.ask, code });
}

/// Reversed here, too: 00.
fn agreed() -> Code {
    Code::Wire(ResponseCode::approved())
}
