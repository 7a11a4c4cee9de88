//! Instructions per step of the codec, where wall time is worth nothing because neighbours share the machine:
//!
//! ```text
//! cargo build --profile dist -p benches --example codec_steps
//! valgrind --tool=callgrind target/dist/examples/codec_steps iso87-binary decode 1000
//! ```
//!
//! The number of rounds counts twice: run it with two numbers, divide the difference. Without callgrind it prints the
//! best of many rounds in processor time of the process, which neighbours disturb less than wall time.

use benches::codec::{Codec, STEPS};
use std::time::{Duration, Instant};

fn main() {
    let mut words = std::env::args().skip(1);
    let (name, step) = (words.next(), words.next());
    let rounds = words.next().and_then(|rounds| rounds.parse().ok());
    let mut codec = Codec::new(name.as_deref().unwrap_or("iso87-binary"));
    for (known, run) in STEPS {
        if step.as_deref().is_some_and(|step| step != known) {
            continue;
        }
        match rounds {
            Some(rounds) => (0..rounds).for_each(|_| assert!(run(&mut codec))),
            None => println!("{known:20} {:8.1} ns", best(&mut codec, run)),
        }
    }
}

/// The fastest of many short batches: each is over before a neighbour gets its turn.
fn best(codec: &mut Codec, run: fn(&mut Codec) -> bool) -> f64 {
    const BATCH: u32 = 2000;
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..BATCH {
            assert!(run(codec));
        }
        start.elapsed()
    };
    let best = (0..2000).map(batch).min().unwrap_or(Duration::ZERO);
    best.as_secs_f64() * 1e9 / f64::from(BATCH)
}
