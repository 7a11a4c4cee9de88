//! Reading segments from one end to the other: batches in order, and what lies behind the last good one.
//! Never writes. Guards: a batch is handed on only if checksum, place, sequence and chain are right.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::disk::{DiskFile, read_exact_at};
use crate::format::{
    BATCH_ALIGN, BATCH_BYTES_MAX, BATCH_HEADER_BYTES, BatchHeader, Chain, GROUP_BYTES_MAX,
    SEGMENT_HEADER_BYTES, SegmentHeader, records,
};
use crate::place::Place;

const READ_AHEAD: u64 = 1 << 20;
/// Behind the end of a log this much is read whole: all that one group can have left, and a batch more.
const NEAR: u64 = GROUP_BYTES_MAX + SEGMENT_HEADER_BYTES + BATCH_BYTES_MAX;
/// Farther away any log would be: one look of this length every stride finds it, at a sixteenth of the reading.
const SAMPLE: u64 = 4096;
const STRIDE: u64 = 64 << 10;

/// A segment read through one growing buffer; bytes behind the end of the file read as zeros, because a
/// file that lost its end is a torn tail like any other.
pub(crate) struct Window {
    file: Arc<dyn DiskFile>,
    file_len: u64,
    limit: u64,
    buf: Vec<u8>,
    at: u64,
}

impl Window {
    pub(crate) fn new(file: Arc<dyn DiskFile>, limit: u64) -> io::Result<Self> {
        let file_len = file.len()?;
        Ok(Self { file, file_len, limit, buf: Vec::new(), at: 0 })
    }

    /// `len` bytes at `offset`, which must lie within the segment.
    pub(crate) fn get(&mut self, offset: u64, len: u64) -> io::Result<&[u8]> {
        debug_assert!(offset + len <= self.limit, "reads stay in the segment");
        if offset < self.at || offset + len > self.at + self.buf.len() as u64 {
            self.fill(offset, len.max(READ_AHEAD).min(self.limit - offset))?;
        }
        let start = (offset - self.at) as usize;
        Ok(&self.buf[start..start + len as usize])
    }

    /// As [`Window::get`] without reading ahead.
    fn exactly(&mut self, offset: u64, len: u64) -> io::Result<&[u8]> {
        self.fill(offset, len)?;
        Ok(&self.buf)
    }

    fn fill(&mut self, offset: u64, len: u64) -> io::Result<()> {
        self.buf.clear();
        self.buf.resize(len as usize, 0);
        self.at = offset;
        let present = self.file_len.saturating_sub(offset).min(len) as usize;
        read_exact_at(&*self.file, &mut self.buf[..present], offset)
    }

    /// The segment's header block, if it is whole.
    pub(crate) fn segment_header(&mut self) -> io::Result<Option<SegmentHeader>> {
        Ok(SegmentHeader::parse(self.get(0, SEGMENT_HEADER_BYTES)?))
    }
}

/// Why a walk ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// No batch was ever written here.
    End(u64),
    /// Something is here that is not the next batch.
    Flaw(u64, &'static str),
}

/// Visits the batches of `segment` that begin in `span`, as long as they continue `chain`.
pub(crate) fn walk(
    place: &Place,
    segment: u32,
    window: &mut Window,
    span: Range<u64>,
    chain: &mut Chain,
    visit: &mut dyn FnMut(&BatchHeader, &[u8]),
) -> io::Result<Stop> {
    let mut at = span.start;
    loop {
        if at >= span.end || at + BATCH_HEADER_BYTES as u64 > place.segment_bytes {
            return Ok(Stop::End(at));
        }
        let head = window.get(at, BATCH_HEADER_BYTES as u64)?;
        if is_zero(head) {
            return Ok(Stop::End(at));
        }
        let Some(header) = BatchHeader::parse(head) else { return Ok(Stop::Flaw(at, "no batch header")) };
        if let Some(reason) = misfit(place, segment, at, &header, chain) {
            return Ok(Stop::Flaw(at, reason));
        }
        let whole = window.get(at, header.extent())?;
        let Some(body) = body_of(&header, whole) else { return Ok(Stop::Flaw(at, "checksum of the batch")) };
        if !numbers_hold(&header, body) {
            return Ok(Stop::Flaw(at, "records of the batch"));
        }
        visit(&header, body);
        chain.follow(&header);
        at += header.extent();
    }
}

