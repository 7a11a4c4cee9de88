//! What the journal tells about itself: counters and two fixed-bucket histograms, all atomics.
//! Never names a record. Guards: every figure is 0 from the start, so a scrape is never empty.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of a commit's duration, nanoseconds; the last bucket is open.
pub const COMMIT_NANOS_BOUNDS: [u64; 13] = [
    50_000,
    100_000,
    200_000,
    400_000,
    800_000,
    1_600_000,
    3_200_000,
    6_400_000,
    12_800_000,
    25_600_000,
    102_400_000,
    409_600_000,
    1_638_400_000,
];

/// Upper bounds of the records in one batch; the last bucket is open.
pub const BATCH_RECORDS_BOUNDS: [u64; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

const BUCKETS: usize = 14;

/// A histogram of fixed buckets: one atomic each, a sum and no locks.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    counts: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        assert!(bounds.len() < BUCKETS, "one bucket stays open");
        Self { bounds, counts: Default::default(), sum: AtomicU64::new(0) }
    }

    /// Counts one value.
    pub fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Upper bounds, inclusive; one bucket more than this stays open.
    pub fn bounds(&self) -> &'static [u64] {
        self.bounds
    }

    /// Count per bucket (not cumulative), the open one last.
    pub fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().take(self.bounds.len() + 1).map(|count| count.load(Relaxed))
    }

    /// Sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum.load(Relaxed)
    }
}

/// Figures of one open journal.
#[derive(Debug)]
pub struct Stats {
    /// Syncs that made batches durable.
    pub commits: AtomicU64,
    /// Batches made durable.
    pub batches: AtomicU64,
    /// Records made durable.
    pub records: AtomicU64,
    /// Bytes written for them, headers and padding included.
    pub bytes: AtomicU64,
    /// Frames given back for want of space.
    pub refused_full: AtomicU64,
    /// Segments opened.
    pub segments: AtomicU64,
    /// Times the committer had to wait for a segment that was not yet prepared.
    pub segment_waits: AtomicU64,
    /// Segments removed past retention.
    pub retired: AtomicU64,
    /// Checkpoints written.
    pub checkpoints: AtomicU64,
    /// Checkpoints or key indexes that could not be written; recovery and look-ups take longer, nothing is lost.
    pub upkeep_faults: AtomicU64,
    /// Nanoseconds per group, from the first byte written to the end of the sync (`journal_commit_seconds`).
    pub commit_nanos: Histogram,
    /// Records per batch (`journal_batch_records`).
    pub batch_records: Histogram,
    failed: AtomicBool,
    full: AtomicBool,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            commits: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            refused_full: AtomicU64::new(0),
            segments: AtomicU64::new(0),
            segment_waits: AtomicU64::new(0),
            retired: AtomicU64::new(0),
            checkpoints: AtomicU64::new(0),
            upkeep_faults: AtomicU64::new(0),
            commit_nanos: Histogram::new(&COMMIT_NANOS_BOUNDS),
            batch_records: Histogram::new(&BATCH_RECORDS_BOUNDS),
            failed: AtomicBool::new(false),
            full: AtomicBool::new(false),
        }
    }

    /// Whether a write or sync failed: the process must exit and recover.
    pub fn is_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Whether the last frame of new business was refused for want of space and no space has returned since.
    pub fn is_full(&self) -> bool {
        self.full.load(Relaxed)
    }

    pub(crate) fn set_failed(&self) {
        self.failed.store(true, Relaxed);
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Relaxed);
    }

    pub(crate) fn count_group(&self, batches: u64, records: u64, bytes: u64, took: Duration) {
        self.commits.fetch_add(1, Relaxed);
        self.batches.fetch_add(batches, Relaxed);
        self.records.fetch_add(records, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        self.commit_nanos.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}
