//! Upkeep of closed segments behind the hot path: key indexes and checkpoints, on one thread of low priority.
//! Never touches the open segment. Guards: what fails here costs time at the next start, never a record.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;

use crate::checkpoint::{self, Stand};
use crate::format::{Chain, SEGMENT_HEADER_BYTES};
use crate::index::{KeyIndex, Pair, Sidecar};
use crate::options::{Fresh, Retire};
use crate::place::Place;
use crate::retention;
use crate::stats::Stats;
use crate::walk::{Stop, Window, walk};
use crate::{Fault, Kind, Lsn, Projection};

/// How far the keeper steps back for the workers (nice value).
const NICE: i32 = 10;

/// What the committer and recovery leave to the keeper.
pub(crate) enum Job {
    /// A run of this segment's keys wants sorting.
    Sort(u32),
    /// This segment is closed.
    Closed(u32),
    /// The keys of this segment from its start to this offset are not in memory.
    Keys(u32, u64),
    /// A checkpoint is due; everything before this position is durable.
    Checkpoint(Lsn),
    /// The journal closes.
    Stop,
}

/// The keeper's tools.
pub(crate) struct Keeper {
    pub(crate) place: Place,
    pub(crate) stats: Arc<Stats>,
    pub(crate) index: Arc<KeyIndex>,
    pub(crate) fresh: Option<Fresh>,
    pub(crate) retire: Option<Retire>,
    pub(crate) checkpoint_bytes: u64,
    /// Where the committer asks for the next one.
    pub(crate) due: Arc<AtomicU64>,
}

impl Keeper {
    /// The thread's life.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        // Without the right to step back it works on at normal priority.
        let _ = rustix::process::setpriority_process(None, NICE);
        while let Ok(job) = jobs.recv() {
            if matches!(job, Job::Stop) {
                return;
            }
            self.take(job);
        }
    }

    /// Does one job; what fails is counted.
    pub(crate) fn take(&mut self, job: Job) {
        let done = match job {
            Job::Sort(segment) => {
                self.index.tidy(segment);
                Ok(())
            }
            Job::Closed(segment) => self.write_index(segment),
            Job::Keys(segment, until) => self.fetch_keys(segment, until),
            Job::Checkpoint(position) => self.write_checkpoint(position),
            Job::Stop => Ok(()),
        };
        if done.is_err() {
            self.stats.upkeep_faults.fetch_add(1, Relaxed);
        }
    }

    fn write_index(&self, segment: u32) -> Result<(), Fault> {
        if !self.index.is_kept() || self.index.is_on_disk(segment) {
            return Ok(());
        }
        let mut pairs = match self.index.pairs_of(segment) {
            Some(pairs) => pairs,
            None => self.read_keys(segment)?,
        };
        pairs.sort_unstable();
        let sidecar = Sidecar::write(&self.place, segment, &pairs)?;
        self.index.adopt(segment, sidecar);
        Ok(())
    }

    /// Reads the keys of a segment that an older process closed.
    fn read_keys(&self, segment: u32) -> Result<Vec<Pair>, Fault> {
        let mut pairs = Vec::new();
        let (mut window, mut chain) = open_segment(&self.place, segment)?;
        let span = SEGMENT_HEADER_BYTES..self.place.segment_bytes;
        walk_sound(&self.place, segment, &mut window, span, &mut chain, &mut |batch, body| {
            self.index.collect(batch, body, &mut pairs);
        })?;
        Ok(pairs)
    }

    /// Reads the keys that stand before the checkpoint a recovery started from.
    fn fetch_keys(&self, segment: u32, until: u64) -> Result<(), Fault> {
        if !self.index.is_kept() {
            return Ok(());
        }
        let (mut window, mut chain) = open_segment(&self.place, segment)?;
        let mut pairs = Vec::new();
        let span = SEGMENT_HEADER_BYTES..until;
        walk_sound(&self.place, segment, &mut window, span, &mut chain, &mut |batch, body| {
            self.index.collect(batch, body, &mut pairs);
        })?;
        self.index.complete(segment, pairs);
        self.index.tidy(segment);
        Ok(())
    }

    fn write_checkpoint(&self, position: Lsn) -> Result<(), Fault> {
        let written = self.replay_until(position);
        // Also after a fault: one that did not pass will not be asked for with every group.
        let length = written.as_ref().map_or(0, |stand| stand.map_or(0, |stand| stand.length));
        self.due.store(position.0 + distance(self.checkpoint_bytes, length), Relaxed);
        match (written?, &self.retire) {
            (Some(_), Some(retire)) => retention::sweep(&self.place, &self.index, &self.stats, retire),
            _ => Ok(()),
        }
    }

    /// Replays what came since the last checkpoint into a fresh projection and saves it.
    fn replay_until(&self, position: Lsn) -> Result<Option<Stand>, Fault> {
        let Some(fresh) = &self.fresh else { return Ok(None) };
        let mut projection = fresh();
        let place = &self.place;
        let stand = checkpoint::load_newest(place, &place.list()?, &mut *projection)?;
        let mut chain = stand.map_or(Chain::GENESIS, |stand| stand.chain);
        let from = stand.map_or(Lsn::NONE, |stand| stand.position);
        let (first, last) = (from.segment(place.segment_bytes), position.segment(place.segment_bytes));
        for segment in first..=last {
            let (mut window, opening) = open_segment(place, segment)?;
            let start = if segment == first { from.offset(place.segment_bytes) } else { 0 };
            if start == 0 {
                continues(segment, &chain, &opening)?;
            }
            let end =
                if segment == last { position.offset(place.segment_bytes) } else { place.segment_bytes };
            let span = start.max(SEGMENT_HEADER_BYTES)..end;
            walk_sound(place, segment, &mut window, span, &mut chain, &mut |batch, body| {
                apply(&mut *projection, batch, body);
            })?;
        }
        let stand = checkpoint::write(place, position, chain, &*projection)?;
        self.stats.checkpoints.fetch_add(1, Relaxed);
        Ok(Some(stand))
    }
}

