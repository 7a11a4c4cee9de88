//! For tests of this crate and of those above it: a disk that loses, tears and refuses, a seal without keys, a
//! projection that keeps everything. Never part of a service: nothing outside tests may name this module.
//! Guards: what the fake disk may lose is what `disk` says may be lost.

mod fake_disk;
mod fuzz;
mod null_disk;
mod toys;

pub use fake_disk::{AfterFailedSync, Crash, FakeDisk};
pub use fuzz::fuzz_journal;
pub use null_disk::NullDisk;
pub use toys::{Ledger, ToySeal};
