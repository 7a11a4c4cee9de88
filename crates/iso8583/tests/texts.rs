//! Texts for people in answers: in the field that is asked for, behind the parts before them, in any bytes.

mod common;

use bytes::BytesMut;
use common::{ISO, UNIONPAY, index, message, told};
use iso8583::{Dialect, Reply, TextPlace, reply_from_answer, trusted, write_refusal, write_reply};
use terms::ResponseCode;

fn decline<'a>(dialect: &Dialect, at: &str, text: &'a [u8]) -> Reply<'a> {
    let place: Option<TextPlace> = Some(dialect.text_place_at(at).expect(at));
    Reply { text: Some(text), place, ..Reply::new(ResponseCode::of("51")) }
}

/// What comes behind DE 42 of the answer.
fn end(dialect: &Dialect, out: &[u8]) -> String {
    let told = told(dialect, out);
    let fields: Vec<_> =
        told.split(' ').skip_while(|field| !field.starts_with("44=") && !field.starts_with("63=")).collect();
    fields.join(" ")
}

#[test]
fn a_text_stands_where_it_was_asked_for_and_nowhere_else() {
    for (name, from, at, expected) in [
        ("iso87-ascii", ISO, "44", "44=NO FUNDS E35"),
        ("iso87-ebcdic", ISO, "44", "44=NO FUNDS E35"),
        ("iso87-binary", ISO, "63", "63=NO FUNDS E35"),
        ("unionpay-pos", UNIONPAY, "63.2", "63=   NO FUNDS E35"),
    ] {
        let (dialect, bytes) = message(name, from);
        let mut out = BytesMut::new();
        let reply = decline(&dialect, at, b"NO FUNDS E35");
        write_reply(&dialect, &bytes, &index(&dialect, &bytes), &reply, &mut out).unwrap();
        assert!(told(&dialect, &out).contains(expected), "{name}: {}", told(&dialect, &out));
        assert!(end(&dialect, &out).starts_with(expected), "{name}");
    }
}

#[test]
fn the_card_scheme_before_an_issuers_text_stays() {
    let (terminal, asked) = message("unionpay-pos", UNIONPAY);
    let answer = |scheme: &str| {
        let text = format!("0210 3=000000 4=000000001250 11=000403 39=51 41=10000019{scheme}");
        let (issuer, answered) = message("unionpay-pos", &text);
        let mut out = BytesMut::new();
        let (asked_index, answered_index) = (index(&terminal, &asked), index(&issuer, &answered));
        let reply = decline(&terminal, "63.2", b"NO FUNDS");
        reply_from_answer(
            &terminal,
            &asked,
            &asked_index,
            &issuer,
            &answered,
            &answered_index,
            &reply,
            &mut out,
        )
        .unwrap();
        told(&terminal, &out)
    };
    assert!(answer(" 63=CUP").ends_with("63=CUPNO FUNDS"), "{}", answer(" 63=CUP"));
    assert!(answer(" 63=CUPBALANCE~TOO~LOW~BY~FAR").ends_with("63=CUPNO FUNDS"));
    assert!(answer(" 63=C").ends_with("63=C  NO FUNDS"));
    assert!(answer("").ends_with("63=   NO FUNDS"));
}

#[test]
fn any_bytes_go_through_and_a_long_text_is_cut() {
    let (dialect, bytes) = message("unionpay-pos", UNIONPAY);
    let gbk = b"\xd3\xe0\xb6\xee\xb2\xbb\xd7\xe3";
    let mut out = BytesMut::new();
    write_reply(&dialect, &bytes, &index(&dialect, &bytes), &decline(&dialect, "63.2", gbk), &mut out)
        .unwrap();
    assert!(out.ends_with(&[&[0x00, 0x11][..], b"   ", gbk].concat()), "length 11, three blanks, the text");
    let long = [b'x'; 200];
    out.clear();
    write_reply(&dialect, &bytes, &index(&dialect, &bytes), &decline(&dialect, "44", &long), &mut out)
        .unwrap();
    assert!(told(&dialect, &out).contains(&format!(" 44={} ", "x".repeat(25))));
}

#[test]
fn a_refusal_of_what_cannot_be_read_has_its_text_too() {
    for (name, from, at) in [("unionpay-pos", UNIONPAY, "63.2"), ("iso87-ebcdic", ISO, "44")] {
        let (dialect, bytes) = message(name, from);
        let mut out = BytesMut::new();
        let reply = decline(&dialect, at, b"FORMAT ERROR");
        write_refusal(&dialect, &trusted(&dialect, &bytes).unwrap(), &reply, &mut out).unwrap();
        let told = told(&dialect, &out);
        assert!(told.contains("39=51 41=10000019") && told.ends_with("FORMAT ERROR"), "{told}");
    }
}
