//! Where is the original? Keys of records to positions, for every segment of the journal.
//! Never guesses: "missing" means that every segment that could hold the key was looked through.
//! Guards: a segment is at every moment in memory, in its sidecar, or counted as unknown.
//!
//! The open segment's keys are kept as the committer writes them: appended to a short list, one lock per group. A full
//! list becomes a run that the keeper sorts and merges, so the committer never sorts and a look-up is a few binary
//! searches. A record may have several keys. When a segment closes, its runs become one sorted file (`sidecar`) and leave the memory: what is held is
//! 16 bytes per key of at most the open segment and those the keeper has not yet written.

mod memory;
mod sidecar;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::Lsn;
use crate::format::{BATCH_HEADER_BYTES, RawRecord, records};
use crate::options::{KeyOf, NamesOf};
use crate::place::Place;

use memory::SegmentKeys;
pub(crate) use sidecar::Sidecar;

/// A key and the position of the record that has it.
pub(crate) type Pair = (u64, u64);

/// Answer to "which records have this key?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// These, newest first. Keys are hashes: compare the record before believing it.
    Found(Vec<Lsn>),
    /// None, definitely.
    Missing,
    /// Some segment is not indexed yet or its index cannot be read, or no keys are kept at all.
    Unknown,
}

/// Keys of all segments.
pub(crate) struct KeyIndex {
    keys: Option<Keys>,
    open: Mutex<Open>,
    sidecars: RwLock<BTreeMap<u32, Arc<Sidecar>>>,
}

/// How records are keyed.
#[derive(Clone, Copy)]
struct Keys {
    key: KeyOf,
    names: Option<NamesOf>,
}

struct Open {
    segments: BTreeMap<u32, SegmentKeys>,
    /// Those whose front is missing.
    partial: BTreeSet<u32>,
    first: u32,
    last: u32,
}

impl KeyIndex {
    /// An index of the segments from `first` on, none of them known yet.
    pub(crate) fn new(key: Option<KeyOf>, names: Option<NamesOf>, first: u32) -> Self {
        let open =
            Mutex::new(Open { segments: BTreeMap::new(), partial: BTreeSet::new(), first, last: first });
        let keys = key.map(|key| Keys { key, names });
        Self { keys, open, sidecars: RwLock::new(BTreeMap::new()) }
    }

    /// Whether keys are kept at all.
    pub(crate) fn is_kept(&self) -> bool {
        self.keys.is_some()
    }

    /// Says that keys of `segment` will come through [`KeyIndex::add`]: every one if `from_start`, else those behind some
    /// record, and the others at once through [`KeyIndex::complete`]. Until then the segment is as good as unknown.
    pub(crate) fn begin(&self, segment: u32, from_start: bool) {
        let mut open = self.lock();
        open.last = open.last.max(segment);
        if self.is_kept() && !open.segments.contains_key(&segment) {
            open.segments.insert(segment, SegmentKeys::default());
            open.partial.extend((!from_start).then_some(segment));
        }
    }

    /// Takes the keys that were missing in the front of `segment`.
    pub(crate) fn complete(&self, segment: u32, pairs: Vec<Pair>) {
        let mut open = self.lock();
        if let Some(keys) = open.segments.get_mut(&segment) {
            keys.extend(pairs.into_iter());
        }
        open.partial.remove(&segment);
    }

    /// Says that the journal reaches up to `segment` although its keys are not in memory.
    pub(crate) fn reach(&self, segment: u32) {
        let mut open = self.lock();
        open.last = open.last.max(segment);
    }

    /// Takes the keys of one batch of `segment`; `batch` is the position of its header. Says whether the keeper has
    /// something to sort.
    pub(crate) fn add(&self, segment: u32, batch: Lsn, body: &[u8]) -> bool {
        let Some(keys) = self.keys else { return false };
        let mut open = self.lock();
        open.segments.get_mut(&segment).is_some_and(|known| known.extend(pairs(keys, batch, body)))
    }

    /// Pushes the keys of one batch onto `out`.
    pub(crate) fn collect(&self, batch: Lsn, body: &[u8], out: &mut Vec<Pair>) {
        out.extend(self.keys.into_iter().flat_map(|keys| pairs(keys, batch, body)));
    }

    /// Sorts and merges runs of `segment`. Called by the keeper only.
    pub(crate) fn tidy(&self, segment: u32) {
        loop {
            let Some(runs) = self.lock().segments.get(&segment).and_then(SegmentKeys::untidy) else { return };
            let merged = memory::merge(&runs);
            if let Some(keys) = self.lock().segments.get_mut(&segment) {
                keys.replace(&runs, merged);
            }
        }
    }

    /// All pairs of a closed segment, in no order, if they are in memory.
    pub(crate) fn pairs_of(&self, segment: u32) -> Option<Vec<Pair>> {
        let open = self.lock();
        let keys = open.segments.get(&segment).filter(|_| !open.partial.contains(&segment));
        Some(keys?.pairs())
    }

    /// Puts a sidecar in the place of the segment's keys in memory.
    pub(crate) fn adopt(&self, segment: u32, sidecar: Sidecar) {
        self.sidecars.write().unwrap_or_else(PoisonError::into_inner).insert(segment, Arc::new(sidecar));
        // Only now: a look-up that came through memory before must find the sidecar.
        let mut open = self.lock();
        open.segments.remove(&segment);
        open.partial.remove(&segment);
    }

    /// Forgets a segment that was removed; it was the first.
    pub(crate) fn retire(&self, segment: u32) {
        let mut open = self.lock();
        open.first = open.first.max(segment + 1);
        drop(open);
        self.sidecars.write().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }

    /// Whether the segment has its sidecar.
    pub(crate) fn is_on_disk(&self, segment: u32) -> bool {
        self.sidecars.read().unwrap_or_else(PoisonError::into_inner).contains_key(&segment)
    }

    /// All positions of `key`, newest first.
    pub(crate) fn find(&self, key: u64) -> Find {
        if !self.is_kept() {
            return Find::Unknown;
        }
        let mut found = Vec::new();
        let open = self.lock();
        if !open.partial.is_empty() {
            return Find::Unknown;
        }
        open.segments.values().for_each(|keys| keys.find(key, &mut found));
        let closed: Vec<u32> =
            (open.first..=open.last).filter(|segment| !open.segments.contains_key(segment)).collect();
        drop(open);
        let sidecars = self.sidecars.read().unwrap_or_else(PoisonError::into_inner).clone();
        for segment in closed {
            let looked = sidecars.get(&segment).map(|sidecar| sidecar.find(key, &mut found));
            if !matches!(looked, Some(Ok(()))) {
                return Find::Unknown;
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        if found.is_empty() { Find::Missing } else { Find::Found(found.into_iter().map(Lsn).collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pairs(keys: Keys, batch: Lsn, body: &[u8]) -> impl Iterator<Item = Pair> + '_ {
    let base = batch.0 + BATCH_HEADER_BYTES as u64;
    let keyed = move |record: RawRecord<'_>| {
        let key = (keys.key)(record.kind, record.payload);
        let [one, other] = keys.names.map_or([None; 2], |names| names(record.kind, record.payload));
        let place = base + u64::from(record.offset);
        [key, one, other].into_iter().flatten().map(move |key| (key, place))
    };
    records(body).filter_map(Result::ok).flat_map(keyed)
}

/// Opens the sidecars that are usable; the others are made again.
pub(crate) fn load(place: &Place, index: &KeyIndex, segments: &[u32]) {
    for segment in segments {
        if let Ok(sidecar) = Sidecar::open(place, *segment) {
            index.adopt(*segment, sidecar);
        }
    }
}
