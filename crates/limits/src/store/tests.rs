//! The store: all or nothing, bounded, swept; what a map entry weighs.

use super::*;
use crate::{Ceilings, Scope};
use terms::{CardToken, Currency};

const DAY: BusinessDay = BusinessDay(9000);
const CARD: LimitKey = LimitKey(0x1111_2222_3333_4444_5555_6666_7777_8888);
const SHOP: LimitKey = LimitKey(0x8888_7777_6666_5555_4444_3333_2222_1111);

fn demand(scope: Scope, key: LimitKey, amount: Minor, daily: Minor, count: u32) -> Demand {
    let ceilings =
        Ceilings { currency: Currency::CNY, single: Some(1000), daily: Some(daily), count: Some(count) };
    Demand { scope, key, day: DAY, amount, ceilings }
}

#[test]
fn all_or_nothing_in_any_order() {
    let store = Store::new(100);
    let card = |amount| demand(Scope::Card, CARD, amount, 500, 10);
    let shop = |amount| demand(Scope::Merchant, SHOP, amount, 300, 2);
    let says =
        |demands: &[Demand]| store.reserve(demands).map_err(|exceeded| (exceeded.scope, exceeded.which));
    let spent = || (store.spent(CARD, DAY), store.spent(SHOP, DAY));
    assert_eq!((says(&[card(200), shop(200)]), spent()), (Ok(()), ((200, 1), (200, 1))));
    let refused = Err((Scope::Merchant, Which::DailyAmount));
    assert_eq!((says(&[card(200), shop(200)]), spent()), (refused, ((200, 1), (200, 1))));
    assert_eq!((says(&[shop(200), card(200)]), spent()), (refused, ((200, 1), (200, 1))));
    assert_eq!((says(&[card(100), shop(100)]), spent()), (Ok(()), ((300, 2), (300, 2))));
    let refused = Err((Scope::Merchant, Which::DailyCount));
    assert_eq!((says(&[card(0), shop(0)]), spent()), (refused, ((300, 2), (300, 2))));
    // Single amounts come first, whatever the order.
    let refused = Err((Scope::Card, Which::Single));
    assert_eq!((says(&[shop(400), card(1001)]), spent()), (refused, ((300, 2), (300, 2))));
    assert_eq!(says(&[card(-1)]), refused);
    store.release(&[card(100).charge(), shop(100).charge()]);
    store.release(&[card(200).charge(), shop(200).charge()]);
    assert_eq!(spent(), ((0, 0), (0, 0)));
    assert_eq!((says(&[]), store.len()), (Ok(()), 2));
}

#[test]
fn one_demand_twice_in_a_row_is_two() {
    let store = Store::new(100);
    let one = demand(Scope::Card, CARD, 60, 100, 10);
    assert_eq!(store.reserve(&[one, one]).map_err(|exceeded| exceeded.which), Err(Which::DailyAmount));
    assert_eq!(store.spent(CARD, DAY), (0, 0));
}

#[test]
fn at_the_bound_a_new_holder_is_refused_and_a_sweep_makes_room() {
    let store = Store::new(3);
    let holder = |number: u128| demand(Scope::Card, LimitKey(number << 64 | number), 1, 10, 10);
    for number in 1..=3 {
        store.reserve(&[holder(number)]).unwrap();
    }
    let full = Exceeded { scope: Scope::Card, which: Which::Full };
    assert_eq!((store.reserve(&[holder(1), holder(4)]), store.len()), (Err(full), 3));
    assert_eq!(store.spent(holder(1).key, DAY), (1, 1));
    assert_eq!(store.force(&[holder(2), holder(4)]), Forced::Full);
    assert_eq!(
        (store.spent(holder(2).key, DAY), store.restore(holder(5).key, DAY, 1, 1)),
        ((2, 2), Err(Full))
    );
    let tomorrow = Demand { day: DAY.next(), ..holder(3) };
    store.reserve(&[tomorrow]).unwrap();
    assert_eq!((store.sweep(DAY), store.sweep(DAY.next()), store.len()), (0, 2, 1));
    for number in 4..=5 {
        store.reserve(&[holder(number)]).unwrap();
        assert_eq!(store.spent(holder(number).key, DAY), (1, 1), "a used cell comes back empty");
    }
    assert_eq!((store.reserve(&[holder(6)]), store.spent(holder(3).key, DAY.next())), (Err(full), (1, 1)));
}

#[test]
fn forced_posts_say_when_a_ceiling_is_passed() {
    let store = Store::new(10);
    let post = |amount, daily, count| store.force(&[demand(Scope::Card, CARD, amount, daily, count)]);
    assert_eq!(post(100, 100, 2), Forced::Within);
    assert_eq!(post(1, 100, 2), Forced::Over);
    assert_eq!(post(0, 200, 2), Forced::Over);
    assert_eq!(post(1001, 5000, 20), Forced::Over);
    assert_eq!((post(1, 5000, 20), store.spent(CARD, DAY)), (Forced::Within, (1103, 5)));
}

#[test]
fn what_is_shown_restores_to_the_same() {
    let (live, again) = (Store::new(1000), Store::new(1000));
    for number in 0..500_u16 {
        let key = LimitKey::card(&CardToken([(number % 250) as u8; 16]), 7);
        let demand = Demand { day: BusinessDay(9000 + number % 3), ..demand(Scope::Card, key, 3, 400, 90) };
        live.reserve(&[demand]).unwrap();
    }
    live.for_each(|key, day, spent, count| again.restore(key, day, spent, count).unwrap());
    let picture = |store: &Store| {
        let mut all = Vec::new();
        store.for_each(|key, day, spent, count| all.push((key, day, spent, count)));
        all.sort_unstable();
        all
    };
    assert_eq!((picture(&live).len(), picture(&live)), (250, picture(&again)));
}

#[test]
fn the_map_spreads_its_keys_and_its_entries_are_small() {
    assert_eq!(size_of::<(Packed, u32)>(), 20);
    let store = Store::new(1_000_000);
    let mut shards = std::collections::HashMap::new();
    for number in 0..10_000_u32 {
        let key = LimitKey::merchant(b"00010000", number.to_string().as_bytes(), 7);
        *shards.entry(store.map.hash_usize(&Packed::of(key)) >> 51).or_insert(0_u32) += 1;
    }
    assert!(shards.values().all(|count| *count < 30), "{shards:?}");
}

#[test]
fn a_release_tells_where_its_charge_stays() {
    let store = Store::new(100);
    let charge = |day, amount| Charge { key: CARD, day: BusinessDay(day), amount };
    store.reserve(&[demand(Scope::Card, CARD, 100, 500, 10)]).unwrap();
    // Gone with its day, or of a counter that is not there: nobody is charged for it.
    store.release(&[charge(9_001, 100), Charge { key: SHOP, ..charge(9_000, 100) }]);
    assert_eq!((store.stranded(), store.spent(CARD, DAY)), (0, (100, 1)));
    store.release(&[charge(8_999, 100)]);
    assert_eq!(
        (store.stranded(), store.spent(CARD, DAY)),
        (1, (100, 1)),
        "charged to the later day, it stays"
    );
    store.release(&[charge(9_000, 100)]);
    assert_eq!((store.stranded(), store.spent(CARD, DAY)), (1, (0, 0)));
}
