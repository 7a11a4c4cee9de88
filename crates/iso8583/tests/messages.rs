//! Messages through the whole room: read, keyed, forwarded, answered, reversed, in one dialect and across two.

mod common;

use bytes::BytesMut;
use common::{DEFAULTS, ISO, PAN, UNIONPAY, index, message, ours, read, told, unhex};
use iso8583::{
    Dialect, Expected, Forward, Found, Index, NetworkOf, Reply, ReversalOf, View, answer, decode, forward,
    reply_from_answer, trusted, write_network, write_refusal, write_reply, write_reversal,
};
use terms::{
    ApprovalCode, Check, Currency, EntryMode, Expiry, Flags, Kind, Mti, Pan, ProcessingCode, ResponseCode,
    Rrn, Stan, Text, TransmissionTime,
};

#[test]
fn a_request_says_what_the_message_says() {
    let request = read(&message("iso87-ebcdic", ISO)).unwrap();
    assert_eq!((request.kind, request.amount, request.currency), (Kind::Purchase, 1250, Currency::CNY));
    assert_eq!(request.pan, Pan::new(PAN.as_bytes()));
    assert_eq!(
        (request.transmission.0, request.local_time, request.local_date),
        (1_122_101_112, 181_112, 1122)
    );
    assert_eq!(
        (request.acquirer.as_str(), request.entry_mode, request.condition),
        ("4812", EntryMode(51), 0)
    );
    assert!(request.flags.has(Flags::PIN.with(Flags::AMOUNT)) && !request.flags.has(Flags::TRACK));
    let request = read(&message("unionpay-pos", UNIONPAY)).unwrap();
    assert_eq!((request.function, request.batch, request.acquirer.as_str()), (22, 24, DEFAULTS));
    assert!(request.flags.has(Flags::TRACK.with(Flags::MAC)) && request.alias == Check::ANY);
    assert_eq!((request.local_time, request.local_date), (u32::MAX, 0));
}

#[test]
fn a_card_may_stand_in_the_track_alone() {
    let text = "0200 3=000000 4=000000001250 11=000403 35=6224242900000113D2806 41=10000019 60=22000024";
    let request = read(&message("unionpay-pos", text)).unwrap();
    assert_eq!((request.pan, request.expiry), (Pan::new(PAN.as_bytes()), Expiry::new(2806)));
}

#[test]
fn what_cannot_be_believed_is_refused_by_field() {
    for (dialect, of, with, field) in [
        ("iso87-ascii", "11=000403", "11=000000", 11),
        ("iso87-ascii", "14=2806", "14=2813", 14),
        ("unionpay-pos", "41=10000019", "", 41),
        ("unionpay-pos", "11=000403", "", 11),
    ] {
        let text = if dialect == "unionpay-pos" { UNIONPAY } else { ISO };
        let error = read(&message(dialect, &text.replace(of, with))).unwrap_err();
        assert_eq!(error.field, field, "{dialect} {with}: {error}");
        assert!(!format!("{error} {error:?}").contains(PAN));
    }
}

#[test]
fn a_forward_in_one_dialect_changes_only_our_numbers() {
    let (dialect, bytes) = message("unionpay-pos", UNIONPAY);
    let mut out = BytesMut::new();
    let len = forward(&dialect, &bytes, &index(&dialect, &bytes), &dialect, &ours(), &mut out).unwrap();
    let expected = told(&dialect, &bytes)
        .replace(" 11=000403", " 11=000077")
        .replace(" 25=00 26=12", " 25=00 26=12 32=48120000")
        .replace(" 52=D1EEF419D0AE2609", "")
        .replace(" 64=3846363531423236", "");
    assert_eq!((told(&dialect, &out), len), (expected, out.len()));
}

