//! The wall clock of the real process steps by a day, forth and back, under load.
//! Never the monotonic clock: that is what deadlines are for. Guards: no deadline, key or counter follows a wall clock that
//! jumps; the books agree.

use issuer_sim::{IssuerConfig, Listen, Simulator};
use std::process::Command;
use std::sync::Arc;
use testkit::{Chance, metric, wait_for};
use tests::process::Process;
use tests::shop::Shop;
use tests::tills::{Door, Tills, books_agree};

#[test]
fn steps_of_a_day_time_nothing_out_and_lose_nothing() {
    let issuer =
        Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    shop.plain = true;
    let trigger = shop.dir.path().join("trigger");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-switch"));
    command.arg(shop.file()).arg(&trigger);
    let process = Process::start(command);
    process.ready();
    let door = Arc::new(Door::new(None));
    door.open(process.listener("acquirer"));
    let tills = Tills::open(TILLS, &door, &mut Chance::seeded());
    for hours in [0, 24, 0, -24, 0, 24, -24, 48, 0] {
        let word = format!("clock {}", hours * 3_600_000);
        let aside = trigger.with_extension("new");
        std::fs::write(&aside, &word).unwrap();
        // Whole or not at all: the process may read at any moment.
        std::fs::rename(&aside, &trigger).unwrap();
        let obeyed = trigger.with_extension("obeyed");
        wait_for("the step", || std::fs::read_to_string(&obeyed).is_ok_and(|done| done == word));
        let seen = door.answers();
        wait_for("answers by this clock", || door.answers() >= seen + 60);
    }
    door.done();
    let sales = tills.close();
    let text = process.metrics();
    assert_eq!(metric(&text, "pointsman_issuer_timeouts_total", &[]), 0.0, "an issuer that answers at once");
    assert_eq!(metric(&text, "pointsman_link_up", &[]), 1.0);
    wait_for("every reversal acknowledged", || metric(&process.metrics(), "pointsman_saf_depth", &[]) == 0.0);
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    let book = issuer.control("harbour").unwrap().book();
    let (journal, _) = books_agree(&sales, &shop.journal(), &book);
    let days: std::collections::BTreeSet<u16> =
        journal.transactions.values().map(|entry| entry.issuer_day).collect();
    // A day that has begun does not end before its time: after a step back, sales are still of the later day.
    assert_eq!(days.len(), 3, "today, tomorrow, and the day after: {days:?}");
}

/// Terminals at work.
const TILLS: usize = 4;
