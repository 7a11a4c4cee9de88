//! What came out of a run.
//! Never judges. Guards: a rate and its latencies are of the same, measured, time.

use crate::book::Book;
use declines::Catalogue;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts are of the whole run, warm-up and drain included; `tps`, `seconds` and `latency_us` of the measurement.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Messages sent.
    pub sent: u64,
    /// Transactions begun.
    pub begun: u64,
    /// Due in an open load, and never sent because their terminals were still busy at its end.
    pub unsent: u64,
    /// Transactions answered in time.
    pub answered: u64,
    /// Of these, approved.
    pub approved: u64,
    /// Of these, declined, by code.
    pub declined: BTreeMap<String, u64>,
    /// The same by the cause that the catalogue gives the code.
    pub declined_by_cause: BTreeMap<String, u64>,
    /// Transactions without an answer in time.
    pub timeouts: u64,
    /// Reversals answered with 00.
    pub reversed: u64,
    /// Repeats answered as before.
    pub repeats_agreed: u64,
    /// Repeats answered differently.
    pub repeats_contradicted: u64,
    /// Answers that nobody waited for any more.
    pub late: u64,
    /// Bytes that were no answer.
    pub violations: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Connections of the fleet.
    pub connections: u32,
    /// Length of the measurement.
    pub seconds: f64,
    /// First answers during the measurement, per second.
    pub tps: f64,
    /// Microseconds, of transactions due within the measurement; one without an answer counts with its timeout.
    pub latency_us: Latency,
    /// Processor time of the generator's threads, the whole run.
    pub cpu_seconds: f64,
    /// Why the load ended.
    pub ended: Ended,
    /// The terminals' book; `None` if none was kept.
    #[serde(skip)]
    pub book: Option<Book>,
}

/// Percentiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

/// Why the load ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its time was over.
    #[default]
    Time,
    /// All transactions were begun.
    Count,
    /// Somebody stopped it.
    Stopped,
    /// The terminals' book was full.
    BookFull,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |share| histogram.value_at_quantile(share);
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: histogram.max() }
    }
}

/// Sums codes up under their causes.
pub(crate) fn by_cause(dialect: &str, codes: &[(terms::ResponseCode, u64)]) -> BTreeMap<String, u64> {
    let table = Catalogue::builtin().table(dialect);
    let mut causes = BTreeMap::new();
    for (code, count) in codes {
        *causes.entry(table.cause(*code).name().to_owned()).or_default() += count;
    }
    causes
}
