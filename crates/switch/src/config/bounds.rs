//! What the configuration's bounds multiply to: the memory that the process can come to need, printed at start.
//! Never measures anything. Guards: whatever grows with load has a line here (DESIGN 4, invariant 6).

use super::types::Config;
use serde::Serialize;
use std::fmt;

/// One thing that grows, at its bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// What it is.
    pub what: &'static str,
    /// How many there can be.
    pub count: u64,
    /// Bytes of each.
    pub each: u64,
}

impl Bound {
    /// Both multiplied.
    pub const fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.each)
    }
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryBound {
    /// In the order of a transaction's way.
    pub bounds: Vec<Bound>,
}

impl MemoryBound {
    /// Bytes, should everything be full at once.
    pub fn total(&self) -> u64 {
        self.bounds.iter().fold(0, |sum, bound| sum.saturating_add(bound.bytes()))
    }
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "memory bound {}", size(self.total()))?;
        for bound in &self.bounds {
            writeln!(f, "  {:>9}  {} × {} B  {}", size(bound.bytes()), bound.count, bound.each, bound.what)?;
        }
        Ok(())
    }
}

fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_048_576 => (1 << 10, "KiB"),
        1_048_576..1_073_741_824 => (1 << 20, "MiB"),
        _ => (1 << 30, "GiB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

impl Config {
    /// Every bound that this configuration sets. Figures for one element are stated with their constant.
    pub fn memory_bound(&self) -> MemoryBound {
        let workers = self.workers as u64;
        let mut bounds = Vec::new();
        let mut add = |what, count, each| bounds.push(Bound { what, count, each });
        for listener in &self.listeners {
            let each = CONNECTION + u64::from(listener.framing.max_frame) + u64::from(listener.output_max);
            add(
                "connections of terminals, a frame and unread answers each",
                u64::from(listener.max_connections),
                each,
            );
        }
        for issuer in &self.issuers {
            let each = u64::from(issuer.framing.max_frame) + u64::from(issuer.output_max);
            add("links, a frame and unsent requests each", issuer.links.len() as u64, CONNECTION + each);
        }
        let windows = self.links.iter().map(|link| u64::from(link.window)).sum();
        add("requests awaiting an issuer's answer", windows, PENDING);
        add("transactions in flight", workers.saturating_mul(u64::from(self.max_live)), self.transaction());
        let owed = self.issuers.iter().map(|issuer| u64::from(issuer.saf_max)).sum();
        add("owed to issuers, their content in the journal", owed, engine::DEBT_BYTES as u64);
        add("entries of the duplicate index", self.journal.index_entries as u64, INDEX_ENTRY);
        add("counters of limits", self.limit_counters as u64, COUNTER);
        add("sums of terminals' batches", workers * engine::BATCHES_MAX as u64, BATCH_SUMS);
        add("reversals without an original", workers * engine::TOMBSTONES_MAX as u64, TOMBSTONE);
        let pairs = self.journal.segment_bytes / SHORTEST_RECORD;
        add("keys of the open segment, twice while they are put in order", 2 * pairs, KEY);
        add("batches on their way to the journal", workers * LANE_DEPTH, BATCH);
        let terminals = self.merchants.iter().map(|merchant| merchant.terminals.len() as u64 + 1).sum();
        add("registered merchants and terminals", terminals, REGISTERED);
        add("ranges of cards", self.routes.len() as u64, ROUTE);
        if self.archive.is_some() {
            add("the archive's cache and what it reads ahead", 1, ARCHIVE);
            add("masked messages on their way to the archive", WAITING, CAPTURED);
        }
        MemoryBound { bounds }
    }

    /// A transaction with the wire bytes that are kept for its forward and its reply.
    fn transaction(&self) -> u64 {
        let requests = self.listeners.iter().map(|listener| listener.framing.max_frame).max();
        let answers = self.issuers.iter().map(|issuer| issuer.framing.max_frame).max();
        TRANSACTION + u64::from(requests.unwrap_or(0)) + u64::from(answers.unwrap_or(0))
    }
}

/// TLS state of an idle connection and its slot (rustls measured at about 20 KiB with both directions open).
const CONNECTION: u64 = 24 << 10;
/// A place in a pending table with its timer.
const PENDING: u64 = 64;
/// A slab entry of the engine and the head of its wire bytes.
const TRANSACTION: u64 = size_of::<engine::Transaction>() as u64 + 128;
/// 32 bytes of an entry in tables that are never quite full (crate `engine`: about 41 bytes).
const INDEX_ENTRY: u64 = 42;
/// 32 MiB of pages, a stretch of the log, and the index of a write-ahead log.
const ARCHIVE: u64 = 40 << 20;
/// Captures that wait for the archive, with three messages as text each.
const WAITING: u64 = crate::serve::CAPTURES_WAITING as u64;
const CAPTURED: u64 = 16 << 10;
/// A cell and its map entry: at most 64 bytes (crate `limits`).
const COUNTER: u64 = 64;
/// Batches one lane may hold before the worker waits.
const LANE_DEPTH: u64 = journal::LANE_DEPTH as u64;
/// Totals of one terminal's batch in their map (crate `engine`: about 150 bytes).
const BATCH_SUMS: u64 = 150;
/// A mark of a reversal whose original never came (crate `engine`: about 60 bytes here, 32 in the index).
const TOMBSTONE: u64 = 92;
/// A record that the journal's index of originals lists is no shorter, its header included.
const SHORTEST_RECORD: u64 = 64;
/// Slot and position.
const KEY: u64 = 16;
/// A turn's 512 messages with two records each.
const BATCH: u64 = 512 * (192 + 64 + 32);
/// A merchant or terminal in its map with its ceilings.
const REGISTERED: u64 = 112;
/// A row of the BIN table: sorted words, index and row.
const ROUTE: u64 = 64;
