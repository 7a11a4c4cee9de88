//! The shipped catalogue line by line, and what a wrong file is told.

use declines::{Catalogue, Class, Contacts, Language, Who, explanation_id, from_explanation_id};
use std::collections::BTreeSet;
use terms::{Cause, InternalCause, ResponseCode};

fn code(text: &str) -> ResponseCode {
    ResponseCode::new(text.as_bytes()).unwrap()
}

/// Code, cause, and UnionPay's class, as the specification's annex and our reading of it have them.
const UNIONPAY: &str = "
    00 unstated A   01 unstated C   02 unstated C   03 merchant C   04 risk D   05 unstated C   06 system E   07 risk D
    09 system B   10 funds A   11 unstated A   12 operator C   13 operator B   14 card B   15 card C   19 operator C
    20 system C   21 system C   22 operator C   23 merchant C   25 operator C   30 operator C   31 card C
    33 card D   54 card C   34 risk D   59 risk C   35 risk D   37 risk D   60 risk C   66 risk C   36 card D   62 card C
    38 authentication D   75 authentication C   39 card C   44 card C   52 card C   53 card C   40 operator C
    41 risk D   43 risk D   42 card B   56 card C   45 operator C   51 funds C   55 authentication C   57 card C
    58 merchant C   61 limit C   63 risk C   64 operator C   65 limit C   67 risk C   68 network C   77 operator D
    79 operator C   90 system C   91 network C   92 network C   93 risk C   94 operator C   95 system C   96 system C
    97 merchant D   98 network E   99 authentication B   A0 system B   A2 network A   A4 network A   A5 network A
    A6 network A
";

#[test]
fn unionpay_as_in_its_specification() {
    let catalogue = Catalogue::builtin();
    let words: Vec<_> = UNIONPAY.split_whitespace().collect();
    for row in words.chunks(3) {
        let entry =
            catalogue.find("unionpay-pos", &code(row[0])).unwrap_or_else(|| panic!("{} is missing", row[0]));
        let class = entry.class.map(Class::name);
        assert_eq!((entry.reason.cause.name(), class), (row[1], Some(row[2])), "code {}", row[0]);
    }
    assert_eq!(catalogue.entries("unionpay").len(), words.len() / 3);
}

#[test]
fn iso_codes_of_every_declining_kind() {
    let catalogue = Catalogue::builtin();
    for row in "
        01 unstated   02 unstated   03 merchant   04 risk   05 unstated   07 risk   12 operator   13 operator   14 card
        15 card   30 operator   33 card   54 card   34 risk   59 risk   36 card   62 card   38 authentication   41 risk
        43 risk   51 funds   55 authentication   57 card   58 merchant   61 limit   65 limit   68 network
        75 authentication   91 network   92 network   94 operator   96 system"
        .split_whitespace()
        .collect::<Vec<_>>()
        .chunks(2)
    {
        let entry = catalogue.find("iso87-binary", &code(row[0])).unwrap();
        assert_eq!(entry.reason.cause.name(), row[1], "code {}", row[0]);
        assert!(entry.class.is_none() && entry.visa_category.is_none());
    }
}

#[test]
fn visa_categories() {
    let catalogue = Catalogue::builtin();
    for (category, codes) in [
        (1, "04 07 12 15 41 43 46 57 R0 R1 R3"),
        (2, "03 19 51 59 61 62 65 75 78 91 93 96"),
        (3, "14 54 55 6P N7"),
        (4, "01 02 05 06 13 20 21 22 23 25 30 31 39 40 44 52 53 58 63 64 68 90 92 94 95"),
    ] {
        for text in codes.split(' ') {
            let entry = catalogue.find("visa", &code(text)).unwrap_or_else(|| panic!("{text} is missing"));
            assert_eq!(entry.visa_category, Some(category), "code {text}");
        }
    }
}

#[test]
fn one_code_means_different_things_under_different_schemes() {
    let catalogue = Catalogue::builtin();
    let meaning = |scheme| {
        catalogue.find(scheme, &code("79")).map(|entry| (entry.name.en.as_str(), entry.reason.cause))
    };
    assert_eq!(meaning("unionpay"), Some(("offline totals mismatch", Cause::Operator)));
    assert_eq!(meaning("mastercard"), Some(("life cycle", Cause::Card)));
    assert_eq!(meaning("iso87"), None);
}

