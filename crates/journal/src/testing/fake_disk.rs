//! A disk in memory that keeps apart what was written and what was synced.
//! Never does what a real disk could not do. Guards: only a sync that returned `Ok` makes bytes survive a crash, and
//! only a directory sync makes names survive.

mod calls;

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile, Locked};
use calls::FakeFile;

const SECTOR: usize = 512;

/// What happens to bytes that were written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// All reach the disk: the process died, the machine did not.
    KeepAll,
    /// None does.
    DropAll,
    /// Each sector of each write does or does not, each unsynced name change from some point on does not.
    Scatter {
        /// Chooses which.
        seed: u64,
    },
    /// The first so many bytes do, in the order of writing.
    CutAfter {
        /// How many.
        bytes: u64,
    },
}

/// What the page cache does with bytes whose sync failed. None of them is written later by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailedSync {
    /// They can still be read, marked clean, until a crash.
    Kept,
    /// They are gone at once: the next read sees what the disk has.
    Lost,
    /// Of each sector one: on the disk after all, only in the cache, or gone.
    Partly {
        /// Chooses which.
        seed: u64,
    },
}

/// The fake disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    name_changes: Vec<NameChange>,
    files: Vec<File>,
    held: BTreeMap<PathBuf, String>,
    capacity: Option<u64>,
    writes: u64,
    syncs: u64,
    images: Option<Vec<FakeDisk>>,
    fail_write: Option<u64>,
    fail_sync: Option<u64>,
    fail_one_sync: Option<(u64, AfterFailedSync)>,
}

#[derive(Clone)]
enum NameChange {
    Set(PathBuf, usize),
    Moved(PathBuf, PathBuf),
    Gone(PathBuf),
}

#[derive(Clone, Default)]
struct File {
    cache: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<(u64, Vec<u8>)>,
    allocated: u64,
    /// Syncs that failed: every descriptor is told of each once.
    errors: u64,
}

impl FakeDisk {
    /// An empty disk without end.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many bytes all files may have together; `None` is without end.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Makes the write fail that follows after `k` more.
    pub fn fail_write_after(&self, k: u64) {
        let mut state = self.state();
        state.fail_write = Some(state.writes + k);
    }

    /// Makes the sync (of a file or a directory) fail that follows after `k` more. What it should have made durable is
    /// lost, although it can still be read until a crash.
    pub fn fail_sync_after(&self, k: u64) {
        let mut state = self.state();
        state.fail_sync = Some(state.syncs + k);
    }

    /// Makes only that sync fail which follows after `k` more; all others succeed, as they do on a real machine.
    pub fn fail_one_sync(&self, k: u64, after: AfterFailedSync) {
        let mut state = self.state();
        state.fail_one_sync = Some((state.syncs + k, after));
    }

