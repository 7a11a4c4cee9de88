//! Links to issuers: scripts for what a life of one looks like, and bytes that nobody would send.

#[path = "../chance/mod.rs"]
mod chance;
mod garbage;
mod ledger;
mod scripts;