#[test]
fn every_entry_has_a_name_and_somebody_to_act() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.schemes().collect::<Vec<_>>(), ["iso87", "mastercard", "unionpay", "visa"]);
    for scheme in catalogue.schemes() {
        for entry in catalogue.entries(scheme) {
            assert!(!entry.reason.who.is_empty() && !entry.name.en.is_empty() && !entry.name.zh.is_empty());
            assert_eq!(entry.class.is_some(), scheme == "unionpay", "{scheme} {}", entry.code);
            assert!(entry.visa_category.is_none() || scheme == "visa", "{scheme} {}", entry.code);
            assert!(entry.advice.is_empty() || scheme == "mastercard", "{scheme} {}", entry.code);
            assert_eq!(
                entry.class == Some(Class::A),
                scheme == "unionpay" && entry.approves,
                "{}",
                entry.code
            );
        }
    }
}

#[test]
fn all_nine_causes_and_every_actor_are_reachable_by_a_decline() {
    let catalogue = Catalogue::builtin();
    for dialect in ["iso87-ascii", "unionpay-pos", "visa", "mastercard"] {
        let declines = || catalogue.entries(dialect).iter().filter(|entry| !entry.approves);
        let causes: BTreeSet<_> = declines().map(|entry| entry.reason.cause).collect();
        assert_eq!(causes, Cause::ALL.iter().copied().collect(), "{dialect}");
        let who: BTreeSet<_> = declines().flat_map(|entry| entry.reason.who.clone()).collect();
        assert_eq!(who, Who::ALL.iter().copied().collect(), "{dialect}");
    }
}

#[test]
fn the_table_says_what_the_catalogue_says() {
    let catalogue = Catalogue::builtin();
    for dialect in ["iso87-ebcdic", "unionpay-pos", "visa", "mastercard", "no-such-dialect"] {
        let table = catalogue.table(dialect);
        for code in catalogue.codes() {
            let expected = catalogue.find(dialect, code).map_or(Cause::Unstated, |entry| entry.reason.cause);
            assert_eq!(table.cause(*code), expected, "{dialect} {code}");
            assert_eq!(table.index_of(*code), catalogue.index_of(code), "{dialect} {code}");
        }
    }
}

#[test]
fn a_code_nobody_knows_is_unstated_and_counts_as_other() {
    let table = Catalogue::builtin().table("iso87-ascii");
    for text in ["ZZ", "5", "511", "9999", "a0", "  "] {
        assert_eq!(
            (table.cause(code(text)), table.index_of(code(text))),
            (Cause::Unstated, None),
            "{text:?}"
        );
    }
    assert_eq!(table.cause(ResponseCode::default()), Cause::Unstated);
}

#[test]
fn codes_are_sorted_and_few_enough_for_a_label() {
    let codes = Catalogue::builtin().codes();
    assert!(codes.is_sorted() && codes.len() <= 128, "{} codes", codes.len());
    for (place, code) in codes.iter().enumerate() {
        assert_eq!(Catalogue::builtin().index_of(code), Some(place as u16));
    }
}

/// The shipped file with one line more in front of the table of ISO codes.
fn with(line: &str) -> String {
    SHIPPED.replacen("[scheme.iso87]\n", &format!("[scheme.cmf]\n{line}\n\n[scheme.iso87]\n"), 1)
}

#[test]
fn codes_of_other_lengths_have_causes_too() {
    let file = with(
        "9111 = { en = \"issuer timeout\", zh = \"发卡行超时\", means = \"no-issuer-answer\" }\n\
         5 = { en = \"declined\", zh = \"拒绝\", means = \"card-expired\" }",
    );
    let catalogue = Catalogue::parse(&file).unwrap();
    let table = catalogue.table("cmf-2");
    assert_eq!((table.cause(code("9111")), table.cause(code("5"))), (Cause::Network, Cause::Card));
    assert_eq!(
        (table.cause(code("9112")), table.index_of(code("9111"))),
        (Cause::Unstated, catalogue.index_of(&code("9111")))
    );
}

