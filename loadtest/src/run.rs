//! What all threads of one run share.
//! Never knows a connection. Guards: a run ends by its time, its count, its stop, or its book; the first reason stays.

use crate::cards::Draw;
use crate::config::{FleetConfig, Plan};
use crate::outcome::Ended;
use crate::stats::{LiveStats, Phase};
use crate::template::Templates;
use framing::Framing;
use iso8583::Dialect;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::watch;

/// One run.
pub(crate) struct Run {
    pub config: FleetConfig,
    pub plan: Plan,
    pub dialect: Arc<Dialect>,
    pub framing: Framing,
    pub templates: Templates,
    pub cards: Arc<[u64]>,
    pub draw: Draw,
    pub stats: Arc<LiveStats>,
    pub phase: watch::Sender<Phase>,
    /// Number of the first terminal of this run.
    pub first_terminal: u32,
    /// Lines that each thread's book has room for.
    pub lines_max: usize,
    pub stop: Arc<AtomicBool>,
    base: Instant,
    /// Seconds since 1970 at `base`.
    epoch: u64,
    budget: AtomicI64,
    ended: OnceLock<Ended>,
    measured_from: AtomicU64,
    measured_to: AtomicU64,
    last_fault: Mutex<String>,
}

/// What a run is made from.
pub(crate) struct Parts {
    pub config: FleetConfig,
    pub plan: Plan,
    pub dialect: Arc<Dialect>,
    pub framing: Framing,
    pub templates: Templates,
    pub cards: Arc<[u64]>,
    pub stats: Arc<LiveStats>,
    pub first_terminal: u32,
    pub stop: Arc<AtomicBool>,
}

impl Run {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { config, plan, dialect, framing, templates, cards, stats, first_terminal, stop } = parts;
        let epoch =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            draw: Draw::new(&plan, config.amount_max),
            phase: watch::Sender::new(Phase::Connecting),
            lines_max: (config.book_max / config.threads) as usize,
            base: Instant::now(),
            epoch,
            budget: AtomicI64::new(if plan.count == 0 { i64::MAX } else { plan.count.cast_signed() }),
            ended: OnceLock::new(),
            measured_from: AtomicU64::new(u64::MAX),
            measured_to: AtomicU64::new(u64::MAX),
            last_fault: Mutex::new("no attempt has failed".into()),
            config,
            plan,
            dialect,
            framing,
            templates,
            cards,
            stats,
            first_terminal,
            stop,
        }
    }

    /// Nanoseconds since the run was made.
    pub(crate) fn now(&self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }

    /// Seconds since 1970 at a time of this run.
    pub(crate) fn second(&self, now: u64) -> u64 {
        self.epoch + now / 1_000_000_000
    }

    /// Whether something new may be sent.
    pub(crate) fn loads(&self) -> bool {
        matches!(self.stats.phase(), Phase::WarmUp | Phase::Measuring)
            && self.ended.get().is_none()
            && !self.stop.load(Relaxed)
    }

    pub(crate) fn enter(&self, phase: Phase) {
        match phase {
            Phase::Measuring => self.measured_from.store(self.now(), Relaxed),
            Phase::Draining => self.measured_to.store(self.now(), Relaxed),
            _ => {}
        }
        self.stats.set_phase(phase);
        self.phase.send_replace(phase);
    }

    /// Takes one transaction from the count.
    pub(crate) fn take(&self) -> bool {
        let left = self.plan.count == 0 || self.budget.fetch_sub(1, Relaxed) > 0;
        if !left {
            self.end(Ended::Count);
        }
        left
    }

    pub(crate) fn end(&self, reason: Ended) {
        // The first reason stays.
        let _ = self.ended.set(reason);
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        if self.stop.load(Relaxed) {
            self.end(Ended::Stopped);
        }
        self.ended.get().copied()
    }

    /// Whether the measurement covers this time.
    pub(crate) fn measures(&self, time: u64) -> bool {
        self.measured_from.load(Relaxed) <= time && time < self.measured_to.load(Relaxed)
    }

    /// Length of the measurement; 0 if there was none.
    pub(crate) fn seconds(&self) -> f64 {
        let (from, to) = (self.measured_from.load(Relaxed), self.measured_to.load(Relaxed));
        if from == u64::MAX { 0.0 } else { to.saturating_sub(from) as f64 / 1e9 }
    }

    pub(crate) fn note(&self, fault: &std::io::Error) {
        let mut last = self.last_fault.lock().unwrap_or_else(PoisonError::into_inner);
        *last = fault.to_string();
    }

    pub(crate) fn last_fault(&self) -> String {
        self.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
