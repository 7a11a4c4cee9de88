//! The batches of a journal in order, over all segments, and the records in them.
//! Never believes a batch before all of it was checked. Guards: reading stops at the first thing that is not the next batch.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Fault;
use super::layout::{
    BATCH_HEADER, BATCH_MAX, BatchHead, Expected, SEGMENT_HEADER, START, SegmentHead, batch_head,
    segment_head, split_record,
};

/// One segment file. Bytes it lacks read as zeros.
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    file: File,
    pub(super) head: Option<SegmentHead>,
}

impl Segment {
    fn open(number: u32, path: PathBuf) -> Result<Self, Fault> {
        let file = File::open(&path).map_err(|error| Fault::read(&path, error))?;
        let mut segment = Self { number, path, file, head: None };
        segment.head = segment_head(&segment.read(0, SEGMENT_HEADER)?);
        Ok(segment)
    }

    /// `len` bytes at `offset`.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; len];
        let mut done = 0;
        while done < len {
            let read = self.file.read_at(&mut bytes[done..], offset + done as u64);
            match read.map_err(|error| Fault::read(&self.path, error))? {
                0 => break,
                count => done += count,
            }
        }
        Ok(bytes)
    }
}

/// All segments of a directory, by number.
pub(super) fn segments(dir: &Path) -> Result<Vec<Segment>, Fault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| Fault::read(dir, error))? {
        let path = entry.map_err(|error| Fault::read(dir, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_prefix("segment-").and_then(|rest| rest.strip_suffix(".journal"));
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            found.push(Segment::open(number, path)?);
        }
    }
    found.sort_unstable_by_key(|segment| segment.number);
    if found.is_empty() { Err(Fault::NoJournal { dir: dir.to_owned() }) } else { Ok(found) }
}

/// A batch that was checked.
pub(super) struct Batch {
    pub(super) head: BatchHead,
    whole: Vec<u8>,
}

impl Batch {
    fn body(&self) -> &[u8] {
        &self.whole[BATCH_HEADER..BATCH_HEADER + self.head.body as usize]
    }

    /// Its records.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let body = self.body();
        let mut rest = body;
        let mut sequence = self.head.first_record;
        std::iter::from_fn(move || {
            let at = (body.len() - rest.len()) as u64;
            let (raw, behind) = split_record(rest)?;
            rest = behind;
            sequence += 1;
            Some(Record {
                lsn: self.head.lsn + BATCH_HEADER as u64 + at,
                sequence: sequence - 1,
                batch: self.head.batch,
                epoch: self.head.epoch,
                kind: raw.kind,
                has_secret: raw.has_secret(),
                payload: raw.payload.to_vec(),
            })
        })
    }
}

/// What stands where a batch could.
pub(super) enum Step {
    /// The next batch.
    Batch(Batch),
    /// Nothing was written here.
    Empty,
    /// Something else.
    Flaw(&'static str),
}

/// Reads what stands at `offset` of `segment`, where `expected` should come next.
pub(super) fn step(
    segment: &Segment,
    shape: &SegmentHead,
    offset: u64,
    expected: &Expected,
    epoch: u32,
) -> Result<Step, Fault> {
    if offset + BATCH_HEADER as u64 > shape.segment_bytes {
        return Ok(Step::Empty);
    }
    let bytes = segment.read(offset, BATCH_HEADER)?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Step::Empty);
    }
    let Some(head) = batch_head(&bytes) else { return Ok(Step::Flaw("no batch header")) };
    let lsn = u64::from(segment.number) * shape.segment_bytes + offset;
    let misfit = [
        (head.node != shape.node, "node of the batch"),
        (head.lsn != lsn, "position of the batch"),
        (head.batch != expected.batch, "sequence of the batch"),
        (head.first_record != expected.record, "sequence of the first record"),
        (head.previous != expected.hash, "hash of the batch before"),
        (head.epoch < epoch, "epoch of the batch"),
        (head.durable > head.batch, "durable sequence of the batch"),
        (head.extent() > BATCH_MAX || head.extent() > shape.segment_bytes - offset, "length of the batch"),
    ];
    if let Some((_, reason)) = misfit.into_iter().find(|(wrong, _)| *wrong) {
        return Ok(Step::Flaw(reason));
    }
    let whole = segment.read(offset, head.extent() as usize)?;
    Ok(match head.flaw(&whole) {
        Some(reason) => Step::Flaw(reason),
        None => Step::Batch(Batch { head, whole }),
    })
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position: segment number × segment size + offset.
    pub lsn: u64,
    /// Sequence over the whole journal, from 1.
    pub sequence: u64,
    /// Sequence of its batch, from 1.
    pub batch: u64,
    /// Epoch of the process that wrote it.
    pub epoch: u32,
    /// The writer's kind, never 0.
    pub kind: u8,
    /// Whether the sealed part of its batch holds a secret of it.
    pub has_secret: bool,
    /// The payload.
    pub payload: Vec<u8>,
}

/// All records of the journal in `dir`, from the oldest segment that is there, in order.
/// # Errors
/// If the directory or a file cannot be read or there is no journal.
pub fn records(dir: &Path) -> Result<Records, Fault> {
    let segments: VecDeque<Segment> = segments(dir)?.into();
    let expected = segments.front().and_then(|first| first.head.as_ref()).map_or(START, |head| head.first);
    Ok(Records {
        segments,
        offset: SEGMENT_HEADER as u64,
        expected,
        epoch: 0,
        ready: VecDeque::new(),
        ended: false,
    })
}

/// Records one after the other; ends at the end of the log, or with [`Fault::Unsound`] where something else stands. A torn
/// tail is such a place too: [`verify`](super::verify) tells it from damage.
pub struct Records {
    segments: VecDeque<Segment>,
    offset: u64,
    expected: Expected,
    epoch: u32,
    ready: VecDeque<Record>,
    ended: bool,
}

impl Records {
    /// Fills `ready`; `false` at the end of the log.
    fn advance(&mut self) -> Result<bool, Fault> {
        let Some((segment, shape)) =
            self.segments.front().and_then(|first| Some((first, first.head.clone()?)))
        else {
            return Ok(false);
        };
        if shape.first != self.expected && self.offset == SEGMENT_HEADER as u64 {
            return Err(self.unsound("the segment does not continue the one before"));
        }
        match step(segment, &shape, self.offset, &self.expected, self.epoch)? {
            Step::Batch(batch) => {
                self.ready.extend(batch.records());
                (self.offset, self.expected) = (self.offset + batch.head.extent(), batch.head.next());
                self.epoch = batch.head.epoch;
                Ok(true)
            }
            Step::Empty => {
                self.segments.pop_front();
                self.offset = SEGMENT_HEADER as u64;
                Ok(!self.segments.is_empty())
            }
            Step::Flaw(reason) => Err(self.unsound(reason)),
        }
    }

    fn unsound(&self, reason: &str) -> Fault {
        let segment = self.segments.front().map_or(0, |segment| segment.number);
        Fault::Unsound { segment, offset: self.offset, reason: reason.to_owned() }
    }
}

impl Iterator for Records {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.ended {
            match self.advance() {
                Ok(more) => self.ended = !more,
                Err(fault) => {
                    self.ended = true;
                    return Some(Err(fault));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
