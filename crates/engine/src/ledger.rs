//! Everything a restart needs, rebuilt from records alone: duplicates, what ceilings have counted, open INTENTs, owed
//! reversals, tombstones, business days.
//!
//! Never reads the disk, a clock or the configuration; never fails on a payload (what it cannot read it counts).
//! Guards: a record applied twice counts once; checkpoint and tail give what a full replay gives (`tests/ledger.rs`).

mod cells;
mod image;
mod parts;

pub use parts::{Missing, OpenIntent, Owed, Parts, Resolving, ShardState, Shelved, Spent, StandingTombstone};

use crate::flow::Batches;
use crate::index::{Entry, Index};
use crate::record::{
    self, Ack, Batch, BatchWhat, Damaged, Day, Intent, Late, Linked, Obligation, Outcome, Parked, Part,
    Record, Serial, Tombstone, Unsettled,
};
use crate::{State, Verdict};
use cells::Cells;
use core::hash::{BuildHasherDefault, Hasher};
use journal::{Kind, Lsn, Projection};
use std::collections::{HashMap, VecDeque};
use std::io;
use terms::{BusinessDay, Rrn};

/// How much a [`Ledger`] remembers.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// Entries of the duplicate index, over all shards.
    pub index_entries: usize,
    /// How long a settled transaction is remembered at least.
    pub index_window_ms: i64,
}

pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixed>>;

/// The projection. Feed it every record in log order.
pub struct Ledger {
    options: LedgerOptions,
    applied: Lsn,
    wall_ms: i64,
    index: Index,
    cells: Cells,
    open: Map<Serial, OpenIntent>,
    owed: Map<Serial, Box<Owed>>,
    resolving: Map<Serial, Resolving>,
    tombstones: VecDeque<StandingTombstone>,
    days: Map<u32, BusinessDay>,
    rrn_counters: [u64; 64],
    batches: Batches,
    unreadable: Option<(Lsn, Damaged)>,
}

impl Ledger {
    /// Nothing happened yet.
    pub fn new(options: LedgerOptions) -> Self {
        Self {
            options,
            applied: Lsn::NONE,
            wall_ms: 0,
            index: Index::new(options.index_entries, options.index_window_ms),
            cells: Cells::default(),
            open: Map::default(),
            owed: Map::default(),
            resolving: Map::default(),
            tombstones: VecDeque::new(),
            days: Map::default(),
            rrn_counters: [0; 64],
            batches: Batches::default(),
            unreadable: None,
        }
    }

    /// Position of the last record taken in.
    pub fn applied(&self) -> Lsn {
        self.applied
    }

    /// The first record whose payload could not be read: another version's, or damage under a right checksum. A switch
    /// must not start from a ledger that has one.
    pub fn unreadable(&self) -> Option<(Lsn, Damaged)> {
        self.unreadable
    }

    /// Current business day of a calendar (by `stable_id` of its name), as journaled.
    pub fn day(&self, calendar: u32) -> Option<BusinessDay> {
        self.days.get(&calendar).copied()
    }

    /// INTENTs without an outcome.
    pub fn open_intents(&self) -> impl Iterator<Item = &OpenIntent> {
        self.open.values()
    }

    /// Owed reversals.
    pub fn owed(&self) -> impl Iterator<Item = &Owed> {
        self.owed.values().map(Box::as_ref)
    }

    /// Originals still looked for.
    pub fn resolving(&self) -> impl Iterator<Item = &Resolving> {
        self.resolving.values()
    }

    /// Tombstones that have not expired, oldest first.
    pub fn tombstones(&self) -> impl Iterator<Item = &StandingTombstone> {
        self.tombstones.iter()
    }

