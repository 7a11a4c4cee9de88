//! `pointsman demo` as its users meet it: everything that the first page promises happens, and the figures say so.
//! Never asserts how fast. Guards: scripts that read its JSON find what they look for.
#![cfg(feature = "demo")]

use std::collections::BTreeSet;
use std::process::Command;

/// What a merchant can be told, but for "the issuer did not say".
const CAUSES: [&str; 9] =
    ["network", "funds", "card", "limit", "authentication", "merchant", "operator", "system", "risk"];

const KEYS: [&str; 13] = [
    "answered",
    "approved",
    "books_agree",
    "declined",
    "disagreements",
    "latency_us",
    "link_cut",
    "open_items",
    "repeats",
    "reversed",
    "timeouts",
    "tps",
    "transactions_compared",
];

#[test]
fn the_demo_shows_every_cause_a_repeat_a_reversal_and_a_link_that_heals_and_its_books_agree() {
    let demo = env!("CARGO_BIN_EXE_pointsman");
    let done = Command::new(demo).args(["demo", "--for", "6s", "--json"]).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{errors}", done.status);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    let keys: BTreeSet<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(KEYS));

    let count = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    for cause in CAUSES {
        assert!(count(&told["declined"][cause]) > 0, "nothing was declined for {cause}: {told:#}");
    }
    assert!(count(&told["approved"]) > 0 && count(&told["reversed"]) > 0, "{told:#}");
    assert!(count(&told["repeats"]["agreed"]) > 0, "{told:#}");
    assert_eq!(count(&told["repeats"]["contradicted"]), 0, "{told:#}");
    let cut = serde_json::json!({ "issuer": "meadow", "seen_down": true, "healed": true });
    assert_eq!(told["link_cut"], cut, "{told:#}");
    assert_eq!(told["books_agree"], true, "{told:#}");
    assert!(
        count(&told["transactions_compared"]) > 0 && told["disagreements"] == serde_json::json!([]),
        "{told:#}"
    );
    assert!(told["tps"].as_f64().unwrap() > 0.0 && count(&told["latency_us"]["p99"]) > 0, "{told:#}");
}
