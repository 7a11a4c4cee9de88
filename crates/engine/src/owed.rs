//! Which reversals of parts are owed to which issuer, oldest first: lists threaded through the slab.
//! Never allocates per transaction; guards: a transaction is in at most one list, once.

use crate::event::TxnId;
use crate::slab::Slab;
use crate::transaction::NIL;
use terms::IssuerIx;

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    length: u32,
}

/// One list per issuer; the first is for issuers that the configuration no longer has.
pub(crate) struct Owed {
    lists: Vec<List>,
}

impl Owed {
    pub(crate) fn new() -> Self {
        Self { lists: vec![EMPTY] }
    }

    /// At the end, so that reversals go out in the order in which they fell due.
    pub(crate) fn push(&mut self, slab: &mut Slab, id: TxnId) {
        let transaction = slab.at(id.index);
        assert!(!transaction.listed, "a reversal of {} is owed twice", transaction.serial);
        let position = position(transaction.issuer);
        if position >= self.lists.len() {
            self.lists.resize(position + 1, EMPTY);
        }
        let list = &mut self.lists[position];
        (transaction.listed, transaction.owed_prev, transaction.owed_next) = (true, list.tail, NIL);
        let last = core::mem::replace(&mut list.tail, id.index);
        list.length += 1;
        match last {
            NIL => list.head = id.index,
            last => slab.at(last).owed_next = id.index,
        }
    }

    pub(crate) fn remove(&mut self, slab: &mut Slab, id: TxnId) {
        let transaction = slab.at(id.index);
        if !core::mem::take(&mut transaction.listed) {
            return;
        }
        let (before, after) = (transaction.owed_prev, transaction.owed_next);
        let list = &mut self.lists[position(transaction.issuer)];
        list.length -= 1;
        match before {
            NIL => list.head = after,
            before => slab.at(before).owed_next = after,
        }
        match after {
            NIL => list.tail = before,
            after => slab.at(after).owed_prev = before,
        }
    }

    pub(crate) fn first(&self, issuer: IssuerIx) -> u32 {
        self.lists.get(position(issuer)).map_or(NIL, |list| list.head)
    }

    pub(crate) fn count(&self, issuer: IssuerIx) -> usize {
        self.lists.get(position(issuer)).map_or(0, |list| list.length as usize)
    }
}

fn position(issuer: IssuerIx) -> usize {
    if issuer.0 == u16::MAX { 0 } else { issuer.at() + 1 }
}

const EMPTY: List = List { head: NIL, tail: NIL, length: 0 };
