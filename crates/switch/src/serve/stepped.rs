//! The switch without threads, sockets and clocks of its own: whoever holds it brings time, bytes and a disk, and says what
//! happens next. What runs is what serves: the same workers, sessions, engine, journal and recovery.
//!
//! Never awaits, never asks the system for anything. Guards: the same steps on the same disk give the same journal.

use super::clock::Clock;
pub use super::clock::Hands;
use super::shared::{Phase, Shared, bell_of};
use super::socket::Socket;
pub use super::socket::Transport;
use super::start::{self, StartFault};
use super::worker::Worker;
use crate::config::Config;
use journal::{Disk, Reader, Seal};
use keys::Tokenizer;
use limits::Store;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use telemetry::{Families, TooManySeries};
use terms::{IssuerIx, LinkIx, ListenerIx, Tick, WorkerIx};
use tls::Channel;

/// A switch that is driven from outside.
pub struct Stepped {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    calls: Calls,
    /// By worker.
    terminals: Vec<Vec<Option<Waker>>>,
    /// By `LinkIx`.
    links: Vec<Waker>,
    journal: journal::Stepped,
}

/// A connection, as the worker that has it calls it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Line {
    /// A terminal's or acquirer's: worker and slot. Slots are used again.
    Terminal(u16, u32),
    /// To an issuer.
    Link(LinkIx),
}

/// What the switch runs on.
pub struct Ground {
    /// Where the journal lives.
    pub disk: Arc<dyn Disk>,
    /// Seals card numbers in it.
    pub seal: Arc<dyn Seal>,
    /// Makes card tokens.
    pub tokenizer: Tokenizer,
    /// What time it is.
    pub hands: Arc<Hands>,
    /// Where it counts; see [`families`].
    pub families: Arc<Families>,
}

/// The metric families of a configuration; switches of the same configuration may share them.
///
/// # Errors
/// [`TooManySeries`] if issuers and links pass the bound.
pub fn families(config: &Config) -> Result<Arc<Families>, TooManySeries> {
    Families::new(&start::labels(config)).map(|(families, _)| Arc::new(families))
}

/// Connections that called for attention since somebody looked.
type Calls = Arc<Mutex<Vec<Line>>>;

struct Caller {
    line: Line,
    calls: Calls,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(self.line);
    }
}

impl Stepped {
    /// Recovers what the disk holds and settles what was in doubt; no connection is open yet.
    ///
    /// # Errors
    /// As a start: [`StartFault`].
    pub fn open(config: Config, ground: Ground) -> Result<Self, StartFault> {
        let Ground { disk, seal, tokenizer, hands, families } = ground;
        let clock = Clock::told(hands);
        let mut ledger = start::new_ledger(&config);
        let (journal, _) = journal::open_stepped(start::journal_options(&config), disk, seal, &mut ledger)?;
        let recovered = start::take_up(&config, ledger, &journal.reader())?;
        let (limits, days) = (recovered.limits(&config)?, recovered.days);
        let shared = Arc::new(Shared::new(config, limits, tokenizer));
        let shards = recovered.shards.into_iter().zip(0..);
        let workers: Vec<Worker> = shards
            .map(|(state, at)| {
                let lane = journal.lane(usize::from(at), bell_of(&shared.letters[usize::from(at)]));
                let ways = (journal.epoch(), lane, journal.reader());
                let found = (state, days.clone());
                let parts = start::parts_of(WorkerIx(at), &shared, ways, &families, found, clock.clone());
                let mut worker = Worker::new(parts);
                worker.recover();
                worker
            })
            .collect();
        let calls = Calls::default();
        let links = (0..shared.config.links.len() as u16).map(LinkIx);
        let links = links.map(|link| waker(Line::Link(link), &calls)).collect();
        let terminals = workers.iter().map(|_| Vec::new()).collect();
        Ok(Self { shared, workers, calls, terminals, links, journal })
    }

    /// Takes a connection in as if worker `worker` had accepted it; `None` if the listener has no room or the switch drains.
    pub fn accept(
        &mut self,
        worker: u16,
        listener: ListenerIx,
        transport: impl Transport + 'static,
    ) -> Option<Line> {
        let config = &self.shared.config;
        let max = start::share(&config.listeners[listener.at()], config.workers);
        let at = usize::from(worker);
        if !self.workers[at].takes(listener, max) {
            return None;
        }
        let socket = Socket::new(transport, Channel::Plain).ok()?;
        let slot = self.workers[at].open_terminal(socket, listener);
        let line = Line::Terminal(worker, slot);
        let wakers = &mut self.terminals[at];
        if wakers.len() <= slot as usize {
            wakers.resize(slot as usize + 1, None);
        }
        wakers[slot as usize].get_or_insert_with(|| waker(line, &self.calls));
        Some(line)
    }

