//! Store-and-forward that is full: nothing new is admitted for that issuer, nothing is dropped, nobody else notices, and when
//! it has taken what it is owed it is asked again.
//! Never a sleep. Guards: what cannot be reversed is not sent.

use crate::stories::{HARBOUR_CARD, MEADOW_CARD, Stage};
use books::switch_book::State;
use issuer_sim::{IssuerConfig, Listen, Simulator, server_config};
use terms::InternalCause;
use tests::message::Ask;

/// Room for this much, in flight or owed.
const ROOM: u32 = 16;
/// Owed beyond this, nothing new: four fifths of it, rounded up.
const HIGH_WATER: u32 = 13;
/// What stand-in would approve, and what it would not.
const SMALL: u64 = 1_000;
const LARGE: u64 = 10_000;
const STAND_IN: &str = r#"[issuer.stand_in]
limits = "stand-in"
[[issuer.link]]"#;
const CEILINGS: &str = r#"[[limits]]
name = "stand-in"
currency = "CNY"
single = "50.00"
daily = "500.00"
count = 100
[[issuer]]"#;
const STANDS: &str = "pointsman_stand_in_total";

/// Harbour has little room and stand-in; it never looks dead. Meadow does as it is asked.
fn stage(timeout_ms: u32) -> (Stage, Simulator) {
    let mut simulator = None;
    let stage = Stage::with(|shop| {
        let (cert, key) = (shop.certificates.file("switch.pem"), shop.certificates.file("switch.key"));
        let listen = Listen::loopback_tls(server_config(&cert, &key, None).unwrap());
        let meadow = IssuerConfig::new("meadow", "iso87-ascii").account(MEADOW_CARD, 1_000_000);
        let meadow = Simulator::start(vec![(meadow, listen)]).unwrap();
        (shop.meadow, shop.timeout_ms) = (meadow.address("meadow"), timeout_ms);
        shop.edits = vec![
            ("workers = 2", "workers = 1"),
            ("reconnect_max_ms = 50", "reconnect_max_ms = 50\nbreaker_timeouts = 0\nsaf_max = 16"),
            ("[[issuer.link]]", STAND_IN),
            ("[[issuer]]", CEILINGS),
        ];
        simulator = Some(meadow);
    });
    stage.reaches("pointsman_link_up", &[], 2.0);
    (stage, simulator.expect("started"))
}

#[test]
fn what_is_owed_beyond_the_high_water_mark_stops_admission_until_it_is_taken() {
    let (stage, _meadow) = stage(300);
    let (mut till, mut line) = (stage.till(), stage.acquirer());
    let silent: Vec<Ask> = (1..=HIGH_WATER).map(|stan| Ask::purchase(HARBOUR_CARD, stan, LARGE)).collect();
    till.send_all(&silent).unwrap();
    silent.iter().for_each(|_| assert_eq!(till.hear().unwrap().code.as_str(), "98", "not answered in time"));
    let depth = || stage.metric("pointsman_saf_depth", &["issuer=\"harbour\""]);
    testkit::wait_for("all of them owed", || depth() == f64::from(HIGH_WATER));

    let stood = stage.metric(STANDS, &[]);
    for stan in 101..=103 {
        let refused = till.ask(&Ask::purchase(HARBOUR_CARD, stan, SMALL)).unwrap();
        assert_eq!(refused.code.as_str(), "91", "at once, and stand-in is not taken");
        let other = line.ask(&Ask::purchase(MEADOW_CARD, stan, SMALL)).unwrap();
        assert_eq!(other.code.as_str(), "00", "its neighbour goes on");
    }
    assert_eq!(stage.metric(STANDS, &[]), stood, "stand-in was not even asked");
    assert_eq!(stage.metric("pointsman_issuer_timeouts_total", &[]), f64::from(HIGH_WATER));
    let system = ["cause=\"system\"", "source=\"route\"", "issuer=\"harbour\""];
    stage.reaches("pointsman_declines_total", &system, 3.0);
    assert_eq!(depth(), f64::from(HIGH_WATER), "nothing is dropped to make room");

    testkit::wait_for("the issuer takes what it is owed", || {
        for asked in stage.issuer.backlog() {
            let late = !asked.is_reversal();
            assert!(!late || asked.request.amount == LARGE as i64, "it hears of nothing that was refused");
            // What it was silent about it stays silent about.
            if !late {
                asked.answer("00");
            }
        }
        depth() == 0.0
    });
    till.send(&Ask::purchase(HARBOUR_CARD, 201, SMALL)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00", "there is room again");

    let book = stage.book();
    let count = |state| book.transactions.values().filter(|entry| entry.state == state).count();
    assert_eq!((count(State::Reversed), count(State::Approved)), (HIGH_WATER as usize, 1 + 3));
    assert_eq!(book.transactions.len(), HIGH_WATER as usize + 4, "no INTENT for what is refused");
    assert_eq!(book.refused.get(&(InternalCause::StoreAndForwardFull as u8)), Some(&3));
    assert!(book.findings.is_empty(), "{:?}", book.findings);
}

/// Each request in flight has the room of the reversal that it may come to.
#[test]
fn what_is_in_flight_takes_room_too() {
    let (stage, _meadow) = stage(20_000);
    let mut till = stage.till();
    let asks: Vec<Ask> = (1..=ROOM).map(|stan| Ask::purchase(HARBOUR_CARD, stan, SMALL)).collect();
    till.send_all(&asks).unwrap();
    let in_flight: Vec<_> = asks.iter().map(|_| stage.issuer.asked()).collect();
    let refused = till.ask(&Ask::purchase(HARBOUR_CARD, ROOM + 1, SMALL)).unwrap();
    assert_eq!((refused.code.as_str(), refused.stan.get()), ("91", ROOM + 1), "before any of the others");
    in_flight.iter().for_each(|asked| asked.answer("00"));
    asks.iter().for_each(|_| assert_eq!(till.hear().unwrap().code.as_str(), "00"));
    till.send(&Ask::purchase(HARBOUR_CARD, ROOM + 2, SMALL)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00");
    let book = stage.book();
    assert_eq!(book.refused.get(&(InternalCause::StoreAndForwardFull as u8)), Some(&1));
    assert_eq!((book.transactions.len(), book.findings.len()), (ROOM as usize + 1, 0), "{:?}", book.findings);
}
