//! A generator thread: its runtime, its connections, its clock, its share of the books.
//! Never blocks but for readiness. Guards: an open load keeps its own time, whatever the answers do.

use crate::book::{Book, Stamp};
use crate::cards::Chance;
use crate::config::Load;
use crate::lane::{Lane, terminal_after};
use crate::outcome::Ended;
use crate::run::Run;
use crate::stats::Phase;
use crate::wire::Wire;
use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::ready;
use core::time::Duration;
use hdrhistogram::Histogram;
use iso8583::Index;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// What the connections of a thread share.
pub(crate) struct Thread {
    pub run: Arc<Run>,
    pub chance: Chance,
    pub index: Index,
    pub tally: Tally,
    pub book: Book,
    /// Due times that never became a request.
    pub unsent: u64,
    /// Nanoseconds.
    pub timeout: u64,
    latencies: Histogram<u64>,
    measured: u64,
    stamp: Stamp,
    buffer: Box<[u8]>,
}

/// Counts of one turn, before they are published.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub sent: u64,
    pub begun: u64,
    pub answered: u64,
    pub approved: u64,
    pub declined: u64,
    pub timeouts: u64,
    pub reversed: u64,
    pub repeats_agreed: u64,
    pub repeats_contradicted: u64,
    pub late: u64,
    pub violations: u64,
    pub connected: i64,
    pub in_flight: i64,
}

/// What a thread leaves behind.
pub(crate) struct Share {
    pub latencies: Histogram<u64>,
    pub measured: u64,
    pub unsent: u64,
    pub book: Book,
    pub cpu_seconds: f64,
}

type Shared<T> = Rc<RefCell<T>>;

/// Runs the connections with these numbers until the run is over.
pub(crate) fn run(run: Arc<Run>, lanes: Range<u32>) -> io::Result<Share> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let first = lanes.start;
    let in_flight = run.plan.load.in_flight();
    let lanes: Vec<Shared<Lane>> = lanes
        .map(|at| Rc::new(RefCell::new(Lane::new(terminal_after(run.first_terminal, at), in_flight))))
        .collect();
    let thread = Rc::new(RefCell::new(Thread::new(run.clone(), first)));
    LocalSet::new().block_on(&runtime, live(&run, &thread, &lanes, first))?;
    drop(runtime);
    let mut thread = Rc::into_inner(thread)
        .ok_or_else(|| io::Error::other("a connection outlived its thread"))?
        .into_inner();
    let now = run.now();
    for lane in &lanes {
        lane.borrow_mut().close(&mut thread, now);
    }
    thread.publish();
    Ok(thread.share())
}

async fn live(run: &Arc<Run>, thread: &Shared<Thread>, lanes: &[Shared<Lane>], first: u32) -> io::Result<()> {
    let door = Rc::new(Semaphore::new(HANDSHAKES));
    let mut tasks = tokio::task::JoinSet::new();
    for (lane, number) in lanes.iter().zip(first..) {
        let target = run.config.targets[number as usize % run.config.targets.len()];
        tasks.spawn_local(connection(lane.clone(), thread.clone(), door.clone(), target));
    }
    let pace = async {
        match run.plan.load {
            Load::Closed { .. } => core::future::pending().await,
            Load::Open { rate, poisson, .. } => {
                let share = rate * lanes.len() as f64 / f64::from(run.config.connections);
                pace(run, thread, lanes, 1e9 / share, poisson).await
            }
        }
    };
    tokio::select! {
        fault = pace => fault?,
        () = sweep(run, thread, lanes) => {}
        () = attend(run, lanes) => {}
        () = async { while tasks.join_next().await.is_some() {} } => {}
    }
    tasks.shutdown().await;
    Ok(())
}

/// Wakes every connection whenever the phase changes; returns at the end.
async fn attend(run: &Run, lanes: &[Shared<Lane>]) {
    let mut phase = run.phase.subscribe();
    while *phase.borrow_and_update() != Phase::Ended {
        lanes.iter().for_each(|lane| lane.borrow().wake.notify_one());
        if phase.changed().await.is_err() {
            return;
        }
    }
}

/// Looks for what is overdue, for ever.
async fn sweep(run: &Run, thread: &Shared<Thread>, lanes: &[Shared<Lane>]) {
    let every = (run.config.timeout / 8).clamp(Duration::from_millis(2), Duration::from_millis(100));
    loop {
        sleep(every).await;
        let (now, mut thread) = (run.now(), thread.borrow_mut());
        for lane in lanes {
            let mut lane = lane.borrow_mut();
            if let Err(fault) = lane.sweep(&mut thread, now) {
                run.note(&fault);
                lane.wire = None;
                lane.wake.notify_one();
            }
        }
    }
}

