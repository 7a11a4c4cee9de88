//! What a dialect's text may say: the built-in ones hold, mistakes are told with their lines, all in one go.

use iso8583::{CodeVerdict, Dialect, Reference, ReversalStan};
use terms::{InternalCause, Kind, Mti, ResponseCode};

#[test]
fn every_builtin_dialect_reads_what_it_writes() {
    for name in Dialect::builtin_names() {
        let dialect = Dialect::builtin(name).unwrap();
        assert_eq!((dialect.name(), dialect.check()), (name, vec![]));
    }
}

#[test]
fn every_cause_has_a_code_and_dialects_differ_where_they_should() {
    let (iso, unionpay) =
        (Dialect::builtin("iso87-ascii").unwrap(), Dialect::builtin("unionpay-pos").unwrap());
    for (cause, in_iso, in_unionpay) in [
        (InternalCause::IssuerTimeout, "91", "98"),
        (InternalCause::UnknownTerminal, "58", "97"),
        (InternalCause::MacWrong, "96", "A0"),
        (InternalCause::SignInRequired, "58", "77"),
        (InternalCause::FormatError, "30", "30"),
        (InternalCause::OverDailyAmount, "61", "61"),
    ] {
        assert_eq!(
            (iso.code_for(cause).as_str(), unionpay.code_for(cause).as_str()),
            (in_iso, in_unionpay),
            "{cause}"
        );
    }
    for dialect in [iso, unionpay] {
        for cause in InternalCause::ALL {
            assert_eq!(
                dialect.verdict(&dialect.code_for(*cause)),
                CodeVerdict::Declines,
                "{cause} in {dialect:?}"
            );
        }
    }
}

#[test]
fn codes_approve_decline_or_neither() {
    for (name, code, verdict) in [
        ("iso87-binary", "00", CodeVerdict::Approves),
        ("iso87-binary", "51", CodeVerdict::Declines),
        ("iso87-binary", "09", CodeVerdict::Neither),
        ("iso87-binary", "68", CodeVerdict::Neither),
        ("iso87-binary", "A2", CodeVerdict::Neither),
        ("unionpay-pos", "A2", CodeVerdict::Approves),
        ("unionpay-pos", "10", CodeVerdict::Approves),
        ("unionpay-pos", "A0", CodeVerdict::Declines),
        ("unionpay-pos", "ZZ", CodeVerdict::Neither),
    ] {
        assert_eq!(
            Dialect::builtin(name).unwrap().verdict(&ResponseCode::of(code)),
            verdict,
            "{name} {code}"
        );
    }
    assert_eq!(
        Dialect::builtin("iso87-ascii").unwrap().verdict(&ResponseCode::default()),
        CodeVerdict::Neither
    );
}

#[test]
fn types_are_recognised_by_the_table() {
    const ANY: u8 = u8::MAX;
    for (name, mti, code, condition, function, network, kind) in [
        ("unionpay-pos", 0x0200, 0, 0, 22, 0, Kind::Purchase),
        ("unionpay-pos", 0x0201, 0, 0, 22, 0, Kind::Purchase),
        ("unionpay-pos", 0x0200, 20, 0, 23, 0, Kind::PurchaseVoid),
        ("unionpay-pos", 0x0200, 31, 0, 1, 0, Kind::Balance),
        ("unionpay-pos", 0x0100, 3, 6, 10, 0, Kind::PreAuth),
        ("unionpay-pos", 0x0100, 20, 6, 11, 0, Kind::PreAuthCancel),
        ("unionpay-pos", 0x0200, 0, 6, 20, 0, Kind::Completion),
        ("unionpay-pos", 0x0200, 20, 6, 21, 0, Kind::CompletionVoid),
        ("unionpay-pos", 0x0220, 0, 6, 24, 0, Kind::CompletionAdvice),
        ("unionpay-pos", 0x0220, 20, 0, 25, 0, Kind::Refund),
        ("unionpay-pos", 0x0220, 0, 0, 30, 0, Kind::OfflineSale),
        ("unionpay-pos", 0x0220, 0, 0, 34, 0, Kind::Adjustment),
        ("unionpay-pos", 0x0400, 0, 0, 22, 0, Kind::Reversal),
        ("unionpay-pos", 0x0620, 0, 0, 0, 0, Kind::ScriptResult),
        ("unionpay-pos", 0x0500, 0, ANY, 0, 201, Kind::Settlement),
        ("unionpay-pos", 0x0320, 0, ANY, 0, 201, Kind::BatchUpload),
        ("unionpay-pos", 0x0800, 0, ANY, 0, 3, Kind::SignOn),
        ("unionpay-pos", 0x0820, 0, ANY, 0, 2, Kind::SignOff),
        ("unionpay-pos", 0x0820, 0, ANY, 0, 301, Kind::Echo),
        ("unionpay-pos", 0x0820, 0, ANY, 0, 362, Kind::NetworkOther),
        ("unionpay-pos", 0x0200, 0, 0, 23, 0, Kind::Unknown),
        ("iso87-ascii", 0x0200, 0, 0, 0, 0, Kind::Purchase),
        ("iso87-ascii", 0x0100, 0, ANY, 0, 0, Kind::Purchase),
        ("iso87-ascii", 0x0100, 0, 6, 0, 0, Kind::PreAuth),
        ("iso87-ascii", 0x0200, 31, 0, 0, 0, Kind::Balance),
        ("iso87-ascii", 0x0421, 0, 0, 0, 0, Kind::Reversal),
        ("iso87-ascii", 0x0800, 0, ANY, 0, 1, Kind::SignOn),
        ("iso87-ascii", 0x0800, 0, ANY, 0, 301, Kind::Echo),
        ("iso87-ascii", 0x0200, 77, 0, 0, 0, Kind::Unknown),
        ("iso87-ascii", 0x1200, 0, 0, 0, 0, Kind::Unknown),
    ] {
        let dialect = Dialect::builtin(name).unwrap();
        let found = dialect.kind(Mti::of(mti), code, condition, function, network);
        assert_eq!(found, kind, "{name} {mti:04X} {code} {condition} {function} {network}");
    }
}

