//! All counters of the process, shared by its workers.
//!
//! Never blocks beyond a map shard's guard that is dropped in the statement that took it; never grows past its capacity.
//! Guards: a reservation of several counters is all or nothing; a refusal leaves them as they were.
//!
//! A cell is only ever touched while its shard's guard is held, so a sweep, which holds the shard for writing, never takes
//! a cell from under a reservation.

use crate::slab::Slab;
use crate::{Ceilings, Cell, Charge, Demand, Exceeded, Held, LimitKey, Over, Which};
use core::hash::{BuildHasher, Hash, Hasher};
use dashmap::DashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use terms::{BusinessDay, Minor};

/// The capacity is reached and the holder has no counter yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no room for one more counter")]
pub struct Full;

/// What a forced post met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forced {
    /// Added, all ceilings hold.
    Within,
    /// Added, and a ceiling is passed: to be counted.
    Over,
    /// One of the counters did not exist and there is no room for it; the others were added to.
    Full,
}

/// Every counter by its key. A holder costs 16 bytes for its cell and 24 to 48 for its map entry (21 at the map's fill,
/// which is between 7/16 and 7/8).
#[derive(Debug)]
pub struct Store {
    map: DashMap<Packed, u32, AsIs>,
    slab: Slab,
    /// Releases that found their counter at a later day.
    stranded: AtomicU64,
}

impl Store {
    /// Room for `capacity` holders (at most 2^32 - 1), grown into as they come.
    pub fn new(capacity: usize) -> Self {
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        // A shard that grows moves its entries while others wait for it: keep it at a few thousand.
        let shards = (capacity / 4096).clamp(16, 1024).next_power_of_two() as usize;
        let map = DashMap::with_capacity_and_hasher_and_shard_amount(0, AsIs, shards);
        Self { map, slab: Slab::new(capacity), stranded: AtomicU64::new(0) }
    }

    /// Holds every demand, or none: at the first refusal those already held are given back in reverse.
    ///
    /// A refusal may count what a neighbour is about to give back, so that under contention one may be refused that a
    /// moment later would have fitted; the ceiling is never passed.
    /// # Errors
    /// [`Exceeded`] with the first scope and ceiling in order of the demands, single amounts first.
    pub fn reserve(&self, demands: &[Demand]) -> Result<(), Exceeded> {
        demands.iter().try_for_each(Demand::check)?;
        self.hold_all(demands)
    }

    /// Gives back what was reserved. A charge whose day is not its counter's is left: the day is over, or it was charged
    /// to a later one. The caller answers for calling this once per reservation.
    pub fn release(&self, charges: &[Charge]) {
        for charge in charges {
            let later = self.with(charge.key, |cell| cell.release(charge.day, charge.amount));
            if later == Some(true) {
                self.stranded.fetch_add(1, Relaxed);
            }
        }
    }

    /// Releases that found their counter at a later day, where a straggler's charge stays: by so much at most a counter
    /// may be above what a replay makes of it.
    pub fn stranded(&self) -> u64 {
        self.stranded.load(Relaxed)
    }

    /// Gives back shares: less was approved than reserved, or a part was reversed. The transactions stay counted.
    pub fn reduce(&self, shares: impl IntoIterator<Item = Charge>) {
        for share in shares {
            self.with(share.key, |cell| cell.reduce(share.day, share.amount));
        }
    }

    /// Adds without asking: advices, offline sales, the reversal of a void. A straggler is charged to the later day.
    pub fn force(&self, demands: &[Demand]) -> Forced {
        let mut met = Forced::Within;
        for demand in demands {
            let after = self.with_or_make(demand.key, |cell| cell.force(demand.day, demand.amount, 1));
            met = match (after, met) {
                (Err(Full), _) | (_, Forced::Full) => Forced::Full,
                (Ok((spent, count)), _) if passes(demand, spent, count) => Forced::Over,
                (Ok(_), met) => met,
            };
        }
        met
    }

    /// Spent (minor units) and counted on `day`; zero where the counter is at another day or does not exist.
    pub fn spent(&self, key: LimitKey, day: BusinessDay) -> (Minor, u32) {
        match self.with(key, Cell::read) {
            Some((at, spent, count)) if at == day => (spent, count),
            _ => (0, 0),
        }
    }