#[test]
fn a_forward_to_another_dialect_carries_what_both_have() {
    let (from, bytes) = message("unionpay-pos", UNIONPAY);
    for name in ["iso87-ascii", "iso87-binary", "iso87-ebcdic"] {
        let (to, mut out) = (Dialect::builtin(name).unwrap(), BytesMut::new());
        let rules = Forward {
            drop_pin: false,
            rrn: Some(Rrn::issue(1, 0, 403)),
            local: Some((181_112, 1122)),
            ..ours()
        };
        forward(&from, &bytes, &index(&from, &bytes), &to, &rules, &mut out).unwrap();
        let track = if name == "iso87-binary" { "D" } else { "=" };
        let expected = format!(
            "0200 2=6224242900000113 3=000000 4=000000001250 7=1122101112 11=000077 12=181112 13=1122 14=2806 22=051 \
             25=00 26=12 32=48120000 35=6224242900000113{track}28062013949031013 37={} 41=10000019 42=850100082410002 \
             49=156 52=D1EEF419D0AE2609 53=2600000000000000",
            Rrn::issue(1, 0, 403)
        );
        assert_eq!(told(&to, &out), expected, "{name}: 60 is private, 64 another link's");
    }
}

#[test]
fn a_decline_echoes_the_request_and_no_secret() {
    let (dialect, bytes) = message("unionpay-pos", UNIONPAY);
    let mut out = BytesMut::new();
    let reply =
        Reply { local: Some((181_112, 1122)), text: Some(b"61"), ..Reply::new(ResponseCode::of("61")) };
    write_reply(&dialect, &bytes, &index(&dialect, &bytes), &reply, &mut out).unwrap();
    let expected = "0210 2=6224242900000113 3=000000 4=000000001250 11=000403 12=181112 13=1122 14=2806 22=051 25=00 \
         39=61 41=10000019 42=850100082410002 49=156 60=22000024000600 63=   61";
    assert_eq!(told(&dialect, &out), expected);
}

#[test]
fn a_sign_in_is_answered_with_a_batch_number() {
    let text = "0800 11=000074 41=12345678 42=123456789123456 60=00000000003 63=123";
    let (dialect, bytes) = message("unionpay-pos", text);
    let mut out = BytesMut::new();
    let reply = Reply { batch: Some(24), ..Reply::new(ResponseCode::approved()) };
    write_reply(&dialect, &bytes, &index(&dialect, &bytes), &reply, &mut out).unwrap();
    assert_eq!(told(&dialect, &out), "0810 11=000074 39=00 41=12345678 42=123456789123456 60=00000024003");
}

#[test]
fn an_issuers_answer_comes_back_under_the_terminals_numbers() {
    let (terminal, asked) = message("unionpay-pos", UNIONPAY);
    for name in ["unionpay-pos", "iso87-binary", "iso87-ascii", "iso87-ebcdic"] {
        let seven = if name == "unionpay-pos" { "" } else { " 7=1122101112" };
        let text = format!(
            "0210 2={PAN} 3=000000 4=000000001000{seven} 11=000077 12=101113 13=1122 32=48120000 37=326000000403 \
             38=A1B2C3 39=10 41=XXXXXXXX 55=x9F36020157 64=x0000000000000000"
        );
        let (issuer, answered) = message(name, &text);
        let mut out = BytesMut::new();
        let reply =
            Reply { approval_code: Some(ApprovalCode(*b"A1B2C3")), ..Reply::new(ResponseCode::of("10")) };
        let (asked_index, answered_index) = (index(&terminal, &asked), index(&issuer, &answered));
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
        let expected = "0210 2=6224242900000113 3=000000 4=000000001000 11=000403 12=101113 13=1122 14=2806 22=051 25=00 \
             32=48120000 37=326000000403 38=A1B2C3 39=10 41=10000019 42=850100082410002 49=156 55=9F36020157 \
             60=22000024000600";
        assert_eq!(told(&terminal, &out), expected, "{name}");
    }
}

