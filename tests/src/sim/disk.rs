//! A disk in memory with a page cache: what was written, what is durable, and what a crash or a failed sync makes of them.
//!
//! Never loses what a sync confirmed. Guards: names and bytes are lost apart, sector by sector, as the seed says.

use journal::disk::Locked;
use journal::{Disk, DiskFile};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use testkit::Chance;

const SECTOR: u64 = 512;

/// What a failed sync leaves in the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCache {
    /// Pages are marked clean: they show what never reached the disk, until they are dropped (ext4, XFS).
    KeptClean,
    /// Pages go back to what the disk has (btrfs).
    Reverted,
    /// Pages stay dirty and may reach the disk later.
    StillDirty,
}

/// How much of what is not durable survives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Nothing.
    Nothing,
    /// Each sector or not; each change of a name up to some point.
    Some,
    /// A beginning of it: a torn tail.
    Beginning,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct PageDisk(Arc<Mutex<State>>);

struct State {
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    changes: Vec<Change>,
    files: Vec<File>,
    held: BTreeSet<PathBuf>,
    capacity: Option<u64>,
    cache: PageCache,
    /// Writes, syncs and changes of names so far.
    ops: u64,
    /// Everything from this operation on fails: the machine is going down.
    off_at: Option<u64>,
    off: bool,
    syncs: u64,
    fail_sync_at: Option<u64>,
}

#[derive(Clone)]
enum Change {
    Set(PathBuf, usize),
    Moved(PathBuf, PathBuf),
    Gone(PathBuf),
}

#[derive(Default)]
struct File {
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// Written and not synced.
    dirty: Vec<(u64, u64)>,
    /// Shown by the cache, believed clean, not on the disk.
    lost: Vec<(u64, u64)>,
}