/// The open load: draws due times and hands them to connections by lot.
async fn pace(
    run: &Run,
    thread: &Shared<Thread>,
    lanes: &[Shared<Lane>],
    interval: f64,
    poisson: bool,
) -> io::Result<()> {
    let timer = rustix::time::timerfd_create(
        TimerfdClockId::Monotonic,
        TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
    )?;
    #[expect(
        deprecated,
        reason = "unsound only for types whose descriptor changes; an OwnedFd keeps its own"
    )]
    let timer = AsyncFd::new(timer)?;
    let mut phase = run.phase.subscribe();
    let _ = phase.wait_for(|phase| *phase > Phase::Connecting).await;
    let (mut next, mut dirty) = (run.now() as f64, Vec::new());
    while run.loads() {
        let now = run.now();
        {
            let mut thread = thread.borrow_mut();
            while next <= now as f64 {
                let at = thread.chance.below(lanes.len() as u32) as usize;
                lanes[at].borrow_mut().due.push_back(next as u64);
                dirty.push(at);
                next += if poisson { -thread.chance.unit().ln() * interval } else { interval };
            }
            for at in dirty.drain(..) {
                let mut lane = lanes[at].borrow_mut();
                // The connection's own task meets the same fault when it reads.
                if let Err(fault) = lane.pump(&mut thread, now) {
                    run.note(&fault);
                }
            }
        }
        rest(&timer, (next - run.now() as f64).max(TICK_NS) as u64).await?;
    }
    core::future::pending().await
}

/// Sleeps more finely than the runtime's clock of whole milliseconds.
async fn rest(timer: &AsyncFd<std::os::fd::OwnedFd>, ns: u64) -> io::Result<()> {
    let it_value = Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as _ };
    let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::time::timerfd_settime(timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
    let mut expired = [0; 8];
    loop {
        let mut ready = timer.readable().await?;
        if let Ok(read) = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expired)?)) {
            return read.map(|_| ());
        }
    }
}

/// A connection's life: as often as it breaks it comes back, until there is nothing left to do.
async fn connection(
    lane: Shared<Lane>,
    thread: Shared<Thread>,
    door: Rc<Semaphore>,
    target: std::net::SocketAddr,
) {
    let run = thread.borrow().run.clone();
    let mut wait = BACKOFF_FIRST;
    while !over(&run, &lane.borrow()) {
        let Err(fault) = session(&run, &lane, &thread, &door, target).await else { return };
        run.note(&fault);
        if lane.borrow().ready {
            run.stats.broken.fetch_add(1, Relaxed);
            wait = BACKOFF_FIRST;
        }
        lane.borrow_mut().lost(&mut thread.borrow_mut());
        let jitter = thread.borrow_mut().chance.unit();
        sleep(wait.mul_f64(0.5 + jitter)).await;
        wait = (wait * 2).min(BACKOFF_MAX);
    }
}

