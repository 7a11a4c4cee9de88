//! Append-only log over a `Disk` trait: group commit, batch chain, recovery. `FORMAT.md` describes every byte.
//!
//! Never knows what a payment is: a record is a kind, a payload and perhaps a secret. Never retries a sync, never
//! waits on a timer, never acknowledges what is not durable.
//!
//! Guards: every acknowledged batch is there after any crash (`tests/crash.rs`); damage is refused, not cut
//! (`tests/damage.rs`); after a failed sync nothing is acknowledged (`tests/faults.rs`); no wake-up is lost
//! (`tests/loom_handoff.rs`); of two copies one sound batch is enough (`tests/mirror.rs`).
//!
//! The way of a record: a worker appends it to its [`Frame`] and submits the frame to its [`Lane`]; the committer
//! makes one batch of each frame and one sync of all that arrived; the frame comes back as [`Commit::Durable`] with
//! the position of each record.

pub mod handoff;
mod sync;

#[cfg(not(loom))]
mod align;
#[cfg(not(loom))]
mod checkpoint;
#[cfg(not(loom))]
mod committer;
#[cfg(not(loom))]
pub mod disk;
#[cfg(not(loom))]
mod fault;
#[cfg(not(loom))]
mod follow;
#[cfg(not(loom))]
pub mod format;
#[cfg(not(loom))]
mod frame;
#[cfg(not(loom))]
mod index;
#[cfg(not(loom))]
mod journal;
#[cfg(not(loom))]
mod keeper;
#[cfg(not(loom))]
mod lane;
#[cfg(not(loom))]
mod lsn;
#[cfg(not(loom))]
mod marks;
#[cfg(not(loom))]
mod mend;
#[cfg(not(loom))]
mod options;
#[cfg(not(loom))]
mod place;
#[cfg(not(loom))]
mod prepare;
#[cfg(not(loom))]
mod projection;
#[cfg(not(loom))]
mod reader;
#[cfg(not(loom))]
mod recover;
#[cfg(not(loom))]
mod repair;
#[cfg(not(loom))]
mod retention;
#[cfg(not(loom))]
mod seal;
#[cfg(not(loom))]
mod stats;
#[cfg(not(loom))]
mod stepped;
#[cfg(not(loom))]
pub mod testing;
#[cfg(not(loom))]
mod walk;
#[cfg(not(loom))]
mod writer;

#[cfg(not(loom))]
pub use self::{
    disk::{Disk, DiskFile, LockGuard, Locked, RealDisk},
    fault::Fault,
    follow::{Follower, Mark, Reached, Resumed, log_extent},
    frame::{Class, Commit, Committed, Frame, PAYLOAD_MAX, RECORDS_MAX},
    index::Find,
    journal::{Journal, open},
    lane::{LANE_DEPTH, Lane, Wake},
    lsn::Lsn,
    options::{Fresh, KeyOf, NamesOf, Options, Retire, SyncMode},
    projection::Projection,
    reader::{Reader, RecordBuf, RecordView},
    recover::{Cut, Recovery},
    repair::{Repaired, repair},
    seal::{SECRET_MAX, Seal, SealNonce, seal_aad},
    stats::{BATCH_RECORDS_BOUNDS, COMMIT_NANOS_BOUNDS, Histogram, Stats},
    stepped::{Stepped, open_stepped},
};

/// The caller's kind of a record; 0 is reserved.
pub type Kind = u8;
