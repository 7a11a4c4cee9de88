//! The text of a scrape: the exporter's counters and gauges, then our own histograms in the same format.
//! Never changes a figure. Guards: `_bucket` is cumulative and ends in `+Inf`, which equals `_count`.

use crate::{
    histogram::{STAGE_BOUNDS_MICROS, Shards, Snapshot},
    labels::Stage,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
};

/// Renders everything. Clones share the same figures.
#[derive(Clone)]
pub struct Renderer {
    handle: PrometheusHandle,
    shards: Arc<Shards>,
    journal: Arc<OnceLock<Journal>>,
}

/// Where the journal's histograms come from: it keeps its own and knows nothing of metrics.
pub struct Journal {
    /// Duration of commits in nanoseconds, at most [`JOURNAL_BUCKETS`] bounds.
    pub commit_nanos: Source,
    /// Records per batch, at most [`JOURNAL_BUCKETS`] bounds.
    pub batch_records: Source,
}

/// Reads a histogram at the moment of a scrape.
pub type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

impl Renderer {
    pub(crate) fn new(handle: PrometheusHandle, shards: Arc<Shards>) -> Self {
        Self { handle, shards, journal: Arc::default() }
    }

    /// Shows this journal from now on; before, and without one, its families are all zero. The first one stays.
    pub fn attach(&self, journal: Journal) {
        let _ = self.journal.set(journal);
    }

    /// The body of an answer to `/metrics`, content type `text/plain; version=0.0.4`.
    pub fn render(&self) -> String {
        let mut text = self.handle.render();
        head(&mut text, DURATION, "Time a request spends, by stage");
        for stage in Stage::ALL {
            let snapshot = self.shards.merged(*stage);
            lines(&mut text, DURATION, Some(("stage", stage.name())), &snapshot, MICROS);
        }
        let (commit, batch) = match self.journal.get() {
            Some(journal) => ((journal.commit_nanos)(), (journal.batch_records)()),
            None => (Snapshot::empty(&COMMIT_NANOS), Snapshot::empty(&BATCH_RECORDS)),
        };
        head(&mut text, COMMIT, "Time of a commit: write and sync");
        lines(&mut text, COMMIT, None, &commit, NANOS);
        head(&mut text, RECORDS, "Records made durable by one batch");
        lines(&mut text, RECORDS, None, &batch, ONES);
        text
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renderer(..)")
    }
}

fn head(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
}

/// `per` is how many of the snapshot's units make one of the metric's.
fn lines(text: &mut String, name: &str, label: Option<(&str, &str)>, snapshot: &Snapshot, per: f64) {
    let first = label.map_or(String::new(), |(key, value)| format!("{key}=\"{value}\","));
    let mut below = 0;
    for (bound, count) in snapshot.bounds.iter().zip(&snapshot.counts) {
        below += count;
        let _ = writeln!(text, "{name}_bucket{{{first}le=\"{}\"}} {below}", *bound as f64 / per);
    }
    let count: u64 = snapshot.counts.iter().sum();
    let own = label.map_or(String::new(), |(key, value)| format!("{{{key}=\"{value}\"}}"));
    let _ = writeln!(text, "{name}_bucket{{{first}le=\"+Inf\"}} {count}");
    let _ = writeln!(text, "{name}_sum{own} {}", snapshot.sum as f64 / per);
    let _ = writeln!(text, "{name}_count{own} {count}\n");
}

const DURATION: &str = "pointsman_request_duration_seconds";
const COMMIT: &str = "pointsman_journal_commit_seconds";
const RECORDS: &str = "pointsman_journal_batch_records";
const MICROS: f64 = 1e6;
const NANOS: f64 = 1e9;
const ONES: f64 = 1.0;

/// Shown until a journal is attached, which brings its own bounds.
const COMMIT_NANOS: [u64; 3] = [100_000, 1_000_000, 10_000_000];
const BATCH_RECORDS: [u64; 3] = [1, 16, 256];

/// Bounds an attached histogram may have, so that the bound on series holds.
pub const JOURNAL_BUCKETS: usize = 20;

/// Series of the histograms at most: buckets with the open one, sum and count.
pub(crate) const SERIES: usize =
    Stage::ALL.len() * (STAGE_BOUNDS_MICROS.len() + 3) + 2 * (JOURNAL_BUCKETS + 3);
