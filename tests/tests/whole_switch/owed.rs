//! What is owed to an issuer when the switch stops: told when it is back, in the same words, whoever is to hear the answer.
//! Never the same process. Guards: the journal has all that is told, and none of what it must not have.

use crate::stories::{HARBOUR_CARD, Stage};
use books::switch_book::State;
use std::collections::BTreeSet;
use terms::{Kind, Mti};
use tests::issuer::Asked;
use tests::message::Ask;
use tests::shop::holds;

/// A script that was carried out (DF31), and the card's verdict on the terminal's work (95).
const SCRIPT: &[u8] =
    &[0xDF, 0x31, 0x05, 0x20, 0x00, 0x00, 0x00, 0x01, 0x95, 0x05, 0x00, 0x80, 0x04, 0xE0, 0x00];
/// Track 2 as chips have it (57).
const TRACK: &[u8] = &[0x57, 0x0C, 0x62, 0x24, 0x24, 0x57, 0x39, 0x17, 0x26, 0x41, 0xD2, 0x80, 0x62, 0x01];

/// The message but for its type.
fn said(asked: &Asked) -> (Vec<Vec<u8>>, u32) {
    let fields = [2, 3, 7, 11, 23, 37, 41, 42, 55];
    let raw = fields.into_iter().filter_map(|field| Some(asked.raw(field)?.to_vec()));
    (raw.collect(), asked.request.stan.get())
}

#[test]
fn what_a_chip_said_of_a_script_reaches_the_issuer_before_and_after_a_restart() {
    let stage = Stage::new();
    let chip = Some([SCRIPT, TRACK].concat());
    let notice = Ask { mti: 0x0620, chip, ..Ask::purchase(HARBOUR_CARD, 7, 0) };
    let told = stage.till().ask(&notice).unwrap();
    assert_eq!((told.mti, told.code.as_str()), (Mti::of(0x0630), "00"));
    let first = stage.issuer.asked();
    assert_eq!((first.request.mti, first.request.kind), (Mti::of(0x0620), Kind::ScriptResult));
    assert_eq!(first.raw(55), Some(SCRIPT), "all of it but the track");
    assert!(first.raw(23).is_some(), "the card sequence number");
    let repeat = stage.issuer.asked();
    assert_eq!((repeat.request.mti, said(&repeat)), (Mti::of(0x0621), said(&first)));

    let (mut shop, issuer) = stage.stop();
    issuer.backlog();
    assert!(
        !holds(&shop.journal(), SCRIPT) && !holds(&shop.journal(), TRACK),
        "it is sealed, if it is there"
    );
    shop.edits.push(("workers = 2", "workers = 3"));
    let again = Stage::of(shop, issuer);
    let repeat = again.issuer.asked();
    assert_eq!((repeat.request.mti, said(&repeat)), (Mti::of(0x0621), said(&first)));
    repeat.answer("00");
    let book = again.book();
    let states: Vec<_> = book.transactions.values().map(|entry| entry.state).collect();
    assert_eq!((states, book.findings), (vec![State::Approved], vec![]));
}

#[test]
fn answers_find_whoever_owes_after_a_restart_with_other_workers() {
    let stage = Stage::new();
    let mut till = stage.till();
    for stan in 1..=8 {
        let sale = Ask { mti: 0x0220, function: 30, ..Ask::purchase(HARBOUR_CARD, stan, 100) };
        let told = till.ask(&sale.at(&format!("T{stan:07}"))).unwrap();
        assert_eq!((told.mti, told.code.as_str()), (Mti::of(0x0230), "00"));
    }
    drop(till);
    let (mut shop, issuer) = stage.stop();
    issuer.backlog();
    // Eight terminals: some change their worker, some of the advices' numbers do, not the same ones.
    shop.edits.push(("workers = 2", "workers = 3"));
    let again = Stage::of(shop, issuer);
    let mut told = BTreeSet::new();
    while told.len() < 8 {
        let asked = again.issuer.asked();
        asked.answer("00");
        told.insert(asked.request.stan);
    }
    testkit::wait_for("nothing owed", || {
        again.issuer.backlog().iter().for_each(|asked| asked.answer("00"));
        again.metric("pointsman_saf_depth", &[]) == 0.0
    });
    assert_eq!(again.metric("pointsman_unmatched_responses_total", &[]), 0.0);
    let book = again.book();
    assert!(
        book.transactions.values().all(|entry| entry.state == State::Approved) && book.findings.is_empty()
    );
}
