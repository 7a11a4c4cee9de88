//! `pointsman serve` on a disk that fails and with a wall clock that steps when told to: `faulty-switch CONFIG TRIGGER
//! [MOMENT]`. The file TRIGGER, once it is there, holds a word: `sync` (syncs fail), `read` (reading panics), `full`
//! (no new room), `arm` (from here
//! on the process dies at MOMENT, e.g. `before:sync-log:3`), `clock MILLISECONDS` (the wall clock is off by so much;
//! TRIGGER.obeyed holds the word then).
//!
//! Only disk and clock differ from the service: they are handed in from here, so the service itself has no such switch.
//! Guards: a failed sync loses what was written before it, as a disk does; a failed read is a panic of the worker that reads.

use journal::{Disk, DiskFile, Locked, RealDisk};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use switch::config::Config;
use switch::serve::clock::Clock;
use telemetry::logging::{self, Format};
use tests::failpoints::{Failpoint, KillingDisk, Trap};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(config), Some(trigger)) = (arguments.next(), arguments.next()) else {
        eprintln!("expected CONFIG TRIGGER [MOMENT]");
        return ExitCode::FAILURE;
    };
    let moment = arguments.next().map(|moment| -> Failpoint {
        moment.to_string_lossy().parse().unwrap_or_else(|fault| panic!("{fault}"))
    });
    logging::init(Format::Json, "info".parse().expect("a level")).expect("nobody logs yet");
    let config = Config::load(&config).expect("a configuration in order");
    let disk = FaultyDisk { trigger: trigger.clone().into() };
    let off_ms = Arc::new(AtomicI64::new(0));
    let (disk, trap): (Arc<dyn Disk>, _) = match moment {
        Some(moment) => {
            let (disk, trap) = KillingDisk::new(disk, moment);
            (Arc::new(disk), Some(trap))
        }
        None => (Arc::new(disk), None),
    };
    obey(&trigger, trap.as_deref(), &off_ms);
    let clock = Clock::shifted(Arc::clone(&off_ms));
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(Duration::from_millis(2));
            obey(&trigger, trap.as_deref(), &off_ms);
        }
    });
    match switch::serve::run_on(config, disk, clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("faulty-switch: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the trigger says, if it says something.
fn obey(trigger: &Path, trap: Option<&Trap>, off_ms: &AtomicI64) {
    let word = std::fs::read_to_string(trigger).unwrap_or_default();
    match (word.trim(), trap) {
        ("arm", Some(trap)) => trap.arm(),
        (word, _) => {
            if let Some(Ok(off)) = word.strip_prefix("clock ").map(str::parse) {
                off_ms.store(off, Ordering::Relaxed);
                std::fs::write(trigger.with_extension("obeyed"), word).expect("beside the trigger");
            }
        }
    }
}

struct FaultyDisk {
    trigger: Arc<Path>,
}

struct FaultyFile {
    file: Arc<dyn DiskFile>,
    trigger: Arc<Path>,
}

impl FaultyDisk {
    /// A full disk: what has its room may be written, nothing else is begun.
    fn room(&self) -> io::Result<()> {
        if says(&self.trigger, "full") { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn faulty(&self, file: io::Result<Arc<dyn DiskFile>>) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(FaultyFile { file: file?, trigger: Arc::clone(&self.trigger) }))
    }
}

fn says(trigger: &Path, what: &str) -> bool {
    std::fs::read_to_string(trigger).is_ok_and(|word| word.trim() == what)
}

impl FaultyFile {
    fn fails(&self, what: &str) -> bool {
        says(&self.trigger, what)
    }
}

impl Disk for FaultyDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.faulty(RealDisk.open(path))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.room()?;
        self.faulty(RealDisk.create(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        if self.room().is_err() {
            return Ok(0);
        }
        RealDisk.free_bytes(dir)
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        RealDisk.lock(path, who)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let worker = std::thread::current().name().is_some_and(|name| name.starts_with("worker"));
        assert!(!(worker && self.fails("read")), "the disk panics the worker that reads");
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        // What the sync will fail for never reaches the disk.
        if self.fails("sync") { Ok(()) } else { self.file.write_at(parts, offset) }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.fails("sync") { Err(io::Error::other("the disk lost it")) } else { self.file.sync_data() }
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.fails("full") {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.allocate(len)
    }

    fn forget_cached(&self) {
        self.file.forget_cached();
    }
}