/// What about `header` does not fit its place and its predecessor.
fn misfit(place: &Place, segment: u32, at: u64, header: &BatchHeader, chain: &Chain) -> Option<&'static str> {
    let checks = [
        (header.node != place.node, "node of the batch"),
        (header.lsn != place.lsn(segment, at), "position of the batch"),
        (header.batch != chain.batch, "sequence of the batch"),
        (header.first_record != chain.record, "sequence of the first record"),
        (header.previous != chain.hash, "hash of the batch before"),
        (header.epoch < chain.epoch, "epoch of the batch"),
        (header.extent() > BATCH_BYTES_MAX.min(place.segment_bytes - at), "length of the batch"),
    ];
    checks.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason))
}

/// The records' bytes, if `whole` (header, body, sealed part, padding) is what the header was written for.
pub(crate) fn body_of<'a>(header: &BatchHeader, whole: &'a [u8]) -> Option<&'a [u8]> {
    let (body, rest) = whole.get(BATCH_HEADER_BYTES..)?.split_at_checked(header.body as usize)?;
    let (sealed, padding) = rest.split_at_checked(header.sealed as usize)?;
    (header.covers(body, sealed) && is_zero(padding)).then_some(body)
}

fn numbers_hold(header: &BatchHeader, body: &[u8]) -> bool {
    let mut next = header.first_record;
    for record in records(body) {
        if !record.is_ok_and(|record| record.sequence == next as u32) {
            return false;
        }
        next += 1;
    }
    next == header.first_record + u64::from(header.records)
}

/// What lies behind the last good batch of a segment.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Bytes that are not zero, if any, widened to sectors.
    pub(crate) dirty: Option<Range<u64>>,
    /// Why this cannot be a torn tail.
    pub(crate) evidence: Option<String>,
    /// Whether the evidence is only that bytes stand where none should: in one of two copies they are rot.
    pub(crate) is_rot: bool,
}

/// Looks at `segment` from the aligned offset `from` to its end, knowing that batch `expected` should come next.
///
/// A torn tail is what one unfinished group of writes left: any part of it may be there, in any order, but nothing in
/// it was acknowledged. A header that was written when `expected` was already durable proves the opposite.
pub(crate) fn survey(
    place: &Place,
    segment: u32,
    window: &mut Window,
    from: u64,
    expected: u64,
) -> io::Result<Survey> {
    let mut survey = Survey::default();
    if from == 0
        && let Some(header) = window.segment_header()?
        && header.segment == segment
    {
        // The last segment was synced before this one was opened: whatever is missing there was acknowledged.
        survey.evidence = Some(format!("segment {segment} was opened by batch {}", header.chain.batch));
    }
    // Behind the end of the file there are only zeros.
    let end = place.segment_bytes.min(window.file_len.next_multiple_of(BATCH_ALIGN)).max(from);
    let near = end.min(from + NEAR);
    let mut at = from;
    while at < end {
        let len = if at < near { READ_AHEAD.min(near - at) } else { SAMPLE.min(end - at) };
        let chunk = window.exactly(at, len)?;
        if !is_zero(chunk) {
            for (index, sector) in chunk.chunks(BATCH_ALIGN as usize).enumerate() {
                let offset = at + index as u64 * BATCH_ALIGN;
                survey.take(place, segment, offset, sector, from, expected);
            }
        }
        at += if at < near { len } else { STRIDE };
    }
    Ok(survey)
}

impl Survey {
    fn take(&mut self, place: &Place, segment: u32, offset: u64, sector: &[u8], from: u64, expected: u64) {
        if is_zero(sector) {
            return;
        }
        let start = self.dirty.as_ref().map_or(offset, |dirty| dirty.start);
        self.dirty = Some(start..offset + sector.len() as u64);
        if self.evidence.is_some() && !self.is_rot {
            return;
        }
        let header = sector.get(..BATCH_HEADER_BYTES).and_then(BatchHeader::parse);
        if let Some(header) = header
            && header.lsn == place.lsn(segment, offset)
            && header.durable > expected
        {
            self.is_rot = false;
            self.evidence = Some(format!("batch {} behind it was written when it was durable", header.batch));
        } else if offset - from > GROUP_BYTES_MAX + SEGMENT_HEADER_BYTES {
            self.is_rot = true;
            self.evidence =
                Some(format!("bytes at offset {offset} of segment {segment} lie behind any torn tail"));
        }
    }
}

/// Whether all bytes are zero; written so that the compiler compares 64 at a time.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}
