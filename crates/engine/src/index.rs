//! Duplicate index: was this request here before, and which original does that reversal mean?
//!
//! Two generations of flat tables: new entries go to the current one, both are searched; when the current one is full, or
//! older than the window, the previous one is dropped as a whole, except what is still under way or owed.
//! Never allocates per entry, never reads a clock, never drops an open transaction; guards: 32 bytes an entry, a bound
//! on entries and on the length of every search, and the truth about whether a miss is definitive.

mod entry;
mod generation;

pub use entry::{Entry, owner_tag, shard_of, shard_of_tag};
use generation::Generation;

use core::fmt;
use terms::{Check, OriginalRef, Request, SlotKey};

/// No room: everything remembered is still under way or owed (or one slot has thousands of neighbours).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the duplicate index is full: {entries} entries, none of them can be dropped")]
pub struct IndexFull {
    /// Entries held.
    pub entries: usize,
}

/// The index of one shard. See the module's page.
pub struct Index {
    current: Generation,
    previous: Generation,
    window_ms: i64,
    now_ms: i64,
    complete_since: i64,
    carried: Vec<Entry>,
}

/// [`Index::complete_since`] while nothing was ever dropped.
pub const ALWAYS: i64 = i64::MIN;

impl Index {
    /// Room for `entries` (both generations together); each is kept for at least `window_ms`, unless the room is needed
    /// earlier. Memory is taken from the system as it fills: about 41 bytes an entry.
    pub fn new(entries: usize, window_ms: i64) -> Self {
        let half = entries.div_ceil(2).max(1);
        Self {
            current: Generation::new(half),
            previous: Generation::new(half),
            window_ms,
            now_ms: i64::MIN,
            complete_since: ALWAYS,
            carried: Vec::new(),
        }
    }

    /// Tells the time (milliseconds); once per turn. A clock that goes back is ignored.
    pub fn advance(&mut self, now_ms: i64) {
        self.now_ms = self.now_ms.max(now_ms);
        if self.current.is_empty() {
            self.current.started_ms = self.now_ms;
        }
        if self.now_ms.saturating_sub(self.current.started_ms) >= self.window_ms {
            self.rotate();
        }
    }

    /// The first time told after a start. What lies between the last record and now may be a wall clock's step, so it counts
    /// for an eighth of the window at most: after a long rest entries stay longer for that. Returns the time from here on.
    pub fn resume(&mut self, wall_ms: i64) -> i64 {
        let rested = wall_ms.saturating_sub(self.now_ms).clamp(0, self.window_ms / 8);
        let from = if self.now_ms == i64::MIN { wall_ms } else { self.now_ms.saturating_add(rested) };
        self.advance(from);
        from
    }

    /// Remembers an entry, making room if need be.
    /// # Errors
    /// [`IndexFull`]: nothing was remembered; the request must not be admitted.
    pub fn insert(&mut self, entry: Entry) -> Result<(), IndexFull> {
        if !self.current.has_room() && !self.is_full() {
            self.rotate();
        }
        match self.current.insert(entry) {
            true => Ok(()),
            false => Err(IndexFull { entries: self.len() }),
        }
    }

    /// Whether the next insert fails: the current generation is full, and of the previous one so much is open that dropping
    /// the rest would make room for a moment only.
    pub fn is_full(&self) -> bool {
        !self.current.has_room() && self.previous.open() > self.previous.capacity() / 8 * 7
    }

    /// The first entry in that slot for which `pred` holds, newer generation first.
    pub fn find(&self, slot: SlotKey, pred: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let entry = self.current.find(slot, &pred).or_else(|| self.previous.find(slot, &pred))?;
        Some(entry.1)
    }

    /// The entry that `request` repeats, or the tombstone that forbids it.
    pub fn find_repeat(&self, request: &Request) -> Option<Entry> {
        self.find(request.slot, |entry| entry.is_repeated_by(request))
    }

    /// The original that a reference means; among several the newest: one under way, else the latest record.
    pub fn find_original(&self, original: &OriginalRef) -> Option<Entry> {
        let newest = |best: Option<Entry>, entry: &Entry| match best {
            Some(best) if best.age() >= entry.age() => Some(best),
            _ if entry.is_meant_by(original) => Some(*entry),
            other => other,
        };
        let best = self.current.fold(original.slot, None, newest);
        self.previous.fold(original.slot, best, newest)
    }

    /// Changes the entry of that slot and repeat check; `false` if there is none. The slot must stay as it is.
    pub fn update(&mut self, slot: SlotKey, repeat: Check, change: impl FnOnce(&mut Entry)) -> bool {
        self.update_where(slot, |entry| entry.repeat == repeat, change)
    }

    /// Changes the first entry in that slot for which `pred` holds; `false` if there is none. The slot must stay as it is.
    pub fn update_where(
        &mut self,
        slot: SlotKey,
        pred: impl Fn(&Entry) -> bool,
        change: impl FnOnce(&mut Entry),
    ) -> bool {
        if let Some((place, entry)) = self.current.find(slot, &pred) {
            self.current.change(place, entry, change);
        } else if let Some((place, entry)) = self.previous.find(slot, &pred) {
            self.previous.change(place, entry, change);
        } else {
            return false;
        }
        true
    }

