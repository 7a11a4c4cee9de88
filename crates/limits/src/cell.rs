//! One counter: what was spent and how often on one business day, in two words.
//!
//! Never blocks, never reads a clock. Guards: spent + reserved ≤ ceiling for every admission, in every interleaving
//! (`tests/loom_cell.rs`); a reservation given back leaves the cell exactly as it was.
//!
//! Written order: the amount decides, the count comes second, and a refused count undoes the amount. The two words may be
//! on different days for the moment between the two steps of the reservation that opens a day; each is right by itself,
//! and [`Held`] remembers which day each was charged to.

use crate::sync::{AtomicU64, Ordering};
use terms::{BusinessDay, Minor};

/// Why a cell refused; then nothing is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The amount would pass the daily amount (or 48 bits).
    Amount,
    /// One more would pass the daily count.
    Count,
}

/// A reservation as the cell took it: what an exact undo needs, since a straggler is charged to a later day and the first
/// of a day closes the day before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    amount: Step,
    count: Step,
}

/// What one business day has seen. Sixteen bytes; a fresh one is at [`BusinessDay::NEVER`], before every day.
#[derive(Debug)]
pub struct Cell {
    amount: Counter,
    count: Counter,
}

impl Cell {
    /// Nothing spent, on no day.
    pub fn new() -> Self {
        Self { amount: Counter::new(), count: Counter::new() }
    }

    /// Holds `amount` (minor units) on `day` against the daily ceiling alone; counted, but not against a count.
    /// A later day opens the cell, an earlier one is charged to the day the cell is at.
    /// # Errors
    /// [`Over::Amount`] if spent + held would pass `ceiling`; then nothing is held.
    pub fn reserve(&self, day: BusinessDay, amount: Minor, ceiling: Minor) -> Result<Held, Over> {
        self.hold(day, amount, Some(ceiling), None)
    }

    /// As [`Cell::reserve`], with either ceiling optional. A negative amount is refused.
    /// # Errors
    /// [`Over`]; then nothing is held.
    pub fn hold(
        &self,
        day: BusinessDay,
        amount: Minor,
        daily: Option<Minor>,
        count: Option<u32>,
    ) -> Result<Held, Over> {
        let amount = u64::try_from(amount).map_err(|_| Over::Amount)?;
        let daily = daily.map_or(VALUE_MAX, |ceiling| ceiling.max(0) as u64);
        let held = self.amount.add(day.0, amount, daily).ok_or(Over::Amount)?;
        // The day the amount went to, not the day asked for: where another opened a later day, both words follow it.
        let Some(counted) = self.count.add(held.after.day(), 1, count.map_or(VALUE_MAX, u64::from)) else {
            self.amount.undo(held, amount);
            return Err(Over::Count);
        };
        Ok(Held { amount: held, count: counted })
    }

    /// Takes back a reservation that shall not have been, exactly: each word from the day it was charged to. Where nobody
    /// came between, the words are what they were before, so that a refused transaction opens no day.
    pub fn undo(&self, held: Held, amount: Minor) {
        self.count.undo(held.count, 1);
        self.amount.undo(held.amount, amount.max(0) as u64);
    }

    /// Gives back what was held for `day`. A word that is not at that day is left as it is: its day is over, and what a
    /// straggler was charged to a later day stays charged there (it never under-counts). Tells whether a word was found at
    /// a later day.
    pub fn release(&self, day: BusinessDay, amount: Minor) -> bool {
        let counted_later = self.count.take(day.0, 1);
        self.amount.take(day.0, amount.max(0) as u64) || counted_later
    }

    /// Gives back a share of what was held for `day`; the count stays. As [`Cell::release`] where the day is another.
    pub fn reduce(&self, day: BusinessDay, share: Minor) {
        self.amount.take(day.0, share.max(0) as u64);
    }

    /// Adds without a ceiling (a forced post, a replay); stops at 48 bits. Returns spent and count after it.
    pub fn force(&self, day: BusinessDay, amount: Minor, times: u32) -> (Minor, u32) {
        let spent = self.amount.force(day.0, amount.max(0) as u64);
        (spent as Minor, narrow(self.count.force(day.0, u64::from(times))))
    }