    /// Adds what a checkpoint or a replayed record says was charged on `day`, by the same rule for days as a reservation.
    /// # Errors
    /// [`Full`]: the capacity is smaller than the one of the process that wrote it.
    pub fn restore(&self, key: LimitKey, day: BusinessDay, amount: Minor, count: u32) -> Result<(), Full> {
        self.with_or_make(key, |cell| cell.force(day, amount, count)).map(|_| ())
    }

    /// Shows every counter that ever held something: key, day, spent, counted. In no order; a picture of each counter, not of all at one moment.
    /// `show` runs under a shard's guard: it must be quick and must not call this store.
    pub fn for_each(&self, mut show: impl FnMut(LimitKey, BusinessDay, Minor, u32)) {
        for entry in &self.map {
            let (day, spent, count) = self.slab.cell(*entry.value()).read();
            if day != BusinessDay::NEVER {
                show(entry.key().key(), day, spent, count);
            }
        }
    }

    /// Forgets the counters whose day is before `oldest` and returns how many: the way back from [`Full`]. A transaction
    /// of a day before `oldest` would count from zero, so `oldest` is a day for which none can come any more.
    /// Off the hot path: it holds each shard in turn.
    pub fn sweep(&self, oldest: BusinessDay) -> usize {
        let mut swept = 0;
        self.map.retain(|_, number| {
            let keep = self.slab.cell(*number).read().0 >= oldest;
            if !keep {
                self.slab.give(*number);
                swept += 1;
            }
            keep
        });
        swept
    }

    /// How many holders have a counter.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no holder has one.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Recursion instead of a list of what is held: no allocation, no bound on the demands, undone in reverse by itself.
    fn hold_all(&self, demands: &[Demand]) -> Result<(), Exceeded> {
        let Some((first, rest)) = demands.split_first() else { return Ok(()) };
        let held = self.hold(first)?;
        self.hold_all(rest).inspect_err(|_| {
            self.with(first.key, |cell| cell.undo(held, first.amount));
        })
    }

    fn hold(&self, demand: &Demand) -> Result<Held, Exceeded> {
        let Ceilings { daily, count, .. } = demand.ceilings;
        let which =
            match self.with_or_make(demand.key, |cell| cell.hold(demand.day, demand.amount, daily, count)) {
                Ok(Ok(held)) => return Ok(held),
                Ok(Err(Over::Amount)) => Which::DailyAmount,
                Ok(Err(Over::Count)) => Which::DailyCount,
                Err(Full) => Which::Full,
            };
        Err(Exceeded { scope: demand.scope, which })
    }

    fn with<T>(&self, key: LimitKey, touch: impl FnOnce(&Cell) -> T) -> Option<T> {
        self.map.get(&Packed::of(key)).map(|number| touch(self.slab.cell(*number)))
    }

    fn with_or_make<T>(&self, key: LimitKey, touch: impl Fn(&Cell) -> T) -> Result<T, Full> {
        if let Some(done) = self.with(key, &touch) {
            return Ok(done);
        }
        let made = self.map.entry(Packed::of(key)).or_try_insert_with(|| self.slab.take().ok_or(Full));
        made.map(|number| touch(self.slab.cell(*number)))
    }
}

fn passes(demand: &Demand, spent: Minor, count: u32) -> bool {
    let Ceilings { single, daily, count: times, .. } = demand.ceilings;
    single.is_some_and(|ceiling| demand.amount > ceiling)
        || daily.is_some_and(|ceiling| spent > ceiling)
        || times.is_some_and(|ceiling| count > ceiling)
}

/// A key as bytes: without the alignment of `u128` a map entry is 20 bytes instead of 32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Packed([u8; 16]);

impl Packed {
    fn of(key: LimitKey) -> Self {
        Self(key.0.to_le_bytes())
    }

    fn key(self) -> LimitKey {
        LimitKey(u128::from_le_bytes(self.0))
    }
}

impl Hash for Packed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.key().bits());
    }
}

/// Keys are uniform already: their bits are the hash.
#[derive(Clone, Copy, Default, Debug)]
struct AsIs;

impl BuildHasher for AsIs {
    type Hasher = Bits;

    fn build_hasher(&self) -> Bits {
        Bits(0)
    }
}

#[derive(Debug)]
struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not reached by `Packed`; right for any other key all the same.
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
