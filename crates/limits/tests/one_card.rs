//! Many at once on one card: exactly as many as there is room for, and back to what it was.

use limits::{Ceilings, Demand, LimitKey, Scope, Store};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use terms::{BusinessDay, CardToken, Currency, Minor};

const DAY: BusinessDay = BusinessDay(9458);
const THREADS: usize = 16;
const EACH: usize = 625;

fn demand(amount: Minor, daily: Option<Minor>, count: Option<u32>) -> Demand {
    let key = LimitKey::card(&CardToken([3; 16]), 1);
    let ceilings = Ceilings { currency: Currency::CNY, single: None, daily, count };
    Demand { scope: Scope::Card, key, day: DAY, amount, ceilings }
}

/// How many of 10,000 are approved, on 16 threads that start together.
fn approved(store: &Store, demands: &[Demand]) -> usize {
    let (start, approved) = (Barrier::new(THREADS), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    approved.fetch_add(usize::from(store.reserve(demands).is_ok()), Ordering::Relaxed);
                }
            });
        }
    });
    approved.into_inner()
}

#[test]
fn ten_thousand_with_room_for_a_hundred_approve_a_hundred() {
    for (line, demand) in [
        demand(250, Some(25_000), None),
        demand(250, Some(25_249), Some(10_000)),
        demand(250, None, Some(100)),
        demand(250, Some(25_000), Some(100)),
    ]
    .into_iter()
    .enumerate()
    {
        let store = Store::new(1000);
        assert_eq!(approved(&store, &[demand]), 100, "line {line}");
        assert_eq!(store.spent(demand.key, DAY), (25_000, 100));
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| (0..10).for_each(|_| store.release(&[demand.charge()])));
            }
        });
        assert_eq!((store.spent(demand.key, DAY), store.len()), ((0, 0), 1));
    }
}

#[test]
fn what_was_there_before_is_there_after() {
    let (store, one) = (Store::new(1000), demand(250, Some(30_000), None));
    store.restore(one.key, DAY, 4_999, 7).unwrap();
    assert_eq!(approved(&store, &[one]), 100);
    (0..100).for_each(|_| store.release(&[one.charge()]));
    assert_eq!(store.spent(one.key, DAY), (4_999, 7));
}

#[test]
fn a_full_merchant_leaves_no_trace_on_the_cards() {
    let store = Store::new(1000);
    let card = demand(1, Some(1_000_000), None);
    let shop = Demand {
        scope: Scope::Merchant,
        key: LimitKey::merchant(b"00010000", b"898100000000001", 1),
        ..demand(1, Some(100), None)
    };
    assert_eq!(approved(&store, &[card, shop]), 100);
    assert_eq!((store.spent(card.key, DAY), store.spent(shop.key, DAY)), ((100, 100), (100, 100)));
}

#[test]
fn holders_made_at_once_are_one_holder_and_sweeps_between_lose_nothing() {
    let store = Store::new(64);
    let start = Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..2_000_u32 {
                    // Every thread has old holders of its own, which a sweep takes; one is today's and everybody's.
                    let number = (thread as u128) << 100 | u128::from(round % 2) << 3;
                    let old = Demand { key: LimitKey(number), day: BusinessDay(1), ..demand(1, None, None) };
                    store.reserve(&[old]).unwrap();
                    store.reserve(&[demand(1, None, None)]).unwrap();
                }
            });
        }
        start.wait();
        (0..200).for_each(|_| {
            store.sweep(DAY);
        });
    });
    let everybody = 2_000 * THREADS;
    assert_eq!(store.spent(demand(1, None, None).key, DAY), (everybody as Minor, everybody as u32));
    store.sweep(DAY);
    assert_eq!(store.len(), 1);
}
