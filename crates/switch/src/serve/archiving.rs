//! The thread that fills the archive behind the hot path, within its budget.
//!
//! Never on the way of a transaction: it reads segment files up to the durable end, and no worker waits for it. Whatever fails
//! here pauses it and is told; the switch goes on. Guards: it works at most its share of the time; the journal's retention
//! asks what is durably archived (`Archived`).

use super::shared::Shared;
use crate::config::{ArchiveConfig, Config};
use archive::{Archiver, Fault, Messages, Pace, Place, Progress};
use journal::{Disk, Journal, Lsn, Reader, Stats};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use telemetry::{ArchiveLag, Families};

/// Position up to which the journal's records are durably archived.
pub(super) type Archived = Arc<AtomicU64>;

/// The running thread.
pub(super) struct Archiving {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Archiving {
    /// Starts it, where there is an archive.
    pub(super) fn start(
        shared: &Arc<Shared>,
        disk: Arc<dyn Disk>,
        journal: &Journal,
        next_record: u64,
        families: &Arc<Families>,
        archived: Archived,
    ) -> std::io::Result<Option<Self>> {
        let Some(settings) = &shared.config.archive else { return Ok(None) };
        let stats = journal.stats();
        let counted = stats.records.load(Ordering::Relaxed);
        let follower = Following {
            place: place_of(&shared.config, settings, disk),
            shared: Arc::clone(shared),
            reader: journal.reader(),
            written: Written { stats, since: next_record.saturating_sub(counted) },
            families: Arc::clone(families),
            archived,
            bell: Arc::default(),
            archiver: None,
            messages: None,
            synced: Instant::now(),
            begun: wall_ms(),
            told: None,
        };
        let bell = Arc::clone(&follower.bell);
        let thread = std::thread::Builder::new().name("archive".into()).spawn(move || follower.run())?;
        Ok(Some(Self { bell, thread }))
    }

    /// Lets it take what it can in a moment, and ends it.
    pub(super) fn stop(self) {
        self.bell.ring();
        // A panic was told where it happened.
        let _ = self.thread.join();
    }
}

/// Where the archive of a configuration is.
pub fn place_of(config: &Config, settings: &ArchiveConfig, disk: Arc<dyn Disk>) -> Place {
    let journal = std::iter::once(&config.journal.dir).chain(&config.journal.mirror).cloned().collect();
    Place { dir: settings.dir.clone(), journal, disk, keep_days: settings.keep_days }
}

/// Rests that a stop ends.
#[derive(Default)]
struct Bell {
    stopped: Mutex<bool>,
    rung: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.rung.notify_all();
    }

