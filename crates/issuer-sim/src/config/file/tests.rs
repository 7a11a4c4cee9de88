//! Files that are read, and what is said of those that are not.

use super::*;

const GOOD: &str = r#"
[[issuers]]
name = "huaxia"
dialect = "unionpay-pos"
listen = "127.0.0.1:0"
require_sign_on = true
bins = ["622424"]
unknown_cards = { balance = 5000 }
standard_moods = true

[[issuers.accounts]]
card = "6224242900000113"
balance = 100000
credit_line = 5000
expiry = 2812

[[issuers.moods]]
card_ends = "0999"
answer = "decline"
code = "41"

[[issuers.moods]]
amount_ends = "77"
rate = 0.5
answer = "late"

[[issuers]]
name = "second"
dialect = "iso87-ascii"
framing = "ascii4"
listen = "127.0.0.1:0"
unknown_cards = "decline"
keep = "totals"
"#;

#[test]
fn a_file_is_read() {
    let sim = SimConfig::parse(GOOD, "sim.toml").unwrap();
    let [(first, _), (second, _)] = &sim.issuers[..] else { panic!("two issuers") };
    assert_eq!((first.accounts.len(), first.accounts[0].1.credit_line), (1, 5000));
    assert_eq!(first.moods[0], Mood::decline("41").card_ends("0999"));
    assert_eq!(first.moods[1].act, Act::Delay(LATE));
    assert_eq!(first.moods[1].when.per_million, Some(500_000));
    assert!(first.moods.len() > 20 && first.require_sign_on);
    assert_eq!((second.unknown, second.keep), (UnknownCards::Decline, Keep::Totals));
    assert_eq!(second.framing, "ascii4");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let bad = GOOD
        .replace("unionpay-pos", "unionpay-atm")
        .replace("code = \"41\"", "")
        .replace("expiry = 2812", "expiry = 2813")
        .replace("ascii4", "ascii5");
    let told = SimConfig::parse(&bad, "sim.toml").unwrap_err().to_string();
    for piece in ["unionpay-atm", "ascii5", "mood 1: code", "card 622424******0113: expiry"] {
        assert!(told.contains(piece), "{piece} in {told}");
    }
    assert!(told.lines().all(|line| line.starts_with("sim.toml: ")) && !told.contains("6224242900000113"));
}

#[test]
fn an_unknown_word_is_told_with_its_line() {
    let told = SimConfig::parse(&GOOD.replace("bins", "binz"), "sim.toml").unwrap_err().to_string();
    assert!(told.starts_with("sim.toml: line 7:") && told.contains("binz"), "{told}");
    let told = SimConfig::parse("[[issuers]]\ncard 6224242900000113", "x").unwrap_err().to_string();
    assert!(!told.contains("6224242900000113"), "{told}");
}