    /// Forgets the entry of that slot and repeat check (its INTENT could not be written); `false` if there is none.
    pub fn remove(&mut self, slot: SlotKey, repeat: Check) -> bool {
        self.remove_where(slot, |entry| entry.repeat == repeat)
    }

    /// Forgets the first entry in that slot for which `pred` holds; `false` if there is none.
    pub fn remove_where(&mut self, slot: SlotKey, pred: impl Fn(&Entry) -> bool) -> bool {
        if let Some((place, _)) = self.current.find(slot, &pred) {
            self.current.remove(place);
        } else if let Some((place, _)) = self.previous.find(slot, &pred) {
            self.previous.remove(place);
        } else {
            return false;
        }
        true
    }

    /// Reads what a look-up and an insert of that slot will need, so that a whole batch waits for memory once.
    pub fn touch(&self, slot: SlotKey) {
        self.current.touch(slot);
        self.previous.touch(slot);
    }

    /// Entries remembered.
    pub fn len(&self) -> usize {
        self.current.len() + self.previous.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries there is room for.
    pub fn capacity(&self) -> usize {
        self.current.capacity() + self.previous.capacity()
    }

    /// Every transaction first seen at or after this moment (wall clock, milliseconds) is here; [`ALWAYS`] while
    /// nothing was ever dropped. A miss is definitive for these.
    pub fn complete_since(&self) -> i64 {
        self.complete_since
    }

    /// Whether a miss is definitive whatever its age.
    pub fn is_complete(&self) -> bool {
        self.complete_since == ALWAYS
    }

    /// Lowers the claim after a restore from a memory that was not complete.
    pub fn admit_gap(&mut self, complete_since: i64) {
        self.complete_since = self.complete_since.max(complete_since);
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.previous.iter().chain(self.current.iter())
    }

    /// What a snapshot keeps besides the entries: the time told last, and [`Index::complete_since`].
    pub(crate) fn times(&self) -> (i64, i64) {
        (self.now_ms, self.complete_since)
    }

    pub(crate) fn set_times(&mut self, now_ms: i64, complete_since: i64) {
        (self.now_ms, self.complete_since) = (now_ms, complete_since);
    }

    /// Older and newer generation: when it began, its entries, how many.
    pub(crate) fn generations(&self) -> [(i64, Box<dyn Iterator<Item = Entry> + '_>, usize); 2] {
        [&self.previous, &self.current].map(|one| (one.started_ms, Box::new(one.iter()) as Box<_>, one.len()))
    }

    pub(crate) fn set_started(&mut self, newer: bool, started_ms: i64) {
        self.generation(newer).started_ms = started_ms;
    }

    /// Puts an entry of a snapshot back into its generation. Without room (another size was configured) an entry that may
    /// go is left out, and the gap admitted.
    pub(crate) fn put_back(&mut self, newer: bool, entry: Entry) {
        let minute = Entry::minute(self.now_ms);
        let generation = self.generation(newer);
        if generation.insert(entry) {
            return;
        }
        if entry.must_stay(minute) && !generation.is_solid() {
            return generation.carry(entry);
        }
        self.complete_since = self.complete_since.max(self.now_ms.saturating_add(1));
    }

    /// Deals the entries out to several, each to the one that `shard` names, in the generation it had.
    pub(crate) fn deal<T>(
        &self,
        shard: impl Fn(&Entry) -> usize,
        parts: &mut [T],
        index: impl Fn(&mut T) -> &mut Self,
    ) {
        for part in parts.iter_mut() {
            index(part).set_times(self.now_ms, self.complete_since);
        }
        for (newer, generation) in [(false, &self.previous), (true, &self.current)] {
            for part in parts.iter_mut() {
                index(part).set_started(newer, generation.started_ms);
            }
            for entry in generation.iter() {
                index(&mut parts[shard(&entry)]).put_back(newer, entry);
            }
        }
    }

    fn generation(&mut self, newer: bool) -> &mut Generation {
        if newer { &mut self.current } else { &mut self.previous }
    }

    /// Drops the previous generation but for what is open, and begins a new one.
    fn rotate(&mut self) {
        let mut carried = core::mem::take(&mut self.carried);
        let minute = Entry::minute(self.now_ms);
        self.previous.drain_open(|entry| {
            if entry.must_stay(minute) {
                carried.push(entry);
            }
        });
        if self.previous.clear() > carried.len() {
            self.complete_since = self.complete_since.max(self.current.started_ms.saturating_add(1));
        }
        core::mem::swap(&mut self.current, &mut self.previous);
        self.current.started_ms = self.now_ms;
        for entry in carried.drain(..) {
            self.current.carry(entry);
        }
        self.carried = carried;
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} of {} entries)", self.len(), self.capacity())
    }
}

#[cfg(test)]
mod tests;
