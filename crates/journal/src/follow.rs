//! A reader that follows the log from a place it remembers: for projections that live outside the process's start.
//!
//! Never takes the lock, never writes, never opens a secret; hands on whole batches that continue the chain, and nothing
//! behind the position it is given. Guards: a mark of a log that took another course is recognised, also where the log
//! is shorter than the mark (`tests/follow.rs`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::format::{
    BATCH_HEADER_BYTES, BatchHeader, Chain, SEGMENT_HEADER_BYTES, SegmentHeader, u32_at, u64_at,
};
use crate::keeper::{self, continues};
use crate::place::{Place, parse_segment, segment_name};
use crate::walk::{Stop, Window, is_zero, walk};
use crate::{Fault, Kind, Lsn};

/// Behind a batch: what a follower keeps to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where the next batch may begin.
    pub position: Lsn,
    /// Where the last batch began; [`Lsn::NONE`] at the start of a segment.
    last: Lsn,
    chain: Chain,
}

impl Mark {
    /// Length of [`Mark::to_bytes`].
    pub const BYTES: usize = 68;

    /// Sequence of the next record, from 1.
    pub fn record(&self) -> u64 {
        self.chain.record
    }

    /// For whoever stores it.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let Chain { batch, record, hash, epoch } = self.chain;
        for (at, number) in [self.position.0, self.last.0, batch, record].into_iter().enumerate() {
            bytes[at * 8..][..8].copy_from_slice(&number.to_le_bytes());
        }
        bytes[32..64].copy_from_slice(&hash);
        bytes[64..].copy_from_slice(&epoch.to_le_bytes());
        bytes
    }

    /// What [`Mark::to_bytes`] gave; `None` for another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::BYTES {
            return None;
        }
        let number = |at: usize| u64_at(bytes, at * 8);
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[32..64]);
        let chain = Chain { batch: number(2), record: number(3), hash, epoch: u32_at(bytes, 64) };
        Some(Self { position: Lsn(number(0)), last: Lsn(number(1)), chain })
    }
}