/// One connection from connect to the end of the run, or to its fault.
async fn session(
    run: &Run,
    lane: &Shared<Lane>,
    thread: &Shared<Thread>,
    door: &Semaphore,
    target: std::net::SocketAddr,
) -> io::Result<()> {
    let mut turnstile = door.acquire().await.ok();
    let stream = timeout(CONNECT_MAX, TcpStream::connect(target)).await??;
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let writer = Rc::new(writer);
    let wire = Wire::new(writer.clone(), run.config.tls.as_ref())?;
    let wake = lane.borrow().wake.clone();
    lane.borrow_mut().wire = Some(wire);
    let begun = tokio::time::Instant::now();
    let mut open = false;
    loop {
        let waits = turn(lane, thread, &mut open)?;
        if open {
            turnstile = None;
        } else if begun.elapsed() > CONNECT_MAX {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if over(run, &lane.borrow()) {
            leave(lane, thread);
            return Ok(());
        }
        tokio::select! {
            biased;
            read = read(&mut reader, lane, thread) => read?,
            () = wake.notified() => {}
            able = writer.writable(), if waits => able?,
            () = sleep(CONNECT_MAX), if turnstile.is_some() => return Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// One turn of a connection; whether bytes wait for the kernel.
fn turn(lane: &Shared<Lane>, thread: &Shared<Thread>, open: &mut bool) -> io::Result<bool> {
    let (mut lane, mut thread) = (lane.borrow_mut(), thread.borrow_mut());
    let Some(wire) = &mut lane.wire else { return Err(io::ErrorKind::ConnectionAborted.into()) };
    wire.flush()?;
    if wire.established {
        if !*open {
            *open = true;
            lane.opened(&mut thread)?;
        }
        lane.turn(&mut thread)?;
    }
    Ok(lane.wire.as_ref().is_some_and(Wire::waits))
}

/// Reads once, into the thread's buffer and on into the connection, without a stop in between.
async fn read(reader: &mut OwnedReadHalf, lane: &Shared<Lane>, thread: &Shared<Thread>) -> io::Result<()> {
    poll_fn(|cx| {
        let mut thread = thread.borrow_mut();
        let mut buffer = ReadBuf::new(&mut thread.buffer);
        ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer))?;
        let input = buffer.filled_mut();
        let open = !input.is_empty() && lane.borrow_mut().take(input)?;
        core::task::Poll::Ready(if open { Ok(()) } else { Err(io::ErrorKind::ConnectionAborted.into()) })
    })
    .await
}

fn leave(lane: &Shared<Lane>, thread: &Shared<Thread>) {
    let mut lane = lane.borrow_mut();
    if let Some(wire) = &mut lane.wire {
        wire.goodbye();
    }
    lane.lost(&mut thread.borrow_mut());
}

fn over(run: &Run, lane: &Lane) -> bool {
    run.stats.phase() >= Phase::Draining && lane.outstanding == 0
}

impl Thread {
    fn new(run: Arc<Run>, number: u32) -> Self {
        let book = Book {
            lines: Vec::new(),
            batches: vec![],
            acquirer: run.config.acquirer.clone(),
            merchant: run.config.merchant.clone(),
            currency: run.config.currency,
            dated: run.templates.dated,
        };
        Self {
            chance: Chance::new(run.config.seed ^ u64::from(number) << 32),
            index: Index::new(),
            tally: Tally::default(),
            book,
            unsent: 0,
            timeout: run.config.timeout.as_nanos() as u64,
            latencies: histogram(),
            measured: 0,
            stamp: Stamp::of(0),
            buffer: vec![0; BUFFER].into(),
            run,
        }
    }

    /// Whether one more transaction may begin: the count allows it and the book has room.
    pub(crate) fn may_begin(&self) -> bool {
        if self.run.config.keep_book && self.book.lines.len() >= self.run.lines_max {
            self.run.end(Ended::BookFull);
            return false;
        }
        self.run.take()
    }

    pub(crate) fn stamp(&mut self, now: u64) -> Stamp {
        let second = self.run.second(now);
        if second != self.stamp.second {
            self.stamp = Stamp::of(second);
        }
        self.stamp
    }

    pub(crate) fn line(&mut self, at: usize, change: impl FnOnce(&mut crate::book::Line)) {
        if let Some(line) = self.book.lines.get_mut(at) {
            change(line);
        }
    }

    /// 0 to 999.
    pub(crate) fn lot(&mut self) -> u32 {
        self.chance.below(1_000)
    }

    pub(crate) fn answered(&mut self, due: u64, now: u64, code: [u8; 2], approves: bool) {
        self.tally.answered += 1;
        if approves {
            self.tally.approved += 1;
        } else {
            self.tally.declined += 1;
            self.run.stats.add_declined(code);
        }
        if self.run.measures(now) {
            self.measured += 1;
        }
        self.latency(due, now);
    }

    pub(crate) fn latency(&mut self, due: u64, now: u64) {
        if !self.run.measures(due) {
            return;
        }
        let us = now.saturating_sub(due) / 1_000;
        self.latencies.saturating_record(us);
        self.run.stats.add_latency(us);
    }

    /// Adds what a turn has counted to what the dashboard sees.
    pub(crate) fn publish(&mut self) {
        let (tally, stats) = (core::mem::take(&mut self.tally), &self.run.stats);
        for (count, sum) in [
            (tally.sent, &stats.sent),
            (tally.begun, &stats.begun),
            (tally.answered, &stats.answered),
            (tally.approved, &stats.approved),
            (tally.declined, &stats.declined),
            (tally.timeouts, &stats.timeouts),
            (tally.reversed, &stats.reversed),
            (tally.repeats_agreed, &stats.repeats_agreed),
            (tally.repeats_contradicted, &stats.repeats_contradicted),
            (tally.late, &stats.late),
            (tally.violations, &stats.violations),
        ] {
            if count > 0 {
                sum.fetch_add(count, Relaxed);
            }
        }
        for (change, sum) in [(tally.connected, &stats.connected), (tally.in_flight, &stats.in_flight)] {
            if change != 0 {
                sum.fetch_add(change, Relaxed);
            }
        }
    }

    fn share(self) -> Share {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Share {
            latencies: self.latencies,
            measured: self.measured,
            unsent: self.unsent,
            book: self.book,
            cpu_seconds: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
        }
    }
}

/// 1 µs to 20 minutes, three digits: about 200 KiB.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_200_000_000, 3).expect("bounds that hdrhistogram allows")
}

/// Four full TLS records.
const BUFFER: usize = 64 * 1024;
/// Handshakes of one thread at once: fewer than a usual listen queue.
const HANDSHAKES: usize = 64;
const CONNECT_MAX: Duration = Duration::from_secs(10);
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Shortest rest of the open load: arrivals within it share a write.
const TICK_NS: f64 = 50_000.0;
