//! Where a journal lives and what its files are called.
//! Never reads a batch. Guards: a name is parsed back by the same rule that made it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::{Fault, Lsn};

pub(crate) const LOCK_FILE: &str = "lock";
pub(crate) const EPOCH_FILE: &str = "epoch";
pub(crate) const CLEAN_FILE: &str = "clean";

/// The directory, the disk and the properties that never change.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) node: u16,
    pub(crate) segment_bytes: u64,
}

impl Place {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn segment_path(&self, segment: u32) -> PathBuf {
        self.path(&segment_name(segment))
    }

    pub(crate) fn open_segment(&self, segment: u32) -> Result<Arc<dyn DiskFile>, Fault> {
        self.open(&self.segment_path(segment))
    }

    pub(crate) fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>, Fault> {
        self.disk.open(path).map_err(|error| Fault::io("open", path, error))
    }

    pub(crate) fn lsn(&self, segment: u32, offset: u64) -> Lsn {
        Lsn::at(segment, offset, self.segment_bytes)
    }

    pub(crate) fn list(&self) -> Result<Vec<String>, Fault> {
        self.disk.list(&self.dir).map_err(|error| Fault::io("list", &self.dir, error))
    }

    /// Whether `segment` lies within the 48 bits of an [`Lsn`].
    pub(crate) fn is_addressable(&self, segment: u32) -> bool {
        (u64::from(segment) + 1).checked_mul(self.segment_bytes).is_some_and(|end| end <= Lsn::END.0)
    }
}

pub(crate) fn segment_name(segment: u32) -> String {
    format!("segment-{segment:08}.journal")
}

/// Name while the segment is still being filled with zeros.
pub(crate) fn preparing_name(segment: u32) -> String {
    format!("segment-{segment:08}.preparing")
}

pub(crate) fn index_name(segment: u32) -> String {
    format!("segment-{segment:08}.index")
}

pub(crate) fn checkpoint_name(position: Lsn) -> String {
    format!("checkpoint-{:016x}", position.0)
}

pub(crate) fn parse_segment(name: &str) -> Option<u32> {
    let number = name.strip_prefix("segment-")?.strip_suffix(".journal")?.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

pub(crate) fn parse_checkpoint(name: &str) -> Option<Lsn> {
    let position = u64::from_str_radix(name.strip_prefix("checkpoint-")?, 16).ok().map(Lsn)?;
    (checkpoint_name(position) == name).then_some(position)
}

/// Whether a file of this name is kept in both directories of a mirrored journal: what cannot be made again.
pub(crate) fn is_mirrored(name: &str) -> bool {
    let name = name.strip_suffix(".new").unwrap_or(name);
    let is_segment =
        name.starts_with("segment-") && (name.ends_with(".journal") || name.ends_with(".preparing"));
    is_segment || [EPOCH_FILE, CLEAN_FILE].contains(&name)
}

/// Whether the file is one that a crash left half made.
pub(crate) fn is_left_over(name: &str) -> bool {
    let aside = name.strip_suffix(".new").unwrap_or_default();
    let ours = [EPOCH_FILE, CLEAN_FILE].contains(&aside)
        || parse_checkpoint(aside).is_some()
        || (aside.starts_with("segment-") && aside.ends_with(".index"));
    ours || (name.starts_with("segment-") && name.ends_with(".preparing"))
}
