//! Finds reversals by STAN: they may carry the STAN of their original, so their places cannot follow from it.
//! Never allocates after it was made, never hashes. Guards: bounded memory, one chain per bucket.

use crate::gear::NONE;

/// Buckets over the ranks of STANs, chained through one word per place; the free places are a chain as well.
pub(super) struct Chains {
    buckets: Box<[u32]>,
    next: Box<[u32]>,
    free: u32,
}

impl Chains {
    /// For `places` reversals.
    pub(super) fn new(places: u32) -> Self {
        let buckets = vec![NONE; places.next_power_of_two() as usize].into_boxed_slice();
        let next = (1..=places).map(|next| if next == places { NONE } else { next }).collect();
        Self { buckets, next, free: if places == 0 { NONE } else { 0 } }
    }

    /// The places whose STAN may be that of `rank`.
    pub(super) fn walk(&self, rank: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.buckets[self.bucket(rank)];
        let known = |at: u32| (at != NONE).then_some(at);
        std::iter::successors(known(first), move |at| known(self.next[*at as usize]))
    }

    /// A free place, now in the chain of `rank`.
    pub(super) fn take(&mut self, rank: u32) -> Option<u32> {
        let at = self.free;
        if at == NONE {
            return None;
        }
        self.free = self.next[at as usize];
        let bucket = self.bucket(rank);
        self.next[at as usize] = std::mem::replace(&mut self.buckets[bucket], at);
        Some(at)
    }

    /// Frees the place `at`, which is in the chain of `rank`.
    pub(super) fn leave(&mut self, rank: u32, at: u32) {
        let bucket = self.bucket(rank);
        let after = self.next[at as usize];
        if self.buckets[bucket] == at {
            self.buckets[bucket] = after;
        } else {
            let before = self.walk(rank).find(|place| self.next[*place as usize] == at);
            let before = before.expect("a place that is left is in the chain of its rank");
            self.next[before as usize] = after;
        }
        self.next[at as usize] = std::mem::replace(&mut self.free, at);
    }

    const fn bucket(&self, rank: u32) -> usize {
        rank as usize & (self.buckets.len() - 1)
    }
}