    /// Lets everything succeed again.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.fail_write, state.fail_sync, state.fail_one_sync) = (None, None, None);
    }

    /// Syncs asked for so far, of files and directories.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The disk as a machine would find it after a crash at this moment. This one goes on, so that one run can be
    /// crashed at many points; locks are not held on the new one.
    pub fn after(&self, crash: Crash) -> Self {
        let state = self.state();
        let mut dice = Dice::new(crash);
        let mut names = state.durable_names.clone();
        for change in state.name_changes.iter().take(dice.kept_changes(state.name_changes.len())) {
            change.apply(&mut names);
        }
        let files = state.files.iter().map(|file| file.after(&mut dice)).collect();
        let durable_names = names.clone();
        Self(Arc::new(Mutex::new(State { names, durable_names, files, ..State::default() })))
    }

    /// A copy of the disk as it stands, cache and all, without locks: the process died and nothing else.
    pub fn image(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().image())))
    }

    /// From now on keeps an image of the disk as it stands before each sync.
    pub fn keep_images(&self) {
        self.state().images = Some(Vec::new());
    }

    /// The images, oldest first: the one before sync number `k` (from 0, counted from the first kept) is at `k`.
    pub fn images(&self) -> Vec<Self> {
        self.state().images.clone().unwrap_or_default()
    }

    /// Bytes written and not yet synced.
    pub fn unsynced_bytes(&self) -> u64 {
        let state = self.state();
        state.files.iter().flat_map(|file| &file.pending).map(|(_, written)| written.len() as u64).sum()
    }

    /// The content of a file, as a reader sees it.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        Some(state.files[*state.names.get(path)?].cache.clone())
    }

    /// Changes a file behind everybody's back, durably: rot, or a cut with a shorter `bytes`.
    pub fn overwrite(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        let number = match state.names.get(path) {
            Some(number) => *number,
            None => state.new_file(path),
        };
        state.durable_names = state.names.clone();
        state.name_changes.clear();
        state.files[number] = File { cache: bytes.clone(), durable: bytes, ..File::default() };
    }

    /// Paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    fn opened(&self, number: usize) -> Arc<dyn DiskFile> {
        let told = AtomicU64::new(self.state().files[number].errors);
        Arc::new(FakeFile { disk: self.clone(), number, told })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new_file(&mut self, path: &Path) -> usize {
        self.files.push(File::default());
        let number = self.files.len() - 1;
        self.change(NameChange::Set(path.to_owned(), number));
        number
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn used(&self) -> u64 {
        self.names.values().map(|number| self.files[*number].takes()).sum()
    }

    fn free(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    fn count_write(&mut self) -> io::Result<()> {
        self.writes += 1;
        failing(self.fail_write.is_some_and(|last| self.writes > last), "write")
    }

    /// Counts a sync; what the page cache does if it is one that fails.
    fn count_sync(&mut self) -> Option<AfterFailedSync> {
        let image = self.images.is_some().then(|| FakeDisk(Arc::new(Mutex::new(self.image()))));
        self.images.iter_mut().for_each(|images| images.extend(image.clone()));
        self.syncs += 1;
        let one = self.fail_one_sync.filter(|(last, _)| self.syncs == last + 1).map(|(_, after)| after);
        let all = self.fail_sync.is_some_and(|last| self.syncs > last);
        one.or(all.then_some(AfterFailedSync::Kept))
    }

    fn image(&self) -> Self {
        Self {
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            name_changes: self.name_changes.clone(),
            files: self.files.clone(),
            ..Self::default()
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn failing(fails: bool, what: &str) -> io::Result<()> {
    if fails { Err(io::Error::other(format!("{what} made to fail"))) } else { Ok(()) }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Set(path, number) => drop(names.insert(path.clone(), *number)),
            Self::Moved(from, to) => {
                let number = names.remove(from);
                names.extend(number.map(|number| (to.clone(), number)));
            }
            Self::Gone(path) => drop(names.remove(path)),
        }
    }
}

impl File {
    /// Bytes of the disk that it takes.
    fn takes(&self) -> u64 {
        self.allocated.max(self.cache.len() as u64)
    }

    fn after(&self, dice: &mut Dice) -> Self {
        let mut bytes = self.durable.clone();
        for (offset, written) in &self.pending {
            for (at, part) in sectors(*offset as usize, written) {
                let kept = dice.kept_bytes(part.len());
                put(&mut bytes, at, &part[..kept]);
            }
        }
        Self { cache: bytes.clone(), durable: bytes, allocated: self.allocated, ..Self::default() }
    }

    fn sync(&mut self) {
        for (offset, written) in std::mem::take(&mut self.pending) {
            put(&mut self.durable, offset as usize, &written);
        }
    }

    /// The kernel has marked the pages clean: nobody writes them again.
    fn fail_sync(&mut self, after: AfterFailedSync) {
        self.errors += 1;
        let mut dice = match after {
            AfterFailedSync::Partly { seed } => Dice::new(Crash::Scatter { seed }),
            AfterFailedSync::Kept | AfterFailedSync::Lost => Dice::new(Crash::DropAll),
        };
        for (offset, written) in std::mem::take(&mut self.pending) {
            for (at, part) in sectors(offset as usize, &written) {
                match (after, dice.next() % 3) {
                    (AfterFailedSync::Kept, _) | (AfterFailedSync::Partly { .. }, 0) => {}
                    (AfterFailedSync::Partly { .. }, 1) => put(&mut self.durable, at, part),
                    _ => self.revert(at, part.len()),
                }
            }
        }
    }

    fn revert(&mut self, at: usize, len: usize) {
        let mut old = self.durable.get(at..).unwrap_or_default().to_vec();
        old.resize(len.max(old.len()), 0);
        put(&mut self.cache, at, &old[..len]);
    }
}

/// The parts of a write by the sectors they fall on.
fn sectors(mut at: usize, mut rest: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    std::iter::from_fn(move || {
        let (part, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        let start = at;
        (at, rest) = (at + part.len(), behind);
        (!part.is_empty()).then_some((start, part))
    })
}

fn put(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    if part.is_empty() {
        return;
    }
    if bytes.len() < at + part.len() {
        bytes.resize(at + part.len(), 0);
    }
    bytes[at..at + part.len()].copy_from_slice(part);
}

struct Dice {
    crash: Crash,
    state: u64,
    left: u64,
}

impl Dice {
    fn new(crash: Crash) -> Self {
        let (state, left) = match crash {
            Crash::Scatter { seed } => (seed | 1, 0),
            Crash::CutAfter { bytes } => (1, bytes),
            Crash::KeepAll | Crash::DropAll => (1, 0),
        };
        Self { crash, state, left }
    }

    fn kept_changes(&mut self, count: usize) -> usize {
        match self.crash {
            Crash::KeepAll | Crash::CutAfter { .. } => count,
            Crash::DropAll => 0,
            Crash::Scatter { .. } => (self.next() % (count as u64 + 1)) as usize,
        }
    }

    fn kept_bytes(&mut self, len: usize) -> usize {
        match self.crash {
            Crash::KeepAll => len,
            Crash::DropAll => 0,
            Crash::Scatter { .. } => [0, len][(self.next() & 1) as usize],
            Crash::CutAfter { .. } => {
                let kept = self.left.min(len as u64);
                self.left -= kept;
                kept as usize
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 33
    }
}
