//! What the process says of itself: metrics text, liveness, readiness.
//! Never touches the hot path: reads flags and counters.

use super::clock::Clock;
use super::shared::{Phase, Shared};
use journal::Stats;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use telemetry::Renderer;

type Source = Box<dyn Fn() -> telemetry::Snapshot + Send + Sync>;

/// Flags and counters for the admin listener.
pub struct Status {
    shared: Arc<Shared>,
    journal: Arc<Stats>,
    renderer: Renderer,
    serving: AtomicBool,
    clock: Clock,
    /// Tick of every worker's last housekeeping: one that hangs grows old.
    pub beats: Vec<AtomicU64>,
}

/// Housekeeping runs several times a second; this long without it nobody would call alive.
const STUCK_US: u64 = 5_000_000;

impl Status {
    /// Not serving yet.
    pub fn new(shared: Arc<Shared>, journal: Arc<Stats>, renderer: Renderer, clock: Clock) -> Self {
        let beats = (0..shared.config.workers).map(|_| AtomicU64::new(clock.tick().0)).collect();
        Self { beats, shared, journal, renderer, clock, serving: AtomicBool::new(false) }
    }

    /// Ports are open.
    pub fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    /// The exposition text.
    pub fn render(&self) -> String {
        self.renderer.render()
    }

    /// Why the process should be killed; empty if it should not. A worker must have moved within [`STUCK_US`].
    pub fn live(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if self.shared.lost_worker() {
            reasons.push("a worker ended");
        } else if self.shared.failed() {
            reasons.push("the journal failed");
        }
        let now = self.clock.tick().0;
        if self.beats.iter().any(|beat| now.saturating_sub(beat.load(Ordering::Relaxed)) > STUCK_US) {
            reasons.push("a worker does not move");
        }
        reasons
    }

    /// Why no traffic should be sent here; empty if it should.
    pub fn ready(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if !self.serving.load(Ordering::Acquire) {
            reasons.push("not listening yet");
        }
        if self.shared.phase() != Phase::Running {
            reasons.push("shutting down");
        }
        if self.shared.lost_worker() {
            reasons.push("a worker ended");
        } else if self.shared.failed() || self.journal.is_failed() {
            reasons.push("the journal failed");
        }
        if self.journal.is_full() {
            reasons.push("the journal's disk is full");
        }
        if !self.shared.links_ready().any(|up| up) {
            reasons.push("no link to any issuer is up");
        }
        reasons
    }
}

/// The journal's own histograms, for the scrape.
pub fn journal_metrics(stats: &Arc<Stats>) -> telemetry::Journal {
    let source = |stats: Arc<Stats>, which: fn(&Stats) -> &journal::Histogram| -> Source {
        Box::new(move || {
            let histogram = which(&stats);
            telemetry::Snapshot {
                bounds: histogram.bounds(),
                counts: histogram.counts().collect(),
                sum: histogram.sum(),
            }
        })
    };
    telemetry::Journal {
        commit_nanos: source(Arc::clone(stats), |stats| &stats.commit_nanos),
        batch_records: source(Arc::clone(stats), |stats| &stats.batch_records),
    }
}
