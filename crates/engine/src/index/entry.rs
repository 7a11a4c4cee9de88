//! One remembered transaction: 32 bytes.
//! Never holds a card or a text; guards: the size, and what must not be dropped.

use crate::State;
use journal::Lsn;
use terms::{Check, OriginalRef, Request, SlotKey};

/// What the index remembers of one transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it lives.
    pub slot: SlotKey,
    /// Position of its latest record that says its state; while [`Entry::LIVE`] is set, its position in the slab.
    pub lsn: u64,
    /// The same request again has the same.
    pub repeat: Check,
    /// How a DE 90 names it.
    pub alias: Check,
    /// Compared with the content of a repeat; of a tombstone the minute at which it expires ([`Entry::minute`]).
    pub content: Check,
    /// Where it stands.
    pub state: State,
    /// MTI class digit; 0 if a reference did not say.
    pub class: u8,
    /// [`Entry::LIVE`], and in the upper twelve bits the owner's tag.
    pub flags: u16,
}

const _: () = assert!(size_of::<Entry>() == 32, "the design allows 32 bytes an entry");

impl Entry {
    /// It is in the slab, at position `lsn`.
    pub const LIVE: u16 = 1;

    /// A tombstone stays this long.
    pub const TOMBSTONE_MS: i64 = 24 * 3_600_000;

    const OWNER_SHIFT: u32 = 4;

    /// A request that is admitted now and takes slab position `index`.
    pub fn live(request: &Request, index: u32) -> Self {
        Self::live_of(request, request.owner(), index)
    }

    /// As [`Entry::live`], for a caller who has computed [`Request::owner`] already.
    pub fn live_of(request: &Request, owner: u64, index: u32) -> Self {
        let mut entry = Self::owned(request, owner, State::Intent, Lsn(u64::from(index)));
        entry.flags |= Self::LIVE;
        entry
    }

    /// A request whose latest record stands at `lsn`.
    pub fn settled(request: &Request, state: State, lsn: Lsn) -> Self {
        Self::owned(request, request.owner(), state, lsn)
    }

    fn owned(request: &Request, owner: u64, state: State, lsn: Lsn) -> Self {
        Self {
            slot: request.slot,
            lsn: lsn.0,
            repeat: request.repeat,
            alias: request.alias,
            content: request.content(),
            state,
            class: request.mti.class_digit(),
            flags: owner_tag(owner) << Self::OWNER_SHIFT,
        }
    }

    /// A reversal of `original` came before it; stays until 24 hours after `now_ms`.
    pub fn tombstone(original: &OriginalRef, owner: u64, lsn: Lsn, now_ms: i64) -> Self {
        Self {
            slot: original.slot,
            lsn: lsn.0,
            repeat: original.repeat,
            alias: original.alias,
            content: Check(Self::minute(now_ms.saturating_add(Self::TOMBSTONE_MS))),
            state: State::Tombstone,
            class: original.class,
            flags: owner_tag(owner) << Self::OWNER_SHIFT,
        }
    }

    /// Whether it is in the slab.
    pub const fn is_live(&self) -> bool {
        self.flags & Self::LIVE != 0
    }

    /// Its position in the slab, while it is there.
    pub fn slab(&self) -> Option<u32> {
        self.is_live().then_some(self.lsn as u32)
    }

    /// Position of its latest record, once it has left the slab.
    pub fn record(&self) -> Option<Lsn> {
        (!self.is_live()).then_some(Lsn(self.lsn))
    }

    /// It left the slab: from now on its record at `lsn` tells the rest.
    pub fn settle(&mut self, state: State, lsn: Lsn) {
        (self.state, self.lsn) = (state, lsn.0);
        self.flags &= !Self::LIVE;
    }

    /// Upper twelve bits of the owner's hash: see [`shard_of`].
    pub const fn owner(&self) -> u16 {
        self.flags >> Self::OWNER_SHIFT
    }

    /// Whether `request` is this one again. A tombstone that was set by a reference without a repeat check is compared by
    /// what the reference did say.
    pub fn is_repeated_by(&self, request: &Request) -> bool {
        if self.repeat != Check::ANY || self.state != State::Tombstone {
            return self.repeat == request.repeat;
        }
        self.alias.agrees(request.alias) && same_class(self.class, request.mti.class_digit())
    }

    /// Whether `original` means this one.
    pub fn is_meant_by(&self, original: &OriginalRef) -> bool {
        self.slot == original.slot
            && self.repeat.agrees(original.repeat)
            && self.alias.agrees(original.alias)
            && same_class(self.class, original.class)
    }

    /// Grows with the time of the latest record; what is in the slab is newer than any record.
    pub(super) fn age(&self) -> (bool, u64) {
        (self.is_live(), self.lsn)
    }

    /// Might have to stay when its generation goes.
    pub(super) fn is_open(&self) -> bool {
        self.is_live() || self.state.is_open() || self.state == State::Tombstone
    }

    /// Has to stay when its generation goes at that minute.
    pub(super) fn must_stay(&self, minute: u32) -> bool {
        self.is_live() || self.state.is_open() || (self.state == State::Tombstone && self.content.0 > minute)
    }

    /// Minutes since 1970, as a tombstone's expiry counts them.
    pub fn minute(wall_ms: i64) -> u32 {
        u32::try_from(wall_ms / 60_000).unwrap_or(0)
    }

    pub(super) fn words(&self) -> [u64; 4] {
        let tail = u64::from(self.content.0)
            | u64::from(self.state.number()) << 32
            | u64::from(self.class) << 40
            | u64::from(self.flags) << 48;
        [self.slot.0, self.lsn, u64::from(self.repeat.0) | u64::from(self.alias.0) << 32, tail]
    }

    pub(super) fn of_words([slot, lsn, checks, tail]: [u64; 4]) -> Self {
        Self {
            slot: SlotKey(slot),
            lsn,
            repeat: Check(checks as u32),
            alias: Check((checks >> 32) as u32),
            content: Check(tail as u32),
            state: State::from_number((tail >> 32) as u8).expect("only entries are stored"),
            class: (tail >> 40) as u8,
            flags: (tail >> 48) as u16,
        }
    }

    /// The 32 bytes of a snapshot.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(8).zip(self.words()) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads them; `None` if the state is none.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut words = [0; 4];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(place.try_into().ok()?);
        }
        State::from_number((words[3] >> 32) as u8)?;
        Some(Self::of_words(words))
    }
}

fn same_class(one: u8, other: u8) -> bool {
    one == other || one == 0 || other == 0
}

/// Upper twelve bits of `Request::owner()`: what the index keeps of it.
pub const fn owner_tag(owner: u64) -> u16 {
    (owner >> 52) as u16
}

/// The shard that owns a transaction, of `shards` (1..=64): a function of the owner's tag alone, so that a restart with
/// another number of shards can deal remembered transactions out anew. Everybody who picks a worker must use this.
pub const fn shard_of(owner: u64, shards: usize) -> usize {
    shard_of_tag(owner_tag(owner), shards)
}

/// As [`shard_of`], from the tag.
pub const fn shard_of_tag(tag: u16, shards: usize) -> usize {
    (tag as usize * shards) >> 12
}
