//! Latency histograms of our own: fixed buckets, one set per worker, merged when scraped. (The exporter's histograms keep
//! every sample until they are drained; at our rates that is memory without a bound.)
//!
//! Never locks on record. Guards: a recorded value is in exactly one bucket, and the count is the sum of the buckets.

use crate::labels::Stage;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Upper bounds of the stage buckets, microseconds: 50 µs to 10 s, three to a decade (1, 2.5, 5).
pub const STAGE_BOUNDS_MICROS: [u64; 17] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// A histogram with fixed buckets. Its own cache lines, so that workers do not slow each other.
#[derive(Debug)]
#[repr(align(64))]
pub struct Histogram {
    bounds: &'static [u64],
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram held at one moment, in its own unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Upper bounds, inclusive, ascending; one bucket more than this stays open.
    pub bounds: &'static [u64],
    /// Values per bucket (not cumulative), the open one last.
    pub counts: Vec<u64>,
    /// Sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// Empty, with these ascending upper bounds (inclusive) and one more bucket above the last.
    pub fn new(bounds: &'static [u64]) -> Self {
        debug_assert!(bounds.is_sorted());
        // A whole number of cache lines, so that no other allocation shares the last one.
        let room = (bounds.len() + 1).next_multiple_of(8);
        let buckets = std::iter::repeat_with(AtomicU64::default).take(room).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts one value: one relaxed addition to its bucket, one to the sum.
    pub fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        // Relaxed: a scrape may see a value in the bucket and not yet in the sum; nothing is decided by it.
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Counts and sum as they are now.
    pub fn snapshot(&self) -> Snapshot {
        let counts = self.buckets[..=self.bounds.len()].iter().map(|bucket| bucket.load(Relaxed)).collect();
        Snapshot { bounds: self.bounds, counts, sum: self.sum.load(Relaxed) }
    }
}

impl Snapshot {
    /// All zeros.
    pub fn empty(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0 }
    }

    /// Adds another with the same bounds.
    pub(crate) fn merge(mut self, other: &Self) -> Self {
        debug_assert_eq!(self.bounds, other.bounds);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.sum += other.sum;
        self
    }
}

/// One worker's request durations by stage.
#[derive(Debug)]
pub struct Latencies {
    stages: Vec<Histogram>,
}

impl Latencies {
    fn new() -> Self {
        Self { stages: Stage::ALL.iter().map(|_| Histogram::new(&STAGE_BOUNDS_MICROS)).collect() }
    }

    /// Counts one duration in microseconds.
    pub fn record(&self, stage: Stage, micros: u64) {
        self.stages[stage.at()].record(micros);
    }
}

/// The workers' histograms; locked only when a worker starts and when a scrape comes.
#[derive(Debug, Default)]
pub(crate) struct Shards(Mutex<Vec<Arc<Latencies>>>);

impl Shards {
    pub(crate) fn add(&self) -> Arc<Latencies> {
        let shard = Arc::new(Latencies::new());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(shard.clone());
        shard
    }

    pub(crate) fn merged(&self, stage: Stage) -> Snapshot {
        let shards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshots = shards.iter().map(|shard| shard.stages[stage.at()].snapshot());
        snapshots.fold(Snapshot::empty(&STAGE_BOUNDS_MICROS), |all, one| all.merge(&one))
    }
}
