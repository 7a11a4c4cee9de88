//! Repair from the other copy: a batch or a header that is sound there, and whatever differs before the end of the log.
//! Never copies what was not checked against the chain. Guards: a log of which each batch is sound in one of two copies
//! is whole afterwards in both (`tests/mirror.rs`).

use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

use crate::disk::{DiskFile, read_exact_at};
use crate::format::{Chain, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::place::Place;
use crate::walk::{Window, walk};

const PIECE: u64 = 1 << 20;

/// The copy that is read, of a file kept twice or once.
pub(crate) fn main_of(file: &Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
    file.copies().map_or_else(|| file.clone(), |[main, _]| main)
}

/// The other copy.
pub(crate) fn twin_of(file: &Arc<dyn DiskFile>) -> Option<Arc<dyn DiskFile>> {
    file.copies().map(|[_, twin]| twin)
}

/// Puts the batch that must come next at `offset` in its place, if the twin has it: says whether.
pub(crate) fn batch(
    place: &Place,
    segment: u32,
    file: &Arc<dyn DiskFile>,
    offset: u64,
    chain: &Chain,
) -> io::Result<bool> {
    let Some([main, twin]) = file.copies() else { return Ok(false) };
    let mut window = Window::new(twin, place.segment_bytes)?;
    let (mut chain, mut extent) = (*chain, 0);
    walk(place, segment, &mut window, offset..offset + 1, &mut chain, &mut |header, _| {
        extent = header.extent()
    })?;
    if extent == 0 {
        return Ok(false);
    }
    put(&*main, window.get(offset, extent)?, offset)?;
    Ok(true)
}

/// The segment's header, from the twin if it is sound only there.
pub(crate) fn header(
    place: &Place,
    segment: u32,
    file: &Arc<dyn DiskFile>,
    window: &mut Window,
) -> io::Result<(Option<SegmentHeader>, bool)> {
    if let Some(header) = window.segment_header()? {
        return Ok((Some(header), false));
    }
    let Some([main, twin]) = file.copies() else { return Ok((None, false)) };
    let mut other = Window::new(twin, place.segment_bytes)?;
    let ours = other.segment_header()?.filter(|header| header.segment == segment);
    if ours.is_some() {
        put(&*main, other.get(0, SEGMENT_HEADER_BYTES)?, 0)?;
    }
    let mended = ours.is_some();
    Ok((ours, mended))
}

/// Makes the twin equal to the main copy, which was found sound over `span`; says how many pieces were not.
pub(crate) fn twin(file: &Arc<dyn DiskFile>, span: Range<u64>) -> io::Result<u64> {
    let Some([main, twin]) = file.copies() else { return Ok(0) };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut mended = 0;
    for at in span.clone().step_by(PIECE as usize) {
        let len = PIECE.min(span.end - at);
        read_padded(&*main, &mut ours, at, len)?;
        read_padded(&*twin, &mut theirs, at, len)?;
        if ours != theirs {
            put(&*twin, &ours, at)?;
            mended += 1;
        }
    }
    Ok(mended)
}

fn read_padded(file: &dyn DiskFile, bytes: &mut Vec<u8>, at: u64, len: u64) -> io::Result<()> {
    bytes.clear();
    bytes.resize(len as usize, 0);
    let there = file.len()?.saturating_sub(at).min(len) as usize;
    read_exact_at(file, &mut bytes[..there], at)
}

fn put(file: &dyn DiskFile, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_at(&mut [IoSlice::new(bytes)], at)?;
    file.sync_data()
}
