//! No card number leaves through the log, whatever way it came in; and JSON lines stay JSON.

use std::{
    io,
    sync::{Arc, Mutex},
};
use telemetry::{
    logging::{Format, subscriber},
    redacted,
};
use tracing::{error, info, info_span, level_filters::LevelFilter};
use tracing_subscriber::fmt::MakeWriter;

#[test]
fn runs_of_twelve_and_more_digits_are_masked() {
    for (line, expected) in [
        ("", ""),
        ("pan 6224242900000113.", "pan 622424******0113."),
        ("12345678901", "12345678901"),
        ("123456789012", "123456**9012"),
        ("1234567890123456789", "123456*********6789"),
        // A track, a dump in hex, two in one line, at both ends.
        ("6224242900000113=28062010000012345678", "622424******0113=280620**********5678"),
        ("0200702406c020c09a16622424290000011300", "0200702406c020c09a166224**********1300"),
        ("6224242900000113,378282246310005", "622424******0113,378282*****0005"),
        (
            "2026-11-22T19:16:05.123456Z amount=000000001000",
            "2026-11-22T19:16:05.123456Z amount=000000**1000",
        ),
        ("卡号6224242900000113已锁", "卡号622424******0113已锁"),
    ] {
        assert_eq!(String::from_utf8_lossy(&redacted(line.as_bytes(), false)), expected);
    }
}

#[test]
fn json_stays_json() {
    for (line, expected) in [
        (r#"{"pan":6224242900000113}"#, r#"{"pan":"622424******0113"}"#),
        (r#"{"pan":"6224242900000113"}"#, r#"{"pan":"622424******0113"}"#),
        (
            r#"{"a":-6224242900000113,"b":[1,6224242900000113]}"#,
            r#"{"a":"-622424******0113","b":[1,"622424******0113"]}"#,
        ),
        (r#"{"a":0.6224242900000113e3}"#, r#"{"a":"0.622424******0113e3"}"#),
        (
            r#"{"a\\":6224242900000113,"\"6224242900000113":1}"#,
            r#"{"a\\":"622424******0113","\"622424******0113":1}"#,
        ),
        (r#"{"a":"5, -6224242900000113"}"#, r#"{"a":"5, -622424******0113"}"#),
        (
            r#"{"a":1.123456789012345,"b":378282246310005}"#,
            r#"{"a":"1.123456*****2345","b":"378282*****0005"}"#,
        ),
    ] {
        let found = redacted(line.as_bytes(), true).into_owned();
        assert_eq!(String::from_utf8_lossy(&found), expected);
        serde_json::from_slice::<serde_json::Value>(&found).unwrap();
    }
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<String>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(format: Format, say: impl FnOnce()) -> Vec<String> {
    let memory = Memory::default();
    tracing::subscriber::with_default(subscriber(format, LevelFilter::INFO, memory.clone()), say);
    memory.0.lock().unwrap().clone()
}

fn careless() {
    let span = info_span!("purchase", card = 6_224_242_900_000_113_u64);
    let _inside = span.enter();
    info!(pan = "6224242900000113", number = 6_224_242_900_000_113_u64, "card {} seen", "6224242900000113");
    error!(track = ?b"6224242900000113", issuer = "bank-a", "no answer from {:?}", Some("6224242900000113"));
    tracing::debug!("below the level");
}

#[test]
fn nothing_gets_through_either_form() {
    for format in [Format::Json, Format::Human] {
        let lines = logged(format, careless);
        assert_eq!(lines.len(), 2, "one write per event: {lines:?}");
        for line in &lines {
            assert!(line.ends_with('\n') && !line.contains("6224242900000113"), "{line}");
            assert!(line.contains("622424******0113"), "{line}");
        }
    }
}

#[test]
fn json_lines_can_be_read_by_machines() {
    for line in logged(Format::Json, careless) {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(event["level"].is_string() && event["message"].is_string() && event["timestamp"].is_string());
    }
}

#[test]
fn people_get_text_without_control_codes() {
    let lines = logged(Format::Human, || info!(issuer = "bank-a", depth = 3, "owed"));
    assert!(lines[0].contains("INFO") && lines[0].contains("owed issuer=\"bank-a\" depth=3"), "{}", lines[0]);
    assert!(!lines[0].contains('\u{1b}'));
}
