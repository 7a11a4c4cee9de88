//! What the journal calls on the fake disk: the two traits, over the state that the tests look into.
//! Never decides what survives. Guards: every call that a test made to fail fails, and is counted.

use super::*;

pub(super) struct FakeFile {
    pub(super) disk: FakeDisk,
    pub(super) number: usize,
    /// Errors of the file that this descriptor was told of.
    pub(super) told: AtomicU64,
}

impl DiskFile for FakeFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let bytes = &state.files[self.number].cache;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let mut state = self.disk.state();
        state.count_write()?;
        let grows = (offset + bytes.len() as u64).saturating_sub(state.files[self.number].takes());
        if grows > state.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = &mut state.files[self.number];
        put(&mut file.cache, offset as usize, &bytes);
        file.pending.push((offset, bytes));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let failed = state.count_sync();
        let file = &mut state.files[self.number];
        match failed {
            Some(after) => file.fail_sync(after),
            None => file.sync(),
        }
        let untold = self.told.swap(file.errors, Relaxed) < file.errors;
        failing(untold, "sync")
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.number].cache.len() as u64)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.state().files[self.number].cache.resize(len as usize, 0);
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        if len.saturating_sub(state.files[self.number].takes()) > state.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.files[self.number].allocated = len;
        Ok(())
    }

    fn forget_cached(&self) {
        // Bytes written and not yet synced stay; those of a failed sync are gone.
        let mut state = self.disk.state();
        let file = &mut state.files[self.number];
        let mut bytes = file.durable.clone();
        file.pending.iter().for_each(|(offset, written)| put(&mut bytes, *offset as usize, written));
        file.cache = bytes;
    }
}

impl Disk for FakeDisk {
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
        Ok(self.opened(number))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let number = self.state().new_file(path);
        Ok(self.opened(number))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(from)?;
        state.change(NameChange::Moved(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(path)?;
        state.change(NameChange::Gone(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        failing(state.count_sync().is_some(), "directory sync")?;
        state.durable_names = state.names.clone();
        state.name_changes.clear();
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.state().free())
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        let mut state = self.state();
        if let Some(holder) = state.held.get(path) {
            return Ok(Locked::Held(holder.clone()));
        }
        state.held.insert(path.to_owned(), who.to_owned());
        Ok(Locked::Mine(Box::new(Guard { disk: self.clone(), path: path.to_owned() })))
    }
}

struct Guard {
    disk: FakeDisk,
    path: PathBuf,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.disk.state().held.remove(&self.path);
    }
}