    /// The day the cell is at, with what it has spent and counted. While a day is being opened, a word that has not
    /// reached it yet reads as 0.
    pub fn read(&self) -> (BusinessDay, Minor, u32) {
        let (amount, count) = (self.amount.word(), self.count.word());
        let day = amount.day().max(count.day());
        (BusinessDay(day), amount.on(day) as Minor, narrow(count.on(day)))
    }

    /// Back to a fresh cell: only for one that nobody else can reach.
    pub(crate) fn reset(&self) {
        self.amount.0.store(0, Ordering::Relaxed);
        self.count.0.store(0, Ordering::Relaxed);
    }

    /// A spare word while the cell is in nobody's use: where the free list keeps its next.
    pub(crate) fn spare(&self) -> &AtomicU64 {
        &self.amount.0
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self::new()
    }
}

/// One word that changes by compare-and-swap alone.
///
/// `Relaxed` is enough: each decision rests on this word only, all changes of one word have one order, and no other
/// memory is published through it (a cell itself is published by its map shard's lock).
#[derive(Debug)]
struct Counter(AtomicU64);

impl Counter {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn word(&self) -> Word {
        Word(self.0.load(Ordering::Relaxed))
    }

    /// `None` above the ceiling.
    fn add(&self, day: u16, more: u64, ceiling: u64) -> Option<Step> {
        self.swap(|word| word.plus(day, more, ceiling))
    }

    fn undo(&self, step: Step, less: u64) {
        // The same word again means that whatever others did meanwhile cancels out: then back to what was before, be it
        // of an earlier day. Else only the value goes, from the day that took it.
        let back = self.0.compare_exchange(step.after.0, step.before.0, Ordering::Relaxed, Ordering::Relaxed);
        if back.is_err() {
            self.take(step.after.day(), less);
        }
    }

    /// Tells whether the word was at a later day, and so was left as it is.
    fn take(&self, day: u16, less: u64) -> bool {
        let mut later = false;
        self.swap(|word| {
            later = word.day() > day;
            word.minus(day, less)
        });
        later
    }

    fn force(&self, day: u16, more: u64) -> u64 {
        self.swap(|word| Some(word.forced(day, more))).map_or(VALUE_MAX, |step| step.after.value())
    }

    /// Puts what `change` makes of the word in its place; `None` from it leaves the word alone.
    fn swap(&self, mut change: impl FnMut(Word) -> Option<Word>) -> Option<Step> {
        let mut seen = self.word();
        loop {
            let next = change(seen)?;
            match self.0.compare_exchange_weak(seen.0, next.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Step { before: seen, after: next }),
                Err(now) => seen = Word(now),
            }
        }
    }
}

/// One change of one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    before: Word,
    after: Word,
}

/// Business day in the high 16 bits, a value in the low 48.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Word(u64);

impl Word {
    fn of(day: u16, value: u64) -> Self {
        Self(u64::from(day) << VALUE_BITS | value)
    }

    fn day(self) -> u16 {
        (self.0 >> VALUE_BITS) as u16
    }

    fn value(self) -> u64 {
        self.0 & VALUE_MAX
    }

    /// The value if the word is at `day`, else 0.
    fn on(self, day: u16) -> u64 {
        if self.day() == day { self.value() } else { 0 }
    }

    /// A later day opens the word; a straggler of an earlier day is charged to the word's own.
    fn at(self, day: u16) -> Self {
        if day > self.day() { Self::of(day, 0) } else { self }
    }

    fn plus(self, day: u16, more: u64, ceiling: u64) -> Option<Self> {
        let open = self.at(day);
        let value = open.value().checked_add(more)?;
        (value <= ceiling.min(VALUE_MAX)).then(|| Self::of(open.day(), value))
    }

    fn forced(self, day: u16, more: u64) -> Self {
        let open = self.at(day);
        Self::of(open.day(), open.value().saturating_add(more).min(VALUE_MAX))
    }

    /// `None` where the day is not the word's: there is nothing to give back.
    fn minus(self, day: u16, less: u64) -> Option<Self> {
        // More than is there means a second release, which the caller's state machine excludes. Down to zero is the
        // least harm: wrapping would close the card for the day.
        (self.day() == day).then(|| Self::of(day, self.value().saturating_sub(less)))
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

const VALUE_BITS: u32 = 48;
/// The most a word can hold: 2.8 million million major units, over 281 times the largest DE 4.
const VALUE_MAX: u64 = (1 << VALUE_BITS) - 1;

#[cfg(all(test, not(loom)))]
mod tests;
