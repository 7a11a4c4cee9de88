//! Metric families, latency histograms, and the set-up of the log.
//!
//! Never takes a label value that is not known when the families are made, never shows a card number, never serves HTTP.
//! Guards: every series is there from the first scrape; at most [`SERIES_MAX`] of them; the hot path bumps plain numbers.
//!
//! A worker owns a [`Counts`] (plain arrays) and a [`Latencies`] (its own atomics); the families are shared handles that
//! counts are flushed into every turn or every 100 ms; the [`Renderer`] turns all of it into the text a scrape gets.

mod chain;
mod counts;
mod desk;
mod families;
mod histogram;
mod labels;
mod layout;
pub mod logging;
mod redact;
mod render;

pub use chain::Chain;
pub use counts::{Counts, Decline};
pub use families::{ArchiveLag, Families};
pub use histogram::{Histogram, Latencies, STAGE_BOUNDS_MICROS, Snapshot};
pub use labels::{
    Handshake, Labels, Outcome, ReversalReason, Side, Stage, StandIn, TerminalFailure, TooManySeries,
};
pub use redact::redacted;
pub use render::{JOURNAL_BUCKETS, Journal, Renderer, Source};

/// Series one process may show (histogram buckets included). More makes the scrape and the store the bottleneck.
pub const SERIES_MAX: usize = 2_000;
