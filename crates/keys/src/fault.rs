//! What can go wrong with keys: always ours (a file, a setting), never a peer's.
//! Never carries a byte of a key or of what it sealed; guards: every text says where and what was expected.

use std::{io, path::PathBuf};
use terms::BusinessDay;

/// Failure of key handling.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file system refused.
    #[error("cannot {action} {path}")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody but the owner can reach the key file.
    #[error("key file {path} has mode {mode:04o}, expected 0600 or 0400: only its owner may read it")]
    Mode {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Key and sealed data would be lost, stolen and backed up together.
    #[error("key file {path} lies inside the journal directory {journal}, expected outside")]
    InsideJournal {
        /// The key file.
        path: PathBuf,
        /// The journal directory.
        journal: PathBuf,
    },
    /// A line that is not understood. Says what was expected, never what was found: it may be a key.
    #[error("{path} line {line}: expected {expected}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A key is not in the file.
    #[error("{path}: `{name}` is missing, expected {expected}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The key's name.
        name: &'static str,
        /// Its form.
        expected: &'static str,
    },
    /// A key nobody could have drawn by chance: one byte over and over, or the same key for two purposes.
    #[error("{path}: {reason}")]
    Weak {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        reason: &'static str,
    },
    /// The wrapped key does not open: another key-encryption key, or the file was changed.
    #[error("data key of {day} in {path} does not open under this kek: wrong key file or damaged data key")]
    Unwrap {
        /// The store of wrapped keys.
        path: PathBuf,
        /// The day of the key.
        day: BusinessDay,
    },
    /// The store belongs to another node.
    #[error("{path} belongs to node {found}, expected node {expected}")]
    Node {
        /// The store of wrapped keys.
        path: PathBuf,
        /// The node this process is.
        expected: u16,
        /// The node the file names.
        found: u16,
    },
    /// No business day was opened yet, so there is no key to seal with.
    #[error("no data key: the first business day has not been opened")]
    NoDay,
    /// There is no such data key (any more).
    #[error("no data key for {day}: it was destroyed or never made")]
    NoKey {
        /// The day named in front of the sealed part.
        day: BusinessDay,
    },
    /// That day's key was destroyed; it cannot be made again, nor can days before it.
    #[error("data keys up to {through} were destroyed, {day} cannot be opened again")]
    Purged {
        /// The day asked for.
        day: BusinessDay,
        /// The last day destroyed.
        through: BusinessDay,
    },
    /// The key of the day in use cannot be destroyed.
    #[error("data key of {day} is in use, only days before it can be destroyed")]
    InUse {
        /// The current day.
        day: BusinessDay,
    },
    /// The sealed part fails its check: changed bytes, or it belongs to another batch.
    #[error("sealed part of {len} bytes under the key of {day} fails its authentication")]
    Forged {
        /// The day named in front.
        day: BusinessDay,
        /// Its length in bytes.
        len: usize,
    },
    /// Too short to be a sealed part.
    #[error("sealed part has {len} bytes, expected at least {least}")]
    Short {
        /// Its length in bytes.
        len: usize,
        /// Key id and tag.
        least: usize,
    },
    /// The system gave no random bytes for a new key.
    #[error("the system's random source failed")]
    Random,
}

impl Fault {
    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }
}
