//! Conditions, line by line: what a transaction is and what the range says to it.

use super::*;
use crate::{Range, Scheme};
use terms::IssuerIx;

fn query() -> RouteQuery {
    RouteQuery {
        kind: Kind::Purchase,
        processing_code: ProcessingCode(0),
        currency: Currency::CNY,
        amount: 10_000,
        entry_mode: EntryMode(51),
    }
}

fn range(conditions: Vec<Condition>) -> Range {
    Range { conditions: conditions.into(), ..Range::of(IssuerIx(0), Scheme::UnionPay) }
}

#[test]
fn each_part_of_a_condition_must_fit() {
    let all = Condition {
        kinds: Kinds::of([Kind::Purchase, Kind::Balance]),
        processing_codes: Box::new([ProcessingCode(0), ProcessingCode(310_000)]),
        currencies: Box::new([Currency::CNY, Currency::EUR]),
        amounts: Some((100, 10_000)),
        readings: Readings::of([5, 7]).unwrap(),
        verdict: Verdict::ExcludeCard,
    };
    for (query, fits) in [
        (query(), true),
        (RouteQuery { kind: Kind::Balance, ..query() }, true),
        (RouteQuery { kind: Kind::Refund, ..query() }, false),
        (RouteQuery { processing_code: ProcessingCode(200_000), ..query() }, false),
        (RouteQuery { currency: Currency::EUR, ..query() }, true),
        (RouteQuery { currency: Currency::USD, ..query() }, false),
        (RouteQuery { amount: 100, ..query() }, true),
        (RouteQuery { amount: 99, ..query() }, false),
        (RouteQuery { amount: 10_001, ..query() }, false),
        (RouteQuery { entry_mode: EntryMode(72), ..query() }, true),
        (RouteQuery { entry_mode: EntryMode(21), ..query() }, false),
        (RouteQuery { entry_mode: EntryMode(0), ..query() }, false),
        // A mode of four digits reads as over 99: in no set.
        (RouteQuery { entry_mode: EntryMode(1281), ..query() }, false),
    ] {
        assert_eq!(all.fits(&query), fits, "{query:?}");
    }
    assert!(Condition::default().fits(&query()), "an empty condition fits all");
}

#[test]
fn the_first_condition_that_fits_decides() {
    let chip = || Condition {
        readings: Readings::of([5]).unwrap(),
        verdict: Verdict::Allow,
        ..Condition::default()
    };
    let by = |verdict| Condition { verdict, ..Condition::default() };
    let stripe = RouteQuery { entry_mode: EntryMode(21), ..query() };
    for (conditions, query, says) in [
        (vec![], query(), Ok(())),
        (vec![by(Verdict::Allow)], query(), Ok(())),
        (vec![by(Verdict::ExcludeCard)], query(), Err(Excluded::Card)),
        (vec![by(Verdict::ExcludeTerminal)], query(), Err(Excluded::Terminal)),
        (vec![chip(), by(Verdict::ExcludeTerminal)], query(), Ok(())),
        (vec![chip(), by(Verdict::ExcludeTerminal)], stripe, Err(Excluded::Terminal)),
        (vec![by(Verdict::ExcludeCard), chip()], query(), Err(Excluded::Card)),
    ] {
        assert_eq!(range(conditions.clone()).permits(&query), says, "{conditions:?}");
    }
}

#[test]
fn exclusions_have_their_codes() {
    assert_eq!((Excluded::Card.cause().iso_code(), Excluded::Terminal.cause().iso_code()), ("57", "58"));
    assert!(Readings::of([100]).is_none());
    for kind in Kind::ALL {
        assert!(Kinds::of([*kind]).admits(*kind) && Kinds::default().admits(*kind));
        assert!(!Kinds::of(Kind::ALL.iter().copied().filter(|other| other != kind)).admits(*kind));
    }
}
