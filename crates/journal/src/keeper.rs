//! Upkeep of closed segments behind the hot path: key indexes and checkpoints, on one thread of low priority.
//! Never touches the open segment. Guards: what fails here costs time at the next start, never a record.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;

use crate::checkpoint::{self, Stand};
use crate::format::{Chain, SEGMENT_HEADER_BYTES};
use crate::index::{KeyIndex, Pair, Sidecar};
use crate::options::Fresh;
use crate::place::Place;
use crate::stats::Stats;
use crate::walk::{Stop, Window, walk};
use crate::{Fault, Lsn, Projection};

/// How far the keeper steps back for the workers (nice value).
const NICE: i32 = 10;

/// What the committer and recovery leave to the keeper.
pub(crate) enum Job {
    /// A run of this segment's keys wants sorting.
    Sort(u32),
    /// This segment is closed.
    Closed(u32),
    /// The journal closes.
    Stop,
}

/// The keeper's tools.
pub(crate) struct Keeper {
    pub(crate) place: Place,
    pub(crate) stats: Arc<Stats>,
    pub(crate) index: Arc<KeyIndex>,
    pub(crate) fresh: Option<Fresh>,
    pub(crate) checkpoint_segments: u32,
    /// The newest checkpoint.
    pub(crate) stand: Option<Stand>,
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
            Job::Closed(segment) => self.close(segment),
            Job::Stop => Ok(()),
        };
        if done.is_err() {
            self.stats.upkeep_faults.fetch_add(1, Relaxed);
        }
    }

    fn close(&mut self, segment: u32) -> Result<(), Fault> {
        let indexed = self.write_index(segment);
        let due = self.stand.map_or(0, |stand| stand.segment) + self.checkpoint_segments;
        if segment + 1 >= due {
            self.write_checkpoint(segment + 1)?;
        }
        indexed
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
        let (mut window, mut chain) = open_closed(&self.place, segment)?;
        let mut pairs = Vec::new();
        walk_closed(&self.place, segment, &mut window, &mut chain, &mut |batch, body| {
            self.index.collect(batch, body, &mut pairs);
        })?;
        Ok(pairs)
    }

    /// Replays the segments since the last checkpoint into a fresh projection and saves it.
    fn write_checkpoint(&mut self, until: u32) -> Result<(), Fault> {
        let Some(fresh) = &self.fresh else { return Ok(()) };
        let mut projection = fresh();
        let names = self.place.list()?;
        let stand = checkpoint::load_newest(&self.place, &names, &mut *projection)?;
        let mut chain = stand.map_or(Chain::GENESIS, |stand| stand.chain);
        for segment in stand.map_or(0, |stand| stand.segment)..until {
            replay(&self.place, segment, &mut chain, &mut *projection)?;
        }
        self.check_border(until, &chain)?;
        checkpoint::write(&self.place, until, chain, &*projection)?;
        self.stand = Some(Stand { segment: until, chain, oldest_needed: projection.oldest_needed() });
        self.stats.checkpoints.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Whether the chain so far is what `segment` was opened with: an end of a segment that got lost looks like an end.
    fn check_border(&self, segment: u32, chain: &Chain) -> Result<(), Fault> {
        let (_, next) = open_closed(&self.place, segment)?;
        if (next.batch, next.hash) == (chain.batch, chain.hash) {
            return Ok(());
        }
        let reason = format!("segment {segment} continues another batch");
        let (batch, record) = (chain.batch, chain.record);
        Err(Fault::Damaged { segment: segment - 1, offset: 0, batch, record, reason })
    }
}

fn replay(
    place: &Place,
    segment: u32,
    chain: &mut Chain,
    projection: &mut dyn Projection,
) -> Result<(), Fault> {
    let (mut window, _) = open_closed(place, segment)?;
    walk_closed(place, segment, &mut window, chain, &mut |batch, body| apply(projection, batch, body))
}

/// Hands the records of one batch to `projection`.
pub(crate) fn apply(projection: &mut dyn Projection, batch: Lsn, body: &[u8]) {
    let base = batch.0 + crate::format::BATCH_HEADER_BYTES as u64;
    for record in crate::format::records(body).filter_map(Result::ok) {
        projection.apply(record.kind, record.payload, Lsn(base + u64::from(record.offset)));
    }
}

fn open_closed(place: &Place, segment: u32) -> Result<(Window, Chain), Fault> {
    let path = place.segment_path(segment);
    let io = |error| Fault::io("read", &path, error);
    let mut window = Window::new(place.open_segment(segment)?, place.segment_bytes).map_err(io)?;
    let header = window.segment_header().map_err(io)?;
    let chain = header.ok_or_else(|| Fault::bad_file(&path, "expected a segment header"))?.chain;
    Ok((window, chain))
}

fn walk_closed(
    place: &Place,
    segment: u32,
    window: &mut Window,
    chain: &mut Chain,
    visit: &mut dyn FnMut(Lsn, &[u8]),
) -> Result<(), Fault> {
    let path = place.segment_path(segment);
    let stop = walk(place, segment, window, SEGMENT_HEADER_BYTES, chain, &mut |header, body| {
        visit(header.lsn, body)
    })
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
