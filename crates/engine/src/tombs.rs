//! How many tombstones a terminal may have: the index keeps them, this keeps count.
//!
//! A terminal that reverses what it never sent must not fill the index; beyond its bound its oldest tombstone goes.
//! Never forwards anything. Guards: at most so many per terminal, at most [`TOMBSTONES_MAX`] altogether, none over a day.

use crate::index::Entry;
use crate::snapshot::Identity;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use terms::OriginalRef;

/// The tombstones of one shard by terminal, oldest first.
pub(crate) struct Tombs {
    by_owner: HashMap<u64, VecDeque<(i64, OriginalRef)>, BuildHasherDefault<Identity>>,
    /// When set, by whom; may speak of one that went before its time.
    order: VecDeque<(i64, u64)>,
    per_terminal: usize,
}

impl Tombs {
    pub(crate) fn new(per_terminal: u16) -> Self {
        let per_terminal = usize::from(per_terminal.max(1));
        Self { by_owner: HashMap::default(), order: VecDeque::new(), per_terminal }
    }

    /// Counts one more; `drop` hears which others must go from the index.
    pub(crate) fn set(
        &mut self,
        owner: u64,
        wall_ms: i64,
        original: OriginalRef,
        mut drop: impl FnMut(&OriginalRef),
    ) {
        // The index lets them go by itself after a day: here they are only no longer counted.
        while self.order.front().is_some_and(|(set, _)| set + Entry::TOMBSTONE_MS <= wall_ms) {
            self.drop_oldest();
        }
        if self.order.len() >= TOMBSTONES_MAX
            && let Some(gone) = self.drop_oldest()
        {
            drop(&gone);
        }
        let own = self.by_owner.entry(owner).or_default();
        if own.len() >= self.per_terminal
            && let Some((_, gone)) = own.pop_front()
        {
            drop(&gone);
        }
        own.push_back((wall_ms, original));
        self.order.push_back((wall_ms, owner));
    }

    fn drop_oldest(&mut self) -> Option<OriginalRef> {
        let (set, owner) = self.order.pop_front()?;
        let own = self.by_owner.get_mut(&owner)?;
        let gone = own.front().is_some_and(|(oldest, _)| *oldest == set).then(|| own.pop_front()).flatten();
        if own.is_empty() {
            self.by_owner.remove(&owner);
        }
        gone.map(|(_, original)| original)
    }
}

/// Tombstones of all terminals of one worker together; about 60 bytes each here, 32 in the index.
pub const TOMBSTONES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use terms::{Check, SlotKey};

    fn original(slot: u64) -> OriginalRef {
        OriginalRef { slot: SlotKey(slot), repeat: Check(7), alias: Check::ANY, class: 2 }
    }

    #[test]
    fn one_terminal_has_a_bound_and_all_have_a_day() {
        let mut tombs = Tombs::new(2);
        let mut gone = Vec::new();
        for (owner, slot, at) in [(1, 1, 1), (1, 2, 2), (2, 9, 2), (1, 3, 3)] {
            tombs.set(owner, at, original(slot), |original| gone.push(original.slot.0));
        }
        assert_eq!(gone, [1]);
        tombs.set(2, Entry::TOMBSTONE_MS + 100, original(10), |original| gone.push(original.slot.0));
        assert_eq!((gone.len(), tombs.order.len(), tombs.by_owner.len()), (1, 1, 1));
    }

    #[test]
    fn all_together_have_a_bound() {
        let mut tombs = Tombs::new(1);
        let mut gone = 0;
        for owner in 0..TOMBSTONES_MAX as u64 + 5 {
            tombs.set(owner, 1, original(owner), |_| gone += 1);
        }
        assert_eq!((gone, tombs.by_owner.len()), (5, TOMBSTONES_MAX));
    }
}
