//! A fleet: made once, run as often as wanted, each time as fresh terminals.
//! Never runs without an end. Guards: the measurement begins when every connection is ready and not before.

use crate::book::Book;
use crate::config::{FleetConfig, FleetFault, Plan, check, check_plan};
use crate::descriptors;
use crate::lane::terminal_after;
use crate::outcome::{Ended, Latency, Outcome, by_cause};
use crate::run::{Parts, Run};
use crate::stats::{LiveStats, Phase};
use crate::template::Templates;
use crate::thread::{self, Share};
use core::time::Duration;
use framing::Framing;
use iso8583::Dialect;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Instant;

/// Terminals, ready to run.
pub struct Fleet {
    config: FleetConfig,
    dialect: Arc<Dialect>,
    framing: Framing,
    templates: Templates,
    cards: Arc<[u64]>,
    next_terminal: AtomicU32,
    stop: Stop,
}

/// Ends the load of a fleet's runs from elsewhere; what is under way is still finished. Stays stopped.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nothing new is sent from now on.
    pub fn stop(&self) {
        self.0.store(true, Relaxed);
    }
}

impl Fleet {
    /// Checks the settings and prepares messages and cards.
    ///
    /// # Errors
    /// [`FleetFault`] with the setting that cannot be.
    pub fn new(config: FleetConfig) -> Result<Self, FleetFault> {
        check(&config)?;
        let known: Vec<_> = Dialect::builtin_names().collect();
        let dialect = Dialect::builtin(&config.dialect).ok_or_else(|| FleetFault::Setting {
            what: "dialect",
            expected: known.join(", "),
            found: config.dialect.clone(),
        })?;
        let name = match (config.framing.as_str(), config.dialect.as_str()) {
            ("", "unionpay-pos") => "unionpay",
            ("", _) => "binary2",
            (name, _) => name,
        };
        let names: Vec<_> = Framing::names().collect();
        let framing = Framing::by_name(name).ok_or_else(|| FleetFault::Setting {
            what: "framing",
            expected: names.join(", "),
            found: name.to_owned(),
        })?;
        let templates = Templates::new(&config, &dialect, &framing)?;
        let cards = crate::cards::cards(&config.bins, config.cards).into();
        let next_terminal = AtomicU32::new(config.first_terminal);
        Ok(Self { config, dialect, framing, templates, cards, next_terminal, stop: Stop::default() })
    }

    /// A handle that ends the load.
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// Connects, loads, drains, and tells what came of it. Blocks; the threads are its own. `stats` should be fresh: its
    /// counters become the outcome's.
    ///
    /// # Errors
    /// [`FleetFault`]: an impossible plan, too few descriptors, connections that do not come about.
    pub fn run(&self, plan: &Plan, stats: Arc<LiveStats>) -> Result<Outcome, FleetFault> {
        check_plan(plan)?;
        let fit = descriptors::connections_that_fit();
        if fit < u64::from(self.config.connections) {
            return Err(FleetFault::Descriptors { wanted: self.config.connections, fit });
        }
        let run = Arc::new(Run::new(self.parts(plan, stats)));
        let crew = Crew::start(&run)?;
        let led = lead(&run, &crew);
        run.enter(Phase::Ended);
        let shares = crew.join()?;
        led?;
        Ok(outcome(&run, shares))
    }

    fn parts(&self, plan: &Plan, stats: Arc<LiveStats>) -> Parts {
        // The next run begins behind the terminals of this one, with room for some that take over when STANs are used up.
        let behind =
            |first| Some(terminal_after(first, self.config.connections.saturating_mul(TERMINALS_EACH)));
        let first = self.next_terminal.fetch_update(Relaxed, Relaxed, behind);
        Parts {
            config: self.config.clone(),
            plan: plan.clone(),
            dialect: self.dialect.clone(),
            framing: self.framing,
            templates: self.templates.clone(),
            cards: self.cards.clone(),
            stats,
            first_terminal: first.unwrap_or(self.config.first_terminal),
            stop: self.stop.0.clone(),
        }
    }
}

/// The threads of a run.
struct Crew(Vec<JoinHandle<io::Result<Share>>>);

impl Crew {
    fn start(run: &Arc<Run>) -> Result<Self, FleetFault> {
        let (all, threads) = (run.config.connections, run.config.threads.min(run.config.connections));
        let start = |at: u32| {
            let lanes = all * at / threads..all * (at + 1) / threads;
            let run = run.clone();
            std::thread::Builder::new().name(format!("fleet-{at}")).spawn(move || thread::run(run, lanes))
        };
        let mut crew = Self(Vec::new());
        for at in 0..threads {
            match start(at) {
                Ok(handle) => crew.0.push(handle),
                Err(fault) => {
                    run.enter(Phase::Ended);
                    // Those that did start end by themselves; what went wrong is told already.
                    let _ = crew.join();
                    return Err(FleetFault::Thread(fault));
                }
            }
        }
        Ok(crew)
    }

