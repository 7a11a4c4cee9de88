//! Texts on receipts: whole where there is room, cut between characters where there is not, the same every time, no secret.

use declines::{Catalogue, Charset, Language, ROOM_MIN, Slips, Wording};
use terms::{InternalCause, ResponseCode};

fn slips(language: Language, charset: Charset, room: usize, issuers: &[&str]) -> Slips {
    Slips::new(Catalogue::builtin(), Wording { language, charset, room }, issuers.iter().copied())
}

fn gbk(bytes: &[u8]) -> String {
    encoding_rs::GBK
        .decode_without_bom_handling_and_without_replacement(bytes)
        .expect("whole characters")
        .into()
}

fn code(text: &str) -> ResponseCode {
    ResponseCode::new(text.as_bytes()).unwrap()
}

#[test]
fn where_there_is_room_the_cause_stands_in_full() {
    let slips = slips(Language::Zh, Charset::Gbk, 160, &["iso87-binary", "unionpay-pos"]);
    assert_eq!(gbk(slips.of_cause(InternalCause::IssuerTimeout)), "交易超时 请重试 issuer-timeout");
    assert_eq!(gbk(slips.of_code(code("51"))), "余额不足 请换卡 issuer-declined");
    assert_eq!(gbk(slips.of_code(code("QQ"))), "交易失败 请换卡 issuer-declined");
}

#[test]
fn where_there_is_little_its_id_does() {
    let slips = slips(Language::En, Charset::Ascii, 25, &["iso87-ascii"]);
    assert_eq!(slips.of_cause(InternalCause::IssuerTimeout), b"NO ANSWER, TRY AGAIN E13");
    assert_eq!(slips.of_code(code("51")), b"NOT ENOUGH FUNDS E35");
}

#[test]
fn an_approving_code_has_no_text() {
    let slips = slips(Language::En, Charset::Ascii, 25, &["iso87-ascii"]);
    assert_eq!(slips.of_code(code("00")), b"");
    assert_eq!(slips.of_code(code("10")), b"");
}

#[test]
fn a_code_that_issuers_mean_differently_is_told_as_unknown() {
    let of = |issuers: &[&str]| {
        let slips = slips(Language::Zh, Charset::Gbk, 160, issuers);
        gbk(slips.of_code(code("79")))
    };
    assert_eq!(of(&["mastercard"]), "卡已失效 请换卡 issuer-declined");
    assert_eq!(of(&["unionpay-pos"]), "脱机不平 请重传 issuer-declined");
    assert_eq!(of(&["mastercard", "unionpay-pos"]), "交易失败 请换卡 issuer-declined");
    assert_eq!(
        of(&["mastercard", "iso87-ascii"]),
        "卡已失效 请换卡 issuer-declined",
        "who has it not says nothing"
    );
}

#[test]
fn every_text_of_every_room_fits_and_is_whole() {
    let catalogue = Catalogue::builtin();
    for (language, charset) in
        [(Language::Zh, Charset::Gbk), (Language::Zh, Charset::Utf8), (Language::En, Charset::Ascii)]
    {
        for room in ROOM_MIN..64 {
            let slips = slips(language, charset, room, &["iso87-ascii", "unionpay-pos", "visa"]);
            let causes = InternalCause::ALL.iter().map(|cause| slips.of_cause(*cause));
            let texts = causes.chain(catalogue.codes().iter().map(|code| slips.of_code(*code)));
            for text in texts {
                assert!(text.len() <= room, "{room}");
                let read = match charset {
                    Charset::Gbk => gbk(text),
                    _ => String::from_utf8(text.to_vec()).expect("whole characters"),
                };
                assert!(
                    read.chars().filter(char::is_ascii_digit).count() <= 2,
                    "no number but an id: {read}"
                );
                assert!(!read.chars().any(char::is_control), "{read}");
            }
        }
    }
}
