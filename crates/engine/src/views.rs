//! What the shell may ask about the engine's transactions, counts and memory.
//! Never changes anything but what an effect asked for. Guards: charges are asked for in the turn of their effect.

use crate::engine::{Engine, open_payment};
use crate::event::{Permit, TxnId};
use crate::flow::NamedOriginal;
use crate::index::Entry;
use crate::record::Charges;
use crate::transaction::Transaction;
use limits::{Charge, Demand};
use terms::{IssuerIx, SlotKey};

impl Engine {
    /// What [`Effect::Reserve`] must charge; nothing for a type that spends nothing, or posts what it spends.
    pub fn demands(&self, id: TxnId) -> &[Demand] {
        let transaction = self.slab.get(id).expect("demands of a transaction that is gone");
        if transaction.request.kind.posts_on_approval() { &[] } else { self.posts(id) }
    }

    /// What [`Effect::Force`] adds.
    pub fn posts(&self, id: TxnId) -> &[Demand] {
        self.demands[id.index as usize].as_slice()
    }

    /// What [`Effect::GiveBack`] gives back and [`Effect::Restore`] charges again: the charges of the operation's original.
    pub fn given_back(&self, id: TxnId) -> impl Iterator<Item = Charge> + '_ {
        self.ties.given_back(id.index)
    }

    /// How the issuer knows the original of an operation; `None` for what is no operation.
    pub fn named_original(&self, id: TxnId) -> Option<NamedOriginal> {
        let tied = self.ties.link(id.index).and_then(|link| self.ties.get(link.original));
        tied.map(|tie| tie.original.named).or(self.slab.last(id)?.named)
    }

    /// What [`Effect::Release`] gives back. Also good for a transaction forgotten in this turn.
    /// # Panics
    /// If its position is in use again: effects were not done in the turn that asked for them.
    pub fn charges(&self, id: TxnId) -> &[Charge] {
        self.slab.last(id).expect("charges are asked for in the turn of their effect").charges()
    }

    /// What [`Effect::Reduce`] gives back; once per effect.
    /// # Panics
    /// As [`Engine::charges`].
    pub fn reduce(&mut self, id: TxnId) -> Charges {
        self.slab.last_mut(id).expect("a reduction is asked for in the turn of its effect").reduce()
    }

    /// The permit it has or had in this turn.
    pub fn permit(&self, id: TxnId) -> Option<Permit> {
        self.slab.last(id)?.permit
    }

    /// What a forward or a reversal needs to know.
    pub fn transaction(&self, id: TxnId) -> Option<&Transaction> {
        self.slab.last(id)
    }

    /// Batch numbers of a terminal (`Request::owner`) that are remembered, newest first. Walks all batches of the shard.
    pub fn batches_of(&self, owner: u64) -> impl Iterator<Item = u32> + '_ {
        self.batches.of(owner)
    }

    /// Brings the index's memory for `slot` near; for a whole batch before its requests are handled.
    pub fn touch(&self, slot: SlotKey) {
        self.index.touch(slot);
    }

    /// Slab positions in use.
    pub fn live(&self) -> usize {
        self.slab.live() as usize
    }

    /// Reversals owed to `issuer`.
    pub fn owed(&self, issuer: IssuerIx) -> usize {
        self.owed.count(issuer) + self.debts.count(issuer)
    }

    /// Of those, what `issuer` refused too often.
    pub fn quarantined(&self, issuer: IssuerIx) -> usize {
        self.debts.parked(issuer)
    }

    /// Payments without an outcome, that is what a drain waits for.
    pub fn in_flight(&self) -> usize {
        self.slab.ids().filter(|id| self.slab.get(*id).is_some_and(open_payment)).count()
    }

    /// Everything the index remembers, in no order: for comparison with what a replay of the journal gives.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.index.iter()
    }
}
