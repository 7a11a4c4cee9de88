//! Connections of terminals: scripts for what they do, and bytes that nobody would send.

#[path = "../chance/mod.rs"]
mod chance;
mod garbage;
mod ledger;
mod scripts;
