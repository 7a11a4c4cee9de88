//! The tests of this room in one binary: ledgers per promise, published vectors, random streams.
//! Never sleeps and never reads a clock; the random ones print their seed.

mod clock;
mod codec;
mod detect;
mod envelope;
mod ledger;
mod names;
mod next;
mod properties;
mod vectors;
mod write;
