//! The started switch, as the process that runs it sees it: addresses, health, reloads, the end.
//!
//! Never on the way of a transaction. Guards: a reload takes over the whole of a file or nothing of it; a stop leaves every
//! transaction answered, settled or owed.

use super::admin::Admin;
use super::archiving::Archiving;
use super::clock::Clock;
use super::days::Sweeps;
use super::shared::{Phase, Shared, Version};
use super::start::roll_keys;
use super::status::Status;
use super::{HOUSEKEEPING, RunFault};
use crate::config::LoadError;
use engine::Snapshot;
use journal::Journal;
use keys::Sealer;
use limits::Store;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use telemetry::Families;

/// A started switch.
pub struct Running {
    pub(super) shared: Arc<Shared>,
    pub(super) status: Arc<Status>,
    pub(super) families: Arc<Families>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) admin: Admin,
    pub(super) journal: Journal,
    pub(super) workers: Vec<JoinHandle<()>>,
    pub(super) archiving: Option<Archiving>,
    pub(super) addresses: Vec<(String, SocketAddr)>,
    /// Configurations that workers may still hold: large ones are given up here, not within a turn.
    pub(super) retired: Mutex<Vec<Arc<Snapshot>>>,
    pub(super) sweeps: Mutex<Sweeps>,
    pub(super) clock: Clock,
}

impl Running {
    /// Names and addresses of the listeners, as bound (port 0 is resolved).
    pub fn listeners(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// Address of metrics and health.
    pub fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// The exposition text, as a scrape gets it.
    pub fn metrics(&self) -> String {
        self.status.render()
    }

    /// Why no traffic should be sent here; empty if it should.
    pub fn unready(&self) -> Vec<&'static str> {
        self.status.ready()
    }

    /// Links that are not up for every worker, by name.
    pub fn links_down(&self) -> Vec<String> {
        let links = self.shared.config.links.iter().zip(self.shared.links_ready());
        links.filter(|(_, up)| !up).map(|(link, _)| link.full_name.clone()).collect()
    }

    /// Whether the journal or a worker failed.
    pub fn failed(&self) -> bool {
        self.shared.failed()
    }

    /// Limit cells, for tests that compare them with a replay.
    pub fn limits(&self) -> &Store {
        &self.shared.limits
    }

    /// Returns when the journal has failed; rolls the sealing key from day to day meanwhile.
    pub async fn until_failed(&self) {
        while !self.failed() {
            let _ = tokio::time::timeout(Duration::from_secs(1), self.shared.changed.notified()).await;
            let wall_ms = self.clock.wall_ms();
            if let Err(error) = roll_keys(&self.shared.config, &self.sealer, wall_ms) {
                tracing::error!(%error, "the sealing key of the new day cannot be made: sealing with the last one");
            }
            self.drop_retired();
            self.sweep_limits(wall_ms);
        }
    }

    /// Reads the configuration file again and goes over to it, or stays with what is in force. Returns the number of the
    /// configuration, which counts readings.
    ///
    /// # Errors
    /// [`LoadError`]: what is wrong with the file, or takes a restart.
    pub fn reload(&self) -> Result<u32, LoadError> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.shared.config.reload();
        self.families.reload_successful(read.is_ok());
        let number = self.shared.version().snapshot.version + 1;
        let before = self.shared.swap(Version::new(read?, number));
        retired.push(Arc::clone(&before.snapshot));
        Ok(number)
    }

    /// Bytes that the configuration in force can come to need.
    pub fn memory_bound(&self) -> u64 {
        self.shared.version().config.memory_bound().total()
    }

    /// Counters of days that are over make room for those of today.
    fn sweep_limits(&self, wall_ms: i64) {
        let calendars = self.shared.config.calendars.iter().map(|calendar| &calendar.calendar);
        let due = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner).due(calendars, wall_ms);
        if let Some(oldest) = due {
            let swept = self.shared.limits.sweep(oldest);
            tracing::info!(swept, left = self.shared.limits.len(), "counters of days that are over");
        }
    }

    /// Gives up configurations that no worker holds any more.
    fn drop_retired(&self) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }

    /// Drains: no new requests, what is in flight finishes until `drain_timeout`, the rest is owed; signs off, syncs.
    ///
    /// # Errors
    /// [`RunFault`] if the journal could not be closed.
    pub fn stop(self) -> Result<(), RunFault> {
        self.status.set_serving(false);
        let drain = Duration::from_millis(self.shared.config.drain_timeout_ms);
        self.shared.enter(Phase::Draining);
        let deadline = Instant::now() + drain;
        while self.shared.busy() > 0 && Instant::now() < deadline && !self.failed() {
            std::thread::sleep(HOUSEKEEPING / 4);
            self.shared.wake_all();
        }
        self.shared.enter(Phase::Over);
        for worker in self.workers {
            // A panic was caught and told where it happened.
            let _ = worker.join();
        }
        if let Some(archiving) = self.archiving {
            archiving.stop();
        }
        drop(self.admin);
        if self.shared.lost_worker() {
            return Err(RunFault::WorkerLost);
        }
        if self.shared.failed() {
            return Err(RunFault::JournalFailed);
        }
        self.journal.close().map_err(RunFault::Close)
    }
}
