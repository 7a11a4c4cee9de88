//! What tests of every room may share: chance with a seed, waiting for conditions, reading an exposition text.
//! Never needed to build the product, never random without printing its seed, never waits for a time to pass.

mod chance;
mod wait;

pub use chance::Chance;
pub use wait::{PATIENCE, metric, wait_for};