#[test]
fn every_internal_cause_has_its_own_entry() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.internals().len(), InternalCause::ALL.len());
    for cause in InternalCause::ALL {
        let internal = catalogue.internal(*cause);
        assert_eq!((internal.cause, internal.reason.cause), (*cause, cause.cause()));
        assert_eq!(internal.reason.name, cause.name(), "finer than the wire");
        assert_eq!(from_explanation_id(&explanation_id(*cause)), Some(*cause));
    }
    assert_eq!(explanation_id(InternalCause::IssuerTimeout), "E13");
    assert!(InternalCause::ALL.len() < 100, "an id of three digits would not fit beside a receipt text");
    for id in ["E999", "E1", "13", "E", "Exx", "E-1"] {
        assert_eq!(from_explanation_id(id), None, "{id}");
    }
}

#[test]
fn a_code_of_two_causes_has_a_default_that_the_internal_cause_overrides() {
    let catalogue = Catalogue::builtin();
    let none = Contacts::new();
    let code = catalogue.explain_code("iso87", code("91"), Language::En, &none);
    assert_eq!((code.cause, &code.who_acts[..]), ("network", &[Who::Issuer, Who::Network][..]));
    assert!(code.may_be_ours.contains(&"window-full") && code.may_be_ours.contains(&"issuer-timeout"));
    let ours = catalogue.explain_internal(InternalCause::WindowFull, "iso87", Language::En, &none);
    assert_eq!(
        (ours.code.as_str(), ours.cause, &ours.who_acts[..]),
        ("91", "system", &[Who::Acquirer, Who::Issuer][..])
    );
    let slow = catalogue.explain_internal(InternalCause::IssuerTimeout, "unionpay-pos", Language::Zh, &none);
    assert_eq!(
        (slow.code.as_str(), slow.scheme.as_str(), slow.id.as_deref()),
        ("98", "unionpay", Some("E13"))
    );
    assert_eq!(slow.wire.get("iso87").map(String::as_str), Some("91"));
}

#[test]
fn an_unknown_code_is_shown_as_itself_and_counted_as_other() {
    let told = Catalogue::builtin().explain_code("visa", code("ZZ"), Language::En, &Contacts::new());
    assert_eq!((told.code.as_str(), told.cause, told.counted_as.as_str()), ("ZZ", "unstated", "other"));
    assert_eq!(
        (told.name.as_str(), told.in_catalogue, told.approves),
        ("declined, not in the catalogue", false, false)
    );
}

#[test]
fn wrong_files_are_told_where_and_why() {
    let good = r#"05 = { en = "a", zh = "b", means = "card-expired" }"#;
    let at = 1 + SHIPPED[..SHIPPED.find("[scheme.iso87]").unwrap()].matches('\n').count();
    assert!(Catalogue::parse(&with(good)).is_ok());
    for (entry, line, said) in [
        (format!("{good}\n{good}"), at + 2, "duplicate key"),
        (
            good.replace("card-expired", "card-lost"),
            at + 1,
            "code 05 means \"card-lost\", expected the name of",
        ),
        (good.replace(", means = \"card-expired\"", ""), at + 1, "code 05 means \"\", expected the name of"),
        (good.replace(" }", ", class = \"F\" }"), at + 1, "expected A to E"),
        (good.replace(" }", ", visa = 5 }"), at + 1, "expected 1 to 4"),
        (good.replace(" }", ", advice = [\"77\"] }"), at + 1, "[words.advice] has not"),
        (good.replace("\"a\"", "\" \""), at + 1, "code 05 has no name in \"en\""),
        (good.replace("zh = \"b\", ", ""), at + 1, "code 05 has no name in \"zh\""),
        (good.replace("05 =", "0-5 ="), at + 1, "expected one to four digits or capital letters"),
        (good.replace("en =", "english ="), at + 1, "unknown field"),
    ] {
        told(&with(&entry), line, said);
    }
}