#[test]
fn reversal_forms_are_the_dialects() {
    let iso = *Dialect::builtin("iso87-ascii").unwrap().reversal_form();
    assert_eq!((iso.mti, iso.repeat_mti), (Mti::of(0x0420), Some(Mti::of(0x0421))));
    assert_eq!((iso.stan, iso.reference, iso.reason), (ReversalStan::Own, Reference::OriginalData, 39));
    let unionpay = *Dialect::builtin("unionpay-pos").unwrap().reversal_form();
    assert_eq!((unionpay.mti, unionpay.repeat_mti), (Mti::of(0x0400), None));
    assert_eq!((unionpay.stan, unionpay.reference), (ReversalStan::Original, Reference::SameKey));
}

/// Problems of the UnionPay dialect with one text in place of another, as `line: what`.
fn problems(of: &str, with: &str) -> Vec<(usize, String)> {
    let source = Dialect::builtin_source("unionpay-pos").unwrap();
    assert!(source.contains(of), "the dialect no longer says {of}");
    match Dialect::parse(&source.replacen(of, with, 1), "test.toml") {
        Ok(_) => Vec::new(),
        Err(errors) => {
            assert!(errors.to_string().contains("in test.toml"));
            errors.problems.into_iter().map(|problem| (problem.line, problem.what)).collect()
        }
    }
}

#[test]
fn what_an_answer_must_name_is_the_dialect_s() {
    let by = |name| {
        let dialect = Dialect::builtin(name).unwrap();
        (dialect.links_by_transmission_time(), dialect.links_by_terminal())
    };
    assert_eq!((by("unionpay-pos"), by("iso87-binary")), ((false, true), (true, false)));
}

#[test]
fn mistakes_are_told_with_their_line() {
    let line_of = |text: &str| {
        let source = Dialect::builtin_source("unionpay-pos").unwrap();
        1 + source[..source.find(text).unwrap()].matches('\n').count()
    };
    for (of, with, what) in [
        (r#""60.2", "11", "mti-class"]"#, r#""11", "mti-class"]"#, "neither a date"),
        (r#"batch = "60.2""#, r#"batch = "60.9""#, "no part 9"),
        (r#"rrn = "37""#, r#"rrn = "99""#, "field 99 is not in the dialect"),
        (r#"mti = "0400""#, r#"mti = "04A0""#, "expected four digits"),
        (r#"issuer-timeout = "98""#, r#"issuer-tiredness = "98""#, "no such cause"),
        (r#"issuer-timeout = "98""#, r#"issuer-timeout = "981""#, "a code of 2 characters"),
        (r#"kind = "reversal""#, r#"kind = "riversal""#, "no such kind"),
        (r#"link = ["mti-class", "11", "41"]"#, r#"link = ["mti-class", "11", "42"]"#, "of nothing else"),
        ("highest = 64", "highest = 65", "expected 64, 128 or 192"),
        (r#"type = "n", size = 6"#, r#"type = "n", size = 6, encoding = "hex""#, "does not go with the type"),
        (r#"length = "LL", max = 19"#, r#"length = "LL", max = 190"#, "cannot say 190"),
        (r#"length = "LL", max = 19"#, r#"max = 19"#, "expected either size"),
        (r#"decline = ["#, r#"decline = ["00","#, "both approves and declines"),
        (r#"echo = [2,"#, r#"echo = [66, 2,"#, "field 66 is not in the dialect"),
        (r#"name = "unionpay-pos""#, "name = \"unionpay-pos\"\nnickname = \"up\"", "unknown field"),
    ] {
        let found = problems(of, with);
        assert!(
            found.iter().any(|(_, text)| text.contains(what)),
            "{with}: expected \"{what}\", found {found:?}"
        );
    }
    let found = problems(r#"rrn = "37""#, r#"rrn = "99""#);
    assert_eq!(found[0].0, line_of(r#"rrn = "37""#));
}

#[test]
fn all_mistakes_are_told_in_one_go() {
    let source = Dialect::builtin_source("unionpay-pos").unwrap();
    let text = source.replacen(r#"rrn = "37""#, r#"rrn = "99""#, 1).replacen(
        r#"kind = "echo""#,
        r#"kind = "ecco""#,
        1,
    );
    assert!(Dialect::parse(&text, "t").unwrap_err().problems.len() >= 2);
}
