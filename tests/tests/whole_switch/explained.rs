//! What terminals read beside the code of a decline: a short text in their own characters, and the internal cause.
//! Never on an approval, never a card number. Guards: a repeat hears the same text, after a restart, too.

use crate::stories::{HARBOUR_CARD, Stage};
use tests::message::Ask;
use tests::terminal::Terminal;

/// Sends, and gives the code and the text: DE 63 from its second part on, or a whole field.
fn told(till: &mut Terminal, ask: &Ask, field: u8) -> (String, Vec<u8>) {
    till.send(ask).unwrap();
    heard(till, field)
}

fn heard(till: &mut Terminal, field: u8) -> (String, Vec<u8>) {
    let (code, content) = till.hear_with(field).unwrap();
    (code, content.unwrap_or_default())
}

#[test]
fn a_unionpay_terminal_reads_gbk_and_the_cause_and_so_does_its_repeat() {
    let stage = Stage::new();
    let mut till = stage.till();
    let poor = Ask::purchase(HARBOUR_CARD, 2, 900);
    till.send(&poor).unwrap();
    stage.issuer.asked().answer("51");
    let first = heard(&mut till, 63);
    assert_eq!(first, ("51".into(), [b"   ", POOR, b" issuer-declined"].concat()));
    let foreign = Ask { pan: "4000000000000002".into(), ..Ask::purchase(HARBOUR_CARD, 3, 900) };
    assert_eq!(told(&mut till, &foreign, 63), ("15".into(), [b"   ", FOREIGN, b" no-such-issuer"].concat()));
    assert_eq!(told(&mut till, &poor, 63), first, "its repeat");
    let (shop, issuer) = stage.stop();
    let again = Stage::of(shop, issuer);
    assert_eq!(told(&mut again.till(), &poor, 63), first, "its repeat after a restart");
    assert!(again.issuer.backlog().is_empty());
}

#[test]
fn an_approval_has_no_text() {
    let stage = Stage::new();
    let mut till = stage.till();
    till.send(&Ask::purchase(HARBOUR_CARD, 2, 900)).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(heard(&mut till, 63), ("00".into(), Vec::new()));
}

#[test]
fn a_short_field_has_the_id_and_a_long_one_the_name() {
    let poor = Ask::purchase(HARBOUR_CARD, 2, 900);
    let text_of = |field: u8, explanation: &'static str| {
        let stage = Stage::with(|shop| shop.edits = vec![("name = \"acquirer\"", explanation)]);
        let mut line = stage.acquirer();
        line.send(&poor).unwrap();
        stage.issuer.asked().answer("51");
        let (code, text) = heard(&mut line, field);
        assert_eq!(code, "51");
        String::from_utf8(text).unwrap()
    };
    assert_eq!(text_of(44, "name = \"acquirer\""), "NOT ENOUGH FUNDS E35");
    assert_eq!(
        text_of(
            63,
            "name = \"acquirer\"\nexplanation = { field = \"63\", language = \"zh\", charset = \"utf-8\" }"
        ),
        "余额不足 请换卡 issuer-declined"
    );
    assert_eq!(text_of(44, "name = \"acquirer\"\nexplanation = { field = \"none\" }"), "");
}

/// 余额不足 请换卡
const POOR: &[u8] = b"\xd3\xe0\xb6\xee\xb2\xbb\xd7\xe3 \xc7\xeb\xbb\xbb\xbf\xa8";
/// 此卡不能受理
const FOREIGN: &[u8] = b"\xb4\xcb\xbf\xa8\xb2\xbb\xc4\xdc\xca\xdc\xc0\xed";