    /// The duplicate index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What each counter has: in no order.
    pub fn spent(&self) -> impl Iterator<Item = Spent> + '_ {
        self.cells.iter()
    }

    fn take(&mut self, kind: Kind, payload: &[u8], lsn: Lsn) -> Result<(), Damaged> {
        match kind {
            record::INTENT => self.intent(<Intent as Record>::read(payload)?, lsn),
            record::OUTCOME => self.outcome(&Outcome::read(payload)?, lsn),
            record::OBLIGATION => self.obligation(&Obligation::read(payload)?, lsn),
            record::ACK => self.ack(&Ack::read(payload)?, lsn),
            record::TOMBSTONE => self.tombstone(Tombstone::read(payload)?, lsn),
            record::LATE => self.late(&Late::read(payload)?),
            record::PARKED => self.parked(&Parked::read(payload)?, lsn),
            record::LINKED => self.linked(&Linked::read(payload)?, lsn),
            record::BATCH => self.batch(&Batch::read(payload)?),
            record::DAY => self.new_day(&Day::read(payload)?),
            // These change nothing that a restart needs: an undelivered approval counts as delivered after one.
            _ => {}
        }
        Ok(())
    }

    fn intent(&mut self, intent: Intent, lsn: Lsn) {
        self.now(intent.wall_ms);
        intent.held().for_each(|charge| self.cells.add(charge));
        if let Some(counter) = rrn_counter(intent.rrn) {
            self.rrn_counters[usize::from(intent.serial.shard())] = counter;
        }
        self.remember(Entry::settled(&intent.request, State::Intent, lsn));
        self.batches.begin(&intent.request, intent.request.owner());
        self.open.insert(intent.serial, OpenIntent { lsn, intent });
    }

    fn outcome(&mut self, outcome: &Outcome, lsn: Lsn) {
        self.now(outcome.wall_ms);
        self.index.update(outcome.slot, outcome.repeat, |entry| entry.settle(outcome.state, lsn));
        let Some(open) = self.open.remove(&outcome.serial) else { return };
        if matches!(outcome.state, State::Approved | State::StipApproved) {
            let mut request = open.intent.request;
            request.amount = outcome.approved_amount.unwrap_or(request.amount);
            self.batches.count(&request, open.intent.foreign, false);
        }
        match outcome.state {
            State::Declined => open.intent.held().for_each(|charge| self.cells.give_back(charge)),
            State::Reversing => self.owe(Owed::by_outcome(outcome, &open, lsn)),
            State::StipApproved => {
                self.stand_in(&open.intent);
                self.owe(Owed::by_outcome(outcome, &open, lsn));
            }
            State::Approved if open.intent.request.kind.posts_on_approval() => {
                open.intent.charges().for_each(|charge| self.cells.add(charge));
            }
            State::Approved => {
                let before = open.intent.request.amount;
                if let Some(part) = outcome.approved_amount.map(|stays| Part { before, stays }) {
                    open.intent.charges().for_each(|charge| self.cells.reduce(part.gives_back(charge)));
                }
            }
            _ => {}
        }
    }

    /// What is posted with the approval, and what stand-in itself may spend: that is not given back on any day.
    fn stand_in(&mut self, intent: &Intent) {
        match intent.request.kind {
            kind if kind.posts_on_approval() => intent.charges().for_each(|charge| self.cells.add(charge)),
            kind if kind.is_advice() => {}
            _ => self.cells.add(intent.stand_in()),
        }
    }

    fn obligation(&mut self, obligation: &Obligation, lsn: Lsn) {
        self.now(obligation.wall_ms);
        if let Some(resolving) = Resolving::of(obligation, lsn) {
            self.resolving.insert(resolving.serial, resolving);
        }
        let Unsettled::Reverse { resolves, part, request_only, .. } = obligation.owed else { return };
        let state = match part {
            Some(_) => State::Approved,
            None if request_only => State::StipApproved,
            None => State::Reversing,
        };
        let settle = |entry: &mut Entry| entry.settle(state, lsn);
        self.index.update(obligation.slot, obligation.repeat, settle);
        self.resolving.remove(&resolves);
        if let Some(owed) = Owed::by_obligation(obligation, self.open.remove(&obligation.serial), lsn) {
            self.owe(owed);
        }
    }

    /// One reversal per transaction: a second reason to reverse it adds what was seen and held to the first.
    fn owe(&mut self, mut owed: Owed) {
        if let Some(earlier) = self.owed.remove(&owed.serial) {
            owed.approval_seen |= earlier.approval_seen;
            if owed.charges.is_empty() {
                owed.charges = earlier.charges;
            }
        }
        self.owed.insert(owed.serial, Box::new(owed));
    }

    fn ack(&mut self, ack: &Ack, lsn: Lsn) {
        self.now(ack.wall_ms);
        self.index.update(ack.slot, ack.repeat, |entry| entry.settle(ack.state, lsn));
        let Some(mut owed) = self.owed.remove(&ack.serial) else { return };
        if ack.state == State::StipApproved {
            (owed.lsn, owed.undo, owed.approval_seen) = (lsn, false, false);
            owed.quarantined = false;
            self.owed.insert(ack.serial, owed);
            return;
        }
        match (ack.state, owed.part) {
            (State::Reversed, _) => owed.charges.iter().for_each(|charge| self.cells.give_back(*charge)),
            (_, Some(part)) => {
                owed.charges.iter().for_each(|charge| self.cells.reduce(part.gives_back(*charge)));
            }
            _ => {}
        }
    }

    fn tombstone(&mut self, tombstone: Tombstone, lsn: Lsn) {
        self.now(tombstone.wall_ms);
        self.resolving.remove(&tombstone.serial);
        let expired = self.wall_ms - Entry::TOMBSTONE_MS;
        while self.tombstones.len() >= TOMBSTONES_MAX
            || self.tombstones.front().is_some_and(|oldest| oldest.tombstone.wall_ms <= expired)
        {
            self.tombstones.pop_front();
        }
        self.tombstones.push_back(StandingTombstone { lsn, tombstone });
        let Tombstone { original, owner, wall_ms, .. } = tombstone;
        self.remember(Entry::tombstone(&original, owner, lsn, wall_ms));
    }

    fn late(&mut self, late: &Late) {
        self.now(late.wall_ms);
        if let Some(owed) = self.owed.get_mut(&late.serial) {
            owed.approval_seen |= late.verdict == Verdict::Approves;
        }
    }

    fn parked(&mut self, parked: &Parked, lsn: Lsn) {
        self.now(parked.wall_ms);
        if !parked.advice {
            self.index.update(parked.slot, parked.repeat, |entry| entry.settle(State::Quarantined, lsn));
        }
        if let Some(owed) = self.owed.get_mut(&parked.serial) {
            owed.quarantined = true;
        }
    }

    fn linked(&mut self, linked: &Linked, lsn: Lsn) {
        self.now(linked.wall_ms);
        let approved = |entry: &Entry| entry.repeat == linked.repeat && entry.state == State::Approved;
        self.index.update_where(linked.slot, approved, |entry| entry.settle(State::Approved, lsn));
        linked.charges.iter().for_each(|charge| match linked.taken_back {
            true => self.cells.add(charge),
            false => self.cells.give_back(charge),
        });
    }

    fn batch(&mut self, batch: &Batch) {
        self.now(batch.wall_ms);
        if let BatchWhat::Withdrawn { foreign, side, amount, .. } = batch.what {
            self.batches.add((batch.owner, batch.batch), foreign, side, amount, true);
        }
    }

    fn new_day(&mut self, day: &Day) {
        self.now(day.wall_ms);
        self.days.insert(day.calendar, day.day);
        self.cells.forget_before(BusinessDay(day.day.0.saturating_sub(DAYS_KEPT)));
    }

    fn now(&mut self, wall_ms: i64) {
        self.wall_ms = self.wall_ms.max(wall_ms);
        self.index.advance(self.wall_ms);
    }

    /// An index too small for what is open cannot keep its promise: say so instead of failing a replay.
    fn remember(&mut self, entry: Entry) {
        if self.index.insert(entry).is_err() {
            self.index.admit_gap(self.wall_ms.saturating_add(1));
        }
    }
}

