//! The atomics and threads of the hand-off, real ones or loom's.
//! Never used outside `handoff`. Guards: what loom proves is what runs.

#[cfg(loom)]
pub(crate) use loom::{
    sync::atomic::{AtomicBool, Ordering, fence},
    thread::{Thread, park},
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::atomic::{AtomicBool, Ordering, fence},
    thread::{Thread, park},
};
