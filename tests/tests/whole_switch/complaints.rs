//! What the log says of peers that send what is no message, or answer what nobody asked.
//! Never more of it than one line a second and worker, whatever comes. Guards: who, where, expected, found; no card number.

use crate::stories::HARBOUR_CARD;
use testkit::{metric, wait_for};
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::Process;
use tests::shop::Shop;
use tests::terminal::Terminal;

/// A switch as a process, an issuer that says anything, and the shop around them.
struct Scene {
    issuer: Scripted,
    _shop: Shop,
    process: Process,
}

impl Scene {
    fn new() -> Self {
        let issuer = Scripted::start();
        let shop = Shop { plain: true, ..Shop::new(issuer.address) };
        let process = Process::serve(&shop.file());
        process.ready();
        Self { issuer, _shop: shop, process }
    }

    fn acquirer(&self) -> Terminal {
        Terminal::plain(self.process.listener("acquirer"), &Speech::acquirer()).unwrap()
    }

    #[track_caller]
    fn counts(&self, family: &str, labels: &[&str], value: f64) {
        wait_for(family, || metric(&self.process.metrics(), family, labels) >= value);
    }

    /// The lines of the log that hold `text`, after the end of the process.
    fn told(self, text: &str) -> Vec<serde_json::Value> {
        self.process.terminate();
        let (status, log) = self.process.ended();
        assert!(status.success(), "{log}");
        assert!(!log.contains(HARBOUR_CARD), "{log}");
        log.lines()
            .filter(|line| line.contains(text))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Told at least once, and far from as often as it happened: what was kept back is counted.
#[track_caller]
fn few(told: &[serde_json::Value], happened: u64) {
    let kept: u64 = told.iter().map(|line| line["before"].as_u64().unwrap()).sum();
    assert!(!told.is_empty() && told.len() as u64 + kept <= happened, "{told:#?}");
    assert!((told.len() as u64) < happened / 2, "{told:#?}");
}

#[test]
fn a_connection_dropped_for_its_bytes_is_told_with_listener_field_and_byte() {
    let scene = Scene::new();
    let mut broken = Speech::acquirer().frame(&Ask::purchase(HARBOUR_CARD, 123_456, 100));
    let at = broken.windows(6).position(|window| window == b"123456").unwrap();
    broken[at + 2] = b'?';
    let times = 64;
    for _ in 0..times {
        let mut line = scene.acquirer();
        line.send_bytes(&broken).unwrap();
        assert!(line.hear().is_err(), "without a STAN there is nothing to answer");
    }
    scene.counts("pointsman_violations_total", &["side=\"terminal\""], times as f64);
    let told = scene.told("a peer broke the protocol");
    few(&told, times);
    let line = &told[0];
    let where_and_why = format!("field 11 at byte {}: expected decimal digits, found byte 0x3f", at);
    assert_eq!(line["listener"], "acquirer");
    assert_eq!(line["error"], format!("cannot read a message: {where_and_why}"), "{line}");
}

#[test]
fn a_refused_message_is_told_with_listener_field_and_byte_but_never_a_secret() {
    let scene = Scene::new();
    let mut broken = Speech::acquirer().frame(&Ask::purchase(HARBOUR_CARD, 7, 100));
    let at = broken.windows(16).position(|window| window == HARBOUR_CARD.as_bytes()).unwrap();
    broken[at + 15] = b'?';
    let mut line = scene.acquirer();
    let times = 20;
    for _ in 0..times {
        line.send_bytes(&broken).unwrap();
        assert_eq!(line.hear().unwrap().code.as_str(), "30");
    }
    let told = scene.told("a message was refused");
    few(&told, times);
    assert_eq!(told[0]["listener"], "acquirer");
    let error = told[0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("field 2 at byte ") && error.ends_with("found something else (masked)"),
        "{error}"
    );
}

#[test]
fn an_issuer_s_bytes_and_answers_that_nobody_asked_for_are_told_with_the_link() {
    let scene = Scene::new();
    let times = 20;
    // An 0210 with DE 11 and 39 alone: nobody asked, and it does not say when it was asked.
    let stray = b"\x02\x10\x00\x20\x00\x00\x02\x00\x00\x00\x00\x09\x9900";
    let stray = [&(stray.len() as u16).to_be_bytes(), &stray[..]].concat();
    for _ in 0..times {
        scene.issuer.say(&stray);
    }
    scene.counts("pointsman_unmatched_responses_total", &[], times as f64);
    scene.issuer.say(b"\x00\x04\xA5\xA5\xA5\xA5");
    scene.counts("pointsman_violations_total", &["side=\"issuer\""], 1.0);
    // Longer than a frame may be: the line is cut.
    scene.issuer.say(b"\xFF\xFF\x00");
    wait_for("a link down", || scene.process.log().contains("link down"));
    let Scene { issuer, _shop, process } = scene;
    let log = process.log();
    drop((issuer, process));
    let lines = |text: &str| -> Vec<serde_json::Value> {
        log.lines()
            .filter(|line| line.contains(text))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let strays = lines("an answer matches nothing");
    few(&strays, times);
    assert_eq!((&strays[0]["link"], &strays[0]["reason"]), (&"harbour/a".into(), &"no DE 7".into()));
    let broken = lines("an issuer broke the protocol");
    assert_eq!(broken.len(), 1, "{log}");
    assert_eq!(broken[0]["link"], "harbour/a");
    let error = broken[0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("cannot find the next frame: frame length at byte 0: expected at most"),
        "{error}"
    );
}
