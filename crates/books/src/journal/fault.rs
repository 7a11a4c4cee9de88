//! What keeps the second reader from reading at all. Damage in the log is no fault but a finding.
//! Never says what a payload held. Guards: every text names the file.

use std::io;
use std::path::{Path, PathBuf};

/// The journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no segment, hence no journal.
    #[error("{} holds no journal: expected segment-00000000.journal or a later one", dir.display())]
    NoJournal {
        /// The directory.
        dir: PathBuf,
    },
    /// The log has a flaw at this place; what was handed out before it is sound.
    #[error("journal unsound in segment {segment} at offset {offset}: {reason}")]
    Unsound {
        /// Number of the segment.
        segment: u32,
        /// Byte offset in it.
        offset: u64,
        /// What was found.
        reason: String,
    },
}

impl Fault {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
