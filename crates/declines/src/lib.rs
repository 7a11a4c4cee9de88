//! The catalogue of declines: what a response code or a cause of ours means, whose move it is, and what everybody does next.
//!
//! Never decides anything: approving and declining are a dialect's lists. Guards: every code has one cause of the nine (or
//! `unstated`), every text is there in Chinese and English, and the codes of the metric are a closed set.

mod catalogue;
mod charset;
mod check;
mod entry;
mod explain;
mod fault;
mod fuzz;
mod names;
mod raw;
mod reference;
mod rows;
mod slips;
mod table;

pub use catalogue::Catalogue;
pub use charset::Charset;
pub use entry::{Entry, Internal, RECEIPT_MAX, Reason, Retry, Said, explanation_id, from_explanation_id};
pub use explain::{Contacts, Explanation, Retried, Rule};
pub use fault::{Fault, Mistake};
pub use fuzz::fuzz_catalogue;
pub use names::{Class, Language, Lasts, May, Who};
pub use reference::{reference, runbook};
pub use slips::{ROOM_MIN, Slips, Wording};
pub use table::CodeTable;
