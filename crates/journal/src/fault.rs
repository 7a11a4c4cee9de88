//! What can go wrong between the journal and its disk, in words that name the file and the place.
//! Never says what a payload held. Guards: damage is told from a torn tail before it becomes a `Fault`.

use std::io;
use std::path::{Path, PathBuf};

/// Our own disk, file or sealing module failed. Nothing here is ever the peer's doing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file operation failed.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process (or another journal in this one) has the directory open.
    #[error("{} is held by {who}", dir.display())]
    Held {
        /// The journal directory.
        dir: PathBuf,
        /// What the holder wrote into the lock file: process id, host, start.
        who: String,
    },
    /// Acknowledged bytes are no longer what was written: start is refused, nothing was changed.
    #[error(
        "journal damaged in segment {segment} at offset {offset}: batch {batch}, from record {record} on: {reason}"
    )]
    Damaged {
        /// Number of the segment.
        segment: u32,
        /// Byte offset in the segment.
        offset: u64,
        /// Sequence of the batch that was expected there.
        batch: u64,
        /// Sequence of the first record of that batch.
        record: u64,
        /// What was found instead.
        reason: String,
    },
    /// A small file beside the segments (epoch, clean mark, checkpoint, index) does not hold what it must.
    #[error("{} is not usable: {reason}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// The directory belongs to a journal with other fixed properties.
    #[error("{what} of {} is {found}, configured is {expected}", path.display())]
    Mismatch {
        /// Which property.
        what: &'static str,
        /// Where it was read.
        path: PathBuf,
        /// The configured value.
        expected: u64,
        /// The value found.
        found: u64,
    },
    /// An option is out of its range.
    #[error("journal option {option}: {reason}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The range and the value given.
        reason: String,
    },
    /// The sealing module could not seal or open a batch's secrets.
    #[error("sealing module failed on batch {batch} of epoch {epoch}")]
    Seal {
        /// Epoch of the nonce.
        epoch: u32,
        /// Batch sequence of the nonce.
        batch: u64,
        /// What the module said; must not contain key or clear text.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no durable record at this position.
    #[error("no record at position {lsn}: {reason}")]
    NoRecord {
        /// The position asked for.
        lsn: crate::Lsn,
        /// What stands there instead.
        reason: &'static str,
    },
    /// A write or sync failed earlier: this journal acknowledges nothing any more.
    #[error("journal stopped after a failed write or sync")]
    Stopped,
}

impl Fault {
    /// A failed file operation: `doing` is a verb, `path` what it was done to.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// A small file that does not hold what it must.
    pub(crate) fn bad_file(path: &Path, reason: impl Into<String>) -> Self {
        Self::BadFile { path: path.to_owned(), reason: reason.into() }
    }

    /// Whether the disk refused for want of space (which is not a failed sync, DESIGN 5).
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_no_space(source))
    }
}

/// Whether `error` means that the disk or the quota is used up.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
