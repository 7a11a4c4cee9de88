//! The totals of every open batch: what a terminal's 0500 is compared with.
//!
//! Never reads a record; the ledger and the live shard feed it the same. Guards: bounded; a batch that was let go is never
//! taken for an empty one.

use crate::ledger::Map;
use std::collections::VecDeque;
use terms::Request;
use terms::batch::{BatchSide, BatchTotals};

/// Terminal and batch number.
pub(crate) type BatchKey = (u64, u32);

/// Batches of one shard, or of all in the ledger.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    totals: Map<BatchKey, BatchTotals>,
    /// Oldest first.
    order: VecDeque<BatchKey>,
    /// One was let go for want of room.
    forgot: bool,
}

impl Batches {
    /// An approval, or with `withdrawn` the end of one. Nothing for dialects without batches and types that do not settle.
    pub(crate) fn count(&mut self, request: &Request, foreign: bool, withdrawn: bool) {
        let Some(side) = request.kind.batch_side().filter(|_| request.batch != 0) else { return };
        self.add((request.owner(), request.batch), foreign, side, request.amount, withdrawn);
    }

    /// A transaction of the batch has begun.
    pub(crate) fn begin(&mut self, request: &Request, owner: u64) {
        if request.batch != 0 {
            self.know((owner, request.batch));
        }
    }

    fn know(&mut self, key: BatchKey) {
        if !self.totals.contains_key(&key) {
            self.make_room();
            self.order.push_back(key);
            self.totals.insert(key, BatchTotals::default());
        }
    }

    pub(crate) fn add(
        &mut self,
        key: BatchKey,
        foreign: bool,
        side: BatchSide,
        amount: terms::Minor,
        withdrawn: bool,
    ) {
        self.know(key);
        self.totals.entry(key).or_default()[usize::from(foreign)].count(side, amount, withdrawn);
    }

    /// Batches of one terminal, newest first. Walks them all.
    pub(crate) fn of(&self, owner: u64) -> impl Iterator<Item = u32> + '_ {
        self.order.iter().rev().filter(move |(whose, _)| *whose == owner).map(|(_, batch)| *batch)
    }

    /// What was counted; `None` where nobody can say any more.
    pub(crate) fn get(&self, key: BatchKey) -> Option<BatchTotals> {
        let known = self.totals.get(&key).copied();
        known.or_else(|| (!self.forgot).then(BatchTotals::default))
    }

    fn make_room(&mut self) {
        if self.order.len() >= BATCHES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.totals.remove(&oldest);
            self.forgot = true;
        }
    }

    pub(crate) fn forgot(&self) -> bool {
        self.forgot
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (BatchKey, BatchTotals)> + '_ {
        self.order.iter().map(|key| (*key, self.totals.get(key).copied().unwrap_or_default()))
    }

    pub(crate) fn put(&mut self, key: BatchKey, totals: BatchTotals) {
        self.make_room();
        self.order.push_back(key);
        self.totals.insert(key, totals);
    }

    pub(crate) fn set_forgot(&mut self, forgot: bool) {
        self.forgot |= forgot;
    }
}

/// Batches of one worker whose totals are kept; about 150 bytes each.
pub const BATCHES_MAX: usize = 65_536;
