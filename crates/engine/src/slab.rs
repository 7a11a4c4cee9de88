//! Fixed room for what is open: positions with generations, never more than configured.
//!
//! Never moves a transaction, never reuses a position before the shell has done what was asked about it. Guards: an id of
//! an earlier use is never taken for the present one.

use crate::event::TxnId;
use crate::transaction::Transaction;

struct Place {
    generation: u32,
    live: bool,
    transaction: Transaction,
}

/// All open transactions of one shard.
pub(crate) struct Slab {
    places: Vec<Place>,
    free: Vec<u32>,
    /// Freed in this turn: their charges and permits may still be asked for.
    cooling: Vec<u32>,
    live: u32,
    bound: u32,
}

impl Slab {
    pub(crate) fn new(bound: u32) -> Self {
        assert!(bound > 0 && bound < BOUND_MAX, "a slab has 1 to {BOUND_MAX} positions, not {bound}");
        Self {
            // Reserved as address space and touched as it fills: growing would copy everything in the middle of a turn.
            places: Vec::with_capacity(bound as usize),
            free: Vec::with_capacity(bound as usize),
            cooling: Vec::new(),
            live: 0,
            bound,
        }
    }

    /// A position, unless fewer than `spare` would be left.
    pub(crate) fn open(&mut self, transaction: Transaction, spare: u32) -> Option<TxnId> {
        if self.live + self.cooling.len() as u32 + spare >= self.bound {
            return None;
        }
        self.live += 1;
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            assert!(!place.live, "position {index} given out twice");
            place.generation = next(place.generation);
            place.live = true;
            place.transaction = transaction;
            return Some(TxnId { index, generation: place.generation });
        }
        let index = self.places.len() as u32;
        self.places.push(Place { generation: 1, live: true, transaction });
        Some(TxnId { index, generation: 1 })
    }

    /// The position is free again, once this turn's effects are done.
    pub(crate) fn close(&mut self, id: TxnId) {
        let place = &mut self.places[id.index as usize];
        assert!(place.live && place.generation == id.generation, "position {} closed twice", id.index);
        place.live = false;
        self.live -= 1;
        self.cooling.push(id.index);
    }

    /// The effects of earlier events are done: what was freed may be used.
    pub(crate) fn cooled(&mut self) {
        self.free.append(&mut self.cooling);
    }

    pub(crate) fn get(&self, id: TxnId) -> Option<&Transaction> {
        self.places
            .get(id.index as usize)
            .filter(|place| place.live && place.generation == id.generation)
            .map(|place| &place.transaction)
    }

    pub(crate) fn get_mut(&mut self, id: TxnId) -> Option<&mut Transaction> {
        self.places
            .get_mut(id.index as usize)
            .filter(|place| place.live && place.generation == id.generation)
            .map(|place| &mut place.transaction)
    }

    /// Also a transaction closed in this turn: effects about it are still to be done.
    pub(crate) fn last(&self, id: TxnId) -> Option<&Transaction> {
        self.places
            .get(id.index as usize)
            .filter(|place| place.generation == id.generation)
            .map(|place| &place.transaction)
    }

    /// As [`Slab::last`], to be changed.
    pub(crate) fn last_mut(&mut self, id: TxnId) -> Option<&mut Transaction> {
        self.places
            .get_mut(id.index as usize)
            .filter(|place| place.generation == id.generation)
            .map(|place| &mut place.transaction)
    }

    /// Known to be live: lists and index entries point at it.
    pub(crate) fn at(&mut self, index: u32) -> &mut Transaction {
        let place = &mut self.places[index as usize];
        assert!(place.live, "position {index} is listed but free");
        &mut place.transaction
    }

    /// As [`Slab::at`], to look at.
    pub(crate) fn read(&self, index: u32) -> &Transaction {
        let place = &self.places[index as usize];
        assert!(place.live, "position {index} is listed but free");
        &place.transaction
    }

    pub(crate) fn id(&self, index: u32) -> TxnId {
        TxnId { index, generation: self.places[index as usize].generation }
    }

    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// Every open position, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = TxnId> + '_ {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.live)
            .map(|(index, place)| TxnId { index: index as u32, generation: place.generation })
    }
}

/// Generations are 24 bits and never 0: a ticket of position 0 must differ from "nobody".
const fn next(generation: u32) -> u32 {
    let next = (generation + 1) & 0xFF_FFFF;
    if next == 0 { 1 } else { next }
}

const BOUND_MAX: u32 = 1 << 28;
