//! One table of the index: groups of sixteen one-byte tags, searched at once, beside a flat array of entries.
//!
//! Never allocates after `new`; the arrays come zeroed from the system, so memory is touched only as it fills.
//! A look-up that misses reads one line of tags; an insert reads that line and writes one entry.
//! Guards: three lanes in sixteen stay empty on average, so every search ends soon.

use super::Entry;
use core::hint::black_box;
use terms::SlotKey;

/// Tags in a group.
const GROUP: usize = 16;
/// Entries in a group on average when the table is full: above this, neighbours spill over too often.
const LOAD: usize = 13;
/// Groups an insert looks at. With uniform keys four is already rare; whoever makes keys collide fills these and is refused.
const NEAR: usize = 64;

/// A tag: 0 empty; 0x80 removed; else seven bits of the key (1..=127), with the high bit once nothing is open.
const EMPTY: u8 = 0;
const REMOVED: u8 = 0x80;
const QUIET: u8 = 0x80;

/// Sixteen tags, the first in the lowest byte.
type Tags = u128;

const EACH: Tags = Tags::MAX / 0xFF;
const LOW: Tags = EACH * 0x7F;
const HIGH: Tags = EACH * 0x80;

pub(super) struct Generation {
    tags: Vec<Tags>,
    entries: Vec<[u64; 4]>,
    capacity: usize,
    len: usize,
    open: usize,
    removed: usize,
    /// Wall clock of the first insert.
    pub(super) started_ms: i64,
}

/// Where an entry stands: group and lane.
#[derive(Clone, Copy)]
pub(super) struct Place(usize, usize);

impl Place {
    fn at(self) -> usize {
        self.0 * GROUP + self.1
    }
}

