//! The bound that the switch prints at its start, against what it comes to need.
//! Never a load that the bounds do not name: connections, requests in flight, answers that nobody reads. Guards: what grows
//! with load is on the list.

use crate::million::peak_kib;
use crate::stories::HARBOUR_CARD;
use std::process::Command;
use testkit::{metric, wait_for};
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::{Process, binary};
use tests::shop::Shop;
use tests::terminal::Terminal;

/// Connections that ask and never read an answer, and how often each asks.
const CONNECTIONS: u32 = 16;
const ASKS: u32 = 1_200;

#[test]
fn a_switch_under_more_than_it_can_take_stays_within_the_bound_it_printed() {
    let issuer = Scripted::start();
    let mut shop = Shop::new(issuer.address);
    (shop.plain, shop.timeout_ms) = (true, 300);
    let few = "terminals = \"any\"\nmax_connections = 16\noutput_max_bytes = 262_144";
    shop.edits = vec![
        ("max_live = 16_384", "max_live = 2_048"),
        ("index_entries = 100_000", "index_entries = 20_000"),
        ("terminals = \"registered\"", "terminals = \"registered\"\nmax_connections = 16"),
        ("terminals = \"any\"", few),
        (
            "reconnect_max_ms = 50",
            "reconnect_max_ms = 50\nbreaker_timeouts = 0\nsaf_max = 2_048\nsaf_window = 64",
        ),
    ];
    let process = Process::serve(&shop.file());
    process.ready();
    let idle = peak_kib(process.id());
    let listener = process.listener("acquirer");
    let crowd: Vec<Terminal> = (0..CONNECTIONS)
        .map(|at| {
            let mut line = Terminal::plain(listener, &Speech::acquirer()).unwrap();
            let terminal = format!("T{at:07}");
            let asks: Vec<Ask> =
                (1..=ASKS).map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100).at(&terminal)).collect();
            line.send_all(&asks).unwrap();
            line
        })
        .collect();
    let asked = f64::from(CONNECTIONS * ASKS);
    // Admitted, or refused because there was no room for more; the issuer is silent.
    wait_for("an end to all of them", || {
        metric(&process.metrics(), "pointsman_transactions_total", &["type=\"purchase\""]) >= asked
    });
    let peak = peak_kib(process.id());
    let declined = metric(&process.metrics(), "pointsman_declines_total", &["cause=\"system\""]);
    drop(crowd);
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    let bytes = log.lines().find_map(|line| {
        let said: serde_json::Value = serde_json::from_str(line).ok()?;
        said["message"].as_str()?.starts_with("all bounds together").then(|| said["bytes"].as_u64())?
    });
    let bounds = bounds(&shop);
    let all: u64 = bounds.iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(bytes, Some(all), "what is printed at the start is the sum of what `check` lists");
    // A disk that keeps up lets no batches wait: their room is not to be had by anything else.
    let filled = bounds.iter().filter(|(what, _)| !what.contains("batches"));
    let bound = filled.map(|(_, bytes)| bytes).sum::<u64>() / 1024;
    println!("idle {idle} KiB, peak {peak} KiB, bound {bound} KiB, {declined} refused for want of room");
    assert!(declined > 0.0, "there was more than it could take");
    // The program itself, its threads' stacks and the configuration are there before any load.
    assert!(peak < idle + bound, "{peak} KiB, {idle} of them before any load, the bound is {bound} KiB");
}

/// What `pointsman check` lists: what it is, and bytes.
fn bounds(shop: &Shop) -> Vec<(String, u64)> {
    let output = Command::new(binary()).args(["check", "--config"]).arg(shop.file()).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let bound = |line: &str| {
        let (count, rest) = line.split_once(" × ")?;
        let (each, what) = rest.split_once(" B  ")?;
        let count: u64 = count.split_whitespace().last()?.parse().ok()?;
        Some((what.to_owned(), count * each.trim().parse::<u64>().ok()?))
    };
    let bounds: Vec<_> = said.lines().filter_map(bound).collect();
    assert!(bounds.len() > 5, "{said}");
    bounds
}