/// Bytes of log from a checkpoint with a snapshot of `length` bytes to the next one: reading a snapshot back costs about
/// as much as replaying two fifths of its length.
pub(crate) fn distance(least: u64, length: u64) -> u64 {
    least.max(length / 5 * 2)
}

/// Whether `chain` is what `segment` was opened with: an end of a segment that got lost looks like an end.
pub(crate) fn continues(segment: u32, chain: &Chain, opening: &Chain) -> Result<(), Fault> {
    if (opening.batch, opening.hash) == (chain.batch, chain.hash) {
        return Ok(());
    }
    let reason = format!("segment {segment} continues another batch");
    let (batch, record) = (chain.batch, chain.record);
    Err(Fault::Damaged { segment: segment.saturating_sub(1), offset: 0, batch, record, reason })
}

/// Hands the records of one batch to `projection`.
pub(crate) fn apply(projection: &mut dyn Projection, batch: Lsn, body: &[u8]) {
    each(batch, body, &mut |kind, payload, lsn| projection.apply(kind, payload, lsn));
}

/// Visits the records of one batch.
pub(crate) fn each(batch: Lsn, body: &[u8], visit: &mut dyn FnMut(Kind, &[u8], Lsn)) {
    let base = batch.0 + crate::format::BATCH_HEADER_BYTES as u64;
    for record in crate::format::records(body).filter_map(Result::ok) {
        visit(record.kind, record.payload, Lsn(base + u64::from(record.offset)));
    }
}

fn open_segment(place: &Place, segment: u32) -> Result<(Window, Chain), Fault> {
    let path = place.segment_path(segment);
    let io = |error| Fault::io("read", &path, error);
    let mut window = Window::new(place.open_segment(segment)?, place.segment_bytes).map_err(io)?;
    let header = window.segment_header().map_err(io)?;
    let chain = header.ok_or_else(|| Fault::bad_file(&path, "expected a segment header"))?.chain;
    Ok((window, chain))
}

fn walk_sound(
    place: &Place,
    segment: u32,
    window: &mut Window,
    span: Range<u64>,
    chain: &mut Chain,
    visit: &mut dyn FnMut(Lsn, &[u8]),
) -> Result<(), Fault> {
    let path = place.segment_path(segment);
    let stop = walk(place, segment, window, span, chain, &mut |header, body| visit(header.lsn, body))
        .map_err(|error| Fault::io("read", &path, error))?;
    match stop {
        Stop::End(_) => Ok(()),
        Stop::Flaw(offset, reason) => Err(Fault::Damaged {
            segment,
            offset,
            batch: chain.batch,
            record: chain.record,
            reason: reason.to_owned(),
        }),
    }
}
