//! Records folded into the switch's book.

use crate::writer::{
    self, Sale, ack, ack_part, config, intent, late, obligation, outcome, parked, parked_advice, part,
};
use books::SwitchBook;
use books::switch_book::{State, Total};

fn fold(records: &[(u8, Vec<u8>)]) -> SwitchBook {
    SwitchBook::fold(records.iter().map(|(kind, payload)| (*kind, &payload[..]))).unwrap()
}

#[test]
fn every_way_through_the_states_ends_where_it_should() {
    let sale = Sale::number(1);
    let approved = || vec![intent(&sale), outcome(&sale, 2, 255, Some("00"))];
    let then = |mut records: Vec<_>, more: Vec<_>| {
        records.extend(more);
        records
    };
    for (records, expected) in [
        (vec![intent(&sale)], State::Open),
        (approved(), State::Approved),
        (vec![intent(&sale), outcome(&sale, 3, 255, Some("51"))], State::Declined),
        (vec![intent(&sale), outcome(&sale, 4, 1, None)], State::Reversing),
        (vec![intent(&sale), outcome(&sale, 4, 1, None), ack(&sale)], State::Reversed),
        (vec![intent(&sale), outcome(&sale, 4, 1, None), parked(&sale)], State::Quarantined),
        (vec![intent(&sale), outcome(&sale, 4, 1, None), parked(&sale), ack(&sale)], State::Reversed),
        (vec![intent(&sale), obligation(&sale, 0)], State::Reversing),
        (then(approved(), vec![obligation(&sale, 0)]), State::Reversing),
        (then(approved(), vec![obligation(&sale, 0), ack(&sale)]), State::Reversed),
        (then(approved(), vec![obligation(&sale, 0), ack(&sale), obligation(&sale, 6)]), State::Reversing),
        (then(approved(), vec![late(&sale)]), State::Approved),
        (then(approved(), vec![part(&sale, 40)]), State::Approved),
        (then(approved(), vec![part(&sale, 40), ack_part(&sale, 40)]), State::Approved),
        (then(approved(), vec![part(&sale, 40), obligation(&sale, 0), ack(&sale)]), State::Reversed),
        (vec![intent(&sale), outcome(&sale, 7, 255, None)], State::StandIn),
        (vec![intent(&sale), outcome(&sale, 7, 255, None), parked_advice(&sale)], State::StandIn),
        (
            vec![intent(&sale), outcome(&sale, 7, 255, None), parked_advice(&sale), ack(&sale)],
            State::Reversed,
        ),
    ] {
        let book = fold(&records);
        assert_eq!(book.transactions[&1].state, expected, "{records:?}");
        assert_eq!(book.findings, [""; 0], "{records:?}");
    }
}

#[test]
fn a_part_lowers_the_amount_and_is_owed_until_it_is_acknowledged() {
    let sale = Sale::number(1);
    let mut records = vec![intent(&sale), outcome(&sale, 2, 255, Some("00")), part(&sale, 40)];
    let book = fold(&records);
    assert_eq!((book.transactions[&1].final_amount(), book.owed().count()), (40, 1));
    records.push(ack_part(&sale, 40));
    let book = fold(&records);
    assert_eq!((book.transactions[&1].final_amount(), book.owed().count()), (40, 0));
}

#[test]
fn what_does_not_follow_is_a_finding() {
    let (sale, other) = (Sale::number(1), Sale::number(2));
    let approved = [intent(&sale), outcome(&sale, 2, 255, Some("00"))];
    for (more, expected) in [
        (outcome(&sale, 3, 255, None), "0-0-1: OUTCOME in state Approved"),
        (ack(&sale), "0-0-1: ACK in state Approved"),
        (parked(&sale), "0-0-1: PARKED in state Approved"),
        (intent(&sale), "0-0-1: two intents"),
        (outcome(&other, 2, 255, None), "0-0-2: OUTCOME without an intent"),
        ((99, vec![]), "record of unknown kind 99"),
    ] {
        let book = fold(&[&approved[..], &[more]].concat());
        assert_eq!(book.findings, [expected]);
    }
}

#[test]
fn totals_are_per_issuer_currency_and_day_and_names_come_from_the_configuration() {
    let mut records = vec![config()];
    for number in 1..=6 {
        let sale = Sale { amount: u64::from(number) * 100, ..Sale::number(number) };
        records.push(intent(&sale));
        let state = [2, 2, 3, 4, 4, 2][number as usize - 1];
        records.push(outcome(&sale, state, if state == 4 { 1 } else { 255 }, None));
        if number == 4 {
            records.push(ack(&sale));
        }
    }
    let balance = Sale { kind: 8, amount: 0, ..Sale::number(9) };
    records.extend([intent(&balance), outcome(&balance, 2, 255, Some("00"))]);
    let book = fold(&records);
    assert_eq!(
        (book.transactions[&1].issuer.as_str(), book.transactions[&1].link.as_str()),
        ("huaxia", "huaxia/one")
    );
    let total = Total {
        approved: 900,
        approved_count: 3,
        declined_count: 1,
        reversed: 400,
        reversed_count: 1,
        owed: 500,
        owed_count: 1,
        ..Total::default()
    };
    assert_eq!(book.totals().into_iter().collect::<Vec<_>>(), [(("huaxia".to_owned(), 156, 9458), total)]);
    assert_eq!((book.owed().count(), book.open().count()), (1, 0));
    let unnamed = fold(&records[1..]);
    assert_eq!(unnamed.transactions[&1].issuer, format!("#{:08x}", writer::ISSUER));
}

#[test]
fn a_payload_of_another_layout_is_refused() {
    let fault = SwitchBook::fold([(writer::OUTCOME, &[1, 2, 3][..])]).unwrap_err();
    assert_eq!(fault.to_string(), "payload of kind 2 does not fit its description: too short");
}

/// The journal's own sample holds records that are none of the switch's: they are refused by name, not guessed at.
#[test]
fn a_journal_of_somebody_else_is_no_book() {
    let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../journal/tests/sample"));
    let fault = SwitchBook::of_journal(sample).unwrap_err();
    assert!(fault.to_string().starts_with("record at "), "{fault}");
    let empty = tempfile::tempdir().unwrap();
    assert!(SwitchBook::of_journal(empty.path()).is_err());
}
