//! `simulate`: plays seeds in the simulated world and says what became of them; `cargo xtask sim` runs it.
//! Never plays a seed twice unless it failed. Guards: the exit status is 0 only if every seed held and every row was met.

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tests::sim::dose::Dose;
use tests::sim::shrink::shrink;
use tests::sim::tally::{ROWS, Tally};
use tests::sim::{Outcome, Stage};

/// Plays the switch in a simulated world.
#[derive(Parser)]
#[command(after_help = "Examples:\n  simulate --seeds 0..300\n  simulate --seeds 4711..4712 --story")]
struct Arguments {
    /// Seeds, the last one not included.
    #[arg(long, default_value = "0..300", value_parser = range)]
    seeds: Range<u64>,
    /// Business days of each seed; more than one: the long form, with more sales on each.
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// A hundred years: 3,650 seeds of ten days; fails under 36,500 business days or 50 million transactions.
    #[arg(long)]
    long: bool,
    /// Threads; each plays seeds of its own.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// Machine-readable result.
    #[arg(long)]
    json: bool,
    /// Tells what happened in the first seed.
    #[arg(long)]
    story: bool,
    /// Plays the planted bugs instead, each until it is found; wants a build with `--cfg pointsman_zoo`.
    #[arg(long)]
    zoo: bool,
    /// Only this planted bug.
    #[arg(long)]
    bug: Option<String>,
    /// Rows that no seed met are no failure: for few seeds.
    #[arg(long)]
    any_rows: bool,
    /// Failures are not made smaller.
    #[arg(long)]
    no_shrink: bool,
}

/// Business days of a hundred years.
const YEARS_100: u64 = 36_500;

impl Arguments {
    fn dose(&self, seed: u64) -> Dose {
        if self.days > 1 { Dose::long(seed, self.days) } else { Dose::of(seed) }
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("expected A..B")?;
    let number = |text: &str| text.parse().map_err(|_| format!("expected a number, found {text:?}"));
    let (from, to) = (number(from)?, number(to)?);
    if from < to { Ok(from..to) } else { Err(format!("{from}..{to} has no seed")) }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.long {
        (arguments.seeds, arguments.days) = (0..YEARS_100 / 10, 10);
    }
    // A panic is a finding of its seed, told with the others.
    std::panic::set_hook(Box::new(|_| {}));
    if arguments.story {
        return story(arguments.seeds.start, arguments.dose(arguments.seeds.start));
    }
    if arguments.zoo {
        return zoo(&arguments);
    }
    let started = Instant::now();
    let (tally, mut failed) = play(&arguments);
    failed.sort_by_key(|outcome| outcome.seed);
    let seconds = started.elapsed().as_secs_f64();
    let missed = (tally.missed(), tally.never_approved());
    if arguments.json {
        println!("{}", as_json(&arguments, &tally, &failed, seconds));
    } else {
        show(&arguments, &tally, &failed, seconds);
    }
    if let Some(first) = failed.first().filter(|_| !arguments.no_shrink) {
        show_shrunk(first.seed, arguments.dose(first.seed));
    }
    let enough = !arguments.long || (tally.business_days >= YEARS_100 && tally.transactions >= 50_000_000);
    let good =
        enough && failed.is_empty() && (arguments.any_rows || (missed.0.is_empty() && missed.1.is_empty()));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(arguments: &Arguments) -> (Tally, Vec<Outcome>) {
    let bar = ProgressBar::new(arguments.seeds.end - arguments.seeds.start);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} to go {msg}") {
        bar.set_style(style);
    }
    let next = AtomicU64::new(arguments.seeds.start);
    let (transactions, days, started) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    let of_thread = || {
        let stage = Stage::new();
        let (mut tally, mut failed) = (Tally::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= arguments.seeds.end {
                return (tally, failed);
            }
            let outcome = stage.play_with(seed, arguments.dose(seed), false);
            tally.add(&outcome.tally);
            let sum = transactions.fetch_add(outcome.tally.transactions, Ordering::Relaxed);
            let days = days.fetch_add(outcome.tally.business_days, Ordering::Relaxed);
            let rate = sum as f64 / started.elapsed().as_secs_f64();
            bar.set_message(format!("{sum} transactions, {rate:.0}/s, {days} business days"));
            bar.inc(1);
            if !outcome.failures.is_empty() {
                bar.println(format!("seed {seed}: {}", outcome.failures[0]));
                failed.push(outcome);
            }
        }
    };
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(of_thread)).collect();
        for thread in threads {
            let Ok((its, its_failed)) = thread.join() else { continue };
            tally.add(&its);
            failed.extend(its_failed);
        }
    });
    bar.finish_and_clear();
    (tally, failed)
}

