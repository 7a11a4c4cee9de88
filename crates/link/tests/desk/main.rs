//! The desk: scripts for what the trade expects, and a searched list that the table is held against.

#[path = "../chance/mod.rs"]
mod chance;
mod ledger;
mod model;
mod scripts;
