//! Opening, using and closing a journal: the lock, recovery, the three threads.
//! Never appends before the epoch is durable; never says "clean" after a failure.
//! Guards: one process per directory; threads end before the lock is released.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::align::align;
use crate::committer::Committer;
use crate::disk::{Disk, LockGuard, Locked, MirrorDisk};
use crate::format::{BATCH_BYTES_MAX, SEGMENT_HEADER_BYTES};
use crate::index::{self, KeyIndex};
use crate::keeper::{Job, Keeper, distance};
use crate::lane::{Lane, Lanes, Wake};
use crate::marks::{self, CleanMark};
use crate::options::Options;
use crate::place::{LOCK_FILE, Place};
use crate::prepare::Preparer;
use crate::reader::{Reader, Shared};
use crate::recover::{Recovered, Recovery, recover};
use crate::seal::Seal;
use crate::stats::Stats;
use crate::writer::Writer;
use crate::{Fault, Projection};

/// An open journal. Dropping it ends its threads without the mark of a clean close, as a crash would.
pub struct Journal {
    base: Base,
    committer: Option<JoinHandle<Writer>>,
    helpers: Vec<JoinHandle<()>>,
}

/// What every open journal has, whoever drives it.
pub(crate) struct Base {
    pub(crate) epoch: u32,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) reader: Reader,
    pub(crate) preparer: Arc<Preparer>,
    pub(crate) jobs: Sender<Job>,
    pub(crate) place: Place,
    // Last: released when every thread has ended.
    _lock: LockGuard,
}

/// An opened journal whose wheels do not turn yet.
pub(crate) struct Opened {
    pub(crate) base: Base,
    pub(crate) committer: Committer,
    pub(crate) keeper: Keeper,
    pub(crate) inbox: Receiver<Job>,
    pub(crate) report: Recovery,
}

/// Opens the journal in `options.dir`, creating it if it is new, and replays it into `projection`.
///
/// Order: lock, read and replay, refuse on damage, raise the epoch durably, cut a torn tail, start the threads.
/// # Errors
/// [`Fault::Held`] if another process has it open, [`Fault::Damaged`] if something acknowledged is missing (nothing
/// was changed then), [`Fault::Mismatch`] if it is another node's or of another segment size, [`Fault::Option`],
/// [`Fault::Io`].
pub fn open(
    options: Options,
    disk: Arc<dyn Disk>,
    seal: Arc<dyn Seal>,
    projection: &mut dyn Projection,
) -> Result<(Journal, Recovery), Fault> {
    let Opened { base, committer, keeper, inbox, report } =
        open_still(options, disk, seal, projection, false)?;
    let (dir, prepare) = (base.place.dir.clone(), base.preparer.clone());
    let spawn_fault = |error| Fault::io("start a thread for", &dir, error);
    let mut journal = Journal { base, committer: None, helpers: Vec::new() };
    journal.helpers.push(spawn("journal-keeper", move || keeper.run(&inbox)).map_err(spawn_fault)?);
    journal.helpers.push(spawn("journal-prepare", move || prepare.run()).map_err(spawn_fault)?);
    journal.committer = Some(spawn("journal-commit", move || committer.run()).map_err(spawn_fault)?);
    Ok((journal, report))
}

/// Everything [`open`] does but for the threads.
pub(crate) fn open_still(
    options: Options,
    disk: Arc<dyn Disk>,
    seal: Arc<dyn Seal>,
    projection: &mut dyn Projection,
    stepped: bool,
) -> Result<Opened, Fault> {
    options.check()?;
    let (place, lock) = take(&options, disk, !stepped)?;
    let mut index = None;
    let recovered = recover(&place, projection, |first| {
        index.insert(Arc::new(KeyIndex::new(options.key, options.names, first))).clone()
    })?;
    let index = index.expect("recovery asks for an index");
    let closed: Vec<u32> = (recovered.first_segment..recovered.tail.segment).collect();
    index::load(&place, &index, &closed);
    let opened = assemble(options, place, seal, recovered, index, lock, stepped)?;
    leave_to_keeper(&opened, &closed);
    Ok(opened)
}

/// The directory, or both, for this process alone and with the same files.
pub(crate) fn take(
    options: &Options,
    disk: Arc<dyn Disk>,
    parallel: bool,
) -> Result<(Place, LockGuard), Fault> {
    let Options { dir, node, segment_bytes, .. } = options;
    let mirrored: Arc<dyn Disk> = match &options.mirror {
        Some(twin) => Arc::new(MirrorDisk::new(disk.clone(), twin.clone(), parallel)),
        None => disk.clone(),
    };
    let place = Place { disk: mirrored, dir: dir.clone(), node: *node, segment_bytes: *segment_bytes };
    place.disk.create_dir(dir).map_err(|error| Fault::io("create", dir, error))?;
    let lock = take_lock(&place)?;
    if let Some(twin) = &options.mirror {
        align(&*disk, [dir, twin])?;
    }
    Ok((place, lock))
}

/// Closed segments that a former process left without index, and the keys before the checkpoint in its segment.
fn leave_to_keeper(opened: &Opened, closed: &[u32]) {
    let Opened { base, report, .. } = opened;
    let split = report
        .checkpoint
        .map(|at| (at.segment(base.place.segment_bytes), at.offset(base.place.segment_bytes)));
    let keys = split.filter(|(_, offset)| *offset > 0).map(|(segment, until)| Job::Keys(segment, until));
    for job in keys.into_iter().chain(closed.iter().copied().map(Job::Closed)) {
        // The keeper is in `opened`.
        let _ = base.jobs.send(job);
    }
}

