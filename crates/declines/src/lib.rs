//! The catalogue of declines: what a response code means under its scheme, its cause, and whose move it is.
//!
//! Never decides anything: approving and declining are a dialect's lists. Guards: every code has one cause of the nine (or
//! `unstated`), and the codes of the metric are a closed set.

mod catalogue;
mod entry;
mod fault;
mod fuzz;
mod raw;
mod table;

pub use catalogue::Catalogue;
pub use entry::{Class, Entry, Who};
pub use fault::{Fault, Mistake};
pub use fuzz::fuzz_catalogue;
pub use table::CodeTable;