impl PageDisk {
    /// Empty, without end.
    pub fn new(cache: PageCache) -> Self {
        Self(Arc::new(Mutex::new(State {
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            files: Vec::new(),
            held: BTreeSet::new(),
            capacity: None,
            cache,
            ops: 0,
            off_at: None,
            off: false,
            syncs: 0,
            fail_sync_at: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves room for `bytes` more; `None`: without end.
    pub fn leave_room(&self, bytes: Option<u64>) {
        let mut state = self.state();
        state.capacity = bytes.map(|bytes| state.used() + bytes);
    }

    /// The machine goes down at the operation that comes after `ops` more.
    pub fn power_off_after(&self, ops: u64) {
        let mut state = self.state();
        state.off_at = Some(state.ops + ops);
    }

    /// Whether the machine went down.
    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// The sync that comes after `syncs` more fails; the ones behind it do not, as on Linux: an error is told once.
    pub fn fail_sync_after(&self, syncs: u64) {
        let mut state = self.state();
        state.fail_sync_at = Some(state.syncs + syncs);
    }

    /// Nothing planned fails any more.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.fail_sync_at, state.off_at) = (None, None);
    }

    /// The process died: locks are gone, the page cache stays.
    pub fn process_died(&self) {
        let mut state = self.state();
        state.held.clear();
        (state.fail_sync_at, state.off_at, state.off) = (None, None, false);
    }

    /// The machine died and is up again.
    pub fn machine_died(&self, survives: Survives, chance: &mut Chance) {
        self.process_died();
        let mut state = self.state();
        let kept = match survives {
            Survives::Nothing => 0,
            Survives::Some | Survives::Beginning => chance.below(state.changes.len() as u64 + 1) as usize,
        };
        let mut names = state.durable_names.clone();
        state.changes.iter().take(kept).for_each(|change| change.apply(&mut names));
        state.durable_names.clone_from(&names);
        state.names = names;
        state.changes.clear();
        state.files.iter_mut().for_each(|file| file.machine_died(survives, chance));
    }

    /// Content of every file there is, by name.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.state();
        state.names.iter().map(|(path, number)| (path.clone(), state.files[*number].cache.clone())).collect()
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().map(|number| self.files[*number].cache.len() as u64).sum()
    }

    fn free(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    fn count(&mut self) -> io::Result<()> {
        self.off |= self.off_at.is_some_and(|at| self.ops >= at);
        self.ops += 1;
        if self.off { Err(io::Error::other("the machine is down")) } else { Ok(()) }
    }

    fn count_sync(&mut self) -> io::Result<bool> {
        self.count()?;
        self.syncs += 1;
        Ok(self.fail_sync_at.is_none_or(|at| self.syncs != at + 1))
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        self.count()?;
        change.apply(&mut self.names);
        self.changes.push(change);
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Change {
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
    fn machine_died(&mut self, survives: Survives, chance: &mut Chance) {
        let mut whole = survives == Survives::Beginning;
        for (start, end) in std::mem::take(&mut self.dirty) {
            let mut at = start;
            while at < end {
                let next = end.min((at / SECTOR + 1) * SECTOR);
                whole &= chance.below(8) > 0;
                let kept = match survives {
                    Survives::Nothing => false,
                    Survives::Some => chance.below(2) == 0,
                    Survives::Beginning => whole,
                };
                if kept {
                    copy(&self.cache, &mut self.durable, at, next);
                }
                at = next;
            }
        }
        self.lost.clear();
        self.cache.clone_from(&self.durable);
    }

    fn sync(&mut self) {
        for (start, end) in self.dirty.drain(..) {
            copy(&self.cache, &mut self.durable, start, end);
        }
    }

    fn failed_sync(&mut self, cache: PageCache) {
        match cache {
            PageCache::StillDirty => {}
            PageCache::KeptClean => self.lost.append(&mut self.dirty),
            PageCache::Reverted => {
                for (start, end) in self.dirty.drain(..) {
                    revert(&self.durable, &mut self.cache, start, end);
                }
            }
        }
    }
}

fn copy(from: &[u8], to: &mut Vec<u8>, start: u64, end: u64) {
    let (start, end) = (start as usize, (end as usize).min(from.len()));
    if end <= start {
        return;
    }
    if to.len() < end {
        to.resize(end, 0);
    }
    to[start..end].copy_from_slice(&from[start..end]);
}

fn revert(durable: &[u8], cache: &mut [u8], start: u64, end: u64) {
    for at in start as usize..(end as usize).min(cache.len()) {
        cache[at] = durable.get(at).copied().unwrap_or(0);
    }
}

struct Open {
    disk: PageDisk,
    number: usize,
}

impl DiskFile for Open {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let rest = state.files[self.number].cache.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.count()?;
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        let end = offset + len;
        let grows = end.saturating_sub(state.files[self.number].cache.len() as u64);
        if grows > state.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = &mut state.files[self.number];
        if file.cache.len() < end as usize {
            file.cache.resize(end as usize, 0);
        }
        let mut at = offset as usize;
        for part in parts {
            file.cache[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        file.dirty.push((offset, end));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let good = state.count_sync()?;
        let cache = state.cache;
        let file = &mut state.files[self.number];
        if good {
            file.sync();
            return Ok(());
        }
        file.failed_sync(cache);
        Err(io::Error::other("input/output error"))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.number].cache.len() as u64)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.count()?;
        state.files[self.number].cache.resize(len as usize, 0);
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let state = self.disk.state();
        let grows = len.saturating_sub(state.files[self.number].cache.len() as u64);
        if grows > state.free() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn forget_cached(&self) {
        let mut state = self.disk.state();
        let file = &mut state.files[self.number];
        for (start, end) in std::mem::take(&mut file.lost) {
            revert(&file.durable, &mut file.cache, start, end);
        }
    }
}

impl Disk for PageDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let number = self.state().find(path)?;
        Ok(Arc::new(Open { disk: self.clone(), number }))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let number = state.files.len();
        state.files.push(File::default());
        state.change(Change::Set(path.to_owned(), number))?;
        Ok(Arc::new(Open { disk: self.clone(), number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(from)?;
        state.change(Change::Moved(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(path)?;
        state.change(Change::Gone(path.to_owned()))
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.count_sync()? {
            return Err(io::Error::other("input/output error"));
        }
        state.durable_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.state().free())
    }

    fn lock(&self, path: &Path, _who: &str) -> io::Result<Locked> {
        let mut state = self.state();
        if !state.held.insert(path.to_owned()) {
            return Ok(Locked::Held("another process".to_owned()));
        }
        Ok(Locked::Mine(Box::new(Guard { disk: self.clone(), path: path.to_owned() })))
    }
}

struct Guard {
    disk: PageDisk,
    path: PathBuf,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.disk.state().held.remove(&self.path);
    }
}
