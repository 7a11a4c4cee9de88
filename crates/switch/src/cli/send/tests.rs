//! A message is built whole, sent, and its answer explained; card data never comes from an argument.

use super::*;
use crate::cli::args::{Arguments, Command};
use bytes::{BufMut, BytesMut};
use clap::Parser;
use framing::{Envelope, Framing, Next};
use iso8583::{Dialect, Index, Reply, write_reply};
use std::io::{Read, Write};
use std::net::TcpListener;
use terms::{Kind, Mti, ResponseCode};

fn arguments(to: &str, dialect: &str, more: &[&str]) -> Send {
    let fixed = ["pointsman", "send", "--plain", "--framing", "binary2", "--to", to, "--dialect", dialect];
    let parsed =
        Arguments::try_parse_from(fixed.iter().chain(more)).unwrap_or_else(|error| panic!("{error}"));
    let Command::Send(send) = parsed.command else { panic!("not `send`") };
    *send
}

fn build(dialect: &str, more: &[&str]) -> Result<(Outgoing, Kind), Failure> {
    let dialect = Dialect::builtin(dialect).unwrap();
    let outgoing = Outgoing::build(&arguments("x:1", dialect.name(), more), &dialect)?;
    let mut index = Index::new();
    iso8583::decode(&dialect, &outgoing.body, &mut index).unwrap();
    let request = iso8583::request(&dialect, &Default::default(), &outgoing.body, &index).unwrap();
    Ok((outgoing, request.kind))
}

#[test]
fn every_preset_is_the_type_it_says_in_every_dialect() {
    let presets = [
        ("purchase", Kind::Purchase),
        ("pre-auth", Kind::PreAuth),
        ("balance", Kind::Balance),
        ("reversal", Kind::Reversal),
        ("sign-on", Kind::SignOn),
        ("sign-off", Kind::SignOff),
        ("echo", Kind::Echo),
    ];
    for dialect in Dialect::builtin_names() {
        for (preset, kind) in presets {
            let (_, found) = build(dialect, &["--type", preset]).unwrap();
            assert_eq!(found, kind, "{preset} in {dialect}");
        }
    }
}

#[test]
fn fields_are_set_replaced_and_taken_out() {
    let (outgoing, _) = build(
        "iso87-ascii",
        &[
            "--mti",
            "0201",
            "--field",
            "4=1250",
            "11=000042",
            "--field",
            "49=",
            "--field",
            "64=hex:0102030405060708",
        ],
    )
    .unwrap();
    assert_eq!((outgoing.mti, outgoing.stan), (Mti::of(0x0201), 42));
    let shown = describe(&Dialect::builtin("iso87-ascii").unwrap(), &outgoing.body, true).unwrap();
    let value = |n: u8| shown.rows.iter().find(|row| row.field == n).map(|row| row.value.as_str());
    assert_eq!((value(4), value(49), value(64)), (Some("000000001250"), None, Some("0102030405060708")));
}

#[test]
fn card_data_comes_from_a_file_only() {
    let place = tempfile::tempdir().unwrap();
    let card = place.path().join("card");
    std::fs::write(&card, "6224242900000113\n").unwrap();
    let card = card.to_str().unwrap();
    for more in [["--pan", card], ["--field", &format!("2=@{card}")]] {
        let (outgoing, _) = build("unionpay-pos", &more).unwrap();
        let shown = describe(&Dialect::builtin("unionpay-pos").unwrap(), &outgoing.body, false).unwrap();
        assert_eq!(shown.rows[0].value, "622424******0113");
    }
    for n in ["2", "35", "36", "45", "52", "55"] {
        let Err(failure) = build("iso87-ascii", &["--field", &format!("{n}=6224242900000113")]) else {
            panic!("field {n} was taken from an argument")
        };
        let text = failure.to_string();
        assert!(
            text.starts_with(&format!("--field {n}: holds card data")) && !text.contains("6224"),
            "{text}"
        );
    }
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_sent() {
    for (more, expected) in [
        (["--field", "4=12345678901234"], "the message cannot be written: cannot write field 4"),
        (["--field", "129=1"], "the message cannot be written: cannot write field 129"),
        (["--field", "1=1"], "--field: expected N=VALUE"),
        (["--field", "64=hex:012"], "--field 64: expected pairs of hex digits"),
        (["--mti", "02x0"], "--mti: expected four decimal digits"),
        (["--pan", "/no/such/file"], "cannot open /no/such/file"),
    ] {
        let failure =
            build("unionpay-pos", &more).err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(failure.starts_with(expected), "{more:?}: {failure}");
    }
}

/// Answers one message with each of `codes` in turn, on a port of its own.
fn listener(dialect: &'static str, codes: &'static [&'static str]) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let dialect = Dialect::builtin(dialect).unwrap();
        let framing = Framing::by_name("binary2").unwrap();
        let (mut stream, _) = socket.accept().unwrap();
        let mut input = Vec::new();
        let body = loop {
            match framing.next(&input).unwrap() {
                Next::Frame { body, .. } => break body,
                _ => {
                    let mut chunk = [0; 64];
                    let read = stream.read(&mut chunk).unwrap();
                    input.extend_from_slice(&chunk[..read]);
                }
            }
        };
        let mut index = Index::new();
        iso8583::decode(&dialect, &input[body.clone()], &mut index).unwrap();
        let mut out = BytesMut::new();
        framing.keepalive(&mut out);
        for code in codes {
            let mut answer = BytesMut::new();
            write_reply(
                &dialect,
                &input[body.clone()],
                &index,
                &Reply::new(ResponseCode::of(code)),
                &mut answer,
            )
            .unwrap();
            framing
                .write(&mut out, &Envelope::default(), |out: &mut BytesMut| out.put_slice(&answer))
                .unwrap();
        }
        stream.write_all(&out).unwrap();
    });
    address
}

#[test]
fn an_answer_is_explained_by_code_cause_and_who_acts() {
    for (code, expected) in [("00", "approved 00"), ("51", "declined 51"), ("Q9", "declined Q9")] {
        let codes: &'static [&'static str] = Vec::leak(vec![code]);
        let args = arguments(&listener("iso87-ascii", codes), "iso87-ascii", &[]);
        let dialect = Dialect::builtin("iso87-ascii").unwrap();
        let outgoing = Outgoing::build(&args, &dialect).unwrap();
        let mut wire = wire::Wire::connect(&args, Framing::by_name("binary2").unwrap()).unwrap();
        let incoming = wire.exchange(&outgoing, &dialect, Duration::from_secs(30)).unwrap();
        let explanation = Explanation::of(&dialect, &incoming.answer);
        let text = explanation.to_string();
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(explanation.approved, code == "00");
        let funds = text.contains("cause funds") && text.contains("who acts: cardholder");
        assert_eq!(funds, code == "51", "{text}");
    }
}

#[test]
fn a_connection_that_closes_is_no_answer() {
    let args = arguments(&listener("iso87-ascii", &[]), "iso87-ascii", &[]);
    let failure = run(&args).unwrap_err().to_string();
    assert_eq!(failure, "the listener closed the connection without an answer");
}
