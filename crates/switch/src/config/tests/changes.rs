//! What a reload takes over and what it refuses: one line of ledger per change.

use super::*;
use crate::config::{LoadError, Source};

/// Starts with the base file, edits it, reads it again; the report without its first line.
#[track_caller]
fn check(edits: &[(&str, &str)], expected: &str) {
    let place = place();
    let file = place.path().join("p.toml");
    std::fs::write(&file, BASE).unwrap();
    let running = Config::load(&file).unwrap();
    std::fs::write(&file, broken(edits)).unwrap();
    let report = match running.reload() {
        Ok(new) => format!("taken over with {} routes", new.routes.len()),
        Err(LoadError::Wrong(errors)) => errors.to_string(),
        Err(unread) => unread.to_string(),
    };
    let lines = report.lines().filter(|line| !line.contains(" in /")).map(str::trim);
    let expected: Vec<_> = expected.lines().map(str::trim).collect();
    assert_eq!(lines.collect::<Vec<_>>(), expected, "\n{report}");
}

#[test]
fn routes_ceilings_merchants_and_patience_are_taken_over() {
    check(&[], "taken over with 1 routes");
    check(
        &[(
            "[[merchant]]",
            "[[route]]\nprefix = \"6225\"\nissuer = \"harbour\"\nscheme = \"CUP\"\n\n[[merchant]]",
        )],
        "taken over with 2 routes",
    );
    check(
        &[
            ("daily = \"5000.00\"", "daily = \"1.00\""),
            ("timeout_ms = 20_000", "timeout_ms = 1000\ngrace_ms = 0\nsaf_max = 16\nlimits = \"card\""),
            ("terminals = [\"10000019\"]", "status = \"suspended\""),
        ],
        "taken over with 1 routes",
    );
}

#[test]
fn another_spelling_is_no_change() {
    check(
        &[
            ("answer_within_ms = 30_000", "answer_within_ms = 30000 # half a minute"),
            ("node = 7", "node = 0x7"),
        ],
        "taken over with 1 routes",
    );
}

#[test]
fn what_was_built_at_start_takes_a_restart() {
    check(
        &[
            ("workers = 2", "workers = 3"),
            ("dir = \"journal\"", "dir = \"elsewhere\""),
            ("cutover = \"23:00\"", "cutover = \"22:00\""),
            ("listen = \"127.0.0.1:7001\"", "listen = \"127.0.0.1:7002\""),
            ("address = \"127.0.0.1:8001\"", "address = \"127.0.0.1:8002\"\nwindow = 16"),
        ],
        "line 3: switch: workers has changed since the switch was started: that takes a restart
         line 6: journal: dir has changed since the switch was started: that takes a restart
         line 12: calendar \"cn\": cutover has changed since the switch was started: that takes a restart
         line 21: listener \"pos\": listen has changed since the switch was started: that takes a restart
         line 37: issuer \"harbour\", link \"a\": address has changed since the switch was started: that takes a restart
         line 38: issuer \"harbour\", link \"a\": window is not what the switch was started with: that takes a restart",
    );
}

#[test]
fn sections_that_come_or_go_take_a_restart() {
    check(
        &[("[[route]]", "[[issuer.link]]\nname = \"b\"\naddress = \"127.0.0.1:8002\"\n\n[[route]]")],
        "line 39: issuer \"harbour\", link \"b\": the section is not what the switch was started with: that takes a restart",
    );
    check(
        &[
            ("node = 7\nworkers = 2", "node = 7"),
            ("[[calendar]]", "[admin]\nlisten = \"127.0.0.1:9465\"\n\n[[calendar]]"),
        ],
        "line 1: switch: workers is gone since the switch was started: that takes a restart
         line 8: admin: the section is not what the switch was started with: that takes a restart",
    );
}

#[test]
fn a_broken_file_is_refused_for_its_mistakes() {
    check(
        &[("prefix = \"6224\"", "prefix = \"62x4\"")],
        "line 40: route \"62x4\": \"62x4\" is no prefix, expected 1 to 12 digits",
    );
}

#[test]
fn a_file_that_is_gone_is_said_to_be() {
    let place = place();
    let file = place.path().join("p.toml");
    std::fs::write(&file, BASE).unwrap();
    let running = Config::load(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(running.reload(), Err(LoadError::Read { .. })));
    assert_eq!(running.source.hash(), Source::new("p.toml", BASE).hash());
}
