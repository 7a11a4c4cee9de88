//! The disk as the journal sees it: positioned reads and writes, syncs of data and of directories, a lock.
//! Never interprets a byte. Guards: whatever is not synced may be lost, in any part (`testing::FakeDisk`).

mod mirror;
mod real;

use std::any::Any;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

pub(crate) use mirror::MirrorDisk;
pub use real::RealDisk;

/// What holds a lock until it is dropped.
pub type LockGuard = Box<dyn Any + Send + Sync>;

/// Outcome of asking for the lock.
pub enum Locked {
    /// It is ours until the guard is dropped.
    Mine(LockGuard),
    /// Another holds it; this is what it wrote about itself.
    Held(String),
}

/// Files in one directory. Paths are those the journal builds from its own directory.
pub trait Disk: Send + Sync + 'static {
    /// Creates the directory and its parents; existing is fine.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Names of the files in `dir`, in any order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Creates a file, or empties an existing one. Durable only after [`Disk::sync_dir`].
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames within the directory, replacing. Durable only after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable only after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that can still be written there by this process.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// Takes the lock file at `path`, writing `who` into it, or tells at once who holds it.
    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked>;
}

/// One open file.
pub trait DiskFile: Send + Sync {
    /// Reads at most `buf.len()` bytes at `offset`; 0 means end of file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all `parts`, one behind the other, from `offset` on. `parts` is used up.
    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Makes the file's bytes and length durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends the file.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Secures space for `len` bytes without changing the length; a file system that cannot do that ahead says nothing.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// The two copies of a file that is kept twice: the one that is read, and its mirror.
    fn copies(&self) -> Option<[Arc<dyn DiskFile>; 2]> {
        None
    }
    /// Drops cached pages, so that the next read sees the disk: after a failed sync the cache may show
    /// bytes that were never written. Best effort.
    fn forget_cached(&self);
}

/// Reads exactly `buf.len()` bytes at `offset`.
pub(crate) fn read_exact_at(file: &dyn DiskFile, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buf.is_empty() {
        match file.read_at(buf, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                buf = &mut buf[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

/// Reads a whole small file.
pub(crate) fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; file.len()? as usize];
    read_exact_at(file, &mut bytes, 0)?;
    Ok(bytes)
}

/// Replaces the file `name` in `dir` durably: written aside, synced, renamed, directory synced.
pub(crate) fn replace(disk: &dyn Disk, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = dir.join(format!("{name}.new"));
    let file = disk.create(&aside)?;
    file.write_at(&mut [IoSlice::new(bytes)], 0)?;
    file.sync_data()?;
    disk.rename(&aside, &dir.join(name))?;
    disk.sync_dir(dir)
}
