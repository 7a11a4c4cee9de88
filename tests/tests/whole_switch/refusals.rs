//! What bad input gets: a code where the sender can be told, a closed connection where he cannot.
//! Never an approval. Guards: every refusal has its code and its count, and the issuer hears of none of them.

use crate::stories::{HARBOUR_CARD, Stage};
use std::io;
use terms::{Flags, InternalCause};
use testkit::{metric, wait_for};
use tests::certificates::Certificates;
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::{Process, root};
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn whoever_may_not_trade_is_told_why() {
    let stage = Stage::new();
    let mut till = stage.till();
    let ask = |stan| Ask::purchase(HARBOUR_CARD, stan, 1_000);
    let suspended = Ask { merchant: "123456789000000".into(), ..ask(2).at("T0000101") };
    let foreign = Ask { pan: "4000000000000002".into(), ..ask(3) };
    let with_pin = Ask { pin: Some([7; 8]), ..ask(4) };
    for (case, code) in [
        (ask(1).at("T9999999"), "97"),
        (suspended, "03"),
        (foreign, "15"),
        (with_pin, "57"),
        (Ask { code: 200_000, ..ask(5) }, "12"),
    ] {
        assert_eq!(till.ask(&case).unwrap().code.as_str(), code, "{}", case.terminal);
    }
    let declined = stage.metric("pointsman_declines_by_code_total", &[]);
    assert_eq!(declined, 5.0, "each is counted");
    assert!(stage.issuer.backlog().is_empty());
}

#[test]
fn a_malformed_field_is_told_with_30() {
    let stage = Stage::new();
    let mut line = stage.acquirer();
    line.send_bytes(&malformed(9)).unwrap();
    let told = line.hear().unwrap();
    assert_eq!((told.stan.get(), told.code.as_str()), (9, "30"));
    assert!(stage.issuer.backlog().is_empty());
    let declined = ["cause=\"operator\"", "source=\"format\""];
    assert_eq!(stage.metric("pointsman_declines_total", &declined), 1.0, "counted before it is told");
    assert_eq!(stage.metric("pointsman_declines_by_code_total", &["rc=\"30\""]), 1.0);
    let book = stage.book();
    assert_eq!(book.refused.get(&(InternalCause::FormatError as u8)), Some(&1), "{:?}", book.refused);
    assert!(book.transactions.is_empty());
}

#[test]
fn malformed_messages_wait_for_their_turn_within_the_connection_s_bound() {
    let stage = Stage::with(|shop| {
        shop.edits = vec![("in_flight_per_connection = 4_096", "in_flight_per_connection = 4")];
    });
    let mut line = stage.acquirer();
    let good = Speech::acquirer().frame(&Ask::purchase(HARBOUR_CARD, 31, 100));
    let frames: Vec<u8> = (1..=30).flat_map(malformed).chain(good).collect();
    line.send_bytes(&frames).unwrap();
    for stan in 1..=30 {
        let told = line.hear().unwrap();
        assert_eq!((told.stan.get(), told.code.as_str()), (stan, "30"));
    }
    stage.issuer.asked().answer("00");
    assert_eq!(line.hear().unwrap().code.as_str(), "00");
    let book = stage.book();
    assert_eq!(book.refused.get(&(InternalCause::FormatError as u8)), Some(&30), "{:?}", book.refused);
}

/// A purchase with a letter in its amount.
fn malformed(stan: u32) -> Vec<u8> {
    let mut frame = Speech::acquirer().frame(&Ask::purchase(HARBOUR_CARD, stan, 123_456));
    let amount = b"000000123456";
    let at = frame.windows(amount.len()).position(|window| window == amount).unwrap();
    frame[at + 3] = b'x';
    frame
}

