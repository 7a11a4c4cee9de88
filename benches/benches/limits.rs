//! What it costs to reserve among a million and ten million cards, and what a card weighs.
//! Run: `cargo bench -p benches --bench limits`. Never asserts a time; figures go to `RESULTS.md`.

use criterion::{Criterion, criterion_group, criterion_main};
use limits::{Calendar, Ceilings, Cell, Demand, LimitKey, Scope, Store};
use std::hint::black_box;
use terms::{BusinessDay, CardToken, Currency};

const DAY: BusinessDay = BusinessDay(9458);
const CEILINGS: Ceilings =
    Ceilings { currency: Currency::CNY, single: Some(500_000), daily: Some(1 << 47), count: None };

/// A card's demand; tokens are as uniform as AES makes them (splitmix64, twice).
fn demand(card: u64) -> Demand {
    let mix = |mut word: u64| {
        word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    };
    let mut token = CardToken([0; 16]);
    token.0[..8].copy_from_slice(&mix(card).to_le_bytes());
    token.0[8..].copy_from_slice(&mix(!card).to_le_bytes());
    Demand { scope: Scope::Card, key: LimitKey::card(&token, 7), day: DAY, amount: 100, ceilings: CEILINGS }
}

/// Resident memory of this process in bytes, where the system tells it.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0_usize) * 4096
}

fn reserve(criterion: &mut Criterion) {
    for (name, cards, capacity) in
        [("1 M", 1_000_000_u64, 2_000_000), ("10 M", 10_000_000, 10_000_000), ("8 M", 8_000_000, 10_000_000)]
    {
        let before = resident();
        let store = Store::new(capacity);
        (0..cards).for_each(|card| store.reserve(&[demand(card)]).unwrap());
        let bytes = resident().saturating_sub(before) as f64 / cards as f64;
        println!("{name} cards: {bytes:.1} bytes a card resident, the counters and the map together");
        let mut card = 0_u64;
        criterion.bench_function(&format!("reserve one of {name} cards at random"), |bencher| {
            bencher.iter(|| {
                card = card.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                black_box(store.reserve(&[demand((card >> 32) % cards)])).unwrap();
            });
        });
    }
}

fn four_scopes(criterion: &mut Criterion) {
    let store = Store::new(1_000_000);
    let merchant = LimitKey::merchant(b"00010000", b"898100000000001", 7);
    let terminal = LimitKey::terminal(b"00010000", b"898100000000001", b"10000001", 7);
    let issuer = LimitKey::issuer(17, 7);
    let demands = |card| {
        let card = demand(card);
        let other = |scope, key| Demand { scope, key, ..card };
        [
            card,
            other(Scope::Merchant, merchant),
            other(Scope::Terminal, terminal),
            other(Scope::Issuer, issuer),
        ]
    };
    let mut card = 0;
    criterion.bench_function("reserve and release all four scopes, warm", |bencher| {
        bencher.iter(|| {
            card = (card + 1) % 1000;
            let demands = demands(card);
            black_box(store.reserve(&demands)).unwrap();
            store.release(&demands.map(|demand| demand.charge()));
        });
    });
}

fn parts(criterion: &mut Criterion) {
    let cell = Cell::new();
    criterion.bench_function("one cell, reserve and release", |bencher| {
        bencher.iter(|| {
            black_box(cell.reserve(DAY, black_box(100), 1 << 40)).unwrap();
            cell.release(DAY, 100);
        });
    });
    criterion.bench_function("merchant key", |bencher| {
        bencher.iter(|| LimitKey::merchant(black_box(b"00010000"), black_box(b"898100000000001"), 7));
    });
    let calendar = Calendar::new("Europe/Berlin", "23:00").unwrap();
    criterion.bench_function("business day of an instant", |bencher| {
        bencher.iter(|| calendar.day_at(black_box(1_793_000_000_000)));
    });
}

criterion_group!(benches, reserve, four_scopes, parts);
criterion_main!(benches);
