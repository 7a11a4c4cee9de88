//! What it costs to find a card's range among 500,000, and to choose a link.
//! Run: `cargo bench -p benches --bench routing`. Never asserts a time; figures go to `RESULTS.md`.

use criterion::{Criterion, criterion_group, criterion_main};
use routing::{Chooser, LinkChoice, Policy, Range, RangeRow, Scheme, Span, Table};
use std::collections::HashSet;
use std::hint::black_box;
use terms::{IssuerIx, LinkIx, Pan};

const RANGES: usize = 500_000;
const CARDS: usize = 1 << 20;

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

/// Prefixes of 6 to 11 digits that begin as `start` does, some nested in others, of 40 issuers.
fn prefixes(dice: &mut Dice, start: &[&str]) -> Vec<String> {
    let mut known = HashSet::new();
    while known.len() < RANGES {
        let start = start[dice.below(start.len() as u64) as usize];
        let digits = [6, 7, 8, 8, 8, 9, 9, 10, 11][dice.below(9) as usize] - start.len();
        known.insert(format!("{start}{:0digits$}", dice.below(10_u64.pow(digits as u32))));
    }
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_unstable();
    known
}

fn table(dice: &mut Dice, prefixes: &[String]) -> Table {
    let rows = (1..).zip(prefixes).map(|(line, prefix)| {
        let issuer = IssuerIx(dice.below(40) as u16);
        RangeRow { span: Span::parse(prefix).unwrap(), line, range: Range::of(issuer, Scheme::UnionPay) }
    });
    Table::build(rows.collect()).unwrap()
}

/// Cards of 16 digits: every second one (or all) from a range, the rest with any digits.
fn cards(dice: &mut Dice, prefixes: &[String], all_known: bool) -> Vec<Pan> {
    (0..CARDS)
        .map(|number| {
            let known = all_known || number % 2 == 0;
            let prefix =
                if known { prefixes[dice.below(prefixes.len() as u64) as usize].as_str() } else { "" };
            let rest = 16 - prefix.len();
            let card = format!("{prefix}{:0rest$}", dice.below(10_u64.pow(rest as u32)));
            Pan::new(card.as_bytes()).unwrap()
        })
        .collect()
}

fn route(criterion: &mut Criterion) {
    let spread = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    for (name, start) in
        [("even", &spread[..]), ("crowded under 62, 4, 51", &["62", "62", "62", "4", "51"][..])]
    {
        let mut dice = Dice(0x5EED_0001);
        let prefixes = prefixes(&mut dice, start);
        let table = table(&mut dice, &prefixes);
        for (which, all_known) in [("cards of the table", true), ("half unknown", false)] {
            let cards = cards(&mut dice, &prefixes, all_known);
            let mut next = 0;
            criterion.bench_function(&format!("route among 500 k, {name}, {which}"), |bencher| {
                bencher.iter(|| {
                    next = (next + 1) % CARDS;
                    black_box(table.find(black_box(cards[next])).map(|range| range.issuer))
                });
            });
        }
    }
}

/// The yardstick: one visit to a random line of as much memory as the table takes, each told by the one before. On a
/// machine with neighbours it moves, and the look-up moves with it.
fn visit(criterion: &mut Criterion) {
    const LINES: usize = 1 << 18;
    let mut dice = Dice(0x5EED_0003);
    let mut order: Vec<usize> = (0..LINES).collect();
    (1..LINES).rev().for_each(|at| order.swap(at, dice.below(at as u64) as usize));
    let mut lines = vec![[0_usize; 8]; LINES];
    (0..LINES).for_each(|at| lines[order[at]][0] = order[(at + 1) % LINES]);
    let mut line = 0;
    criterion.bench_function("yardstick: one visit to 16 MB", |bencher| {
        bencher.iter(|| {
            line = lines[line][0];
            black_box(line)
        });
    });
}

fn build(criterion: &mut Criterion) {
    let mut dice = Dice(0x5EED_0002);
    let prefixes = prefixes(&mut dice, &["62", "4", "5"]);
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    group.bench_function("a table of 500 k", |bencher| bencher.iter(|| table(&mut dice, &prefixes).len()));
    group.finish();
}

fn choose(criterion: &mut Criterion) {
    let links: Vec<_> =
        (0..4).map(|link| LinkChoice { link: LinkIx(link), weight: link + 1, backup: link == 3 }).collect();
    let mut chooser = Chooser::new(&links, Policy::Weighted).unwrap();
    criterion.bench_function("choose among 3 links and a backup", |bencher| {
        bencher.iter(|| black_box(chooser.choose(|link| black_box(link).0 != 1, |_| true)));
    });
}

criterion_group!(benches, route, visit, build, choose);
criterion_main!(benches);