#[test]
fn an_answer_says_what_the_message_says() {
    let (dialect, bytes) =
        message("iso87-ebcdic", "0210 4=000000001250 7=1122101112 11=000077 38=A1B2C3 39=00 49=156");
    let answer = answer(&dialect, &bytes, &index(&dialect, &bytes)).unwrap();
    assert_eq!(
        (answer.stan.get(), answer.transmission.0, answer.code),
        (77, 1_122_101_112, ResponseCode::approved())
    );
    assert_eq!((answer.approval_code, answer.amount), (Some(ApprovalCode(*b"A1B2C3")), Some(1250)));
    assert_eq!((answer.terminal, answer.pan, answer.rrn, answer.batch), (None, None, None, None));
}

fn undo() -> ReversalOf {
    ReversalOf {
        original_mti: Mti::of(0x0200),
        pan: Pan::new(PAN.as_bytes()),
        processing_code: ProcessingCode(0),
        amount: 1250,
        currency: Currency::CNY,
        stan: Stan::new(77).unwrap(),
        stan_new: Stan::new(88).unwrap(),
        transmission: TransmissionTime(1_122_101_112),
        transmission_new: TransmissionTime(1_122_101_200),
        local_time: u32::MAX,
        local_date: 1122,
        expiry: None,
        entry_mode: EntryMode(51),
        condition: 0,
        acquirer: Text::cut("4812"),
        rrn: Some(Rrn::issue(326, 1, 403)),
        approval_code: None,
        terminal: Text::cut("10000019"),
        merchant: Text::cut("850100082410002"),
        reason: ResponseCode::of("98"),
        batch: 24,
        function: 22,
        repeat: false,
        replacement_amount: None,
    }
}

#[test]
fn a_reversal_has_the_dialects_form() {
    let rrn = Rrn::issue(326, 1, 403);
    let common = "2=6224242900000113 3=000000 4=000000001250";
    let whole = |mti: &str, tail: &str| {
        format!(
            "{mti} {common} 7=1122101200 11=000088 13=1122 22=051 25=00 32=4812 37={rrn} 39=98 41=10000019 \
             42=850100082410002 49=156 90=020000007711221011120000000481200000000000{tail}"
        )
    };
    for name in ["iso87-ascii", "iso87-binary", "iso87-ebcdic"] {
        let (dialect, mut out) = (Dialect::builtin(name).unwrap(), BytesMut::new());
        write_reversal(&dialect, &undo(), &mut out).unwrap();
        assert_eq!(told(&dialect, &out), whole("0420", ""));
        out.clear();
        let partial = ReversalOf { repeat: true, replacement_amount: Some(1000), ..undo() };
        write_reversal(&dialect, &partial, &mut out).unwrap();
        assert_eq!(told(&dialect, &out), whole("0421", " 95=000000001000000000000000C00000000C00000000"));
    }
    let (dialect, mut out) = (Dialect::builtin("unionpay-pos").unwrap(), BytesMut::new());
    for repeat in [false, true] {
        out.clear();
        write_reversal(&dialect, &ReversalOf { repeat, ..undo() }, &mut out).unwrap();
        let expected = format!(
            "0400 {common} 11=000077 22=051 25=00 32=4812 39=98 41=10000019 42=850100082410002 49=156 60=22000024000"
        );
        assert_eq!(told(&dialect, &out), expected);
    }
}

#[test]
fn a_reversal_that_we_write_names_the_original_that_we_would_know() {
    let asked = read(&message("iso87-ascii", &ISO.replace("11=000403", "11=000077"))).unwrap();
    let (dialect, mut out) = (Dialect::builtin("iso87-ascii").unwrap(), BytesMut::new());
    write_reversal(&dialect, &undo(), &mut out).unwrap();
    let named = read(&(dialect, out.to_vec())).unwrap().original.unwrap();
    assert_eq!((named.slot, named.alias), (asked.slot, asked.alias));
}

#[test]
fn network_messages_have_their_code_where_the_dialect_wants_it() {
    let of = |code| NetworkOf {
        mti: Mti::of(0x0800),
        stan: Stan::MIN,
        transmission: TransmissionTime(1_122_101_112),
        code,
        terminal: Text::EMPTY,
        merchant: Text::EMPTY,
        batch: 0,
    };
    for (name, expected) in [
        ("iso87-ascii", "0800 7=1122101112 11=000001 70=301"),
        ("unionpay-pos", "0800 11=000001 60=00000000301"),
    ] {
        let (dialect, mut out) = (Dialect::builtin(name).unwrap(), BytesMut::new());
        write_network(&dialect, &of(301), &mut out).unwrap();
        assert_eq!(told(&dialect, &out), expected);
        assert_eq!(read(&(dialect, out.to_vec())).unwrap().kind, Kind::Echo);
    }
}

