//! One type of transaction in the words of each dialect: golden messages, and every type that one can read from another.
//! Guards: what arrives is what was meant, or nothing is written.

mod common;

use bytes::BytesMut;
use common::{index, message, ours, read, told};
use iso8583::{Dialect, EncodeWhy, Forward, forward, reply_from_answer, say};
use terms::{Kind, ResponseCode};

const CARD: &str = "2=6224242900000113";
const REST: &str = "41=10000019 42=850100082410002 49=156";

/// The message as the other dialect gets it, and what that takes it for.
fn goes(from: &str, text: &str, to: &str) -> Result<(String, Kind, Kind), EncodeWhy> {
    let (from, bytes) = message(from, text);
    let request = read(&(from.clone(), bytes.clone())).unwrap();
    let to = Dialect::builtin(to).unwrap();
    let words = say(&to, &request).map_err(|error| error.why)?;
    let mut out = BytesMut::new();
    let change = Forward { words, batch: 7, ..ours() };
    forward(&from, &bytes, &index(&from, &bytes), &to, &change, &mut out).unwrap();
    let arrives = read(&(to.clone(), out.to_vec())).unwrap();
    Ok((told(&to, &out), request.kind, arrives.kind))
}

/// Without what every line has.
fn words(text: &str) -> String {
    // Message types alone begin with a zero.
    let named = ["0", "3=", "25=", "60="];
    let kept = text.split(' ').filter(|word| named.iter().any(|start| word.starts_with(start)));
    kept.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_a_unionpay_terminal_asks_reaches_an_iso_issuer_as_what_it_is() {
    for (mti, code, condition, function, expected) in [
        ("0200", "000000", "00", "22", "0200 3=000000 25=00"),
        ("0200", "200000", "00", "23", "0200 3=020000 25=00"),
        ("0200", "201000", "00", "23", "0200 3=021000 25=00"),
        ("0200", "310000", "00", "01", "0200 3=310000 25=00"),
        ("0100", "030000", "06", "10", "0100 3=030000 25=06"),
        ("0100", "200000", "06", "11", "0100 3=200000 25=06"),
        ("0200", "000000", "06", "20", "0200 3=000000 25=06"),
        ("0200", "000000", "00", "20", "0200 3=000000 25=06"),
        ("0200", "200000", "06", "21", "0200 3=020000 25=06"),
        ("0220", "200000", "00", "25", "0220 3=200000 25=00"),
        ("0220", "000000", "00", "24", "0220 3=000000 25=06"),
        ("0220", "000000", "00", "30", "0220 3=000000 25=00"),
        ("0220", "000000", "00", "32", "0220 3=020000 25=00"),
        // A purchase is one whatever its condition.
        ("0200", "000000", "06", "22", "0200 3=000000 25=00"),
    ] {
        let text = format!(
            "{mti} {CARD} 3={code} 4=000000001250 11=000403 22=051 25={condition} {REST} 60={function}000024"
        );
        for to in ["iso87-ascii", "iso87-binary", "iso87-ebcdic"] {
            let (arrived, meant, taken) = goes("unionpay-pos", &text, to).unwrap();
            assert_eq!((words(&arrived).as_str(), taken), (expected, meant), "{text} to {to}");
        }
    }
}

#[test]
fn what_an_iso_acquirer_asks_reaches_a_unionpay_issuer_as_what_it_is() {
    for (mti, code, condition, expected) in [
        ("0200", "000000", "00", "0200 3=000000 25=00"),
        ("0200", "090000", "00", "0200 3=000000 25=00 60=22000007"),
        ("0200", "020000", "00", "0200 3=200000 25=00 60=23000007"),
        ("0200", "200000", "00", "0220 3=200000 25=00 60=25000007"),
        ("0220", "200000", "00", "0220 3=200000 25=00"),
        ("0100", "000000", "06", "0100 3=030000 25=06 60=10000007"),
        ("0100", "020000", "06", "0100 3=200000 25=06 60=11000007"),
        ("0200", "000000", "06", "0200 3=000000 25=06"),
        ("0200", "020000", "06", "0200 3=200000 25=06 60=21000007"),
        ("0200", "300000", "00", "0200 3=310000 25=00 60=01000007"),
    ] {
        let text = format!(
            "{mti} {CARD} 3={code} 4=000000001250 7=1122101112 11=000403 12=181112 13=1122 22=051 25={condition} \
             37=000000000403 {REST}"
        );
        let (arrived, meant, taken) = goes("iso87-ascii", &text, "unionpay-pos").unwrap();
        assert_eq!((words(&arrived).as_str(), taken), (expected, meant), "{text}");
    }
}

#[test]
fn what_has_no_words_is_not_written() {
    // A purchase by 0100 without a completion to follow: UnionPay terminals have none.
    let text = format!(
        "0100 {CARD} 3=000000 4=000000001250 7=1122101112 11=000403 12=181112 13=1122 22=051 25=00 {REST}"
    );
    assert_eq!(goes("iso87-binary", &text, "unionpay-pos").unwrap_err(), EncodeWhy::Unsayable);
}

#[test]
fn the_terminal_hears_its_own_words() {
    let text = format!("0200 {CARD} 3=200000 4=000000001250 11=000403 22=051 25=00 {REST} 60=23000024");
    let (from, bytes) = message("unionpay-pos", &text);
    let answer = format!(
        "0210 {CARD} 3=020000 4=000000001250 7=1122101112 11=000077 25=00 37=001000000403 39=00 {REST}"
    );
    let (theirs, answer) = message("iso87-binary", &answer);
    let mut out = BytesMut::new();
    let (index, answer_index) = (index(&from, &bytes), index(&theirs, &answer));
    let said = iso8583::Reply::new(ResponseCode::approved());
    reply_from_answer(&from, &bytes, &index, &theirs, &answer, &answer_index, &said, &mut out).unwrap();
    assert_eq!(words(&told(&from, &out)), "0210 3=200000 25=00 60=23000024");
}

#[test]
fn a_dialect_must_mean_what_it_says() {
    let text = include_str!("../dialects/iso87-binary.toml");
    for (from, to, why) in [
        (
            "kind = \"purchase-void\", code = 2,",
            "kind = \"purchase-void\", code = 20,",
            "says: purchase-void would be read",
        ),
        ("{ kind = \"refund\", code = 20 }", "{ kind = \"reefund\", code = 20 }", "says: no such kind"),
        ("mti = \"xx2x\", code = 2 }", "mti = \"0220\", code = 2 }", "says: mti: expected one digit and x"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Dialect::parse(&text.replace(from, to), "test.toml").unwrap_err();
        assert!(format!("{error:?}").contains(why), "{error:?}");
    }
}
