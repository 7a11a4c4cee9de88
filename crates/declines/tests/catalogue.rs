//! The shipped catalogue line by line, and what a wrong file is told.

use declines::{Catalogue, Class, Who};
use std::collections::BTreeSet;
use terms::{Cause, ResponseCode};

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
        assert_eq!((entry.cause.name(), class), (row[1], Some(row[2])), "code {}", row[0]);
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
        assert_eq!(entry.cause.name(), row[1], "code {}", row[0]);
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
    let meaning =
        |scheme| catalogue.find(scheme, &code("79")).map(|entry| (entry.name_en.as_str(), entry.cause));
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
            assert!(!entry.who.is_empty() && !entry.name_en.is_empty() && !entry.name_zh.is_empty());
            assert_eq!(entry.class.is_some(), scheme == "unionpay", "{scheme} {}", entry.code);
            assert!(entry.visa_category.is_none() || scheme == "visa", "{scheme} {}", entry.code);
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
        let causes: BTreeSet<_> = declines().map(|entry| entry.cause).collect();
        assert_eq!(causes, Cause::ALL.iter().copied().collect(), "{dialect}");
        let who: BTreeSet<_> = declines().flat_map(|entry| entry.who.clone()).collect();
        assert_eq!(who, Who::ALL.iter().copied().collect(), "{dialect}");
    }
}

#[test]
fn the_table_says_what_the_catalogue_says() {
    let catalogue = Catalogue::builtin();
    for dialect in ["iso87-ebcdic", "unionpay-pos", "visa", "mastercard", "no-such-dialect"] {
        let table = catalogue.table(dialect);
        for code in catalogue.codes() {
            let expected = catalogue.find(dialect, code).map_or(Cause::Unstated, |entry| entry.cause);
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

#[test]
fn codes_of_other_lengths_have_causes_too() {
    let file = "version = 1\ndated = \"2026-01-01\"\n[scheme.cmf]\n\
        9111 = { en = \"issuer timeout\", zh = \"发卡行超时\", cause = \"network\", who = [\"network\"] }\n\
        5 = { en = \"declined\", zh = \"拒绝\", cause = \"card\", who = [\"issuer\"] }\n";
    let catalogue = Catalogue::parse(file).unwrap();
    let table = catalogue.table("cmf-2");
    assert_eq!((table.cause(code("9111")), table.cause(code("5"))), (Cause::Network, Cause::Card));
    assert_eq!((table.cause(code("9112")), table.index_of(code("9111"))), (Cause::Unstated, Some(1)));
}

#[test]
fn wrong_files_are_told_where_and_why() {
    let line = |entry: &str| format!("version = 1\ndated = \"2026-01-01\"\n[scheme.x]\n{entry}\n");
    let good = r#"05 = { en = "a", zh = "b", cause = "funds", who = ["issuer"] }"#;
    assert!(Catalogue::parse(&line(good)).is_ok());
    for (entry, line_number, said) in [
        (format!("{good}\n{good}"), 5, "duplicate key"),
        (
            good.replace("funds", "money"),
            4,
            "code 05 has cause \"money\", expected one of network funds card",
        ),
        (good.replace("[\"issuer\"]", "[]"), 4, "code 05 says nobody acts, expected some of cardholder"),
        (good.replace("\"issuer\"", "\"bank\""), 4, "\"bank\" acts, expected some of cardholder"),
        (good.replace("\"issuer\"", "\"issuer\", \"issuer\""), 4, "names \"issuer\" twice"),
        (good.replace(" }", ", class = \"F\" }"), 4, "expected A to E"),
        (good.replace(" }", ", visa = 5 }"), 4, "expected 1 to 4"),
        (good.replace("\"a\"", "\" \""), 4, "has no name"),
        (good.replace("05 =", "0-5 ="), 4, "expected one to four digits or capital letters"),
        (good.replace("en =", "english ="), 4, "unknown field"),
        (good.replace("cause = \"funds\", ", ""), 4, "missing field"),
    ] {
        let fault = Catalogue::parse(&line(&entry)).unwrap_err();
        assert_eq!(fault.mistakes[0].line, line_number, "{fault}");
        assert!(fault.mistakes[0].text.contains(said), "{fault}");
    }
    let many =
        line(&good.replace("funds", "money").replace("[\"issuer\"]", "[]")).replace("2026-01-01", "today");
    let fault = Catalogue::parse(&many.replace("version = 1", "version = 0")).unwrap_err();
    assert_eq!(
        fault.mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(),
        [1, 2, 4, 4],
        "{fault}"
    );
}
