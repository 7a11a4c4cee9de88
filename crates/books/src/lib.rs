//! A second reader of the journal, and the three books.
//!
//! Never shares code with what it checks: it reads the journal and its records from their descriptions alone
//! (`crates/journal/FORMAT.md`, `crates/engine/RECORDS.md`). Guards: after a run, terminals, journal and issuers agree to the
//! cent, or every difference has a name.

pub mod batch;
pub mod compare;
pub mod day;
mod fuzz;
pub mod journal;
pub mod record;
pub mod report;
pub mod shapes;
pub mod switch_book;

pub use compare::{Comparison, ItemKind, OpenItem, Question, compare};
pub use fuzz::{fuzz_journal, fuzz_records};
pub use report::Report;
pub use shapes::{IssuerBook, TerminalBook};
pub use switch_book::SwitchBook;
