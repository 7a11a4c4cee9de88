//! `pointsman demo`: issuers, the switch and a fleet of terminals on this machine, over real TLS, with real records.
//!
//! One story: make certificates, start three issuers, start the switch, let two kinds of terminals loose, cut one issuer's
//! link and heal it, stop, and lay the three books side by side. Never leaves loopback, never keeps a file.
//! Guards: the verdict is computed from what each side wrote down, not from what the demo hoped for.

pub mod certificates;
mod scene;
mod show;
mod verdict;

use crate::config::Config;
use crate::serve;
use loadtest::{LiveStats, Outcome, Stop};
use scene::Scene;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub use verdict::{Cut, Verdict};

/// How the demo runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long terminals trade; `None`: until Ctrl-C.
    pub run_for: Option<Duration>,
    /// Transactions per second over all terminals.
    pub rate: f64,
    /// One JSON object at the end instead of a live summary.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { run_for: None, rate: 400.0, json: false }
    }
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoFault {
    /// A file or thread.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Certificates.
    #[error("cannot make certificates")]
    Certificates(#[from] rcgen::Error),
    /// TLS.
    #[error("the certificates make no TLS configuration")]
    Tls(#[from] rustls::Error),
    /// An issuer.
    #[error("cannot start an issuer")]
    Issuer(#[from] issuer_sim::ServeFault),
    /// The demo's own configuration is wrong: our mistake, shown as it is.
    #[error("the demo's configuration is wrong: {0}")]
    Config(String),
    /// The switch.
    #[error("the switch did not start or stop")]
    Switch(#[from] serve::RunFault),
    /// The terminals.
    #[error("the terminals could not trade")]
    Fleet(#[from] loadtest::FleetFault),
    /// The journal cannot be read back.
    #[error("cannot read the journal back: {0}")]
    Books(String),
    /// No link came up.
    #[error("no link to any issuer came up: {0}")]
    NotReady(String),
}

/// Longest run without `--for`: somebody forgot it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Runs the demo, and shows what came of it.
///
/// # Errors
/// [`DemoFault`].
pub fn run(options: &Options) -> Result<Verdict, DemoFault> {
    let scene = Scene::build(options)?;
    if !options.json {
        show::opening(&scene);
    }
    let config = Config::load(&scene.config_path).map_err(|fault| DemoFault::Config(fault.to_string()))?;
    let running = serve::start(config).map_err(serve::RunFault::from)?;
    wait_ready(&running)?;
    let started = Instant::now();
    let run_for = options.run_for.unwrap_or(LONGEST);
    let (fleets, stop) = scene.fleets(&running, options.rate)?;
    stop_on_interrupt(&stop)?;
    let stats: Vec<Arc<LiveStats>> = fleets.iter().map(|_| Arc::default()).collect();
    let plan = scene::plan(run_for);
    let (outcomes, seen_down) = std::thread::scope(|scope| {
        let trading: Vec<_> = fleets
            .iter()
            .zip(&stats)
            .map(|((fleet, load), stats)| {
                let plan = loadtest::Plan { load: *load, ..plan.clone() };
                let stats = Arc::clone(stats);
                scope.spawn(move || fleet.run(&plan, stats))
            })
            .collect();
        let seen_down = watch(&scene, &running, &stats, options, started, run_for, || {
            trading.iter().all(|one| one.is_finished())
        });
        let outcomes = trading
            .into_iter()
            .map(|one| one.join().unwrap_or(Err(loadtest::FleetFault::Broken)))
            .collect::<Vec<_>>();
        (outcomes, seen_down)
    });
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_, _>>()?;
    settle(&running);
    let metrics = running.metrics();
    let cut = Cut { seen_down, healed: !scene::is_cut(&running) };
    running.stop()?;
    let verdict = Verdict::reach(&scene, &outcomes, &metrics, cut)?;
    if options.json {
        println!("{}", verdict.json());
    } else {
        show::closing(&verdict);
    }
    Ok(verdict)
}

/// Looks on while terminals trade; cuts a link a third of the way and heals it. Whether it was seen down.
fn watch(
    scene: &Scene,
    running: &serve::Running,
    stats: &[Arc<LiveStats>],
    options: &Options,
    started: Instant,
    run_for: Duration,
    over: impl Fn() -> bool,
) -> bool {
    let cut_at = (run_for / 3).min(Duration::from_secs(10));
    let cut_for = (run_for / 6).clamp(Duration::from_millis(500), Duration::from_secs(3));
    let mut live = show::Live::new(!options.json);
    let (mut cut, mut seen_down, mut next_look) = (false, false, Duration::ZERO);
    while !over() {
        let now = started.elapsed();
        if !cut && now >= cut_at {
            cut = true;
            scene.cut_link(cut_for);
            live.say(&format!("the link to {} is cut for {:.1} s", scene::CUT, cut_for.as_secs_f64()));
        }
        seen_down |= cut && scene::is_cut(running);
        if now >= next_look {
            next_look = now + Duration::from_millis(500);
            live.draw(stats, &running.metrics(), now);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    live.end();
    seen_down
}

/// Links sign on before terminals come.
fn wait_ready(running: &serve::Running) -> Result<(), DemoFault> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let down = running.links_down();
        if down.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(DemoFault::NotReady(down.join(", ")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What is owed goes out before the switch stops: a reversal after a cut link, as a rule.
fn settle(running: &serve::Running) {
    let until = Instant::now() + Duration::from_secs(15);
    let calm = || {
        let metrics = running.metrics();
        show::sum(&metrics, "pointsman_saf_depth") == 0.0 && show::sum(&metrics, "pointsman_in_flight") == 0.0
    };
    // Gauges are shown by each worker's housekeeping: twice calm in a row is calm.
    let mut calm_before = false;
    while Instant::now() < until {
        let calm_now = calm();
        if calm_before && calm_now {
            return;
        }
        calm_before = calm_now;
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// Ctrl-C ends the trading, not the verdict.
fn stop_on_interrupt(stop: &[Stop]) -> Result<(), DemoFault> {
    let stop = stop.to_vec();
    let io = |source| DemoFault::Io { doing: "wait for Ctrl-C", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
    let waiting = move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.iter().for_each(Stop::stop);
        }
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(waiting).map_err(io)?;
    Ok(())
}
