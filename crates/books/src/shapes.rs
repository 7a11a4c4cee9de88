//! The terminals' and the issuers' books as JSON: what a simulated terminal fleet and a simulated issuer write down.
//!
//! Never holds a clear card number; never a float: amounts are minor units. Guards: a book names each transaction so that
//! it is found in the journal.
//!
//! ```json
//! {"entries": [{"acquirer": "12345678", "terminal": "T0000001", "merchant": "M00000000000001", "batch": 1, "stan": 7,
//!   "local_date": 1122, "local_time": 93015, "rrn": "326000000A7X", "amount": 1250, "currency": 156,
//!   "state": "approved", "code": "00"}]}
//! {"entries": [{"issuer": "huaxia", "kind": "debit", "stan": 41, "transmission": 1122013015, "rrn": "326000000A7X",
//!   "amount": 1250, "currency": 156, "card": "622424******0113", "at": 1763774115000}]}
//! ```

use serde::{Deserialize, Serialize};
use std::path::Path;

/// What all terminals of a run believe.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TerminalBook {
    /// One per transaction a terminal began (not per message: repeats and reversals change the entry).
    pub entries: Vec<TerminalEntry>,
}

/// One transaction as its terminal sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TerminalEntry {
    /// DE 32, or the listener's acquirer where messages carry none.
    pub acquirer: String,
    /// DE 41; trailing spaces do not count.
    pub terminal: String,
    /// DE 42; trailing spaces do not count.
    pub merchant: String,
    /// Batch number (DE 60.2); 0 where the dialect has none.
    #[serde(default)]
    pub batch: u32,
    /// DE 11 of the request.
    pub stan: u32,
    /// DE 13 of the request as MMDD; 0 if it has none.
    #[serde(default)]
    pub local_date: u16,
    /// DE 12 of the request as hhmmss; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_time: Option<u32>,
    /// DE 37 of the answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rrn: Option<String>,
    /// Minor units; the approved amount if it was approved.
    pub amount: i64,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// How it ended for the terminal.
    pub state: TerminalState,
    /// DE 39 of the answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// False for what moves no money (a balance): listed, not compared.
    #[serde(default = "yes")]
    pub money: bool,
}

/// How a transaction ended for its terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalState {
    /// The goods are handed over.
    Approved,
    /// A void, cancellation or refund was approved: the money goes back.
    Credited,
    /// A hold that an approved completion has replaced.
    Completed,
    /// An answer declined it.
    Declined,
    /// The terminal reversed it and got its answer (0410 00).
    Reversed,
    /// No answer, and no answered reversal.
    Unknown,
}

/// What all issuers of a run have booked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct IssuerBook {
    /// In the order of booking. A repeat that books nothing is no entry.
    pub entries: Vec<IssuerEntry>,
}

/// One booking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssuerEntry {
    /// Name of the issuer as in the switch's configuration.
    pub issuer: String,
    /// Which way the money goes.
    pub kind: IssuerKind,
    /// DE 11 of the request that the switch sent; of a reversal, that of the request it reverses.
    pub stan: u32,
    /// DE 7 of that request as MMDDhhmmss; 0 if the dialect has none.
    #[serde(default)]
    pub transmission: u32,
    /// DE 37 of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rrn: Option<String>,
    /// Minor units, never negative.
    pub amount: i64,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// First six and last four digits.
    pub card: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub at: i64,
}

/// Which way the money goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerKind {
    /// From the cardholder.
    Debit,
    /// Back to the cardholder.
    Reversal,
}

impl TerminalBook {
    /// Reads a book from a file.
    /// # Errors
    /// [`BookFault`] naming the file.
    pub fn load(path: &Path) -> Result<Self, BookFault> {
        load(path)
    }

    /// Adds the entries of another fleet.
    pub fn join(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }
}

impl IssuerBook {
    /// Reads a book from a file.
    /// # Errors
    /// [`BookFault`] naming the file.
    pub fn load(path: &Path) -> Result<Self, BookFault> {
        load(path)
    }

    /// Adds the entries of another issuer process.
    pub fn join(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }
}

/// A book that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    /// The file.
    #[error("cannot read book {path}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its content.
    #[error("book {path} is not of the expected shape")]
    Shape {
        /// Which.
        path: String,
        /// Where and what.
        #[source]
        source: serde_json::Error,
    },
}

fn load<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, BookFault> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| BookFault::Io { path: name(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| BookFault::Shape { path: name(), source })
}

const fn yes() -> bool {
    true
}