fn show(arguments: &Arguments, tally: &Tally, failed: &[Outcome], seconds: f64) {
    let seeds = arguments.seeds.end - arguments.seeds.start;
    println!("{seeds} seeds in {seconds:.1} s, {} failed", failed.len());
    let hours = tally.simulated_us as f64 / 3.6e9;
    println!(
        "{} transactions ({:.0}/s), {} messages, {hours:.1} simulated hours, {} business days, {} open items",
        tally.transactions,
        tally.transactions as f64 / seconds,
        tally.messages,
        tally.business_days,
        tally.open_items
    );
    println!("\napproved");
    for (kind, count) in &tally.approved {
        println!("{count:>10}  {kind}");
    }
    println!("\nfaults");
    for (kind, count) in &tally.faults {
        println!("{count:>10}  {kind}");
    }
    println!("\nrows of the failure matrix");
    for (row, what) in ROWS {
        println!("{:>10}  {row:>2} {what}", tally.rows.get(row).copied().unwrap_or(0));
    }
    for outcome in failed.iter().take(10) {
        println!("\nseed {} fails:", outcome.seed);
        outcome.failures.iter().take(5).for_each(|failure| println!("  {failure}"));
    }
}

fn as_json(arguments: &Arguments, tally: &Tally, failed: &[Outcome], seconds: f64) -> serde_json::Value {
    let rows: BTreeMap<String, u64> =
        ROWS.iter().map(|(row, _)| (row.to_string(), tally.rows.get(row).copied().unwrap_or(0))).collect();
    let failed: Vec<_> =
        failed.iter().map(|outcome| json!({"seed": outcome.seed, "failures": outcome.failures})).collect();
    json!({
        "seeds": [arguments.seeds.start, arguments.seeds.end], "seconds": seconds, "failed": failed,
        "transactions": tally.transactions, "messages": tally.messages, "open_items": tally.open_items,
        "simulated_hours": tally.simulated_us as f64 / 3.6e9, "business_days": tally.business_days,
        "approved": tally.approved, "faults": tally.faults, "rows": rows,
    })
}

fn show_shrunk(seed: u64, dose: Dose) {
    let Some(shrunk) = shrink(&Stage::new(), seed, dose) else {
        return eprintln!("seed {seed} does not fail when it is played again");
    };
    eprintln!("\nseed {seed}, made smaller in {} runs: {:#?}", shrunk.runs, shrunk.dose);
    shrunk.outcome.failures.iter().take(5).for_each(|failure| eprintln!("  {failure}"));
    eprintln!("its last moments:");
    let story = &shrunk.outcome.story;
    story[story.len().saturating_sub(60)..].iter().for_each(|line| eprintln!("  {line}"));
}

fn story(seed: u64, dose: Dose) -> ExitCode {
    println!("{dose:#?}");
    let outcome = Stage::new().play_with(seed, dose, true);
    outcome.story.iter().for_each(|line| println!("{line}"));
    outcome.failures.iter().for_each(|failure| println!("FAILED: {failure}"));
    println!("journal {}", outcome.journal);
    if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(pointsman_zoo))]
fn zoo(_: &Arguments) -> ExitCode {
    eprintln!("this build has no planted bugs: `cargo xtask sim --zoo` makes one that has");
    ExitCode::FAILURE
}

/// Each planted bug until a seed fails; every one must be found.
#[cfg(pointsman_zoo)]
fn zoo(arguments: &Arguments) -> ExitCode {
    let chosen = |bug: &&zoo::Bug| arguments.bug.as_ref().is_none_or(|name| name == bug.name());
    let bugs: Vec<zoo::Bug> = zoo::Bug::ALL.iter().filter(chosen).copied().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                let stage = Stage::new();
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    zoo::choose(Some(*bug));
                    let seeds = stage.seeds_to_failure(arguments.seeds.clone());
                    eprintln!("{:<32} {}", bug.name(), seeds.as_ref().map_or(0, |(count, _)| *count));
                    found.lock().expect("nobody panics").insert(bug.name(), seeds);
                }
            });
        }
    });
    let found = found.into_inner().expect("nobody panics");
    if arguments.json {
        let seeds: BTreeMap<_, _> =
            found.iter().map(|(name, seeds)| (name, seeds.as_ref().map(|(count, _)| *count))).collect();
        println!("{}", json!({ "bugs": bugs.len(), "seeds_to_detection": seeds }));
    } else {
        println!("{:<32} {:>6}  first sign", "planted bug", "seeds");
        for (name, seeds) in &found {
            match seeds {
                Some((count, sign)) => {
                    println!("{name:<32} {count:>6}  {}", sign.chars().take(110).collect::<String>())
                }
                None => println!("{name:<32}      -  NOT FOUND"),
            }
        }
    }
    let missed = found.values().filter(|seeds| seeds.is_none()).count();
    println!("{} planted bugs, {missed} not found", bugs.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