    /// A link is being connected.
    pub fn connecting(&mut self, link: LinkIx) {
        self.owner(link).connecting(link);
    }

    /// Its connection is there.
    pub fn connected(&mut self, link: LinkIx, transport: impl Transport + 'static) {
        if let Ok(socket) = Socket::new(transport, Channel::Plain) {
            self.owner(link).connected(link, socket);
        }
    }

    /// Nobody answers, or the connection is over: when to try again.
    pub fn disconnected(&mut self, link: LinkIx) -> Tick {
        self.owner(link).close_port(link)
    }

    /// Lets a connection read and write as far as it can. `true`: it is over ([`Stepped::hang_up`] or
    /// [`Stepped::disconnected`] comes next).
    pub fn poll(&mut self, line: Line) -> bool {
        let polled = match line {
            Line::Terminal(worker, slot) => {
                let at = usize::from(worker);
                let Some(Some(waker)) = self.terminals[at].get(slot as usize) else { return true };
                self.workers[at].poll_terminal(slot, &mut Context::from_waker(waker))
            }
            Line::Link(link) => {
                let owner = link.at() % self.workers.len();
                self.workers[owner].poll_port(link, &mut Context::from_waker(&self.links[link.at()]))
            }
        };
        polled.is_ready()
    }

    /// The end of a terminal's connection that [`Stepped::poll`] found over.
    pub fn hang_up(&mut self, worker: u16, slot: u32) {
        self.workers[usize::from(worker)].close_terminal(slot);
    }

    /// Takes the connections that want to be polled without bytes having come.
    pub fn calls(&mut self) -> Vec<Line> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a worker's bell has rung since its last turn; asking silences it.
    pub fn rung(&mut self, worker: u16) -> bool {
        let notified = self.workers[usize::from(worker)].letters.bell().notified();
        pin!(notified).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// One turn of a worker. Returns whether more is waiting.
    pub fn turn(&mut self, worker: u16) -> bool {
        self.workers[usize::from(worker)].pass()
    }

    /// When a worker's next turn is due, whatever arrives.
    pub fn next_due(&self, worker: u16) -> Tick {
        self.workers[usize::from(worker)].next_due()
    }

    /// Commits what the workers have submitted. `false` if there was nothing.
    pub fn commit(&mut self) -> bool {
        let any = self.journal.step();
        self.journal.tidy();
        any
    }

    /// Whether the journal failed: the process is about to end.
    pub fn failed(&self) -> bool {
        self.shared.failed()
    }

    /// Workers that carry transactions.
    pub fn workers(&self) -> u16 {
        self.workers.len() as u16
    }

    /// Transactions not yet at their end: in flight, or owed something.
    pub fn unfinished(&self) -> usize {
        self.workers.iter().map(|worker| worker.engine.live()).sum()
    }

    /// What the first `issuers` of them refused too often: it waits for a sign-on.
    pub fn parked(&self, issuers: u16) -> usize {
        let engines = self.workers.iter().map(|worker| &worker.engine);
        engines.flat_map(|engine| (0..issuers).map(|at| engine.quarantined(IssuerIx(at)))).sum()
    }

    /// The counters of all limits.
    pub fn limits(&self) -> &Store {
        &self.shared.limits
    }

    /// Reads back what is durable.
    pub fn reader(&self) -> Reader {
        self.journal.reader()
    }

    /// Nothing new is admitted from now on.
    pub fn drain(&self) {
        self.shared.enter(Phase::Draining);
    }

    /// The drain's time is up: what is still in flight is owed from now on.
    pub fn drain_over(&self) {
        self.shared.enter(Phase::Over);
    }

    /// Whether a worker has nothing left to do in a switch that is over; to be asked after each of its turns.
    pub fn is_over(&mut self, worker: u16) -> bool {
        self.workers[usize::from(worker)].is_over()
    }

    /// Closes everything, the journal last.
    ///
    /// # Errors
    /// If the end could not be made durable.
    pub fn close(mut self) -> Result<(), journal::Fault> {
        self.workers.iter_mut().for_each(Worker::close_terminals);
        self.journal.close()
    }

    fn owner(&mut self, link: LinkIx) -> &mut Worker {
        let owner = link.at() % self.workers.len();
        &mut self.workers[owner]
    }
}

fn waker(line: Line, calls: &Calls) -> Waker {
    Waker::from(Arc::new(Caller { line, calls: Arc::clone(calls) }))
}
