//! What the ceilings have counted, by the same rules as the live counters: a later day opens, an earlier one is charged to
//! the later, a charge of another day is not given back.
//! Never decides against a ceiling; guards: after a replay the store counts what it counted before.

use super::{Map, Spent};
use limits::{Charge, LimitKey};
use terms::{BusinessDay, Minor};

#[derive(Default)]
pub(super) struct Cells {
    cells: Map<LimitKey, Cell>,
}

#[derive(Clone, Copy)]
struct Cell {
    day: BusinessDay,
    amount: Minor,
    count: u32,
}

impl Cells {
    pub(super) fn add(&mut self, charge: Charge) {
        self.set(Spent { key: charge.key, day: charge.day, amount: charge.amount, count: 1 });
    }

    /// Adds a sum; a straggler goes to the later day.
    pub(super) fn set(&mut self, spent: Spent) {
        let opening = Cell { day: spent.day, amount: 0, count: 0 };
        let cell = self.cells.entry(spent.key).or_insert(opening);
        if spent.day > cell.day {
            *cell = opening;
        }
        cell.amount = cell.amount.saturating_add(spent.amount);
        cell.count = cell.count.saturating_add(spent.count);
    }

    pub(super) fn give_back(&mut self, charge: Charge) {
        if let Some(cell) = self.cells.get_mut(&charge.key).filter(|cell| cell.day == charge.day) {
            cell.amount = (cell.amount - charge.amount).max(0);
            cell.count = cell.count.saturating_sub(1);
        }
    }

    /// Takes a share back; the transaction stays counted.
    pub(super) fn reduce(&mut self, share: Charge) {
        if let Some(cell) = self.cells.get_mut(&share.key).filter(|cell| cell.day == share.day) {
            cell.amount = (cell.amount - share.amount).max(0);
        }
    }

    pub(super) fn forget_before(&mut self, oldest: BusinessDay) {
        self.cells.retain(|_, cell| cell.day >= oldest);
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Spent> + '_ {
        self.cells.iter().map(|(key, cell)| Spent {
            key: *key,
            day: cell.day,
            amount: cell.amount,
            count: cell.count,
        })
    }
}
