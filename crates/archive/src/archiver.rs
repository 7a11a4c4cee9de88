//! Follows the journal into the archive, one stretch after the other, for whoever calls it: a thread of the switch within
//! its budget, or a command that somebody waits for.
//!
//! Never two at a time (a lock file says who), never ahead of what is durable. Guards: damaged tables are put aside and made
//! again; an archive of another journal, or of one that lost its tail, likewise.

use crate::Fault;
use crate::schema::FILE;
use crate::writer::Writer;
use journal::{Disk, Follower, Lsn, Mark, Reached, Resumed};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the archive and what it follows are.
#[derive(Clone)]
pub struct Place {
    /// Directory of the archive; made if missing, for its owner only.
    pub dir: PathBuf,
    /// The journal's directory, and its mirror.
    pub journal: Vec<PathBuf>,
    /// What both directories of the journal are on.
    pub disk: Arc<dyn Disk>,
    /// Days that a finished transaction is kept; `None`: for ever.
    pub keep_days: Option<u32>,
}

/// Another process (or another archiver in this one) fills the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Nothing more is there to take.
    pub is_done: bool,
    /// Behind what was taken, in the journal.
    pub position: Lsn,
    /// Sequence of the journal's next record.
    pub record: u64,
    /// Time of the newest record taken, ms.
    pub through: Option<i64>,
    /// Where it ended, if that was no clean end: a torn tail, or a batch being written.
    pub flaw: Option<(Lsn, &'static str)>,
}

/// Fills one archive.
pub struct Archiver {
    place: Place,
    writer: Writer,
    log: Option<Follower>,
    /// Bytes of the log taken since the last sync.
    unsynced: u64,
    durable: Arc<AtomicU64>,
    anew: Option<&'static str>,
    // Let go last.
    _lock: File,
}

impl Archiver {
    /// Opens the archive at `place`, or makes it; [`Held`] if another one fills it.
    /// # Errors
    /// [`Fault`] if the directory, SQLite or the journal fails.
    pub fn open(place: Place) -> Result<Result<Self, Held>, Fault> {
        let Some(lock) = lock(&place)? else { return Ok(Err(Held)) };
        let anew = (!place.dir.join(FILE).exists()).then_some("there was none");
        let (writer, anew) = match Writer::open(&place.dir) {
            Ok(writer) => (writer, anew),
            Err(fault) if fault.wants_rebuild() => {
                put_aside(&place)?;
                (Writer::open(&place.dir)?, Some("it was damaged, or of another version"))
            }
            Err(fault) => return Err(fault),
        };
        let durable = Arc::new(AtomicU64::new(0));
        let mut archiver = Self { place, writer, log: None, unsynced: u64::MAX, durable, anew, _lock: lock };
        archiver.attach()?;
        Ok(Ok(archiver))
    }

    /// As [`Archiver::open`], but from the journal's start: whatever was there is gone.
    /// # Errors
    /// As [`Archiver::open`].
    pub fn rebuild(place: Place) -> Result<Result<Self, Held>, Fault> {
        let Some(lock) = lock(&place)? else { return Ok(Err(Held)) };
        remove(&place)?;
        drop(lock);
        Self::open(place)
    }