    fn one_is_gone(&self) -> bool {
        self.0.iter().any(JoinHandle::is_finished)
    }

    fn all_are_gone(&self) -> bool {
        self.0.iter().all(JoinHandle::is_finished)
    }

    fn join(self) -> Result<Vec<Share>, FleetFault> {
        let ended: Vec<_> = self.0.into_iter().map(JoinHandle::join).collect();
        let each =
            ended.into_iter().map(|one| one.map_err(|_| FleetFault::Broken)?.map_err(FleetFault::Thread));
        each.collect()
    }
}

/// From connecting to drained.
fn lead(run: &Run, crew: &Crew) -> Result<(), FleetFault> {
    let wanted = run.config.connections;
    let connected = || run.stats.connected.load(Relaxed);
    let all = || connected() >= i64::from(wanted) || crew.one_is_gone() || run.ended().is_some();
    if !wait(run.plan.connect_within, all) {
        return Err(FleetFault::Connect {
            connected: connected().max(0) as u32,
            wanted,
            within: run.plan.connect_within,
            last: run.last_fault(),
        });
    }
    let done = || run.ended().is_some() || crew.one_is_gone();
    if !run.plan.warm_up.is_zero() {
        run.enter(Phase::WarmUp);
        wait(run.plan.warm_up, done);
    }
    run.enter(Phase::Measuring);
    let all_answered = || run.stats.in_flight.load(Relaxed) == 0;
    // A count is over when its last answer is there, not when its last request is out.
    let over = || match run.ended() {
        Some(Ended::Count) => all_answered() || crew.one_is_gone(),
        Some(_) => true,
        None => crew.one_is_gone(),
    };
    if !wait(run.plan.run_for, over) {
        run.end(Ended::Time);
    }
    run.enter(Phase::Draining);
    wait(run.plan.drain, || crew.all_are_gone() || (all_answered() && connected() == 0));
    Ok(())
}

/// Waits until `over`, for at most `most`; whether it came about.
fn wait(most: Duration, over: impl Fn() -> bool) -> bool {
    let until = Instant::now() + most;
    while !over() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return over();
        }
        std::thread::sleep(left.min(LOOK));
    }
    true
}

fn outcome(run: &Run, shares: Vec<Share>) -> Outcome {
    let (stats, seconds) = (&run.stats, run.seconds());
    let mut latencies = thread::histogram();
    let mut book: Option<Book> = None;
    let (mut measured, mut unsent, mut cpu_seconds) = (0, 0, 0.0);
    for share in shares {
        // Both have the same bounds, so that nothing can be left out.
        let _ = latencies.add(&share.latencies);
        (measured, unsent, cpu_seconds) =
            (measured + share.measured, unsent + share.unsent, cpu_seconds + share.cpu_seconds);
        match &mut book {
            None => book = Some(share.book),
            Some(book) => book.join(&share.book),
        }
    }
    let codes = stats.declined_by_code();
    Outcome {
        sent: stats.sent.load(Relaxed),
        begun: stats.begun.load(Relaxed),
        unsent,
        answered: stats.answered.load(Relaxed),
        approved: stats.approved.load(Relaxed),
        declined_by_cause: by_cause(&run.config.dialect, &codes),
        declined: codes.into_iter().map(|(code, count)| (code.to_string(), count)).collect(),
        timeouts: stats.timeouts.load(Relaxed),
        reversed: stats.reversed.load(Relaxed),
        repeats_agreed: stats.repeats_agreed.load(Relaxed),
        repeats_contradicted: stats.repeats_contradicted.load(Relaxed),
        late: stats.late.load(Relaxed),
        violations: stats.violations.load(Relaxed),
        broken: stats.broken.load(Relaxed),
        connections: run.config.connections,
        seconds,
        tps: if seconds > 0.0 { measured as f64 / seconds } else { 0.0 },
        latency_us: Latency::of(&latencies),
        cpu_seconds,
        ended: run.ended().unwrap_or_default(),
        book: book.filter(|_| run.config.keep_book),
    }
}

const LOOK: Duration = Duration::from_millis(2);
/// Terminals that one connection may use up in a run before the next run could meet them: 8 million transactions.
const TERMINALS_EACH: u32 = 8;
