//! A worker's thread: its runtime, its tasks, its loop of turns.
//!
//! The only home of tokio tasks: one per connection, one per link, one per listener, one for turns. Never one per
//! transaction. Guards: a turn runs after everything that was ready has been read.

use super::issuer::{self, Tls};
use super::shared::Shared;
use super::socket::Socket;
use super::status::Status;
use super::worker::Worker;
use super::{HOUSEKEEPING, terminal};
use rustls::ServerConfig;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use terms::{LinkIx, ListenerIx};
use tls::Channel;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

/// A listener's socket as this worker has it: all workers listen on the same port.
pub struct Door {
    /// Which listener.
    pub listener: ListenerIx,
    /// Bound and listening.
    pub socket: std::net::TcpListener,
    /// TLS, or plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// This worker's share of the listener's bound on connections.
    pub connections_max: u32,
}

/// What a worker's thread needs besides the worker.
pub struct Job {
    /// Makes the worker inside its thread: it is not `Send`.
    pub make: Box<dyn FnOnce() -> Worker + Send>,
    /// Its listening sockets.
    pub doors: Vec<Door>,
    /// Links whose sockets it owns.
    pub links: Vec<(LinkIx, Tls)>,
    /// Where it reports that it lives.
    pub status: Arc<Status>,
}

/// Runs a worker in its thread. One that has no runtime, or panics, takes the process with it: its transactions would
/// stand still for ever, and a restart settles them.
pub fn watched(shared: &Shared, run: impl FnOnce() -> std::io::Result<()>) {
    match std::panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => return,
        Ok(Err(error)) => tracing::error!(%error, "a worker has no runtime"),
        Err(_) => tracing::error!("a worker panicked"),
    }
    shared.lose_worker();
}

/// Runs until the phase says that it is over.
pub fn run(job: Job) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(61).build()?;
    let tasks = LocalSet::new();
    let worker = Rc::new(RefCell::new((job.make)()));
    worker.borrow_mut().recover();
    for (link, tls) in job.links {
        tasks.spawn_local(issuer::keep(Rc::clone(&worker), link, tls));
    }
    for door in job.doors {
        tasks.spawn_local(accept(Rc::clone(&worker), door));
    }
    tasks.block_on(&runtime, turns(worker, job.status));
    Ok(())
}

/// One turn after the other: when the bell rings, or when something is due.
async fn turns(worker: Rc<RefCell<Worker>>, status: Arc<Status>) {
    let (bell, clock, ix) = {
        let worker = worker.borrow();
        (Arc::clone(worker.letters.bell()), worker.clock.clone(), worker.ix)
    };
    let sleep = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(sleep);
    loop {
        tokio::select! {
            biased;
            () = bell.notified() => {}
            () = &mut sleep => {}
        }
        let took = {
            let mut worker = worker.borrow_mut();
            let more = worker.pass();
            status.beats[ix.at()].store(worker.now.tick.0, Ordering::Relaxed);
            if more {
                bell.notify_one();
            }
            if worker.is_over() {
                return worker.close_terminals();
            }
            let due = worker.next_due();
            // A due time that moved only a little is not worth re-arming a timer for on every turn.
            if sleep.is_elapsed() || clock.instant(due) < sleep.deadline() {
                sleep.as_mut().reset(clock.instant(due));
            }
            clock.tick().since(worker.now.tick)
        };
        if u128::from(took) >= HOUSEKEEPING.as_micros() {
            // Long turns that follow upon each other must not keep connections from being read.
            tokio::task::yield_now().await;
        }
    }
}

/// Takes connections until the process drains.
async fn accept(worker: Rc<RefCell<Worker>>, door: Door) {
    let listener = match TcpListener::from_std(door.socket) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, as a rule: let connections end before trying again.
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(HOUSEKEEPING).await;
                continue;
            }
        };
        if !worker.borrow().takes(door.listener, door.connections_max) || super::tune(&stream).is_err() {
            continue;
        }
        let channel = match &door.tls {
            None => Ok(Channel::Plain),
            Some(config) => Channel::server(Arc::clone(config)),
        };
        match channel.and_then(|channel| Socket::new(stream, channel)) {
            Ok(socket) => {
                let slot = worker.borrow_mut().open_terminal(socket, door.listener);
                tokio::task::spawn_local(terminal::watch(Rc::clone(&worker), slot));
            }
            Err(error) => tracing::warn!(%error, "a connection cannot be taken in"),
        }
    }
}