fn take_lock(place: &Place) -> Result<LockGuard, Fault> {
    let path = place.path(LOCK_FILE);
    match place.disk.lock(&path, &who_we_are()).map_err(|error| Fault::io("lock", &path, error))? {
        Locked::Mine(guard) => Ok(guard),
        #[cfg(pointsman_zoo)]
        Locked::Held(_) if zoo::has(zoo::Bug::IgnoreLock) => Ok(Box::new(())),
        Locked::Held(who) => Err(Fault::Held { dir: place.dir.clone(), who: who.trim().to_owned() }),
    }
}

fn who_we_are() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "unknown".to_owned());
    let since = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("process {} on host {}, since {since}\n", std::process::id(), host.trim())
}

fn assemble(
    options: Options,
    place: Place,
    seal: Arc<dyn Seal>,
    recovered: Recovered,
    index: Arc<KeyIndex>,
    lock: LockGuard,
    stepped: bool,
) -> Result<Opened, Fault> {
    let Recovered { report, tail, spare, stand, .. } = recovered;
    let stats = Arc::new(Stats::new());
    let batch_max = BATCH_BYTES_MAX.min(options.segment_bytes - SEGMENT_HEADER_BYTES);
    let lanes = Arc::new(Lanes::new(options.lanes, batch_max, seal.overhead()));
    let preparer = Arc::new(Preparer::new(place.clone(), stats.clone(), stepped));
    preparer.start(tail.segment, tail.offset, tail.ground, spare)?;
    let (jobs, inbox) = mpsc::channel();
    let writer = Writer::new(place.clone(), seal.clone(), options.sync, tail);
    let durable = Arc::new(AtomicU64::new(writer.tail().0));
    let shared = Shared {
        place: place.clone(),
        seal,
        durable: durable.clone(),
        index: index.clone(),
        files: Mutex::new(BTreeMap::new()),
    };
    let last = stand.map_or((0, 0), |stand| (stand.position.0, stand.length));
    let checkpoint_due = Arc::new(AtomicU64::new(last.0 + distance(options.checkpoint_bytes, last.1)));
    let keeper = Keeper {
        place: place.clone(),
        stats: stats.clone(),
        index: index.clone(),
        fresh: options.fresh,
        retire: options.retire,
        checkpoint_bytes: options.checkpoint_bytes,
        due: checkpoint_due.clone(),
    };
    let committer = Committer {
        writer,
        lanes: lanes.clone(),
        preparer: preparer.clone(),
        jobs: jobs.clone(),
        index,
        stats: stats.clone(),
        durable,
        reserve_bytes: options.reserve_bytes,
        checkpoint_due,
        closed: None,
        touched: vec![false; options.lanes],
        asked: false,
    };
    let reader = Reader { shared: Arc::new(shared) };
    let base = Base { epoch: report.epoch, lanes, stats, reader, preparer, jobs, place, _lock: lock };
    Ok(Opened { base, committer, keeper, inbox, report })
}

fn spawn<T: Send + 'static>(
    name: &str,
    life: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(life)
}

impl Base {
    /// Writes the mark of a clean close if everything is durable.
    pub(crate) fn close(&self, mut writer: Writer) -> Result<(), Fault> {
        if self.stats.is_failed() || writer.sync_now().is_err() {
            self.stats.set_failed();
            return Err(Fault::Stopped);
        }
        let mut chain = writer.chain;
        chain.epoch = self.epoch;
        marks::write_clean(&self.place, CleanMark { tail: writer.tail(), chain })
    }
}

impl Journal {
    /// The epoch of this process: raised durably at every open.
    pub fn epoch(&self) -> u32 {
        self.base.epoch
    }

    /// The lane of worker `i`; `wake` is called from the committer's thread, once per group that brought frames back.
    /// # Panics
    /// If `i` is not below [`Options::lanes`] or the lane was given away before.
    pub fn lane(&self, i: usize, wake: Wake) -> Lane {
        let committer = self.committer.as_ref().expect("the committer runs").thread().clone();
        Lane::new(self.base.lanes.clone(), i, committer, wake)
    }

    /// A reader of durable records.
    pub fn reader(&self) -> Reader {
        self.base.reader.clone()
    }

    /// Figures, shared with whoever shows them.
    pub fn stats(&self) -> Arc<Stats> {
        self.base.stats.clone()
    }

    /// Commits what was submitted, syncs, and marks the journal as cleanly closed. Frames submitted afterwards fail.
    /// # Errors
    /// [`Fault::Stopped`] if a write or sync failed, now or before; no mark is written then.
    pub fn close(mut self) -> Result<(), Fault> {
        let writer = self.stop().ok_or(Fault::Stopped)?;
        self.base.close(writer)
    }

    fn stop(&mut self) -> Option<Writer> {
        self.base.lanes.closing.store(true, Ordering::Release);
        let committer = self.committer.take()?;
        self.base.lanes.bell.ring(committer.thread());
        // A committer that waits for a segment gets it or learns that there is none: both end.
        let writer = committer.join().ok();
        self.stop_helpers();
        writer
    }

    fn stop_helpers(&mut self) {
        self.base.preparer.stop();
        let _ = self.base.jobs.send(Job::Stop);
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.stop().is_none() {
            self.stop_helpers();
        }
    }
}
