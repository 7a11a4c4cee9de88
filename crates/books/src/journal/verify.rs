//! The whole journal against its description: checksums, hashes, chain, sequences, and what lies behind the end.
//! Never repairs. Guards: a torn tail is told from damage by the same evidence a start would use.

use std::ops::Range;
use std::path::Path;

use super::Fault;
use super::layout::{
    BATCH_HEADER, Expected, GROUP_MAX, SECTOR, SEGMENT_HEADER, START, SegmentHead, batch_head,
};
use super::log::{Batch, Segment, Step, segments, step};
use super::report::{Damage, Report, SegmentLine, SegmentState, Torn};

const CHUNK: usize = 1 << 20;

/// Checks the journal in `dir`. Damage is part of the report, not an error.
/// # Errors
/// If the directory or a file cannot be read or there is no journal.
pub fn verify(dir: &Path) -> Result<Report, Fault> {
    let segments = segments(dir)?;
    let mut check = Check::new(dir, &segments);
    check.walk(&segments)?;
    check.look_behind(&segments)?;
    check.compare_clean_mark(dir);
    check.report.sound = check.report.damage.is_none();
    Ok(check.report)
}

struct Check {
    report: Report,
    shape: Option<SegmentHead>,
    expected: Expected,
    epoch: u32,
    /// Where the log stops: index of the segment, offset, and what is there if it is not nothing.
    stop: (usize, u64, Option<String>),
}

impl Check {
    fn new(dir: &Path, segments: &[Segment]) -> Self {
        let shape = segments.iter().find_map(|segment| segment.head.clone());
        let expected = match segments.first().and_then(|first| first.head.as_ref()) {
            // Older segments may have been archived: then the chain starts where the first one says.
            Some(head) if head.number > 0 => head.first,
            _ => START,
        };
        let report = Report {
            dir: dir.display().to_string(),
            sound: false,
            node: shape.as_ref().map(|shape| shape.node),
            segment_bytes: shape.as_ref().map(|shape| shape.segment_bytes),
            segments: segments.iter().map(line).collect(),
            batches: 0,
            records: 0,
            secrets: 0,
            kinds: Default::default(),
            epochs: Default::default(),
            end: 0,
            head: hex(&expected.hash),
            torn: None,
            damage: None,
        };
        Self { report, shape, expected, epoch: 0, stop: (0, 0, None) }
    }

