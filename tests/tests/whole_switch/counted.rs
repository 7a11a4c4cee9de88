//! Series that stand at zero until something happens, and what makes each of them move.
//! Never a number that the clock decides. Guards: what an alarm would be built on is fed.

use crate::stories::{HARBOUR_CARD, Stage};
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::wait_for;
use tests::message::Ask;

const HANDSHAKES: &str = "pointsman_tls_handshakes_total";

#[test]
fn the_first_certificate_to_end_is_told() {
    let stage = Stage::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let ends = stage.metric("pointsman_tls_certificate_not_after_timestamp_seconds", &[]);
    assert!(ends > now, "{ends} is the past: it is {now}");
}

#[test]
fn a_purchase_s_way_through_the_journal_is_timed() {
    let stage = Stage::new();
    let mut till = stage.acquirer();
    till.send(&Ask::purchase(HARBOUR_CARD, 1_250, 1)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00");
    let journal = || stage.metric("pointsman_request_duration_seconds_count", &["stage=\"journal\""]);
    assert!(journal() >= 2.0, "INTENT and OUTCOME, but {}", journal());
}

#[test]
fn only_handshakes_are_counted_as_handshakes() {
    let stage = Stage::new();
    let counted = |result| stage.metric(HANDSHAKES, &[result]);
    // Its issuer's link is plain.
    assert_eq!((counted("result=\"ok\""), counted("result=\"failed\"")), (0.0, 0.0));
    let _till = stage.acquirer();
    stage.reaches(HANDSHAKES, &["result=\"ok\""], 1.0);
    assert_eq!(counted("result=\"ok\""), 1.0);
}

#[test]
fn an_issuer_s_handshake_that_fails_is_counted() {
    let closes = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closes.local_addr().unwrap();
    std::thread::spawn(move || closes.incoming().flatten().for_each(drop));
    let stage = Stage::with(|shop| shop.meadow = Some(address));
    stage.reaches(HANDSHAKES, &["result=\"failed\""], 1.0);
    assert_eq!(stage.metric(HANDSHAKES, &["result=\"ok\""]), 0.0);
}

#[test]
fn a_terminal_that_comes_back_over_another_connection_is_counted() {
    let stage = Stage::new();
    let reconnects = || stage.metric("pointsman_terminal_failures_total", &["reason=\"reconnect\""]);
    let ask = Ask::purchase(HARBOUR_CARD, 1_250, 1);
    let mut till = stage.acquirer();
    till.send(&ask).unwrap();
    let asked = stage.issuer.asked();
    till.send(&ask).unwrap();
    stage.reaches("pointsman_duplicates_total", &[], 1.0);
    assert_eq!(reconnects(), 0.0, "the same connection");
    let mut again = stage.acquirer();
    again.send(&ask).unwrap();
    wait_for("a reconnect", || reconnects() == 1.0);
    asked.answer("00");
    assert_eq!(again.hear().unwrap().code.as_str(), "00");
}