#[test]
fn a_third_bitmap_is_read_written_and_patched() {
    for name in ["iso87-ascii", "iso87-binary", "iso87-ebcdic"] {
        let (dialect, bytes) = message(name, "0200 11=000001 41=10000019 130=third 192=last");
        let found = index(&dialect, &bytes);
        assert_eq!(found.fields().collect::<Vec<_>>(), [11, 41, 130, 192]);
        assert_eq!(View::new(&dialect, &bytes, &found).text::<8>(192), Text::new(b"last"));
        let mut out = BytesMut::new();
        let mut patch = iso8583::Patch::new();
        patch.remove(130).remove(192).set_number(70, 301);
        patch.apply(&dialect, &bytes, &found, &mut out).unwrap();
        assert_eq!(told(&dialect, &out), "0200 11=000001 41=10000019 70=301");
    }
}

#[test]
fn a_malformed_message_is_answered_if_its_numbers_can_be_trusted() {
    let (dialect, mut bytes) = message("iso87-binary", ISO);
    // The amount's first byte: BCD that is no digit.
    let amount = index(&dialect, &bytes).offset(4).unwrap();
    bytes[amount] = 0x0A;
    let error = decode(&dialect, &bytes, &mut Index::new()).unwrap_err();
    assert_eq!((error.field, error.offset as usize), (4, amount));
    assert_eq!((error.expected, error.found), (Expected::Digits, Found::Byte(0x0A)));
    assert_eq!(
        error.to_string(),
        format!("field 4 at byte {amount}: expected decimal digits, found byte 0x0a")
    );
    let believed = trusted(&dialect, &bytes).unwrap();
    assert_eq!((believed.stan.get(), believed.terminal.as_str()), (403, "10000019"));
    let mut out = BytesMut::new();
    write_refusal(&dialect, &believed, &Reply::new(ResponseCode::of("30")), &mut out).unwrap();
    assert_eq!(told(&dialect, &out), "0210 11=000403 39=30 41=10000019");
    let stan = index(&dialect, &message("iso87-binary", ISO).1).offset(11).unwrap();
    bytes[stan] = 0xFF;
    assert_eq!(trusted(&dialect, &bytes), None, "no STAN, no answer");
}

#[test]
fn dirty_data_is_an_error_that_names_the_place() {
    let cut = |text: &str, hex_from: &str, hex_to: &str| {
        let (dialect, bytes) = message("iso87-binary", text);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(hex.contains(hex_from), "{hex}");
        decode(&dialect, &unhex(&hex.replacen(hex_from, hex_to, 1)), &mut Index::new())
            .unwrap_err()
            .to_string()
    };
    for (text, from, to, expected) in [
        (
            "0200 2=62242429000001131",
            "17062242",
            "20062242",
            "field 2 at byte 10: expected a length of 8 to 19, found 20",
        ),
        (
            "0200 2=62242429000001131",
            "1706",
            "1716",
            "field 2 at byte 11: expected padding nibble 0, found something else",
        ),
        (
            "0200 2=6224242900000113",
            "166224",
            "1A6224",
            "field 2 at byte 10: expected a length in decimal digits, found byte",
        ),
        (
            "0200 2=6224242900000113",
            "166224",
            "16F224",
            "field 2 at byte 11: expected decimal digits, found something else",
        ),
        ("0200 11=000403", "000403", "0004", "field 11 at byte 10: expected 3 bytes, found only 2"),
        (
            "0200 11=000403",
            "000403",
            "00040300",
            "message at byte 13: expected the end of the message, found 1 bytes more",
        ),
        (
            "0200 41=10000019",
            "3130303030303139",
            "3130300030303139",
            "field 41 at byte 13: expected printable characters",
        ),
        (
            "0200 35=6224242900000113D2806",
            "D2806",
            "E2806",
            "field 35 at byte 19: expected digits and a separator, found something",
        ),
        ("0200 11=000403", "0200", "A200", "message type at byte 0: expected four decimal digits"),
    ] {
        let found = cut(text, from, to);
        assert!(found.starts_with(expected), "expected {expected}, found {found}");
    }
    let (dialect, _) = message("unionpay-pos", "0200 11=000403");
    let unknown = decode(&dialect, &unhex("02000800000000000000000000"), &mut Index::new()).unwrap_err();
    assert_eq!((unknown.field, unknown.expected), (5, Expected::KnownField));
    let second = decode(&dialect, &unhex("02008000000000000000"), &mut Index::new()).unwrap_err();
    assert_eq!((second.field, second.expected), (1, Expected::KnownField), "this dialect has one bitmap");
}

