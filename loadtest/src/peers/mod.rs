//! nginx, haproxy and the switch in turn: the same terminals, the same issuer, TLS 1.3, interleaved rounds.
//!
//! The neighbours only terminate TLS and pass bytes on; the switch decodes, routes, limits, journals durably and answers.
//! Never a round without all three; never longer than ten minutes. Guards: a measurement with declines is no measurement,
//! and one whose books do not agree ends with a status that says so.

mod contender;

use crate::verdict::Verdict;
use clap::Args;
use comfy_table::{Table, presets};
use contender::{Contender, Places};
use core::time::Duration;
use issuer_sim::{IssuerConfig, Listen, Simulator};
use loadtest::{Book, Fleet, FleetConfig, LiveStats, Load, Outcome, Phase, Plan, Tls};
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// `peers`
#[derive(Args)]
pub struct Peers {
    /// Rounds; at least seven make a median worth telling
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Seconds of load per measurement
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    /// The nginx binary
    #[arg(long, value_name = "FILE", default_value = "nginx")]
    nginx: PathBuf,
    /// The haproxy binary
    #[arg(long, value_name = "FILE", default_value = "haproxy")]
    haproxy: PathBuf,
    /// The switch's binary
    #[arg(long, value_name = "FILE")]
    switch: PathBuf,
}

/// Medians of one load.
#[derive(Serialize)]
struct Figures {
    switch_tps: f64,
    nginx_tps: f64,
    haproxy_tps: f64,
    ratio_to_nginx: f64,
    ratio_to_haproxy: f64,
    switch_p50_us: u64,
    switch_p99_us: u64,
    nginx_p50_us: u64,
    nginx_p99_us: u64,
    /// Processor time of the switch, user and system.
    switch_cpu_us_per_authorization: f64,
    rounds: usize,
}

#[derive(Serialize)]
struct Report {
    /// What keeps these figures from being told.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    terminals: Figures,
    acquirer: Figures,
    /// Of all rounds of the switch.
    #[serde(flatten)]
    books: Verdict,
}

/// A load by its name.
struct Shape {
    name: &'static str,
    connections: u32,
    in_flight: u32,
}

/// One measurement.
#[derive(Clone, Copy, Default)]
struct Sample {
    tps: f64,
    p50: u64,
    p99: u64,
    cpu_us: f64,
}

/// Runs all rounds.
pub fn run(peers: &Peers) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let dir = tempfile::tempdir()?;
    let places = Places::make(dir.path(), [&peers.nginx, &peers.haproxy, &peers.switch])?;
    let tls = Tls::from_files(&places.ca(), None, "localhost")?;
    let mut samples: [[Vec<Sample>; 3]; 2] = Default::default();
    let mut books = Verdict::default();
    for round in 0..peers.rounds {
        // The time a round has taken so far, and a reserve for the end.
        let each = begun.elapsed() / round.max(1);
        if round > 0 && begun.elapsed() + each + RESERVE > LONGEST {
            eprintln!("stopped after {round} rounds: a further one would pass ten minutes");
            break;
        }
        for (shape, samples) in SHAPES.iter().zip(&mut samples) {
            // Another one begins each round, so that none always follows the same neighbour.
            for turn in 0..3 {
                let at = (turn + round as usize) % 3;
                let contender = Contender::ALL[at];
                let sample = measure(&places, contender, shape, &tls, peers.seconds, &mut books)?;
                eprintln!(
                    "round {} {:9} {:7} {:>9.0}/s  p50 {:>6} µs  p99 {:>6} µs",
                    round + 1,
                    shape.name,
                    contender.name(),
                    sample.tps,
                    sample.p50,
                    sample.p99
                );
                samples[at].push(sample);
            }
        }
    }
    let (terminals, acquirer) = (figures(&samples[0]), figures(&samples[1]));
    let result = Report { note: too_few(terminals.rounds), terminals, acquirer, books };
    if peers.json {
        println!("{}", serde_json::to_string(&result)?)
    } else {
        println!("{}", table(&result));
        println!("books of the switch's rounds {}", result.books.line());
    }
    if let Some(note) = &result.note {
        eprintln!("{note}");
    }
    result.books.required()
}

