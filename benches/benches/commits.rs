//! What a worker waits for the journal while segments are filled and prepared: time to open a new journal, and the
//! latency of single commits at an even rate, as quantiles.
//! Run: `cargo bench -p benches --bench commits [-- SECONDS]`, in `POINTSMAN_BENCH_DIR` or the build's directory: it
//! must be a real disk. Never asserts a time; figures go to `RESULTS.md`.

use journal::testing::{Ledger, ToySeal};
use journal::{Class, Commit, Frame, Options, RealDisk, open};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Frames a second: a turn of 48 purchases each, some twelve thousand purchases a second.
const RATE: u32 = 250;
const RECORDS: u64 = 96;
const PAYLOAD: usize = 120;

fn main() {
    let seconds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(6);
    let base =
        std::env::var_os("POINTSMAN_BENCH_DIR").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let dir = base.join(format!("commits-{}", std::process::id()));
    let started = Instant::now();
    let (journal, _) =
        open(Options::new(&dir), Arc::new(RealDisk), Arc::new(ToySeal), &mut Ledger::default())
            .expect("a journal");
    println!("open a new journal: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let me = std::thread::current();
    let lane = journal.lane(0, Arc::new(move || me.unpark()));
    let mut frame = Frame::new();
    let mut waits = Vec::new();
    let started = Instant::now();
    for number in 0..RATE * seconds {
        let due = started + Duration::from_secs(1) / RATE * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        (0..RECORDS).for_each(|token| frame.append(1, token, None, |out| out.resize(out.len() + PAYLOAD, 7)));
        let submitted = Instant::now();
        lane.submit(frame, Class::Normal);
        frame = loop {
            match lane.take() {
                Some(Commit::Durable(done)) => break done.into_frame(),
                Some(_) => panic!("the journal failed"),
                None => std::thread::park(),
            }
        };
        waits.push(submitted.elapsed());
    }
    report(waits);
    drop(lane);
    drop(journal);
    std::fs::remove_dir_all(&dir).expect("the journal's directory");
}

fn report(mut waits: Vec<Duration>) {
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
    print!("{} commits, ms:", waits.len());
    quantiles.iter().for_each(|(name, share)| print!(" {name} {:.2}", at(*share)));
    println!();
}
