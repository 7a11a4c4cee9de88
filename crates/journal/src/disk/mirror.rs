//! A second directory with the same log: every write goes to both, a sync is both syncs, side by side.
//! Never reads the second copy in service (recovery and readers ask for it when the first fails its checks), never
//! mirrors what can be made again (indexes, checkpoints). Guards: nothing counts as durable before both copies are.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::{Disk, DiskFile, LockGuard, Locked};
use crate::place::is_mirrored;

/// The disk that writes every mirrored file twice.
pub(crate) struct MirrorDisk {
    disk: Arc<dyn Disk>,
    twin: PathBuf,
    /// Whether the two syncs run side by side; one after the other where the same calls must have the same order.
    parallel: bool,
}

impl MirrorDisk {
    pub(crate) fn new(disk: Arc<dyn Disk>, twin: PathBuf, parallel: bool) -> Self {
        Self { disk, twin, parallel }
    }

    /// Where the second copy of `path` is, if it has one.
    fn twin_of(&self, path: &Path) -> Option<PathBuf> {
        let name = path.file_name()?;
        is_mirrored(&name.to_string_lossy()).then(|| self.twin.join(name))
    }

    fn pair(&self, main: Arc<dyn DiskFile>, twin: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(MirrorFile { main, twin, parallel: self.parallel })
    }

    fn both(&self, path: &Path, act: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        act(path)?;
        self.twin_of(path).map_or(Ok(()), |twin| act(&twin))
    }
}

impl Disk for MirrorDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)?;
        self.disk.create_dir(&self.twin)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let main = self.disk.open(path)?;
        match self.twin_of(path) {
            Some(twin) => Ok(self.pair(main, self.disk.open(&twin)?)),
            None => Ok(main),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let main = self.disk.create(path)?;
        match self.twin_of(path) {
            Some(twin) => Ok(self.pair(main, self.disk.create(&twin)?)),
            None => Ok(main),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)?;
        match self.twin_of(from).zip(self.twin_of(to)) {
            Some((from, to)) => self.disk.rename(&from, &to),
            None => Ok(()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.both(path, |path| match self.disk.remove(path) {
            // Left over in one of the two only.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)?;
        self.disk.sync_dir(&self.twin)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        Ok(self.disk.free_bytes(dir)?.min(self.disk.free_bytes(&self.twin)?))
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        let Locked::Mine(main) = self.disk.lock(path, who)? else { return self.disk.lock(path, who) };
        let twin = self.twin.join(path.file_name().unwrap_or_default());
        Ok(match self.disk.lock(&twin, who)? {
            Locked::Mine(twin) => Locked::Mine(Box::new((main, twin)) as LockGuard),
            held => held,
        })
    }
}

struct MirrorFile {
    main: Arc<dyn DiskFile>,
    twin: Arc<dyn DiskFile>,
    parallel: bool,
}

impl DiskFile for MirrorFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.main.read_at(buf, offset)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        // A disk uses its slices up.
        let mut again = parts.to_vec();
        self.main.write_at(parts, offset)?;
        self.twin.write_at(&mut again, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        if !self.parallel {
            return self.main.sync_data().and_then(|()| self.twin.sync_data());
        }
        thread::scope(|scope| {
            let twin = thread::Builder::new()
                .name("journal-mirror".to_owned())
                .spawn_scoped(scope, || self.twin.sync_data());
            let main = self.main.sync_data();
            let twin = twin?.join().unwrap_or_else(|_| Err(io::Error::other("the mirror's sync panicked")));
            main.and(twin)
        })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.main.len()?.min(self.twin.len()?))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.main.truncate(len)?;
        self.twin.truncate(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.main.allocate(len)?;
        self.twin.allocate(len)
    }

    fn forget_cached(&self) {
        self.main.forget_cached();
        self.twin.forget_cached();
    }

    fn copies(&self) -> Option<[Arc<dyn DiskFile>; 2]> {
        Some([self.main.clone(), self.twin.clone()])
    }
}
