//! The steps of the codec where wall time is worth little because neighbours share the machine. Without arguments: the
//! best of many short batches, in every dialect, and of another codec beside it. With a dialect, a step and a number of
//! rounds, for callgrind:
//!
//! ```text
//! cargo build --release -p benches --example codec_steps
//! valgrind --tool=callgrind target/release/examples/codec_steps iso87-binary decode 1000
//! ```
//!
//! Take the difference of two numbers of rounds: starting up is not free.

mod rival;

use benches::codec::{Codec, STEPS};
use iso8583::Dialect;
use std::time::{Duration, Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [] => Dialect::builtin_names().for_each(table),
        [name, step, rounds] => some(name, step, rounds.parse().expect("a number of rounds")),
        _ => return eprintln!("expected nothing, or dialect, step and rounds"),
    }
    if words.is_empty() {
        let bytes = rival::pack();
        println!("{:30} {:8.1} ns", "i8583 plain-decode", best(|| rival::unpack(&bytes)));
        println!("{:30} {:8.1} ns", "i8583 plain-encode", best(|| !rival::pack().is_empty()));
    }
}

fn some(name: &str, step: &str, rounds: u32) {
    let mut codec = Codec::new(name);
    let (_, run) = STEPS.iter().find(|(known, _)| *known == step).expect("the name of a step");
    (0..rounds).for_each(|_| assert!(run(&mut codec)));
}

fn table(name: &str) {
    let mut codec = Codec::new(name);
    for (step, run) in STEPS {
        println!("{:30} {:8.1} ns", format!("{name} {step}"), best(|| run(&mut codec)));
    }
}

/// Nanoseconds of one call in the fastest of many batches, each of which is over before a neighbour gets its turn.
fn best(mut run: impl FnMut() -> bool) -> f64 {
    const BATCH: u32 = 500;
    let batch = |_| {
        let start = Instant::now();
        (0..BATCH).for_each(|_| assert!(run()));
        start.elapsed()
    };
    let best = (0..2000).map(batch).min().unwrap_or(Duration::ZERO);
    best.as_secs_f64() * 1e9 / f64::from(BATCH)
}
