//! The same bytes that the switch's own test writes down, read from the page alone.

use books::record::{Advised, Name, Payload, state};

/// Kind and bytes by the record's name. The file is the switch's; no code of it is used.
fn golden(name: &str) -> (u8, Vec<u8>) {
    let lines = include_str!("../../../engine/tests/memory/golden.txt").lines();
    let (number, hex) = lines
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| *found == name)
        .unwrap_or_else(|| panic!("{name} is not among the golden records"));
    let kinds = [
        ("INTENT", 1),
        ("OUTCOME", 2),
        ("OUTCOME of an advice", 2),
        ("REFUSED", 3),
        ("OBLIGATION reverse", 4),
        ("OBLIGATION look up", 4),
        ("OBLIGATION reverse in part", 4),
        ("OBLIGATION reverse again", 4),
        ("OBLIGATION reverse the request", 4),
        ("ACK", 5),
        ("ACK of an advice", 5),
        ("TOMBSTONE", 6),
        ("LATE", 7),
        ("UNMATCHED", 8),
        ("UNDELIVERED", 9),
        ("PARKED", 10),
        ("PARKED of an advice", 10),
        ("DAY", 11),
        ("CONFIG", 12),
    ];
    let kind = kinds.iter().find(|(name, _)| *name == number).unwrap().1;
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    (kind, bytes.collect())
}

fn read(name: &str) -> Payload {
    let (kind, bytes) = golden(name);
    Payload::read(kind, &bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

const SERIAL: u64 = 0x0003_0400_0000_002A;
const WALL: u64 = 1_763_774_115_000;

#[test]
fn an_intent_says_who_what_and_under_which_number() {
    let Payload::Intent(intent) = read("INTENT") else { panic!("not an intent") };
    assert_eq!((intent.serial, intent.at, intent.kind, intent.mti), (SERIAL, WALL, 0, 0x0200));
    assert_eq!((intent.amount, intent.currency), (1250, 156));
    assert_eq!((intent.issuer, intent.link), (0xA11, 0xA12));
    assert_eq!((intent.link_stan, intent.link_transmission), (41, 1_122_013_015));
    assert_eq!((intent.issuer_day, intent.acquirer_day), (9458, 9457));
    assert_eq!((intent.stan, intent.local_time, intent.local_date), (7, Some(93_014), 1122));
    assert_eq!((intent.batch, intent.rrn.as_str()), (101, "3260000P07EV"));
    assert_eq!(intent.terminal_rrn.as_deref(), Some("TERMINALRRN1"));
    let identity = [intent.acquirer.as_str(), &intent.terminal, &intent.merchant];
    assert_eq!(identity, ["12345678", "T0000001", "M00000000000001"]);
}

#[test]
fn an_advice_has_a_number_of_its_own() {
    let number = Some(Advised { stan: 9, transmission: 1_122_013_016 });
    let Payload::Outcome(outcome) = read("OUTCOME of an advice") else { panic!("not an outcome") };
    assert_eq!((outcome.state, outcome.advised), (state::STAND_IN, number));
    let Payload::Ack(ack) = read("ACK of an advice") else { panic!("not an ack") };
    assert_eq!((ack.state, ack.refused, ack.advised), (state::APPROVED, true, number));
}

#[test]
fn an_outcome_says_how_it_ended() {
    let Payload::Outcome(outcome) = read("OUTCOME") else { panic!("not an outcome") };
    assert_eq!((outcome.serial, outcome.intent, outcome.at), (SERIAL, 0x1234_5678, WALL + 1));
    assert_eq!((outcome.state, outcome.approval_seen), (state::REVERSING, true));
    assert_eq!((outcome.reason, outcome.cause, outcome.code.as_deref()), (Some(1), Some(13), Some("68")));
    assert_eq!((outcome.approval_code.as_deref(), outcome.approved_amount), (Some("A1B2C3"), Some(1000)));
}

#[test]
fn the_other_kinds_are_read_too() {
    let Payload::Refused(refused) = read("REFUSED") else { panic!("not a refusal") };
    assert_eq!((refused.amount, refused.stan, refused.batch, refused.issuer), (1250, 41, 101, 0xA11));
    assert_eq!((refused.terminal.as_str(), refused.code), ("T0000001", None));
    let Payload::Owed(owed) = read("OBLIGATION reverse") else { panic!("not a reversal") };
    assert_eq!((owed.serial, owed.intent, owed.reason), (SERIAL, 0x1234_5678, 0));
    assert_eq!((owed.search, owed.approval_seen, owed.stays), (77, true, None));
    let Payload::Owed(owed) = read("OBLIGATION reverse in part") else { panic!("not a reversal") };
    assert_eq!((owed.search, owed.stays), (77, Some(900)));
    let Payload::Owed(owed) = read("OBLIGATION reverse the request") else { panic!("not a reversal") };
    assert!(owed.request_only && owed.advised.is_some());
    assert!(matches!(read("OBLIGATION reverse again"), Payload::Owed(owed) if !owed.request_only));
    assert_eq!(read("OBLIGATION look up"), Payload::Search(SERIAL));
    let Payload::Ack(ack) = read("ACK") else { panic!("not an ack") };
    assert_eq!((ack.serial, ack.state, ack.code.as_deref()), (SERIAL, state::REVERSED, Some("25")));
    assert_eq!(ack.amount, Some(900));
    assert_eq!(read("TOMBSTONE"), Payload::Tombstone(SERIAL));
    assert_eq!(read("LATE"), Payload::Late(SERIAL, true));
    let Payload::Unmatched(unmatched) = read("UNMATCHED") else { panic!("not unmatched") };
    assert_eq!(
        (unmatched.link, unmatched.stan, unmatched.approves, unmatched.amount),
        (0xA12, 41, true, 1250)
    );
    assert_eq!(read("UNDELIVERED"), Payload::Undelivered(SERIAL));
    assert_eq!(read("PARKED"), Payload::Parked(SERIAL, false));
    assert_eq!(read("PARKED of an advice"), Payload::Parked(SERIAL, true));
    assert_eq!(read("DAY"), Payload::Day(WALL + 3, 0xC1, 9459));
    let name = |of: &str, number, name: &str| Name { of: of.into(), number, name: name.into() };
    let names = vec![
        name("issuer", 0xA11, "huaxia"),
        name("link", 0xA12, "huaxia/one"),
        name("calendar", 0xC1, "cn"),
    ];
    assert_eq!(read("CONFIG"), Payload::Config(names));
}

/// Every cut and every changed byte gives a record or a fault.
#[test]
fn nothing_that_is_read_panics() {
    for name in ["INTENT", "OUTCOME", "REFUSED", "OBLIGATION reverse", "OBLIGATION look up", "ACK", "CONFIG"]
    {
        let (kind, bytes) = golden(name);
        for cut in 0..bytes.len() {
            // Names are text of any length: a cut one may still be lines.
            assert!(Payload::read(kind, &bytes[..cut]).is_err() || name == "CONFIG", "{name} cut at {cut}");
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut spoiled = bytes.clone();
                spoiled[at] = value;
                (0..=14).for_each(|kind| drop(Payload::read(kind, &spoiled)));
            }
        }
        let longer = [&bytes[..], &[0xFF]].concat();
        assert!(Payload::read(kind, &longer).is_err(), "{name} and a byte");
    }
}
