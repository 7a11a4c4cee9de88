//! The engine's memory: records there and back, any bytes without a panic, the ledger against a plain model.

mod golden;
mod ledger;
mod records;
mod strategies;
