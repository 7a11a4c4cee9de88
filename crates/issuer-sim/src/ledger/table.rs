//! Keys to places, 8 bytes a slot, in 1,024 small tables that grow one at a time.
//! Never pauses for long: a table of millions that grows at once would show up as latency in a load test.
//! Guards: a key leads to the newest place written under it; likeness of 32 bits is confirmed by the caller.

/// Open addressing with linear probing; places are stored plus one, 0 is empty. Nothing is ever removed.
#[derive(Debug)]
pub(super) struct Table {
    parts: Vec<Part>,
}

#[derive(Debug, Default)]
struct Part {
    slots: Vec<(u32, u32)>,
    used: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect() }
    }

    /// The place under `key` that `fits`.
    pub(super) fn find(&self, key: u64, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let part = &self.parts[key as usize % PARTS];
        part.probe(tag(key), fits).and_then(|slot| part.slots[slot].1.checked_sub(1))
    }

    /// Puts `place` under `key`, instead of the one there that `fits`.
    pub(super) fn insert(&mut self, key: u64, place: u32, fits: impl Fn(u32) -> bool) {
        let part = &mut self.parts[key as usize % PARTS];
        if part.used * 4 >= part.slots.len() * 3 {
            part.grow();
        }
        if let Some(slot) = part.probe(tag(key), fits) {
            part.used += usize::from(part.slots[slot].1 == 0);
            part.slots[slot] = (tag(key), place + 1);
        }
    }
}

impl Part {
    /// The slot that holds `tag` with a place that fits, else the empty one where it would go. `None` without slots.
    fn probe(&self, tag: u32, fits: impl Fn(u32) -> bool) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = tag as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return Some(slot),
                (found, place) if found == tag && fits(place - 1) => return Some(slot),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for (tag, place) in old.into_iter().filter(|(_, place)| *place != 0) {
            if let Some(slot) = self.probe(tag, |_| false) {
                self.slots[slot] = (tag, place);
            }
        }
    }
}

/// The half of the key that does not choose the part.
const fn tag(key: u64) -> u32 {
    (key >> 32) as u32
}

const PARTS: usize = 1024;
