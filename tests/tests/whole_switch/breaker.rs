//! An issuer that stops answering is given up, the others never notice, and it is asked again when it answers probes.
//! Never waits for a time: only for what the switch says of itself. Guards: nothing is sent to an issuer that is given up,
//! and nothing is owed for what was not sent.

use crate::stories::{HARBOUR_CARD, MEADOW_CARD, Stage};
use issuer_sim::{IssuerConfig, Listen, Simulator, server_config};
use tests::message::Ask;

const STATE: &str = "pointsman_breaker_state";
const HARBOUR: &[&str] = &["issuer=\"harbour\""];

/// Harbour answers within 300 ms or never; given up after three, it is probed as `probes` says.
fn stage(probes: &'static str) -> (Stage, Simulator) {
    stage_within(probes, 300)
}

fn stage_within(probes: &'static str, timeout_ms: u32) -> (Stage, Simulator) {
    let mut simulator = None;
    let stage = Stage::with(|shop| {
        let (cert, key) = (shop.certificates.file("switch.pem"), shop.certificates.file("switch.key"));
        let listen = Listen::loopback_tls(server_config(&cert, &key, None).unwrap());
        let meadow = IssuerConfig::new("meadow", "iso87-ascii").account(MEADOW_CARD, 1_000_000);
        let meadow = Simulator::start(vec![(meadow, listen)]).unwrap();
        (shop.meadow, shop.timeout_ms) = (meadow.address("meadow"), timeout_ms);
        shop.edits = vec![("reconnect_max_ms = 50", probes)];
        simulator = Some(meadow);
    });
    stage.reaches("pointsman_link_up", &[], 2.0);
    (stage, simulator.expect("started"))
}

#[test]
fn an_issuer_that_does_not_answer_is_given_up_and_its_neighbour_does_not_notice() {
    let (stage, _meadow) = stage("reconnect_max_ms = 50\nbreaker_probe_ms = 600_000");
    let mut line = stage.acquirer();
    assert_eq!(stage.metric(STATE, &[]), 0.0, "closed from the first scrape");
    for stan in 1..=3 {
        assert_eq!(line.ask(&Ask::purchase(HARBOUR_CARD, stan, 100)).unwrap().code.as_str(), "91");
    }
    stage.reaches(STATE, HARBOUR, 2.0);
    assert_eq!(stage.metric("pointsman_breaker_opened_total", HARBOUR), 1.0);

    // Those that were sent are still to be acknowledged; what is owed goes out all the same.
    let mut reversed = std::collections::BTreeSet::new();
    while reversed.len() < 3 {
        let asked = stage.issuer.asked();
        if asked.is_reversal() {
            asked.answer("00");
            reversed.insert(*asked.request.rrn.expect("our reference").as_bytes());
        }
    }
    for stan in 4..=9 {
        assert_eq!(line.ask(&Ask::purchase(HARBOUR_CARD, stan, 100)).unwrap().code.as_str(), "91", "at once");
        assert_eq!(line.ask(&Ask::purchase(MEADOW_CARD, 100 + stan, 100)).unwrap().code.as_str(), "00");
    }
    assert_eq!(stage.metric("pointsman_issuer_timeouts_total", HARBOUR), 3.0, "six more were not asked");
    assert_eq!(stage.metric(STATE, &["issuer=\"meadow\""]), 0.0);
    assert!(stage.issuer.backlog().iter().all(|asked| asked.is_reversal()), "it hears of no other purchase");
    let book = stage.book();
    assert_eq!(book.transactions.len(), 3 + 6, "no INTENT for what is not asked: {:?}", book.findings);
}

/// Slow is neither dead nor a reason for anybody else to wait.
#[test]
fn while_an_issuer_is_slow_its_neighbour_answers() {
    let (stage, _meadow) = stage_within("reconnect_max_ms = 50\nbreaker_timeouts = 0", 28_000);
    let mut line = stage.acquirer();
    let slow: Vec<Ask> = (1..=SLOW).map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100)).collect();
    line.send_all(&slow).unwrap();
    let in_flight = || stage.metric("pointsman_in_flight", HARBOUR);
    testkit::wait_for("all of them in flight", || in_flight() == f64::from(SLOW));
    let held: Vec<_> = slow.iter().map(|_| stage.issuer.asked()).collect();
    let mut neighbour = stage.acquirer();
    for stan in 1..=SLOW {
        let answer = neighbour.ask(&Ask::purchase(MEADOW_CARD, 1_000 + stan, 100)).unwrap();
        assert_eq!((answer.stan.get(), answer.code.as_str()), (1_000 + stan, "00"));
    }
    assert_eq!(in_flight(), f64::from(SLOW), "the slow one has answered nothing meanwhile");
    held.iter().for_each(|asked| asked.answer("00"));
    slow.iter().for_each(|_| assert_eq!(line.hear().unwrap().code.as_str(), "00"));
    let book = stage.book();
    assert!(book.transactions.values().all(|entry| entry.stands()) && book.findings.is_empty());
}

/// In flight to the slow one.
const SLOW: u32 = 50;

#[test]
fn good_probes_bring_it_back() {
    let (stage, _meadow) = stage("reconnect_max_ms = 50\nbreaker_probe_ms = 100\nbreaker_probes = 3");
    let mut line = stage.acquirer();
    let asks: Vec<Ask> = (1..=3).map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100)).collect();
    line.send_all(&asks).unwrap();
    asks.iter().for_each(|_| assert_eq!(line.hear().unwrap().code.as_str(), "91"));
    stage.reaches("pointsman_breaker_opened_total", HARBOUR, 1.0);
    testkit::wait_for("it answers echoes, and is asked again", || stage.metric(STATE, HARBOUR) == 0.0);

    // The three of before wait for their answers in the test; only what comes after them is answered.
    line.send(&Ask::purchase(HARBOUR_CARD, 4, 700)).unwrap();
    while {
        let asked = stage.issuer.asked();
        asked.answer("00");
        asked.is_reversal() || asked.request.amount != 700
    } {}
    assert_eq!(line.hear().unwrap().code.as_str(), "00");
}

#[test]
fn the_last_link_lost_opens_it_and_a_steady_one_closes_it() {
    let (stage, _meadow) = stage("reconnect_max_ms = 50\nsteady_echoes = 5");
    stage.issuer.cut();
    stage.reaches("pointsman_breaker_opened_total", HARBOUR, 1.0);
    testkit::wait_for("a link that proved itself", || stage.metric(STATE, HARBOUR) == 0.0);
    let mut line = stage.acquirer();
    line.send(&Ask::purchase(HARBOUR_CARD, 1, 100)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(line.hear().unwrap().code.as_str(), "00");
}