    /// Why it began at the journal's oldest record, if it did.
    pub fn anew(&self) -> Option<&'static str> {
        self.anew
    }

    /// The journal's position up to which the archive would survive the machine: what is before it may go there.
    pub fn durable(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.durable)
    }

    /// Takes the next stretch of the journal before `until`, which is durable; without it as far as the journal is sound.
    /// # Errors
    /// [`Fault`]; nothing of the stretch is in the archive then. Where [`Fault::wants_rebuild`], [`Archiver::start_over`].
    pub fn step(&mut self, until: Option<Lsn>) -> Result<Progress, Fault> {
        self.step_of(until, STRETCH)
    }

    /// As [`Archiver::step`] with a stretch of `bytes` of the log.
    /// # Errors
    /// As [`Archiver::step`].
    pub fn step_of(&mut self, until: Option<Lsn>, bytes: u64) -> Result<Progress, Fault> {
        if self.log.is_none() {
            self.attach()?;
        }
        let Some(log) = &mut self.log else { return Ok(self.progress(true, None)) };
        let before = log.mark().position;
        let reached = self.writer.take(log, until.unwrap_or(Lsn::END), bytes)?;
        self.unsynced = self.unsynced.saturating_add(log.mark().position.0 - before.0);
        if self.unsynced >= SYNC_EVERY {
            self.sync()?;
        }
        match (reached, until) {
            (Reached::Flaw { at, reason }, Some(_)) => Err(Fault::JournalDamaged { at, reason }),
            (Reached::Flaw { at, reason }, None) => Ok(self.progress(true, Some((at, reason)))),
            (Reached::End, _) => {
                self.trim()?;
                Ok(self.progress(true, None))
            }
            (Reached::More, _) => Ok(self.progress(false, None)),
        }
    }

    /// Puts the tables aside and begins again at the journal's oldest record.
    /// # Errors
    /// [`Fault`].
    pub fn start_over(&mut self) -> Result<(), Fault> {
        put_aside(&self.place)?;
        self.writer = Writer::open(&self.place.dir)?;
        self.durable.store(0, Ordering::Release);
        self.anew = Some("it was damaged");
        self.attach()
    }

    /// Syncs what was taken.
    /// # Errors
    /// [`Fault`].
    pub fn close(mut self) -> Result<(), Fault> {
        self.sync()
    }

    /// Makes what was taken survive the machine: [`Archiver::durable`] tells how far. Happens by itself every few megabytes.
    /// # Errors
    /// [`Fault`].
    pub fn sync(&mut self) -> Result<(), Fault> {
        if self.unsynced > 0 && self.writer.sync()? {
            self.unsynced = 0;
            let position = self.writer.mark().map_or(0, |mark: Mark| mark.position.0);
            self.durable.store(position, Ordering::Release);
        }
        Ok(())
    }

    /// Finds the journal's place that the archive remembers.
    fn attach(&mut self) -> Result<(), Fault> {
        let Place { disk, journal, .. } = &self.place;
        let Some(mark) = self.writer.mark() else {
            self.log = Follower::oldest(disk, journal)?;
            return Ok(());
        };
        self.log = match Follower::resume(disk, journal, mark)? {
            Resumed::Here(log) => Some(log),
            Resumed::Gone => {
                self.writer.note_gap()?;
                Follower::oldest(disk, journal)?
            }
            Resumed::Diverged => {
                put_aside(&self.place)?;
                self.writer = Writer::open(&self.place.dir)?;
                self.anew = Some("it was of another journal, or of one that lost its end");
                Follower::oldest(disk, journal)?
            }
        };
        Ok(())
    }

    fn trim(&mut self) -> Result<(), Fault> {
        let (Some(days), Some(through)) = (self.place.keep_days, self.writer.through()) else {
            return Ok(());
        };
        let before = through - i64::from(days) * 86_400_000;
        self.writer.trim(before, TRIM).map(drop)
    }

    fn progress(&self, is_done: bool, flaw: Option<(Lsn, &'static str)>) -> Progress {
        let mark = self.writer.mark();
        Progress {
            is_done,
            position: mark.map_or(Lsn::NONE, |mark| mark.position),
            record: mark.map_or(1, |mark| mark.record()),
            through: self.writer.through(),
            flaw,
        }
    }
}

/// The lock file, locked; `None` if another one has it.
fn lock(place: &Place) -> Result<Option<File>, Fault> {
    let dir = &place.dir;
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Fault::io("create", dir))?;
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(Fault::io("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(Fault::io("lock", &path)(error.into())),
    }
}

/// Keeps one damaged database for whoever wants to look at it.
fn put_aside(place: &Place) -> Result<(), Fault> {
    let (file, aside) = (place.dir.join(FILE), place.dir.join(format!("{FILE}.damaged")));
    match std::fs::rename(&file, &aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::io("rename", &file)(error)),
        _ => remove(place),
    }
}

fn remove(place: &Place) -> Result<(), Fault> {
    for suffix in ["", "-wal", "-shm"] {
        let path = place.dir.join(format!("{FILE}{suffix}"));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Fault::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Bytes of the log in one SQLite transaction: a few thousand records, some ten milliseconds.
const STRETCH: u64 = 512 << 10;
/// Bytes of the log from one sync of the archive to the next: what its write-ahead log grows to, about as much again.
const SYNC_EVERY: u64 = 16 << 20;
/// Transactions forgotten in one go.
const TRIM: u32 = 1_000;