fn measure(
    places: &Places,
    contender: Contender,
    shape: &Shape,
    tls: &Tls,
    seconds: u32,
    books: &mut Verdict,
) -> Result<Sample, Box<dyn Error>> {
    // Terminals and issuer keep their books whoever is between them, so that all three are measured alike.
    let issuer = IssuerConfig::new("issuer", DIALECT);
    let mut simulator = Simulator::start(vec![(issuer, Listen::loopback())])?;
    let target = simulator.address("issuer").ok_or("the issuer has no address")?;
    let running = places.start(contender, target)?;
    let mut config = FleetConfig::new(vec![running.address], Some(tls.clone()), DIALECT);
    config.connections = shape.connections;
    let load = Load::Closed { in_flight: shape.in_flight };
    let plan =
        Plan { warm_up: Duration::from_secs(1), ..Plan::new(load, Duration::from_secs(seconds.into())) };
    let (outcome, cpu_us) = observed(&Fleet::new(config)?, &plan, running.pid())?;
    let stopped = running.stop()?;
    simulator.stop();
    if contender == Contender::Switch {
        let terminals = outcome.book.as_ref().map(Book::full).unwrap_or_default();
        let issuer = simulator.control("issuer").ok_or("the issuer is gone")?.book();
        books.join(Verdict::of(&stopped.journal(), &terminals, &issuer)?);
    }
    stopped.clear()?;
    let bad = outcome.answered - outcome.approved + outcome.timeouts + outcome.violations + outcome.broken;
    if outcome.approved == 0 || bad * 1_000 > outcome.answered {
        let said = serde_json::to_string(&outcome)?;
        return Err(
            format!("{} under {}: not a clean measurement: {said}", contender.name(), shape.name).into()
        );
    }
    Ok(Sample { tps: outcome.tps, p50: outcome.latency_us.p50, p99: outcome.latency_us.p99, cpu_us })
}

/// Runs the fleet and looks at the process's clock when the measurement begins and ends.
fn observed(fleet: &Fleet, plan: &Plan, pid: u32) -> Result<(Outcome, f64), Box<dyn Error>> {
    let stats = Arc::new(LiveStats::default());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fleet.run(plan, stats.clone()));
        let reach = |phase| {
            while stats.phase() < phase && !running.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            (contender::cpu_seconds(pid), stats.answered.load(Relaxed))
        };
        let (from, to) = (reach(Phase::Measuring), reach(Phase::Draining));
        let cpu_us = (to.0 - from.0) * 1e6 / (to.1 - from.1).max(1) as f64;
        Ok((running.join().map_err(|_| "the fleet broke")??, cpu_us))
    })
}

fn figures([nginx, haproxy, switch]: &[Vec<Sample>; 3]) -> Figures {
    let tps = |samples: &[Sample]| median(samples.iter().map(|sample| sample.tps));
    let us =
        |samples: &[Sample], of: fn(&Sample) -> u64| median(samples.iter().map(|one| of(one) as f64)) as u64;
    Figures {
        switch_tps: tps(switch),
        nginx_tps: tps(nginx),
        haproxy_tps: tps(haproxy),
        ratio_to_nginx: tps(switch) / tps(nginx),
        ratio_to_haproxy: tps(switch) / tps(haproxy),
        switch_p50_us: us(switch, |sample| sample.p50),
        switch_p99_us: us(switch, |sample| sample.p99),
        nginx_p50_us: us(nginx, |sample| sample.p50),
        nginx_p99_us: us(nginx, |sample| sample.p99),
        switch_cpu_us_per_authorization: median(switch.iter().map(|sample| sample.cpu_us)),
        rounds: switch.len(),
    }
}

/// Said where the median is of fewer rounds than it takes.
fn too_few(rounds: usize) -> Option<String> {
    (rounds < ROUNDS_MIN).then(|| {
        format!("note: medians of {rounds} rounds; fewer than {ROUNDS_MIN} tell nothing that may be compared or published")
    })
}

/// The middle one, or the mean of the two in the middle; 0 of nothing.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

fn table(result: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "load",
        "switch/s",
        "nginx/s",
        "haproxy/s",
        "÷ nginx",
        "÷ haproxy",
        "switch p99",
        "nginx p99",
        "switch CPU each",
    ]);
    for (shape, one) in SHAPES.iter().zip([&result.terminals, &result.acquirer]) {
        table.add_row([
            format!("{} {} × {}", shape.name, shape.connections, shape.in_flight),
            format!("{:.0}", one.switch_tps),
            format!("{:.0}", one.nginx_tps),
            format!("{:.0}", one.haproxy_tps),
            format!("{:.2}", one.ratio_to_nginx),
            format!("{:.2}", one.ratio_to_haproxy),
            format!("{} µs", one.switch_p99_us),
            format!("{} µs", one.nginx_p99_us),
            format!("{:.2} µs", one.switch_cpu_us_per_authorization),
        ]);
    }
    table
}

const DIALECT: &str = "iso87-binary";
const SHAPES: [Shape; 2] = [
    Shape { name: "terminals", connections: 1_000, in_flight: 1 },
    Shape { name: "acquirer", connections: 64, in_flight: 16 },
];
/// A median of fewer is the luck of one round.
const ROUNDS_MIN: usize = 7;
const LONGEST: Duration = Duration::from_secs(600);
const RESERVE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_seven_rounds_are_said_to_be_few() {
        assert_eq!((too_few(7), too_few(9)), (None, None));
        assert!(too_few(6).is_some_and(|note| note.contains("medians of 6 rounds")));
        assert!(too_few(0).is_some());
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median([].into_iter()), 0.0);
    }
}
