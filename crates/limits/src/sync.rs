//! Where atomics come from: the standard library, or loom when the cell's interleavings are being walked.
//! Never holds logic; guards: what loom proves is the code that runs.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