/// What became of the place that a mark remembers.
pub enum Resumed {
    /// It is there.
    Here(Follower),
    /// Its segment is gone past retention.
    Gone,
    /// The log took another course, or is another log.
    Diverged,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// There may be more.
    More,
    /// Everything up to the given position was handed on.
    End,
    /// Something that is not the next batch: a torn tail, a batch being written, or damage.
    Flaw {
        /// Where.
        at: Lsn,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Follows the log of one directory and, if it is mirrored, of both.
pub struct Follower {
    /// The directory, and its mirror.
    places: Vec<Place>,
    mark: Mark,
}

impl Follower {
    /// From the oldest segment there is; `None` if nothing was ever written.
    /// # Errors
    /// [`Fault::Io`], or [`Fault::BadFile`] if no copy of the segment has a header.
    pub fn oldest(disk: &Arc<dyn Disk>, dirs: &[PathBuf]) -> Result<Option<Self>, Fault> {
        let segments = segments(disk, dirs)?;
        let Some(first) = segments.first().copied() else { return Ok(None) };
        if segments.len() == 1 && is_blank(disk, dirs, first)? {
            return Ok(None);
        }
        let header = header_of(disk, dirs, first)?;
        let position = Lsn::at(first, SEGMENT_HEADER_BYTES, header.segment_bytes);
        let mark = Mark { position, last: Lsn::NONE, chain: header.chain };
        Ok(Some(Self { places: places(disk, dirs, &header), mark }))
    }

    /// From where `mark` was taken.
    /// # Errors
    /// [`Fault::Io`], or [`Fault::BadFile`] if no copy of the segment has a header.
    pub fn resume(disk: &Arc<dyn Disk>, dirs: &[PathBuf], mark: Mark) -> Result<Resumed, Fault> {
        let segments = segments(disk, dirs)?;
        let Some(oldest) = segments.first() else { return Ok(Resumed::Diverged) };
        let first = header_of(disk, dirs, *oldest)?;
        // A batch that fills its segment ends where the next one begins.
        let at = if mark.last == Lsn::NONE { mark.position } else { mark.last };
        let segment = at.segment(first.segment_bytes);
        if segment < *oldest {
            return Ok(match is_continued(&first, &mark) {
                true => Self::oldest(disk, dirs)?.map_or(Resumed::Gone, Resumed::Here),
                false => Resumed::Gone,
            });
        }
        if !segments.contains(&segment) {
            return Ok(Resumed::Diverged);
        }
        let header = header_of(disk, dirs, segment)?;
        let places = places(disk, dirs, &header);
        for place in &places {
            if stands(place, &header, segment, &mark)? {
                return Ok(Resumed::Here(Self { places, mark }));
            }
        }
        Ok(Resumed::Diverged)
    }

    /// Behind what was handed on.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Back to `mark`, one of its own: what was handed on since could not be kept.
    pub fn rewind(&mut self, mark: Mark) {
        self.mark = mark;
    }

    /// Size of a segment.
    pub fn segment_bytes(&self) -> u64 {
        self.places[0].segment_bytes
    }

    /// Hands on the records of the next batches, in order: those that begin before `until` and within the next `bytes`
    /// of the log.
    /// # Errors
    /// [`Fault::Io`] if no copy can be read.
    pub fn step(
        &mut self,
        until: Lsn,
        bytes: u64,
        visit: &mut dyn FnMut(Kind, &[u8], Lsn),
    ) -> Result<Reached, Fault> {
        if self.mark.position >= until {
            return Ok(Reached::End);
        }
        let from = self.mark.position;
        if from.offset(self.segment_bytes()) == 0 {
            return self.next_segment(until);
        }
        let mut reached = Ok(Reached::End);
        // Rot since the start: the other copy has it.
        for place in 0..self.places.len() {
            reached = self.walk(place, until, bytes, visit);
            if self.mark.position > from {
                return Ok(Reached::More);
            }
            if let Ok(Reached::End) = reached {
                return self.next_segment(until);
            }
        }
        reached
    }

    fn walk(
        &mut self,
        place: usize,
        until: Lsn,
        bytes: u64,
        visit: &mut dyn FnMut(Kind, &[u8], Lsn),
    ) -> Result<Reached, Fault> {
        let place = &self.places[place];
        let size = place.segment_bytes;
        let (segment, from) = (self.mark.position.segment(size), self.mark.position.offset(size));
        let path = place.segment_path(segment);
        let io = |error| Fault::io("read", &path, error);
        // A new window each time: what was read ahead may have been written since.
        let mut window = Window::new(place.open_segment(segment)?, size).map_err(io)?;
        let end = if until < Lsn::at(segment + 1, 0, size) { until.offset(size) } else { size };
        let span = from..end.min(from + bytes);
        let mark = &mut self.mark;
        let mut last = mark.last;
        let stop = walk(place, segment, &mut window, span, &mut mark.chain, &mut |header, body| {
            last = header.lsn;
            keeper::each(header.lsn, body, visit);
        });
        let (at, flaw) = match stop.map_err(io)? {
            Stop::End(at) => (at, None),
            Stop::Flaw(at, reason) => (at, Some(reason)),
        };
        (mark.position, mark.last) = (Lsn::at(segment, at, size), last);
        Ok(match flaw {
            Some(reason) => Reached::Flaw { at: mark.position, reason },
            None => Reached::End,
        })
    }

    /// Nothing more stands in this segment: the next one continues it, or the log ends.
    fn next_segment(&mut self, until: Lsn) -> Result<Reached, Fault> {
        let size = self.segment_bytes();
        let at = self.mark.position;
        let next = at.segment(size) + u32::from(at.offset(size) != 0);
        let start = Lsn::at(next, SEGMENT_HEADER_BYTES, size);
        if start > until || !segments(&self.places[0].disk, &self.dirs())?.contains(&next) {
            return Ok(Reached::End);
        }
        // Prepared ahead, it has no header yet.
        let Ok(header) = header_of(&self.places[0].disk, &self.dirs(), next) else {
            return Ok(Reached::End);
        };
        continues(next, &self.mark.chain, &header.chain)?;
        (self.mark.position, self.mark.last) = (start, Lsn::NONE);
        Ok(Reached::More)
    }

    fn dirs(&self) -> Vec<PathBuf> {
        self.places.iter().map(|place| place.dir.clone()).collect()
    }
}

/// From where to about where the log in `dir` reaches, without reading it; `None` if nothing was ever written. For bars and
/// estimates: a batch that is being written may count or not.
/// # Errors
/// [`Fault::Io`], or [`Fault::BadFile`] for a segment without a header.
pub fn log_extent(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Option<(Lsn, Lsn)>, Fault> {
    let dirs = [dir.to_owned()];
    let segments = segments(disk, &dirs)?;
    let Some(first) = segments.first() else { return Ok(None) };
    // The last one may only be prepared.
    let mut begun = segments.iter().rev().map(|segment| Ok((segment, is_blank(disk, &dirs, *segment)?)));
    let last = begun.find_map(|about: Result<_, Fault>| match about {
        Ok((_, true)) => None,
        Ok((last, false)) => Some(Ok(last)),
        Err(fault) => Some(Err(fault)),
    });
    let Some(last) = last.transpose()? else { return Ok(None) };
    let header = header_of(disk, &dirs, *first)?;
    let size = header.segment_bytes;
    let place = &places(disk, &dirs, &header)[0];
    let path = place.segment_path(*last);
    let io = |error| Fault::io("read", &path, error);
    let mut window = Window::new(place.open_segment(*last)?, size).map_err(io)?;
    let (mut low, mut high) = (SEGMENT_HEADER_BYTES / BLOCK, size / BLOCK);
    while low < high {
        let middle = (low + high) / 2;
        match is_zero(window.get(middle * BLOCK, BLOCK.min(size - middle * BLOCK)).map_err(io)?) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    Ok(Some((Lsn::at(*first, SEGMENT_HEADER_BYTES, size), Lsn::at(*last, low * BLOCK, size))))
}

/// No batch has a run of zeros of this length at its place: records are shorter, and so is padding.
const BLOCK: u64 = 4096;

/// Whether the log still is what it was when `mark` was taken.
fn stands(place: &Place, header: &SegmentHeader, segment: u32, mark: &Mark) -> Result<bool, Fault> {
    if mark.last == Lsn::NONE {
        return Ok(is_continued(header, mark));
    }
    let path = place.segment_path(segment);
    let io = |error| Fault::io("read", &path, error);
    let mut window = Window::new(place.open_segment(segment)?, place.segment_bytes).map_err(io)?;
    let at = mark.last.offset(place.segment_bytes);
    let found = window.get(at, BATCH_HEADER_BYTES as u64).map_err(io)?;
    let Some(found) = BatchHeader::parse(found) else { return Ok(false) };
    Ok(found.hash == mark.chain.hash && found.lsn.0 + found.extent() == mark.position.0)
}

/// Whether a segment begins where `mark` ends.
fn is_continued(header: &SegmentHeader, mark: &Mark) -> bool {
    (header.chain.batch, header.chain.hash) == (mark.chain.batch, mark.chain.hash)
}

fn places(disk: &Arc<dyn Disk>, dirs: &[PathBuf], header: &SegmentHeader) -> Vec<Place> {
    let (node, segment_bytes) = (header.node, header.segment_bytes);
    dirs.iter().map(|dir| Place { disk: Arc::clone(disk), dir: dir.clone(), node, segment_bytes }).collect()
}

/// Numbers of the segments in the first directory, in order.
fn segments(disk: &Arc<dyn Disk>, dirs: &[PathBuf]) -> Result<Vec<u32>, Fault> {
    let Some(dir) = dirs.first() else { return Ok(Vec::new()) };
    let names = disk.list(dir).map_err(|error| Fault::io("list", dir, error))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| parse_segment(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether a segment was made, but not begun.
fn is_blank(disk: &Arc<dyn Disk>, dirs: &[PathBuf], segment: u32) -> Result<bool, Fault> {
    for dir in dirs {
        let path = dir.join(segment_name(segment));
        let io = |error| Fault::io("read", &path, error);
        let file = disk.open(&path).map_err(io)?;
        let mut window = Window::new(file, SEGMENT_HEADER_BYTES).map_err(io)?;
        if !is_zero(window.get(0, SEGMENT_HEADER_BYTES).map_err(io)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The header block of a segment, from the first copy that has a sound one.
fn header_of(disk: &Arc<dyn Disk>, dirs: &[PathBuf], segment: u32) -> Result<SegmentHeader, Fault> {
    let mut fault = None;
    for dir in dirs {
        // Node and size are what the header tells.
        let place =
            Place { disk: Arc::clone(disk), dir: dir.clone(), node: 0, segment_bytes: SEGMENT_HEADER_BYTES };
        let path = place.segment_path(segment);
        let read = place.open_segment(segment).and_then(|file| {
            let io = |error| Fault::io("read", &path, error);
            Window::new(file, SEGMENT_HEADER_BYTES).map_err(io)?.segment_header().map_err(io)
        });
        match read {
            Ok(Some(header)) if header.segment == segment => return Ok(header),
            Ok(_) => fault = Some(Fault::bad_file(&path, "expected a segment header")),
            Err(error) => fault = Some(error),
        }
    }
    Err(fault.unwrap_or(Fault::Stopped))
}
