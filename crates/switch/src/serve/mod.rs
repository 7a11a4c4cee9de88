//! The running switch: threads, sockets, wiring, order of start and shutdown.
//!
//! Holds no rule of the trade. Guards: no port opens before recovery is done; nothing is acknowledged after the journal
//! failed; a shutdown leaves every transaction answered, settled or owed.

pub mod admin;
pub(crate) mod certificates;
pub mod clock;
mod days;
mod effects;
mod issuer;
mod mail;
mod make;
mod meter;
mod records;
mod runner;
mod shared;
mod socket;
mod start;
mod status;
mod terminal;
mod tls;
mod wire;
mod worker;

pub use start::{Running, StartFault, start};

use crate::config::Config;
use std::time::Duration;

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
    tracing::info!(
        bytes = config.memory_bound().total(),
        "all bounds together; `pointsman check` lists them"
    );
    let running = start(config)?;
    for (name, address) in running.listeners() {
        tracing::info!(listener = %name, %address, "listening");
    }
    tracing::info!(address = %running.admin(), "metrics and health");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunFault::Signals)?;
    runtime.block_on(until_told(&running))?;
    if !running.failed() {
        tracing::info!("draining");
    }
    // After a failure this only lets the workers say what may still be said, and ends them.
    running.stop()
}

/// Returns when a signal asks to stop or the journal failed.
async fn until_told(running: &Running) -> Result<(), RunFault> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(RunFault::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunFault::Signals)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = running.until_failed() => {}
    }
    Ok(())
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
