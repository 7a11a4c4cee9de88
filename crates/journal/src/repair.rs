//! Repair of a mirrored journal that nobody has open: every segment, from the first to the last, in both copies.
//! Never opens it for writing in any other sense: no epoch is raised, no tail cut, nothing judged torn is touched.
//! Guards: what it leaves is whole in both copies, or it names the record that is in neither (`tests/mirror.rs`).

use std::sync::Arc;

use crate::disk::Disk;
use crate::journal::take;
use crate::options::Options;
use crate::recover;
use crate::{Fault, Lsn};

/// What a repair found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Segments read.
    pub segments: u32,
    /// Batches found sound, after repair.
    pub batches: u64,
    /// Places that were put right in either copy.
    pub mended: u64,
    /// Where the log ends.
    pub tail: Lsn,
}

/// Reads both copies of the journal in `options.dir` and `options.mirror`, and repairs each from the other.
/// # Errors
/// [`Fault::Option`] if there is no mirror, [`Fault::Held`] if a process has the journal open, [`Fault::Damaged`] with the
/// record that is sound in neither copy (what came before it is repaired), [`Fault::Io`].
pub fn repair(options: &Options, disk: Arc<dyn Disk>) -> Result<Repaired, Fault> {
    options.check()?;
    if options.mirror.is_none() {
        let reason = "expected a second directory to repair from, found none".to_owned();
        return Err(Fault::Option { option: "mirror", reason });
    }
    let (place, _lock) = take(options, disk, false)?;
    recover::mend(&place)
}