impl Projection for Ledger {
    fn apply(&mut self, kind: Kind, payload: &[u8], lsn: Lsn) {
        // Positions only grow, so what was taken in already is told by its position.
        if lsn <= self.applied {
            return;
        }
        self.applied = lsn;
        if let Err(damaged) = self.take(kind, payload, lsn) {
            self.unreadable.get_or_insert((lsn, damaged));
        }
    }

    fn snapshot(&self, out: &mut dyn io::Write) -> io::Result<()> {
        // A checkpoint would hide what could not be read from the next start.
        match self.unreadable {
            None => image::write(self, out),
            Some((_, damaged)) => Err(io::Error::new(io::ErrorKind::InvalidData, damaged)),
        }
    }

    fn restore(&mut self, input: &mut dyn io::Read) -> io::Result<()> {
        *self = Self::new(self.options);
        *self = image::read(self.options, input)?;
        Ok(())
    }

    fn oldest_needed(&self) -> Lsn {
        let open = self.open.values().map(|open| open.lsn);
        let owed = self.owed.values().map(|owed| owed.intent_lsn);
        open.chain(owed).min().unwrap_or(Lsn::NONE)
    }
}

/// Tombstones that a restart hands over at most, over all shards: the oldest go first.
const TOMBSTONES_MAX: usize = 1 << 20;

/// Calendars lie within two days of each other; a counter that much older can neither be charged nor given back.
const DAYS_KEPT: u16 = 3;

/// The counter inside one of our RRNs; `None` if it is not one of ours.
fn rrn_counter(rrn: Rrn) -> Option<u64> {
    let digits = core::str::from_utf8(&rrn.as_bytes()[3..]).ok()?;
    Some(u64::from_str_radix(digits, 36).ok()? / 1_000_000)
}

/// Hash for keys that are counters or uniform already.
#[derive(Default, Clone, Copy)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        // Odd multiplier (the golden ratio's fraction), upper half folded into the lower: both ends are used by the map.
        let product = u128::from(self.0 ^ value) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}