#[test]
fn odd_lengths_stand_on_the_side_that_the_dialect_says() {
    for (dialect, text, hex) in [
        ("unionpay-pos", "0200 22=071", "02000000040000000000 0710"),
        ("unionpay-pos", "0200 23=001", "02000000020000000000 0001"),
        ("unionpay-pos", "0200 2=6224242900000113123", "02004000000000000000 1962242429000001131230"),
        ("unionpay-pos", "0200 35=62242429000D123", "02000000000020000000 1562242429000D1230"),
        ("unionpay-pos", "0200 60=00000024003", "02000000000000000010 0011000000240030"),
        ("iso87-binary", "0200 22=071", "02000000040000000000 0071"),
        ("iso87-binary", "0200 2=6224242900000113123", "02004000000000000000 1906224242900000113123"),
        ("iso87-binary", "0200 32=48123", "02000000000100000000 05048123"),
        ("iso87-ascii", "0200 22=071", "30323030303030303034303030303030303030 30 303731"),
    ] {
        let (known, bytes) = message(dialect, text);
        assert_eq!(bytes, unhex(&hex.replace(' ', "")), "{dialect} {text}");
        assert_eq!(told(&known, &bytes), text);
    }
}

#[test]
fn unknown_tags_travel() {
    let chip = "9F2608AAAAAAAAAAAAAAAADF8101030102035F5F02FFFF";
    let (from, bytes) = message("unionpay-pos", &format!("0200 11=000403 41=10000019 55=x{chip}"));
    for name in ["unionpay-pos", "iso87-ascii", "iso87-ebcdic"] {
        let (to, mut out) = (Dialect::builtin(name).unwrap(), BytesMut::new());
        forward(
            &from,
            &bytes,
            &index(&from, &bytes),
            &to,
            &Forward { acquirer: Text::EMPTY, ..ours() },
            &mut out,
        )
        .unwrap();
        assert!(told(&to, &out).ends_with(&format!("55={chip}")), "{name}");
    }
    let tags: Vec<Vec<u8>> = iso8583::tlv::ber(&unhex(chip)).map(|tlv| tlv.unwrap().tag.to_vec()).collect();
    assert_eq!(tags, [vec![0x9F, 0x26], vec![0xDF, 0x81, 0x01], vec![0x5F, 0x5F]]);
}

#[test]
fn card_numbers_in_tags_and_texts_are_masked() {
    let text = format!("0200 11=000403 41=10000019 48=1{PAN}2 55=x5A086224242900000113 57=PAN:{PAN}.");
    let (dialect, bytes) = message("unionpay-pos", &text);
    let shown = format!("{:?}", iso8583::describe(&dialect, &bytes, false).unwrap());
    assert!(!shown.contains(PAN) && shown.contains("5A08****************"), "{shown}");
    assert!(!shown.contains("36323234323432393030303030313133"), "nor in hexadecimal");
    assert!(format!("{:?}", iso8583::describe(&dialect, &bytes, true).unwrap()).contains(PAN));
}
