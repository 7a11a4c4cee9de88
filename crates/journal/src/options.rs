//! What the caller decides about a journal, checked before a file is touched.
//! Never reads the environment. Guards: a segment can hold its header, the reserve and a batch.

use std::path::{Path, PathBuf};

use crate::format::{BATCH_ALIGN, SEGMENT_HEADER_BYTES};
use crate::{Fault, Kind, Projection};

/// When a commit is told to the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// After `fdatasync`: survives a power cut.
    #[default]
    Durable,
    /// After the write: survives the death of the process, not that of the machine. Synced at least every 16 MiB.
    Relaxed,
}

/// Says under which key a record is to be found again (see [`Reader::find`](crate::Reader::find)).
pub type KeyOf = fn(Kind, &[u8]) -> Option<u64>;

/// Says under which further keys it is to be found.
pub type NamesOf = fn(Kind, &[u8]) -> [Option<u64>; 2];

/// Makes a projection without content, for checkpoints behind the hot path.
pub type Fresh = Box<dyn Fn() -> Box<dyn Projection + Send> + Send + Sync>;

/// Says whether a closed segment (its number and file) is past retention and archived.
pub type Retire = Box<dyn Fn(u32, &Path) -> bool + Send + Sync>;

/// How a journal is opened.
pub struct Options {
    /// Directory of the journal; created if missing.
    pub dir: PathBuf,
    /// Second directory, on another disk: every write goes to both, and what rots in one is repaired from the other.
    pub mirror: Option<PathBuf>,
    /// Number of this node, part of every batch; a directory of another node is refused.
    pub node: u16,
    /// Size of a segment, bytes, a multiple of 4096; fixed for the journal's life.
    pub segment_bytes: u64,
    /// Durable by default.
    pub sync: SyncMode,
    /// Workers that append, at least 1.
    pub lanes: usize,
    /// Bytes kept for [`Class::Owed`](crate::Class::Owed) in the last segment when no further one can be prepared.
    pub reserve_bytes: u64,
    /// Bytes of log from one checkpoint to the next, at least 4096; more where the state is so large that writing it
    /// would cost more than replaying.
    pub checkpoint_bytes: u64,
    /// Key of a record for the index of originals; without it every look-up is `Unknown`.
    pub key: Option<KeyOf>,
    /// Further keys of a record, in the same index; only beside `key`.
    pub names: Option<NamesOf>,
    /// Asked for the oldest segment after each checkpoint, when nothing owed needs it and two checkpoints stand behind it:
    /// if it says yes, the segment is removed. Without it every segment stays.
    pub retire: Option<Retire>,
    /// Maker of fresh projections; without it no checkpoints are written behind the hot path.
    pub fresh: Option<Fresh>,
}

impl Options {
    /// Default size of a segment: 512 MiB.
    pub const SEGMENT_BYTES: u64 = 512 << 20;
    /// Default reserve: 16 MiB, some sixty thousand owed records.
    pub const RESERVE_BYTES: u64 = 16 << 20;

    /// Default distance of checkpoints: 64 MiB, some quarter of a million transactions.
    pub const CHECKPOINT_BYTES: u64 = 64 << 20;

    /// Defaults for one lane in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            mirror: None,
            node: 0,
            segment_bytes: Self::SEGMENT_BYTES,
            sync: SyncMode::Durable,
            lanes: 1,
            reserve_bytes: Self::RESERVE_BYTES,
            checkpoint_bytes: Self::CHECKPOINT_BYTES,
            key: None,
            names: None,
            fresh: None,
            retire: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Fault> {
        let least = SEGMENT_HEADER_BYTES + BATCH_ALIGN;
        if !self.segment_bytes.is_multiple_of(SEGMENT_HEADER_BYTES) || self.segment_bytes < least {
            return Err(out_of_range("segment_bytes", "a multiple of 4096 from 8192 on", self.segment_bytes));
        }
        if self.reserve_bytes > self.segment_bytes - least {
            return Err(out_of_range("reserve_bytes", "less than a segment by 4608", self.reserve_bytes));
        }
        if self.lanes == 0 {
            return Err(out_of_range("lanes", "at least 1", 0));
        }
        if self.checkpoint_bytes < 4096 {
            return Err(out_of_range("checkpoint_bytes", "at least 4096", self.checkpoint_bytes));
        }
        Ok(())
    }
}

fn out_of_range(option: &'static str, expected: &str, found: u64) -> Fault {
    Fault::Option { option, reason: format!("expected {expected}, found {found}") }
}
