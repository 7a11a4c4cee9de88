//! Lines that misbehave on both sides of the real process: cut, cut inside a message, delayed, dripping, doubled, swallowed.
//! Never a fault of the switch or its disk. Guards: terminals that repeat and reverse by the rules lose nothing, whatever
//! became of a message on its way.

use issuer_sim::{IssuerConfig, Listen, Simulator};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Chance, metric, wait_for};
use tests::chaos::{Chaos, Trouble};
use tests::process::Process;
use tests::shop::Shop;
use tests::tills::{Door, Tills, books_agree};

#[test]
fn three_books_agree_over_lines_that_misbehave() {
    let chance = &mut Chance::seeded();
    let answers = if std::env::var_os("POINTSMAN_LONG").is_some() { 200_000 } else { 4_000 };
    let issuer =
        Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]).unwrap();
    // Of a thousand reads: cut, cut inside, delayed, dripping, doubled, swallowed.
    let bank = Chaos::before(issuer.address("harbour").unwrap(), [1, 1, 10, 10, 5, 1], chance.branch());
    let mut shop = Shop::new(bank.address());
    (shop.plain, shop.timeout_ms) = (true, 300);
    let process = Process::serve(&shop.file());
    process.ready();
    let street = Chaos::before(process.listener("acquirer"), [5, 5, 10, 10, 10, 5], chance.branch());
    let door = Arc::new(Door::new(Some(Duration::from_secs(2))));
    door.open(street.address());
    let tills = Tills::open(TILLS, &door, chance);
    wait_for("a day's work", || door.answers() >= answers);
    wait_for("every kind of trouble", || {
        Trouble::ALL.iter().all(|kind| street.struck(*kind) > 0)
            && [Trouble::Delay, Trouble::Drip, Trouble::Twice].iter().all(|kind| bank.struck(*kind) > 0)
    });
    street.calm();
    bank.calm();
    door.done();
    let sales = tills.close();
    wait_for("every reversal acknowledged", || {
        let text = process.metrics();
        metric(&text, "pointsman_saf_depth", &[]) == 0.0 && metric(&text, "pointsman_in_flight", &[]) == 0.0
    });
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    let book = issuer.control("harbour").unwrap().book();
    let (_, verdict) = books_agree(&sales, &shop.journal(), &book);
    let struck = Trouble::ALL.map(|kind| (kind, street.struck(kind), bank.struck(kind)));
    println!("{} sales, {} transactions; street and bank: {struck:?}", sales.len(), verdict.transactions);
}

/// Terminals at work.
const TILLS: usize = 8;
