//! A disk that forgets: for measuring what the committer costs without the disk.
//! Never holds a byte of a segment; small files (epoch, marks) are kept, so that a journal opens on it.
//! Guards: nothing; a journal on it must not be read.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, DiskFile, Locked};

type Names = BTreeMap<PathBuf, Arc<NullFile>>;

/// Accepts every write and remembers only lengths.
#[derive(Default)]
pub struct NullDisk(Mutex<Names>);

#[derive(Default)]
struct NullFile(AtomicU64);

impl NullDisk {
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DiskFile for NullFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = buf.len().min(self.0.load(Relaxed).saturating_sub(offset) as usize);
        buf[..len].fill(0);
        Ok(len)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.0.fetch_max(offset + bytes as u64, Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.load(Relaxed))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.store(len, Relaxed);
        Ok(())
    }

    fn allocate(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn forget_cached(&self) {}
}

impl Disk for NullDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.names(|names| names.get(path).cloned());
        file.map(|file| file as Arc<dyn DiskFile>).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = Arc::new(NullFile::default());
        self.names(|names| names.insert(path.to_owned(), file.clone()));
        Ok(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.names(|names| {
            let file = names.remove(from);
            names.extend(file.map(|file| (to.to_owned(), file)));
        });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.names(|names| names.remove(path));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, _path: &Path, _who: &str) -> io::Result<Locked> {
        Ok(Locked::Mine(Box::new(())))
    }
}