#[test]
fn wrong_reasons_are_told_where_and_why() {
    let place = SHIPPED.find("[means.lost-card]").unwrap();
    let (before, rest) = SHIPPED.split_at(place);
    let end = rest[1..].find("\n[means.").unwrap() + 1;
    let (good, after) = rest.split_at(end);
    let head = 1 + before.matches('\n').count();
    for (from, to, line, said) in [
        (
            "cause = \"risk\"",
            "cause = \"money\"",
            head + 1,
            "has cause \"money\", expected one of network funds card",
        ),
        ("cause = \"risk\"\n", "", head, "has no cause"),
        ("[\"merchant\", \"cardholder\"]", "[]", head + 2, "says nobody acts, expected some of cardholder"),
        ("\"merchant\", \"card", "\"bank\", \"card", head + 2, "\"bank\" acts, expected some of cardholder"),
        ("\"cardholder\"]", "\"merchant\"]", head + 2, "names \"merchant\" twice"),
        ("\"permanent\"", "\"always\"", head + 3, "expected one of temporary permanent"),
        ("may = \"no\"", "may = \"maybe\"", head + 4, "expected may = one of no yes changed"),
        ("may = \"no\"", "may = \"yes\"", head + 4, "`after` (seconds) belongs to"),
        ("may = \"no\"", "may = \"changed\", en = \"x\"", head + 4, "has no retry in \"zh\""),
        ("may = \"no\"", "may = \"no\", en = \"x\"", head + 4, "has a change in its retry"),
        (
            "zh = \"请联系收单行\"",
            "zh = \"请联系收单行并提供卡号\"",
            head + 5,
            "22 bytes on a receipt, expected 21 at most",
        ),
        ("en = \"CALL ACQUIRER\"", "en = \"CALL ACQUÉREUR\"", head + 5, "has characters that ascii has not"),
        ("[means.lost-card]", "[means.lost-bag]", head, "reason lost-bag belongs to no code"),
    ] {
        assert!(good.contains(from), "{from}");
        told(&format!("{before}{}{after}", good.replace(from, to)), line, said);
    }
    let without = |language: &str, key: &str| {
        let line = good.lines().find(|line| line.starts_with(key)).unwrap();
        let cut = match language {
            "zh" => format!("{} }}", &line[..line.find(", zh = ").unwrap()]),
            _ => format!("{key} = {{ {}", &line[line.find("zh = ").unwrap()..]),
        };
        format!("{before}{}{after}", good.replace(line, &cut))
    };
    for (at, key) in ["receipt", "cardholder", "merchant", "operator"].into_iter().enumerate() {
        for language in ["en", "zh"] {
            told(
                &without(language, key),
                head + 5 + at,
                &format!("lost-card has no {key} in \"{language}\""),
            );
        }
    }
}

#[test]
fn wrong_internal_causes_and_words_are_told() {
    let row = SHIPPED.lines().find(|line| line.starts_with("issuer-timeout = ")).unwrap();
    let line = 1 + SHIPPED[..SHIPPED.find(row).unwrap()].matches('\n').count();
    told(&SHIPPED.replace(row, &row.replace("issuer-timeout", "issuer-slow")), line, "is no internal cause");
    let table = 1 + SHIPPED[..SHIPPED.find("[internal]\n").unwrap()].matches('\n').count();
    told(&SHIPPED.replace(row, ""), table, "[internal] has no issuer-timeout");
    let funds = "[means.issuer-timeout]\ncause = \"network\"";
    told(
        &SHIPPED.replace(funds, &funds.replace("network", "funds")),
        line,
        "has cause funds, expected network",
    );
    told(
        &SHIPPED.replacen("risk = { en = \"risk\", zh = \"风险\" }", "", 1),
        0,
        "[words.cause] has no \"risk\"",
    );
    told(&SHIPPED.replacen("version = 2", "version = 0", 1), 0, "version 0, expected 1 or more");
    told(&SHIPPED.replacen("dated = \"", "dated = \"on ", 1), 0, "expected YYYY-MM-DD");
}

/// One mistake of `file` is at `line` (0: wherever) and says `said`.
fn told(file: &str, line: usize, said: &str) {
    let fault = Catalogue::parse(file).map(|_| ()).expect_err(said);
    let found = fault.mistakes.iter().any(|one| one.text.contains(said) && (line == 0 || one.line == line));
    assert!(found, "expected line {line}: {said}, found {fault}");
    assert!(fault.mistakes.is_sorted_by_key(|mistake| mistake.line), "{fault}");
}

const SHIPPED: &str = include_str!("../data/codes.toml");