impl Generation {
    pub(super) fn new(capacity: usize) -> Self {
        let groups = capacity.div_ceil(LOAD).max(1);
        Self {
            // Integers, because only these are allocated zeroed instead of being written.
            tags: vec![0; groups],
            entries: vec![[0; 4]; groups * GROUP],
            capacity,
            len: 0,
            open: 0,
            removed: 0,
            started_ms: i64::MIN,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Above any load at which searches still end soon.
    pub(super) fn is_solid(&self) -> bool {
        self.len >= self.entries.len() / 16 * 15
    }

    pub(super) fn has_room(&self) -> bool {
        self.len + self.removed < self.capacity
    }

    /// `false` if there is no room, in the table or near the slot's place.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        self.has_room() && self.insert_within(entry, NEAR)
    }

    /// Takes over what must stay: finds a place however far away.
    pub(super) fn carry(&mut self, entry: Entry) {
        let placed = self.insert_within(entry, self.tags.len());
        assert!(placed, "what fitted one generation fits the next");
    }

    fn insert_within(&mut self, entry: Entry, groups: usize) -> bool {
        let mut near = self.search(entry.slot).take(groups);
        let free = near.find_map(|group| Some(Place(group, free_lane(self.tags[group])?)));
        let Some(place) = free else { return false };
        self.removed -= usize::from(self.tag(place) == REMOVED);
        self.len += 1;
        self.open += usize::from(entry.is_open());
        self.set_tag(place, tag_of(&entry));
        self.entries[place.at()] = entry.words();
        true
    }

    pub(super) fn find(&self, slot: SlotKey, pred: &impl Fn(&Entry) -> bool) -> Option<(Place, Entry)> {
        let wanted = everywhere(mark_of(slot));
        for group in self.search(slot) {
            let tags = self.tags[group];
            for lane in lanes(matches(tags, wanted)) {
                let words = self.entries[group * GROUP + lane];
                if words[0] != slot.0 {
                    continue;
                }
                let entry = Entry::of_words(words);
                if pred(&entry) {
                    return Some((Place(group, lane), entry));
                }
            }
            if has_empty(tags) {
                return None;
            }
        }
        None
    }

    /// Goes over all entries of the slot.
    pub(super) fn fold<T>(&self, slot: SlotKey, start: T, step: impl Fn(T, &Entry) -> T) -> T {
        let wanted = everywhere(mark_of(slot));
        let mut result = start;
        for group in self.search(slot) {
            let tags = self.tags[group];
            for lane in lanes(matches(tags, wanted)) {
                let words = self.entries[group * GROUP + lane];
                if words[0] == slot.0 {
                    result = step(result, &Entry::of_words(words));
                }
            }
            if has_empty(tags) {
                break;
            }
        }
        result
    }

    pub(super) fn change(&mut self, place: Place, mut entry: Entry, change: impl FnOnce(&mut Entry)) {
        let (slot, was_open) = (entry.slot, entry.is_open());
        change(&mut entry);
        assert!(entry.slot == slot, "an entry keeps its slot");
        self.open = self.open + usize::from(entry.is_open()) - usize::from(was_open);
        self.set_tag(place, tag_of(&entry));
        self.entries[place.at()] = entry.words();
    }

    pub(super) fn remove(&mut self, place: Place) {
        let entry = Entry::of_words(self.entries[place.at()]);
        self.len -= 1;
        self.open -= usize::from(entry.is_open());
        // A group that has an empty tag ends every search anyway; in a full one, searches went past this place.
        let ends_here = has_empty(self.tags[place.0]);
        self.removed += usize::from(!ends_here);
        self.set_tag(place, if ends_here { EMPTY } else { REMOVED });
    }

    pub(super) fn touch(&self, slot: SlotKey) {
        let group = self.home(slot);
        let lane = free_lane(self.tags[group]).unwrap_or(0);
        black_box(self.entries[group * GROUP + lane][0]);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.chunks_exact(GROUP).zip(&self.tags).flat_map(|(entries, tags)| {
            let used = |lane: &usize| !matches!(tag_at(*tags, *lane), EMPTY | REMOVED);
            (0..GROUP).filter(used).map(|lane| Entry::of_words(entries[lane]))
        })
    }

    /// Shows every entry that might have to stay. Reads the tags only, but for these.
    pub(super) fn drain_open(&self, mut show: impl FnMut(Entry)) {
        for (group, tags) in self.tags.iter().enumerate() {
            // A tag without the high bit that is not empty.
            for lane in lanes(((tags & LOW) + LOW) & !tags & HIGH) {
                show(Entry::of_words(self.entries[group * GROUP + lane]));
            }
        }
    }

    /// Forgets everything; tells how much that was.
    pub(super) fn clear(&mut self) -> usize {
        self.tags.fill(0);
        (self.open, self.removed) = (0, 0);
        core::mem::take(&mut self.len)
    }

    /// The groups in which an entry of that slot may be, nearest first.
    fn search(&self, slot: SlotKey) -> impl Iterator<Item = usize> + use<> {
        let (home, groups) = (self.home(slot), self.tags.len());
        (home..home + groups).map(move |group| if group < groups { group } else { group - groups })
    }

    /// Slots are uniform hashes: their upper bits choose the group, their lower ones the tag.
    fn home(&self, slot: SlotKey) -> usize {
        ((u128::from(slot.0) * self.tags.len() as u128) >> 64) as usize
    }

    fn tag(&self, place: Place) -> u8 {
        tag_at(self.tags[place.0], place.1)
    }

    fn set_tag(&mut self, Place(group, lane): Place, tag: u8) {
        let tags = &mut self.tags[group];
        *tags = *tags & !(0xFF << (8 * lane)) | Tags::from(tag) << (8 * lane);
    }
}

/// Seven bits of the key, never 0.
fn mark_of(slot: SlotKey) -> u8 {
    ((slot.0 & 0x7F) as u8).max(1)
}

fn tag_of(entry: &Entry) -> u8 {
    mark_of(entry.slot) | if entry.is_open() { 0 } else { QUIET }
}

fn tag_at(tags: Tags, lane: usize) -> u8 {
    (tags >> (8 * lane)) as u8
}

/// The mark in every lane.
fn everywhere(mark: u8) -> Tags {
    let half = u64::from(mark) * EACH as u64;
    Tags::from(half) << 64 | Tags::from(half)
}

/// High bit of each lane that, its own high bit aside, is the mark. Exact: no lane carries into the next.
fn matches(tags: Tags, wanted: Tags) -> Tags {
    !(((tags & LOW) ^ wanted) + LOW) & HIGH
}

fn has_empty(tags: Tags) -> bool {
    !(((tags & LOW) + LOW) | tags) & HIGH != 0
}

/// The first lane that is empty or was removed: both have no bits below the high one.
fn free_lane(tags: Tags) -> Option<usize> {
    lanes(!((tags & LOW) + LOW) & HIGH).next()
}

/// The lanes whose high bit is set.
fn lanes(mut bits: Tags) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lane = bits.trailing_zeros() as usize / 8;
        bits &= bits.wrapping_sub(1);
        (lane < GROUP).then_some(lane)
    })
}
