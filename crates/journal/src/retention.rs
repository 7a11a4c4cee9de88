//! Segments that nobody needs any more are removed, the oldest first.
//! Never removes one that the caller keeps, that a checkpoint would replay, or that holds what something owed needs.
//! Guards: what is left is one run of segments behind two checkpoints (`tests/retention.rs`).

use std::sync::atomic::Ordering::Relaxed;

use crate::checkpoint;
use crate::index::KeyIndex;
use crate::options::Retire;
use crate::place::{Place, index_name, parse_segment};
use crate::stats::Stats;
use crate::{Fault, Lsn};

/// Removes what `retire` gives up.
pub(crate) fn sweep(place: &Place, index: &KeyIndex, stats: &Stats, retire: &Retire) -> Result<(), Fault> {
    let names = place.list()?;
    let until = first_needed(place, &names)?;
    let mut segments: Vec<u32> = names.iter().filter_map(|name| parse_segment(name)).collect();
    segments.sort_unstable();
    for segment in segments.into_iter().take_while(|segment| *segment < until) {
        if !retire(segment, &place.segment_path(segment)) {
            break;
        }
        remove(place, segment)?;
        index.retire(segment);
        stats.retired.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// The first segment that a start could need, from either checkpoint.
fn first_needed(place: &Place, names: &[String]) -> Result<u32, Fault> {
    let stands = checkpoint::stands(place, names)?;
    if stands.len() < checkpoint::KEPT {
        return Ok(0);
    }
    let owed = stands.iter().map(|stand| stand.oldest_needed).filter(|oldest| *oldest != Lsn::NONE);
    let positions = stands.iter().map(|stand| stand.position).chain(owed);
    Ok(positions.min().map_or(0, |oldest| oldest.segment(place.segment_bytes)))
}

fn remove(place: &Place, segment: u32) -> Result<(), Fault> {
    let index = place.path(&index_name(segment));
    let path = place.segment_path(segment);
    // An index without its segment would be worse than a segment without its index.
    match place.disk.remove(&index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Fault::io("remove", &index, error));
        }
        _ => {}
    }
    place.disk.remove(&path).map_err(|error| Fault::io("remove", &path, error))?;
    place.disk.sync_dir(&place.dir).map_err(|error| Fault::io("sync", &place.dir, error))
}
