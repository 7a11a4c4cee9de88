//! Named moments at which a process can be killed: before and after everything that the journal does to its disk.
//! Never inside the service: the disk is handed in. Guards: a name and a count say the moment, so a kill can be had again.

use journal::{Disk, DiskFile, Locked};
use rustix::process::{Signal, getpid, kill_process};
use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is done to which file.
const WHAT: [&str; 19] = [
    "create-segment",
    "fill-segment",
    "sync-prepared-segment",
    "rename-segment",
    "read-segment",
    "write-log",
    "sync-log",
    "create-checkpoint",
    "write-checkpoint",
    "sync-checkpoint",
    "rename-checkpoint",
    "write-index",
    "sync-index",
    "rename-index",
    "write-mark",
    "sync-mark",
    "rename-mark",
    "sync-directory",
    "remove",
];

/// A moment: before or after the `count`-th time that something is done, counted from when it is armed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failpoint {
    after: bool,
    what: &'static str,
    /// From 1.
    count: u64,
}

impl Failpoint {
    /// Every moment, the first time.
    pub fn all() -> impl Iterator<Item = Self> {
        WHAT.into_iter().flat_map(|what| [false, true].map(|after| Self { after, what, count: 1 }))
    }

    /// The `count`-th time, from 1.
    #[must_use]
    pub fn time(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// Its name, without the count.
    pub fn name(&self) -> String {
        format!("{}:{}", if self.after { "after" } else { "before" }, self.what)
    }
}

impl fmt::Display for Failpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name(), self.count)
    }
}

impl FromStr for Failpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("expected before|after:WHAT:COUNT with WHAT of {WHAT:?}, found {text:?}");
        let mut parts = text.trim().split(':');
        let (Some(when), Some(what), Some(count), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unknown());
        };
        let what = WHAT.into_iter().find(|known| *known == what).ok_or_else(unknown)?;
        let after = match when {
            "before" => false,
            "after" => true,
            _ => return Err(unknown()),
        };
        Ok(Self { after, what, count: count.parse().map_err(|_| unknown())? })
    }
}

/// A disk on which the process dies at one moment, once it is armed.
pub struct KillingDisk<D> {
    disk: D,
    trap: Arc<Trap>,
}

/// The moment, and how often it has come near.
pub struct Trap {
    at: Failpoint,
    armed: AtomicBool,
    seen: AtomicU64,
}

impl Trap {
    /// From here on its count runs.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::Release);
    }

    /// `kill -9` of ourselves if this is the moment: nothing is flushed, nobody is told.
    fn passes(&self, after: bool, what: &str) {
        let here = self.at.after == after && self.at.what == what && self.armed.load(Ordering::Acquire);
        if here && self.seen.fetch_add(1, Ordering::AcqRel) + 1 == self.at.count {
            kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        }
    }

    fn around<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        self.passes(false, what);
        let done = work();
        self.passes(true, what);
        done
    }
}

impl<D: Disk> KillingDisk<D> {
    /// Dies at `at`, counted from [`Trap::arm`].
    pub fn new(disk: D, at: Failpoint) -> (Self, Arc<Trap>) {
        let trap = Arc::new(Trap { at, armed: AtomicBool::new(false), seen: AtomicU64::new(0) });
        (Self { disk, trap: Arc::clone(&trap) }, trap)
    }

    fn file(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(KillingFile { file, of: Of::path(path), trap: Arc::clone(&self.trap) })
    }
}

/// Whose file it is.
#[derive(Clone, Copy)]
enum Of {
    Log,
    Prepared,
    Checkpoint,
    Index,
    Mark,
}

impl Of {
    fn path(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.trim_end_matches(".new") {
            name if name.ends_with(".preparing") => Self::Prepared,
            name if name.ends_with(".journal") => Self::Log,
            name if name.ends_with(".index") => Self::Index,
            name if name.starts_with("checkpoint-") => Self::Checkpoint,
            _ => Self::Mark,
        }
    }

    /// What creating, writing, syncing, renaming to it is called.
    fn words(self) -> [&'static str; 4] {
        match self {
            Self::Log => ["create-segment", "write-log", "sync-log", "rename-segment"],
            Self::Prepared => ["create-segment", "fill-segment", "sync-prepared-segment", "rename-segment"],
            Self::Checkpoint => {
                ["create-checkpoint", "write-checkpoint", "sync-checkpoint", "rename-checkpoint"]
            }
            Self::Index => ["write-index", "write-index", "sync-index", "rename-index"],
            Self::Mark => ["write-mark", "write-mark", "sync-mark", "rename-mark"],
        }
    }
}

impl<D: Disk> Disk for KillingDisk<D> {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(path, self.disk.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.trap.around(Of::path(path).words()[0], || self.disk.create(path))?;
        Ok(self.file(path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.trap.around(Of::path(to).words()[3], || self.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.trap.around("remove", || self.disk.remove(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.trap.around("sync-directory", || self.disk.sync_dir(dir))
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_bytes(dir)
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        self.disk.lock(path, who)
    }
}

struct KillingFile {
    file: Arc<dyn DiskFile>,
    of: Of,
    trap: Arc<Trap>,
}

impl DiskFile for KillingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.of {
            Of::Log => self.trap.around("read-segment", || self.file.read_at(buf, offset)),
            _ => self.file.read_at(buf, offset),
        }
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.trap.around(self.of.words()[1], || self.file.write_at(parts, offset))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.trap.around(self.of.words()[2], || self.file.sync_data())
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }

    fn copies(&self) -> Option<[Arc<dyn DiskFile>; 2]> {
        self.file.copies()
    }

    fn forget_cached(&self) {
        self.file.forget_cached();
    }
}
