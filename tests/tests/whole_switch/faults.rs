//! Issuers that are late, silent or gone.
//! Never leaves an outcome open. Guards: one outcome per request, and a reversal that is owed until it is acknowledged.

use crate::stories::{HARBOUR_CARD, Stage};
use books::switch_book::State;
use std::collections::BTreeSet;
use tests::message::Ask;

#[test]
fn a_time_out_is_declined_and_reversed_until_the_issuer_acknowledges() {
    let stage = Stage::with(|shop| shop.timeout_ms = 300);
    let mut till = stage.till();
    let ask = Ask::purchase(HARBOUR_CARD, 1, 5_000);
    till.send(&ask).unwrap();
    let original = stage.issuer.asked();
    assert_eq!(till.hear().unwrap().code.as_str(), "98", "UnionPay's code for an issuer that did not answer");
    stage.reaches("pointsman_issuer_timeouts_total", &[], 1.0);

    let (first, second) = (stage.issuer.asked(), stage.issuer.asked());
    assert!(first.is_reversal() && second.is_reversal(), "it is told again while it is silent");
    assert_eq!(first.request.amount, 5_000);
    original.answer("00");
    stage.reaches("pointsman_late_responses_total", &[], 1.0);
    assert_ne!(till.ask(&ask).unwrap().code.as_str(), "00", "late is not approved");
    stage.issuer.asked().answer("00");
    let book = stage.book();
    let entry = book.transactions.values().next().unwrap();
    assert_eq!((entry.state, entry.approval_seen), (State::Reversed, true));
    assert_eq!((book.transactions.len(), book.findings.len()), (1, 0), "{:?}", book.findings);
}

#[test]
fn an_acquirer_hears_91_when_the_issuer_is_silent() {
    let stage = Stage::with(|shop| shop.timeout_ms = 300);
    let mut line = stage.acquirer();
    let answer = line.ask(&Ask::purchase(HARBOUR_CARD, 1, 5_000)).unwrap();
    assert_eq!(answer.code.as_str(), "91");
}

#[test]
fn a_cut_link_gives_every_request_in_flight_exactly_one_outcome() {
    let stage = Stage::new();
    let mut line = stage.acquirer();
    let asks: Vec<Ask> = (1..=CROWD).map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100)).collect();
    line.send_all(&asks).unwrap();
    let in_flight: Vec<_> = asks.iter().map(|_| stage.issuer.asked()).collect();
    assert!(in_flight.iter().all(|asked| !asked.is_reversal()));
    stage.issuer.cut();

    let answers: Vec<_> = asks.iter().map(|_| line.hear().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.code.as_str() == "91"), "{answers:?}");
    let stans: BTreeSet<u32> = answers.iter().map(|answer| answer.stan.get()).collect();
    assert_eq!(stans, (1..=CROWD).collect());

    let mut reversed = BTreeSet::new();
    while reversed.len() < asks.len() {
        let asked = stage.issuer.asked();
        assert!(asked.is_reversal(), "nothing is asked for again: {:?}", asked.request);
        reversed.insert(*asked.request.rrn.expect("our reference").as_bytes());
        asked.answer("00");
    }
    line.send(&Ask::purchase(HARBOUR_CARD, CROWD + 1, 100)).unwrap();
    let fresh = loop {
        let asked = stage.issuer.asked();
        asked.answer("00");
        if !asked.is_reversal() {
            break asked;
        }
    };
    assert_eq!(fresh.request.amount, 100);
    let next = line.hear().unwrap();
    assert_eq!((next.stan.get(), next.code.as_str()), (CROWD + 1, "00"), "no second answer came before it");
    let book = stage.book();
    let reversed = book.transactions.values().filter(|entry| entry.state == State::Reversed).count();
    assert_eq!((reversed, book.findings.len()), (asks.len(), 0), "{:?}", book.findings);
}

#[test]
fn an_issuer_that_is_away_from_the_start_declines_without_a_debt() {
    let stage = Stage::new();
    let mut till = stage.till();
    stage.issuer.cut();
    // The link is back within milliseconds: whichever way this one goes, it ends.
    till.send(&Ask::purchase(HARBOUR_CARD, 1, 100)).unwrap();
    testkit::wait_for("one outcome", || {
        stage.issuer.backlog().iter().for_each(|asked| asked.answer("00"));
        stage.metric("pointsman_transactions_total", &["type=\"purchase\""]) >= 1.0
    });
    let code = till.hear().unwrap().code;
    testkit::wait_for("nothing owed", || {
        stage.issuer.backlog().iter().for_each(|asked| asked.answer("00"));
        stage.metric("pointsman_saf_depth", &[]) == 0.0
    });
    let book = stage.book();
    let standing = book.transactions.values().filter(|entry| entry.stands()).count();
    assert_eq!(standing == 1, code.as_str() == "00", "{code}");
}

const CROWD: u32 = 100;
