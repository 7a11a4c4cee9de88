//! Packing, keys, and what is given back.

use super::*;
use terms::{Currency, Pan};

fn new(stan: u32, amount: Minor, rrn: Option<&[u8; 12]>) -> New {
    New {
        stan,
        transmission: 1_122_013_015,
        rrn: rrn.map(|rrn| Rrn::new(*rrn)),
        amount,
        currency: Currency::CNY,
        pan: Pan::new(b"6224242900000113"),
        code: ResponseCode::approved(),
        state: State::Debited,
        at: 1_763_774_115_000 + i64::from(stan),
    }
}

#[test]
fn entries_open_as_they_were_closed() {
    let mut ledger = Ledger::new(10);
    for (stan, amount, rrn) in [
        (1, 0, None),
        (999_999, terms::money::AMOUNT_MAX, Some(b"366ZZZZZZZZZ")),
        (7, 1250, Some(b"326000000A7X")),
        (8, 1, Some(b"odd rrn here")),
    ] {
        let new = new(stan, amount, rrn);
        let at = ledger.write(Ledger::key(stan, new.transmission, b"T1"), &new).unwrap();
        let entry = ledger.entry(at);
        assert_eq!((entry.stan, entry.amount, entry.rrn), (stan, amount, new.rrn));
        assert_eq!(
            (entry.currency, entry.transmission, entry.code),
            (Currency::CNY, 1_122_013_015, new.code)
        );
        assert_eq!((entry.card.to_string().as_str(), entry.state), ("622424******0113", State::Debited));
    }
}

#[test]
fn cards_show_what_a_card_shows() {
    for digits in ["6224242900000113", "0000002900000113", "123456789012", "62242429", "9999999999999999999"]
    {
        let pan = Pan::new(digits.as_bytes()).unwrap();
        let mut ledger = Ledger::new(1);
        let at = ledger.write(1, &New { pan: Some(pan), ..new(1, 1, None) }).unwrap();
        assert_eq!(ledger.entry(at).card.to_string(), pan.to_string());
    }
}

#[test]
fn keys_find_their_entries_among_many() {
    let mut ledger = Ledger::new(200_000);
    for stan in 1..=150_000 {
        ledger.write(Ledger::key(stan, 5, b"T1  "), &New { transmission: 5, ..new(stan, 1, None) }).unwrap();
    }
    for stan in 1..=150_000 {
        let at = ledger.find(Ledger::key(stan, 5, b"T1"), stan, 5).unwrap();
        assert_eq!(ledger.entry(at).stan, stan);
    }
    assert_eq!(ledger.find(Ledger::key(3, 6, b"T1"), 3, 6), None);
    assert_eq!(ledger.find(Ledger::key(3, 5, b"T2"), 3, 5), None);
    let named = |terminal| ledger.find_named(3, 5, terminal).map(|at| ledger.entry(at).stan);
    assert_eq!(
        (named(b"T1"), named(b"T2")),
        (Some(3), Some(3)),
        "an operation may come from another terminal"
    );
    assert_eq!(ledger.find_named(3, 6, b"T1"), None);
    assert_eq!(ledger.totals.debits, 150_000);
}

#[test]
fn parts_are_given_back_up_to_the_whole() {
    let mut ledger = Ledger::new(2);
    let at = ledger.write(1, &new(1, 1_000, None)).unwrap();
    ledger.give_back(at, 300, 0);
    assert_eq!((ledger.open_amount(at), ledger.entry(at).state), (700, State::PartlyReversed));
    ledger.give_back(at, 700, 0);
    assert_eq!((ledger.open_amount(at), ledger.entry(at).state), (0, State::Reversed));
    assert_eq!((ledger.totals.reversals, ledger.totals.reversed), (2, 1_000));
    ledger.write(2, &new(2, 1, None)).unwrap();
    assert_eq!(ledger.write(3, &new(3, 1, None)), Err(Full));
}
