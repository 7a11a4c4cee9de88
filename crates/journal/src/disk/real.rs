//! The real disk: plain files, `pwritev`, `fdatasync`, `flock`.
//! Never retries a sync. Guards: a failed sync is reported once, to the caller that asked for it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, FallocateFlags, FlockOperation};
use rustix::io::Errno;

use super::{Disk, DiskFile, Locked};

/// Vectors per `pwritev` that Linux accepts (`IOV_MAX`, uio(7)).
const VECTORS_MAX: usize = 1024;

/// Journal files hold card data: only the owner may read them.
const FILE_MODE: u32 = 0o600;

/// Files of the machine this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        match dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => self.sync_dir(parent),
            None => Ok(()),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(FILE_MODE);
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(who.as_bytes())?;
                Ok(Locked::Mine(Box::new(file)))
            }
            Err(Errno::WOULDBLOCK) => Ok(Locked::Held(holder(&file)?)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the holder wrote about itself. It may be about to: then there is nothing, or what the one before it left.
fn holder(file: &File) -> io::Result<String> {
    let until = Instant::now() + WRITTEN_WITHIN;
    loop {
        let mut text = vec![0; WHO_MAX];
        let count = FileExt::read_at(file, &mut text, 0)?;
        let text = String::from_utf8_lossy(&text[..count]).into_owned();
        if names_a_process(&text) || Instant::now() > until {
            return Ok(text);
        }
        std::thread::yield_now();
    }
}

/// `process N …` of a process that lives, as far as this one can see.
fn names_a_process(text: &str) -> bool {
    let number = text.strip_prefix("process ").and_then(|rest| rest.split(' ').next());
    number.is_some_and(|number| Path::new("/proc").join(number).exists())
}

/// A holder writes right after it has the lock; one in another container is never seen to live.
const WRITTEN_WITHIN: Duration = Duration::from_millis(250);
const WHO_MAX: usize = 512;

struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.0, buf, offset)
    }

    fn write_at(&self, mut parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        while !parts.is_empty() {
            let count = parts.len().min(VECTORS_MAX);
            match rustix::io::pwritev(&self.0, &parts[..count], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut parts, written);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, FallocateFlags::KEEP_SIZE, 0, len) {
            Err(Errno::OPNOTSUPP) => Ok(()),
            other => Ok(other?),
        }
    }

    fn forget_cached(&self) {
        // Advice only: where the kernel does not take it, the cache stays, as it would without the call.
        let _ = rustix::fs::fadvise(&self.0, 0, None, Advice::DontNeed);
    }
}
