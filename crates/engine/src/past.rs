//! Which settled transactions an issuer may still speak of: those whose request it did not approve, for as long as the ring is long.
//! Never grows; guards: an approval that comes after the end finds the transaction that it contradicts.

use crate::event::TxnId;
use crate::record::Serial;
use journal::Lsn;
use terms::{Check, IssuerIx, SlotKey};

/// A transaction that left the slab declined, reversed or told by an advice, after its request had gone to the issuer.
#[derive(Clone, Copy)]
pub(crate) struct Gone {
    pub(crate) ticket: u64,
    pub(crate) slot: SlotKey,
    pub(crate) repeat: Check,
    pub(crate) issuer: IssuerIx,
    pub(crate) serial: Serial,
    pub(crate) intent_lsn: Lsn,
    /// Its type owes reversals.
    pub(crate) reverses: bool,
    /// It was approved here in the issuer's stead, and an advice told it so.
    pub(crate) stood_in: bool,
}

impl Gone {
    /// Of which only the serial is known.
    pub(crate) fn nameless(id: TxnId, serial: Serial, issuer: IssuerIx) -> Self {
        let (slot, repeat, intent_lsn) = (SlotKey(0), Check::ANY, Lsn::NONE);
        let ticket = id.ticket();
        Self { ticket, slot, repeat, issuer, serial, intent_lsn, reverses: true, stood_in: false }
    }
}

/// A ring: the newest overwrites the oldest.
pub(crate) struct Past {
    ring: Vec<Gone>,
    next: usize,
    length: usize,
}

impl Past {
    pub(crate) fn new(length: usize) -> Self {
        Self { ring: Vec::with_capacity(length), next: 0, length: length.max(1) }
    }

    pub(crate) fn remember(&mut self, gone: Gone) {
        if self.ring.len() < self.length {
            self.ring.push(gone);
        } else {
            self.ring[self.next] = gone;
        }
        self.next = (self.next + 1) % self.length;
    }

    /// Newest first. Walks the ring: only answers that nobody waits for ask.
    pub(crate) fn find(&self, id: TxnId) -> Option<Gone> {
        let (newer, older) = self.ring.split_at(self.next.min(self.ring.len()));
        let ticket = id.ticket();
        newer.iter().rev().chain(older.iter().rev()).copied().find(|gone| gone.ticket == ticket)
    }
}