    fn walk(&mut self, segments: &[Segment]) -> Result<(), Fault> {
        let Some(shape) = self.shape.clone() else { return Ok(()) };
        for (index, segment) in segments.iter().enumerate() {
            if u64::from(segment.number) != u64::from(segments[0].number) + index as u64 {
                self.damage(segments, index, 0, format!("segment {} follows", segment.number));
                return Ok(());
            }
            let Some(head) = &segment.head else { return Ok(()) };
            if index > 0 {
                self.check_rest(segments, index - 1)?;
            }
            if let Some(reason) = self.misfit(segment, head, &shape) {
                self.damage(segments, index, 0, reason.to_owned());
                return Ok(());
            }
            self.report.segments[index].state = SegmentState::Open;
            self.epoch = self.epoch.max(head.epoch);
            if self.walk_segment(segment, index, &shape)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn misfit(&self, segment: &Segment, head: &SegmentHead, shape: &SegmentHead) -> Option<&'static str> {
        let checks = [
            (head.number != u64::from(segment.number), "number of the segment"),
            (head.node != shape.node, "node of the segment"),
            (head.segment_bytes != shape.segment_bytes, "size of the segment"),
            (head.epoch < self.epoch, "epoch of the segment"),
            (head.first != self.expected, "the segment does not continue the one before"),
        ];
        checks.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason))
    }

    /// Reads the batches of one segment; true if something else than nothing ended them.
    fn walk_segment(&mut self, segment: &Segment, index: usize, shape: &SegmentHead) -> Result<bool, Fault> {
        let mut offset = SEGMENT_HEADER as u64;
        loop {
            self.stop = (index, offset, None);
            self.report.segments[index].used = offset;
            self.report.end = u64::from(segment.number) * shape.segment_bytes + offset;
            match step(segment, shape, offset, &self.expected, self.epoch)? {
                Step::Batch(batch) => {
                    self.count(index, &batch);
                    offset += batch.head.extent();
                }
                Step::Empty => return Ok(false),
                Step::Flaw(reason) => {
                    self.stop.2 = Some(reason.to_owned());
                    return Ok(true);
                }
            }
        }
    }

    fn count(&mut self, index: usize, batch: &Batch) {
        let Report { segments, batches, records, secrets, kinds, epochs, head, .. } = &mut self.report;
        *batches += 1;
        segments[index].batches += 1;
        for record in batch.records() {
            *records += 1;
            segments[index].records += 1;
            *secrets += u64::from(record.has_secret);
            *kinds.entry(record.kind).or_default() += 1;
        }
        *epochs.entry(batch.head.epoch).or_default() += 1;
        *head = hex(&batch.head.hash);
        self.expected = batch.head.next();
        self.epoch = batch.head.epoch;
    }

    /// Behind the last batch of a closed segment there are only zeros.
    fn check_rest(&mut self, segments: &[Segment], index: usize) -> Result<(), Fault> {
        self.report.segments[index].state = SegmentState::Closed;
        if let Some(dirty) = self.dirty(&segments[index], self.stop.1)?.0 {
            self.damage(segments, index, dirty.start, "bytes behind the last batch".to_owned());
        }
        Ok(())
    }

    /// Everything behind the stop: zeros, a torn tail, or proof of damage.
    fn look_behind(&mut self, segments: &[Segment]) -> Result<(), Fault> {
        if self.report.damage.is_some() {
            return Ok(());
        }
        let (first, offset, flaw) = self.stop.clone();
        if self.shape.is_none() {
            return Ok(());
        }
        for (index, segment) in segments.iter().enumerate().skip(first) {
            let from = if index == first { offset } else { 0 };
            let (dirty, mut evidence) = self.dirty(segment, from)?;
            if from == 0 && segment.head.is_some() {
                evidence = Some(format!("segment {} was opened", segment.number));
            }
            if let Some(evidence) = evidence {
                let reason = format!("{}, but {evidence}", flaw.as_deref().unwrap_or("no batch"));
                self.report.torn = None;
                self.damage(segments, first, offset, reason);
                return Ok(());
            }
            if let Some(dirty) = dirty {
                let bytes = dirty.end - dirty.start;
                let (segment, offset) = (segment.number, dirty.start);
                self.report.torn.get_or_insert(Torn { segment, offset, bytes: 0 }).bytes += bytes;
            }
        }
        Ok(())
    }

    /// Span of the sectors from `from` on that are not zero, and why they cannot be a torn tail.
    fn dirty(&self, segment: &Segment, from: u64) -> Result<(Option<Range<u64>>, Option<String>), Fault> {
        let mut span: Option<Range<u64>> = None;
        let mut evidence = None;
        let Some(shape) = &self.shape else { return Ok((None, None)) };
        let mut at = from;
        while at < shape.segment_bytes {
            let chunk = segment.read(at, CHUNK.min((shape.segment_bytes - at) as usize))?;
            for (index, sector) in chunk.chunks(SECTOR as usize).enumerate() {
                if sector.iter().all(|byte| *byte == 0) {
                    continue;
                }
                let offset = at + index as u64 * SECTOR;
                span = Some(span.map_or(offset, |span| span.start)..offset + sector.len() as u64);
                evidence = evidence.or_else(|| self.evidence(segment, shape, offset, from, sector));
            }
            at += chunk.len() as u64;
        }
        Ok((span, evidence))
    }

    fn evidence(
        &self,
        segment: &Segment,
        shape: &SegmentHead,
        offset: u64,
        from: u64,
        sector: &[u8],
    ) -> Option<String> {
        let here = u64::from(segment.number) * shape.segment_bytes + offset;
        let head = sector.get(..BATCH_HEADER).and_then(batch_head).filter(|head| head.lsn == here);
        if let Some(head) = head.filter(|head| head.durable > self.expected.batch) {
            return Some(format!("batch {} behind it was written when it was durable", head.batch));
        }
        let is_far = offset - from > GROUP_MAX + SEGMENT_HEADER as u64;
        is_far.then(|| {
            format!("bytes at offset {offset} of segment {} lie behind any torn tail", segment.number)
        })
    }

    /// After a clean close the end is known.
    fn compare_clean_mark(&mut self, dir: &Path) {
        let Some((batch, hash)) = clean_mark(dir) else { return };
        if self.report.damage.is_some() || (batch, hash) == (self.expected.batch, self.expected.hash) {
            return;
        }
        let (index, offset, _) = self.stop;
        let segment = self.report.segments[index].number;
        let reason = format!("the journal was closed cleanly before batch {batch}");
        let (batch, record) = (self.expected.batch, self.expected.record);
        self.report.torn = None;
        self.report.damage = Some(Damage { segment, offset, batch, record, reason });
    }

    fn damage(&mut self, segments: &[Segment], index: usize, offset: u64, reason: String) {
        let (batch, record) = (self.expected.batch, self.expected.record);
        let segment = segments[index].number;
        self.report.damage.get_or_insert(Damage { segment, offset, batch, record, reason });
    }
}

fn line(segment: &Segment) -> SegmentLine {
    let first_batch = segment.head.as_ref().map(|head| head.first.batch);
    let state = if first_batch.is_some() { SegmentState::Unread } else { SegmentState::Prepared };
    SegmentLine { number: segment.number, state, first_batch, batches: 0, records: 0, used: 0 }
}

/// Next batch and last hash of a clean close, if the mark's epoch is still the current one.
fn clean_mark(dir: &Path) -> Option<(u64, [u8; 32])> {
    let epoch = checked(dir, "epoch", b"PMEPOCH\x01", 24)?;
    let clean = checked(dir, "clean", b"PMCLEAN\x01", 80)?;
    let batch = u64::from_le_bytes(clean[24..32].try_into().ok()?);
    (clean[12..16] == epoch[12..16]).then_some((batch, clean[40..72].try_into().ok()?))
}

fn checked(dir: &Path, name: &str, magic: &[u8], len: usize) -> Option<Vec<u8>> {
    let bytes = std::fs::read(dir.join(name)).ok()?;
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    let whole =
        bytes.len() == len && content.starts_with(magic) && crc32c::crc32c(content).to_le_bytes() == *crc;
    whole.then_some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