#[test]
fn garbage_and_oversize_frames_end_the_connection_and_are_counted() {
    let stage = Stage::new();
    let oversize = [&[0xFF, 0xFF][..], &[b'0'; 64]].concat();
    let garbage = [&[0, 40][..], &[0xA5; 40]].concat();
    for (count, bytes) in [(1.0, oversize), (2.0, garbage)] {
        let mut line = stage.acquirer();
        line.send_bytes(&bytes).unwrap();
        let closed = line.hear().unwrap_err();
        assert!(!matches!(closed.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{closed}");
        stage.reaches("pointsman_violations_total", &["side=\"terminal\""], count);
    }
    let mut line = stage.acquirer();
    line.send(&Ask::purchase(HARBOUR_CARD, 1, 100)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(line.hear().unwrap().code.as_str(), "00", "others do not notice");
}

#[test]
fn only_certificates_of_our_own_authority_are_let_in() {
    let stage = Stage::new();
    let other = Certificates::make(&stage.shop.dir.path().join("other"));
    let certificates = &stage.shop.certificates;
    let address = stage.listener("acquirer");
    for client in [certificates.stranger(), certificates.client_of(Some(&other))] {
        // TLS 1.3 lets the client finish first: the refusal comes with the first answer at the latest.
        let answer = Terminal::tls(address, &Speech::acquirer(), &client)
            .and_then(|mut line| line.ask(&Ask::purchase(HARBOUR_CARD, 1, 100)));
        assert!(answer.is_err(), "{answer:?}");
    }
    assert!(
        Terminal::tls(address, &Speech::acquirer(), &other.stranger()).is_err(),
        "nor do we trust any server"
    );
    let mut line = stage.acquirer();
    line.send(&Ask::purchase(HARBOUR_CARD, 1, 100)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(line.hear().unwrap().code.as_str(), "00");
    assert!(stage.issuer.backlog().is_empty());
}

#[test]
fn a_pin_goes_only_where_listener_and_link_allow_it() {
    let listener = ("name = \"pos\"", "name = \"pos\"\npin = \"passthrough\"");
    let link = ("name = \"a\"", "name = \"a\"\npin = \"passthrough\"");
    let with_pin = |stan| Ask { pin: Some([7; 8]), ..Ask::purchase(HARBOUR_CARD, stan, 100) };
    for edits in [vec![listener], vec![link], vec![]] {
        let stage = Stage::with(|shop| shop.edits = edits);
        let mut till = stage.till();
        assert_eq!(till.ask(&with_pin(1)).unwrap().code.as_str(), "57");
        assert!(stage.issuer.backlog().is_empty());
        stage.switch.stop().unwrap();
    }
    // One of two links takes it: it goes over that one, however the turns fall.
    let stage = Stage::with(|shop| {
        shop.twin_links = true;
        shop.edits = vec![listener, link];
    });
    stage.reaches("pointsman_link_up", &[], 2.0);
    let mut till = stage.till();
    for stan in 1..=8 {
        till.send(&with_pin(stan)).unwrap();
        let asked = stage.issuer.asked();
        assert!(asked.request.flags.has(Flags::PIN), "the issuer gets the PIN");
        asked.answer("00");
        assert_eq!(till.hear().unwrap().code.as_str(), "00");
    }
    let journal = stage.shop.journal();
    stage.switch.stop().unwrap();
    assert!(!tests::shop::holds(&journal, &[7; 8]), "the journal holds a PIN block");
}

#[test]
fn what_an_issuer_s_dialect_cannot_say_is_declined_logged_and_counted() {
    let issuer = Scripted::start();
    let mut shop = Shop::new(issuer.address);
    let narrow = std::fs::read_to_string(root().join("crates/iso8583/dialects/iso87-binary.toml")).unwrap();
    let wide = "\n42 = { name = \"card acceptor identification code\", type = \"ans\", size = 15 }";
    assert!(narrow.contains(wide));
    std::fs::write(shop.dir.path().join("narrow.toml"), narrow.replace(wide, &wide.replace("15", "9")))
        .unwrap();
    shop.edits = vec![("dialect = \"iso87-binary\"", "dialect = \"narrow.toml\"")];
    let process = Process::serve(&shop.file());
    process.ready();
    let client = shop.certificates.stranger();
    let mut till = Terminal::tls(process.listener("pos"), &Speech::unionpay(), &client).unwrap();
    for stan in 1..=5 {
        let answer = till.ask(&Ask::purchase(HARBOUR_CARD, stan, 1_000)).unwrap();
        assert_ne!(answer.code.as_str(), "00");
    }
    let counted =
        || metric(&process.metrics(), "pointsman_unencodable_requests_total", &["issuer=\"harbour\""]);
    wait_for("all counted", || counted() == 5.0);
    assert!(issuer.backlog().is_empty(), "nothing was sent, and nothing is owed");
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    let told = log.lines().filter(|line| line.contains("cannot be encoded")).collect::<Vec<_>>();
    assert!((1..5).contains(&told.len()), "told, but not once for each: {told:#?}");
    assert!(told[0].contains("field 42") && !told[0].contains("123456789123456"), "{}", told[0]);
}
