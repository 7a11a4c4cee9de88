//! What people read when a message is wrong: which byte, what was expected, what came.
//! Never a secret. Guards: nothing is masked that is no secret, nothing is shown that is.

mod common;

use common::{ISO, PAN, UNIONPAY, message, read, unhex};
use iso8583::{DecodeError, Dialect, Index, decode};

/// What is wrong with a message of which one text is another.
#[track_caller]
fn wrong(dialect: &str, of: &str, with: &str) -> String {
    let text = if dialect == "unionpay-pos" { UNIONPAY } else { ISO };
    assert!(text.contains(of), "{of} is not in {text}");
    read(&message(dialect, &text.replace(of, with))).unwrap_err().to_string()
}

/// What is wrong with these bytes.
#[track_caller]
fn broken(dialect: &str, hex: &str) -> String {
    let dialect = Dialect::builtin(dialect).unwrap();
    decode(&dialect, &unhex(&hex.replace(' ', "")), &mut Index::new()).unwrap_err().to_string()
}

#[test]
fn values_that_mean_nothing_are_shown_unless_they_are_secret() {
    for (dialect, of, with, expected) in [
        ("iso87-ascii", "11=000403", "11=000000", "expected a number 1 to 999999, found \"000000\""),
        ("iso87-binary", "11=000403", "11=000000", "expected a number 1 to 999999, found \"000000\""),
        ("iso87-ebcdic", "14=2806", "14=2813", "expected a year and a month, found \"2813\""),
    ] {
        let text = wrong(dialect, of, with);
        let field = of.split_once('=').unwrap().0;
        assert!(
            text.starts_with(&format!("field {field} at byte ")) && text.ends_with(expected),
            "{dialect}: {text}"
        );
    }
    let track = "2=6224242900000113 3=000000 4=000000001250 11=000403 14=2806 22=051 25=00 26=12 35=6224242900000113D";
    let secret = wrong("unionpay-pos", track, "3=000000 11=000403 35=622424D");
    assert!(secret.starts_with("field 35 at byte "), "{secret}");
    assert!(
        secret.ends_with("expected a card number of 8 to 19 digits, found something else (masked)"),
        "{secret}"
    );
}

#[test]
fn a_terminal_of_blanks_is_none() {
    let (dialect, mut bytes) = message("iso87-ascii", ISO);
    let at = bytes.windows(8).position(|window| window == b"10000019").unwrap();
    bytes[at..at + 8].fill(b' ');
    let expected = format!("field 41 at byte {at}: expected a terminal, found \"      \" and 2 more");
    assert_eq!(read(&(dialect, bytes)).unwrap_err().to_string(), expected);
}

#[test]
fn a_field_that_is_not_there_is_missed_where_its_bit_should_be() {
    for (dialect, of, field, byte) in [
        ("unionpay-pos", "11=000403", 11, 3),
        ("unionpay-pos", "41=10000019", 41, 7),
        ("iso87-ascii", "11=000403", 11, 6),
        ("iso87-ascii", "41=10000019", 41, 14),
        ("iso87-binary", "41=10000019", 41, 7),
    ] {
        let expected =
            format!("field {field} at byte {byte}: expected the field, found no bit for it in the bitmap");
        assert_eq!(wrong(dialect, of, ""), expected, "{dialect}");
    }
}

#[test]
fn a_message_type_is_shown_as_it_came() {
    let expected = "message type at byte 0: expected four decimal digits, found ";
    for (dialect, hex, found) in [
        ("iso87-ascii", "30583030 30303030303030303030303030303030", "\"0X00\""),
        ("iso87-ascii", "A5A50000 30303030303030303030303030303030", "bytes a5 a5 00 00"),
        ("iso87-binary", "A200 0000000000000000", "bytes a2 00"),
        ("iso87-ebcdic", "F0C1F0F0 F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0", "bytes f0 c1 f0 f0"),
    ] {
        assert_eq!(broken(dialect, hex), format!("{expected}{found}"), "{dialect}");
    }
}

#[test]
fn padding_is_shown_but_in_secret_fields() {
    let entry_mode = broken("unionpay-pos", "0200 0000040000000000 0715");
    assert_eq!(entry_mode, "field 22 at byte 11: expected padding nibble 0, found byte 0x15");
    let card = broken("iso87-binary", "0200 4000000000000000 17 162242429000001131");
    assert_eq!(card, "field 2 at byte 11: expected padding nibble 0, found something else (masked)");
}

#[test]
fn a_long_value_is_shown_in_part() {
    // A dialect that lets an amount be longer than money can be, and a card number that was put there.
    let amount = "4 = { name = \"amount, transaction\", type = \"n\", size = ";
    let text = Dialect::builtin_source("iso87-ascii").unwrap();
    assert!(text.contains(amount));
    let text = text.replace(&format!("{amount}12"), &format!("{amount}16"));
    let dialect = Dialect::parse(&text, "longer.toml").unwrap();
    let digits = format!("0200 1020000000800000 {PAN} 000403 10000019").replace(' ', "");
    let bytes = digits.as_bytes();
    let mut index = Index::new();
    decode(&dialect, bytes, &mut index).unwrap();
    let error: DecodeError = iso8583::request(&dialect, &Default::default(), bytes, &index).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.to_string().ends_with("found \"622424\" and 10 more"), "{shown}");
    assert!(!shown.contains(&PAN[6..12]), "{shown}");
}

#[test]
fn an_error_stays_small_enough_to_be_returned() {
    assert!(size_of::<DecodeError>() <= 48, "{}", size_of::<DecodeError>());
}
