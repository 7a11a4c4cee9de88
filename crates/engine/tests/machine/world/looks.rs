//! What tests look at: counters, effects and records since the last look, and whether the journal would rebuild what is here.

use super::*;

impl World {
    /// What the ceiling of `card` has counted today.
    pub fn spent(&self, card: u16) -> (Minor, u32) {
        self.store.spent(LimitKey::card(&builders::token(card), self.snapshot.calendars[0]), self.day)
    }

    /// What the journal would rebuild is what is here.
    pub fn assert_journaled(&self) {
        let ledger = self.ledger();
        for spent in ledger.spent() {
            let live = self.store.spent(spent.key, spent.day);
            assert_eq!(live, (spent.amount, spent.count), "counter {:?}", spent.key);
        }
        let settled = |entry: &Entry| {
            (!entry.is_live()).then_some((entry.slot, entry.repeat.0, entry.state, entry.lsn))
        };
        let mut live: Vec<_> = self.engine.entries().filter_map(|entry| settled(&entry)).collect();
        let open: HashSet<_> = self.engine.entries().filter(Entry::is_live).map(|entry| entry.slot).collect();
        let mut rebuilt: Vec<_> = ledger.index().iter().filter_map(|entry| settled(&entry)).collect();
        rebuilt.retain(|(slot, ..)| !open.contains(slot));
        live.sort_unstable();
        rebuilt.sort_unstable();
        assert_eq!(live, rebuilt);
    }

    /// Nothing is open, held or owed.
    pub fn assert_quiet(&self) {
        let owed: usize = (0..2).map(|issuer| self.engine.owed(IssuerIx(issuer))).sum();
        assert_eq!((self.engine.live(), owed, self.slots, self.wires.len()), (0, 0, 0, 0));
    }

    pub fn look(&mut self) -> (Vec<Effect>, Vec<Kind>) {
        (core::mem::take(&mut self.effects), core::mem::take(&mut self.records))
    }
}