    /// Rests; whether it is time to stop.
    fn rest(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = self.rung.wait_timeout_while(stopped, time, |stopped| !*stopped);
        *rested.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// How many records the journal has.
struct Written {
    stats: Arc<Stats>,
    since: u64,
}

impl Written {
    fn next_record(&self) -> u64 {
        self.since + self.stats.records.load(Ordering::Relaxed)
    }
}

struct Following {
    place: Place,
    shared: Arc<Shared>,
    reader: Reader,
    written: Written,
    families: Arc<Families>,
    archived: Archived,
    bell: Arc<Bell>,
    archiver: Option<Archiver>,
    messages: Option<Messages>,
    synced: Instant,
    /// When it started, ms since 1970.
    begun: i64,
    /// What was last complained about.
    told: Option<String>,
}

impl Following {
    fn run(mut self) {
        // Without the right to step back it works on at normal priority.
        let _ = rustix::process::setpriority_process(None, NICE);
        let mut last = None;
        loop {
            let rest = self.turn(&mut last);
            if self.bell.rest(rest) {
                return self.finish();
            }
        }
    }

    /// Takes over what the workers captured.
    fn keep_messages(&mut self) -> Result<(), Fault> {
        let Some(captures) = &self.shared.captures else { return Ok(()) };
        let Some(settings) = self.shared.config.archive.as_ref().and_then(|archive| archive.messages) else {
            return Ok(());
        };
        let all = captures.take();
        if all.is_empty() || self.archiver.is_none() {
            return Ok(());
        }
        if self.messages.is_none() {
            self.messages = Some(Messages::open(&self.place.dir, settings.bytes)?);
        }
        self.messages.as_mut().map_or(Ok(()), |ring| ring.keep(&all))
    }

    /// Takes one stretch, if it may; how long to rest then.
    fn turn(&mut self, last: &mut Option<Progress>) -> Duration {
        let version = Arc::clone(&self.shared.version());
        let settings = version.config.archive.as_ref();
        let (paused, percent) =
            settings.map_or((true, 1), |settings| (settings.paused, settings.cpu_percent));
        if paused {
            self.show(*last, true);
            return IDLE;
        }
        let begun = Instant::now();
        match self.step().and_then(|progress| self.keep_messages().map(|()| progress)) {
            Ok(Some(progress)) => {
                self.told = None;
                *last = Some(progress);
                self.show(*last, false);
                let rest = Pace::new(percent).rest(begun.elapsed());
                if progress.is_done { rest.max(IDLE) } else { rest }
            }
            Ok(None) => {
                self.complain("another process fills the archive".into());
                self.show(*last, true);
                RETRY
            }
            Err(fault) => {
                self.failed(&fault);
                self.show(*last, true);
                RETRY
            }
        }
    }

    fn step(&mut self) -> Result<Option<Progress>, Fault> {
        let until = self.reader.durable_end();
        if self.archiver.is_none() {
            let Ok(archiver) = Archiver::open(self.place.clone())? else { return Ok(None) };
            if let Some(why) = archiver.anew() {
                tracing::info!(dir = %self.place.dir.display(), why, "the archive begins at the journal's oldest record");
            }
            self.archiver = Some(archiver);
        }
        let Some(archiver) = &mut self.archiver else { return Ok(None) };
        let progress = archiver.step(Some(until))?;
        if self.synced.elapsed() > SYNC_EVERY {
            archiver.sync()?;
            self.synced = Instant::now();
        }
        self.archived.store(archiver.durable().load(Ordering::Acquire), Ordering::Release);
        Ok(Some(progress))
    }

    /// Damage is made good from the journal; anything else is tried again later.
    fn failed(&mut self, fault: &Fault) {
        let mut text = fault.to_string();
        let mut source = std::error::Error::source(fault);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        self.complain(text);
        if !fault.wants_rebuild() {
            return;
        }
        self.archived.store(0, Ordering::Release);
        if let Some(archiver) = &mut self.archiver
            && archiver.start_over().is_err()
        {
            self.archiver = None;
        }
    }

    /// Once for each kind of trouble.
    fn complain(&mut self, text: String) {
        if self.told.as_ref() != Some(&text) {
            tracing::error!("the archive pauses: {text}");
            self.told = Some(text);
        }
    }

    fn show(&self, last: Option<Progress>, paused: bool) {
        let (position, record, through) =
            last.map_or((Lsn::NONE, 1, None), |last| (last.position, last.record, last.through));
        let bytes = self.reader.durable_end().0.saturating_sub(position.0);
        let records = self.written.next_record().saturating_sub(record);
        // Before anything was archived nobody knows how old it would be: as old as this process at least.
        let age = (wall_ms() - through.unwrap_or(self.begun)).max(0) as f64 / 1_000.0;
        let seconds = if records == 0 { 0.0 } else { age };
        let dropped = self.shared.captures.as_ref().map_or(0, |captures| captures.dropped());
        self.families.archive(&ArchiveLag { bytes, records, seconds, paused, dropped });
    }

    /// A moment's work without a budget, so that a switch that was stopped is searched whole.
    fn finish(mut self) {
        let begun = Instant::now();
        while begun.elapsed() < LAST_MOMENT {
            match self.step() {
                Ok(Some(progress)) if !progress.is_done => {}
                _ => break,
            }
        }
        if let Err(fault) = self.keep_messages() {
            tracing::warn!(%fault, "the last messages were not kept");
        }
        if let Some(Err(fault)) = self.archiver.map(Archiver::close) {
            tracing::error!(%fault, "the archive was not synced: its end is archived again at the next start");
        }
    }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// As the journal's own upkeep: how far it steps back for the workers.
const NICE: i32 = 10;
/// How often a thread that has nothing to do looks again.
const IDLE: Duration = Duration::from_millis(200);
/// How often what was taken is synced, where it is little.
const SYNC_EVERY: Duration = Duration::from_secs(10);
/// After something failed.
const RETRY: Duration = Duration::from_secs(2);
/// What a stop may cost at most, a stretch more or less.
const LAST_MOMENT: Duration = Duration::from_secs(1);
