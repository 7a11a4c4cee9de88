//! Whether a turn notices that the table under it is swapped: turns of 512 look-ups among 500,000 ranges, while another
//! thread makes such tables and swaps them in (or only makes them, so that memory is as busy), second by second in turn.
//! Run: `cargo run --release -p benches --example table_swap`. Never asserts a time; figures go to `RESULTS.md`.

use arc_swap::ArcSwap;
use hdrhistogram::Histogram;
use routing::{Range, RangeRow, Scheme, Span, Table};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use terms::{IssuerIx, Pan};

const RANGES: usize = 500_000;
const CARDS: usize = 1 << 20;
const TURN: usize = 512;
const SECONDS: u64 = 12;

/// xorshift64*: the same ranges and cards in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}

fn main() {
    let mut dice = Dice(0x5EED_0007);
    let prefixes = prefixes(&mut dice);
    let cards: Vec<Pan> = (0..CARDS).map(|_| card(&mut dice)).collect();
    let live = ArcSwap::from_pointee(table(&prefixes, 0));
    let (swaps, over, swapped) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    let [mut still, mut moving] = [(); 2].map(|()| Histogram::<u64>::new(3).expect("three digits"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1.. {
                let made = Arc::new(table(&prefixes, version));
                if swaps.load(Ordering::Relaxed) {
                    live.store(made);
                    swapped.fetch_add(1, Ordering::Relaxed);
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for second in 0..SECONDS {
            let is_swapping = second % 2 == 1;
            swaps.store(is_swapping, Ordering::Relaxed);
            turns(&live, &cards, if is_swapping { &mut moving } else { &mut still });
        }
        over.store(true, Ordering::Relaxed);
    });
    println!("a turn of {TURN} look-ups, µs          p50       p99     p99.9    p99.99       max      turns");
    for (name, found) in [("tables made beside it", &still), ("made and swapped in", &moving)] {
        let at = |quantile: f64| found.value_at_quantile(quantile) as f64 / 1e3;
        let [p50, p99, p999, p9999] = [0.5, 0.99, 0.999, 0.9999].map(at);
        let (max, count) = (found.max() as f64 / 1e3, found.len());
        println!("{name:29} {p50:9.1} {p99:9.1} {p999:9.1} {p9999:9.1} {max:9.1} {count:10}");
    }
    println!("{} swaps", swapped.load(Ordering::Relaxed));
}

/// One second of them. A worker loads the table once a turn, too.
fn turns(live: &ArcSwap<Table>, cards: &[Pan], into: &mut Histogram<u64>) {
    let until = Instant::now() + Duration::from_secs(1);
    for turn in cards.chunks_exact(TURN).cycle() {
        let started = Instant::now();
        let table = live.load();
        let found = turn.iter().filter(|card| table.find(**card).is_some()).count();
        drop(table);
        std::hint::black_box(found);
        let _ = into.record(started.elapsed().as_nanos() as u64);
        if started > until {
            return;
        }
    }
}

fn prefixes(dice: &mut Dice) -> Vec<String> {
    let mut known = BTreeSet::new();
    while known.len() < RANGES {
        let digits = [6, 7, 8, 8, 8, 9, 9, 10, 11][dice.below(9) as usize];
        known.insert(format!(
            "{}{:0rest$}",
            1 + dice.below(9),
            dice.below(10_u64.pow(digits - 1)),
            rest = digits as usize - 1
        ));
    }
    known.into_iter().collect()
}

fn table(prefixes: &[String], version: usize) -> Table {
    let rows = (1..).zip(prefixes).map(|(line, prefix)| {
        let issuer = IssuerIx(((line + version) % 40) as u16);
        RangeRow {
            span: Span::parse(prefix).expect("digits"),
            line,
            range: Range::of(issuer, Scheme::UnionPay),
        }
    });
    Table::build(rows.collect()).expect("no overlaps")
}

fn card(dice: &mut Dice) -> Pan {
    let digits = format!("{}{:015}", 1 + dice.below(9), dice.below(1_000_000_000_000_000));
    Pan::new(digits.as_bytes()).expect("16 digits")
}
