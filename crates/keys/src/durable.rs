//! Files that are there after a power cut: write, sync, rename, sync the directory.
//! Never leaves a half-written file under the final name.

use crate::Fault;
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Readable and writable by the owner only.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// Creates a file that must not exist yet, owner-only, durably.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
        .map_err(Fault::disk("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Fault::disk("write", path))?;
    sync_parent(path)
}

/// Puts `bytes` in the place of `path` durably and owner-only; then wipes what stood there before, so that a key taken
/// out of the file does not survive in blocks the file system only marked as free (as far as it overwrites in place).
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let before = match OpenOptions::new().write(true).open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Fault::disk("open", path)(error)),
    };
    let fresh = beside(path);
    // A left-over of a run that was killed here; it never became the real file.
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Fault::disk("remove", fresh)(error)),
        _ => {}
    }
    create(&fresh, bytes)?;
    std::fs::rename(&fresh, path).map_err(Fault::disk("rename to", path))?;
    sync_parent(path)?;
    before.map_or(Ok(()), wipe).map_err(Fault::disk("wipe the former", path))
}

fn wipe(mut file: File) -> std::io::Result<()> {
    let len = file.metadata()?.len();
    file.rewind()?;
    file.write_all(&vec![0; usize::try_from(len).unwrap_or(0)])?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> Result<(), Fault> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Fault::disk("sync directory", dir))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
