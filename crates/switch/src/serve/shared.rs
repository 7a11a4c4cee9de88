//! What all workers of one process share: the checked configuration, its snapshot, limit cells, letter boxes, the phase.
//!
//! Never a lock on the hot path: everything here is read-only, atomic or swapped as a whole.

use super::capture::Captures;
use super::mail::LetterBox;
use crate::config::Config;
use arc_swap::{ArcSwap, Guard};
use engine::Snapshot;
use keys::Tokenizer;
use limits::Store;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use terms::LinkIx;
use tokio::sync::Notify;

/// One for all workers.
pub struct Shared {
    /// As checked at start: what does not change while the process lives is read here.
    pub config: Arc<Config>,
    version: ArcSwap<Version>,
    /// Limit cells.
    pub limits: Store,
    /// Makes card tokens.
    pub tokenizer: Tokenizer,
    /// Messages for the archive, if it keeps any.
    pub captures: Option<Arc<Captures>>,
    /// By worker.
    pub letters: Vec<LetterBox>,
    /// By link: up and signed on, as its own worker knows it.
    pub links_up: Vec<AtomicBool>,
    /// By link: how many workers know that it is up. Only if all do is every request served.
    links_known: Vec<AtomicU32>,
    phase: AtomicU8,
    quiet: AtomicU32,
    failed: AtomicBool,
    lost: AtomicBool,
    /// By worker: transactions in flight, told while draining.
    pub busy: Vec<AtomicU32>,
    /// Rung when the process should look at the phase or a failure.
    pub changed: Notify,
}

/// One reading of the configuration file.
pub struct Version {
    /// As checked.
    pub config: Arc<Config>,
    /// As the engine sees it; its number counts readings.
    pub snapshot: Arc<Snapshot>,
    /// What CONFIG records say of it: the first eight bytes of the file's SHA-256.
    pub hash: u64,
}

impl Version {
    /// `number` counts readings, from 1.
    pub fn new(config: Config, number: u32) -> Self {
        let hash = config.source.hash();
        let hash = u64::from_le_bytes(hash[..8].try_into().unwrap_or_default());
        Self { snapshot: Arc::new(config.snapshot(number)), config: Arc::new(config), hash }
    }
}

/// How far the process is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Serving.
    Running = 0,
    /// No new requests; reversals and answers still.
    Draining = 1,
    /// The drain's time is up.
    Over = 2,
}

impl Shared {
    /// Fresh, running.
    pub fn new(config: Config, limits: Store, tokenizer: Tokenizer) -> Self {
        let version = Version::new(config, 1);
        let config = Arc::clone(&version.config);
        let kept = config.archive.as_ref().and_then(|archive| archive.messages);
        let captures = kept.map(|_| Arc::new(Captures::new()));
        let letters = (0..config.workers).map(|_| LetterBox::new()).collect();
        let links_up = config.links.iter().map(|_| AtomicBool::new(false)).collect();
        let links_known = config.links.iter().map(|_| AtomicU32::new(0)).collect();
        Self {
            busy: (0..config.workers).map(|_| AtomicU32::new(u32::MAX)).collect(),
            config,
            version: ArcSwap::from_pointee(version),
            limits,
            tokenizer,
            captures,
            letters,
            links_up,
            links_known,
            phase: AtomicU8::new(Phase::Running as u8),
            quiet: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// The configuration in force.
    pub fn version(&self) -> Guard<Arc<Version>> {
        self.version.load()
    }

    /// Another configuration from the next turn of every worker on; transactions under way keep what they were given.
    /// Returns the one that was in force.
    pub fn swap(&self, version: Version) -> Arc<Version> {
        let before = self.version.swap(Arc::new(version));
        self.wake_all();
        before
    }

    /// A worker was told that a link came up or went down; once per change.
    pub fn link_known(&self, link: LinkIx, up: bool) {
        let known = &self.links_known[link.at()];
        if up {
            known.fetch_add(1, Ordering::AcqRel)
        } else {
            known.fetch_sub(1, Ordering::AcqRel)
        };
    }

    /// By link: up, and no worker takes it for down.
    pub fn links_ready(&self) -> impl Iterator<Item = bool> {
        self.links_known.iter().map(|known| known.load(Ordering::Acquire) as usize == self.config.workers)
    }

    /// Transactions in flight over all workers, once the process drains.
    pub fn busy(&self) -> u64 {
        self.busy.iter().map(|busy| u64::from(busy.load(Ordering::Acquire))).sum()
    }

    /// Where the process is.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Over,
        }
    }

    /// Moves on and wakes every worker.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
        self.wake_all();
    }

    /// A worker's thread has ended before its time: its transactions stand still, so the process must end.
    pub fn lose_worker(&self) {
        self.lost.store(true, Ordering::Release);
        self.fail();
    }

    /// Whether a worker's thread has ended before its time.
    pub fn lost_worker(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// The journal or a worker failed: the process must end.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    /// Whether the journal or a worker failed.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// One worker more has nothing left to send to the others.
    pub fn add_quiet(&self) {
        self.quiet.fetch_add(1, Ordering::AcqRel);
        self.wake_all();
    }

    /// No worker has anything left to send to the others.
    pub fn all_quiet(&self) -> bool {
        self.quiet.load(Ordering::Acquire) as usize >= self.letters.len()
    }

    /// Rings every worker's bell.
    pub fn wake_all(&self) {
        for letters in &self.letters {
            letters.bell().notify_one();
        }
    }
}

/// What rings a worker's bell from the journal's thread.
pub fn bell_of(letters: &LetterBox) -> Arc<dyn Fn() + Send + Sync> {
    let bell: Weak<Notify> = Arc::downgrade(letters.bell());
    Arc::new(move || {
        if let Some(bell) = bell.upgrade() {
            bell.notify_one();
        }
    })
}
