//! The running switch: threads, sockets, wiring, order of start and shutdown.
//!
//! Holds no rule of the trade. Guards: no port opens before recovery is done; nothing is acknowledged after the journal
//! failed; a shutdown leaves every transaction answered, settled or owed.

pub mod admin;
mod advices;
pub mod archiving;
mod breakers;
mod capture;
pub(crate) mod certificates;
pub mod clock;
mod complaints;
mod cutovers;
mod days;
mod effects;
mod ending;
mod issuer;
mod links;
mod mail;
mod make;
mod malformed;
mod meter;
mod recants;
mod records;
mod retention;
mod runner;
mod running;
mod shared;
mod slips;
mod socket;
mod start;
mod status;
pub mod stepped;
mod terminal;
pub mod upkeep;
mod wire;
mod wording;
mod worker;

pub(crate) use capture::WAITING as CAPTURES_WAITING;
pub use running::Running;
pub use start::{StartFault, start, start_on};

use crate::config::Config;
use clock::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often every worker looks at what no event brings: deadlines of connections, echoes, days, counters.
pub(crate) const HOUSEKEEPING: Duration = Duration::from_millis(100);

/// What ended a run.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartFault),
    /// The journal failed while serving.
    #[error("the journal failed: nothing was acknowledged after it; start again to recover")]
    JournalFailed,
    /// A worker's thread ended while serving.
    #[error("a worker ended before its time; start again to recover")]
    WorkerLost,
    /// Signals cannot be waited for.
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
    /// The end of the run could not be made durable.
    #[error("cannot close the journal")]
    Close(#[source] journal::Fault),
}

/// Serves until SIGTERM or SIGINT, then drains and returns.
///
/// # Errors
/// [`RunFault`]; the process should exit with a status other than 0.
pub fn run(config: Config) -> Result<(), RunFault> {
    run_on(config, Arc::new(journal::RealDisk), Clock::start())
}

/// The same with the journal on another disk, by another clock.
///
/// # Errors
/// As [`run`].
pub fn run_on(config: Config, disk: Arc<dyn journal::Disk>, clock: Clock) -> Result<(), RunFault> {
    tracing::info!(
        bytes = config.memory_bound().total(),
        "all bounds together; `pointsman check` lists them"
    );
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunFault::Signals)?;
    // Before anything is open: a signal that comes while the journal is read again must not just kill the process.
    let signals = runtime.block_on(async { Signals::new() }).map_err(RunFault::Signals)?;
    let running = start_on(config, disk, clock)?;
    for (name, address) in running.listeners() {
        tracing::info!(listener = %name, %address, "listening");
    }
    tracing::info!(address = %running.admin(), "metrics and health");
    runtime.block_on(until_told(&running, signals));
    if !running.failed() {
        tracing::info!("draining");
    }
    // After a failure this only lets the workers say what may still be said, and ends them.
    running.stop()
}

/// What an operator may say to the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Returns when a signal asks to stop or the journal failed; reloads whenever one asks for that.
async fn until_told(running: &Running, mut signals: Signals) {
    let failed = running.until_failed();
    tokio::pin!(failed);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            () = &mut failed => return,
            _ = signals.hang_up.recv() => reload(running),
        }
    }
}

/// SIGHUP: the file is read again.
fn reload(running: &Running) {
    match running.reload() {
        Ok(version) => {
            tracing::info!(
                version,
                bytes = running.memory_bound(),
                "configuration reloaded: all bounds together"
            );
        }
        Err(error) => tracing::error!(%error, "configuration not reloaded: the one in force stays"),
    }
}

/// Settings of every socket: no waiting for more bytes, and a dead peer is found without traffic.
fn tune(stream: &tokio::net::TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(5))
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(Duration::from_secs(20)))
}
