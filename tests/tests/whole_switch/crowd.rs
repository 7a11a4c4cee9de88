//! Ten thousand at once on one card.
//! Never counts what was tried, only what was approved. Guards: a ceiling is exact from the wire to the issuer and back.

use issuer_sim::{IssuerConfig, Listen, Simulator};
use std::sync::Barrier;
use switch::serve::start;
use terms::Answer;
use testkit::wait_for;
use tests::message::{Ask, Speech};
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn ten_thousand_ask_room_is_for_a_hundred() {
    let issuer =
        Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    shop.daily = "100.00";
    let switch = start(shop.config()).unwrap();
    wait_for("ready", || switch.unready().is_empty());
    let (address, client) = (switch.listeners()[1].1, shop.certificates.client());
    let gate = Barrier::new(SOCKETS);
    let approved: Vec<usize> = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..SOCKETS)
            .map(|socket| {
                let (client, gate) = (&client, &gate);
                scope.spawn(move || {
                    let mut line = Terminal::tls(address, &Speech::acquirer(), client).unwrap();
                    gate.wait();
                    rush(&mut line, socket)
                })
            })
            .collect();
        crowd.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(approved.iter().sum::<usize>(), ROOM);
    let totals = issuer.control("harbour").unwrap().totals();
    assert_eq!((totals.debits as usize, totals.debited), (ROOM, 100 * ROOM as i64));
    wait_for("every reversal acknowledged", || {
        issuer.control("harbour").unwrap().totals().reversed == 10_000
    });
    wait_for("an empty counter", || {
        let mut spent = 0;
        switch.limits().for_each(|_, _, amount, count| spent += amount + i64::from(count));
        spent == 0
    });
    assert_eq!(
        issuer.control("harbour").unwrap().totals().reversals as usize,
        ROOM,
        "ten reversals, one booking"
    );
    switch.stop().unwrap();
    let book = books::SwitchBook::of_journal(&shop.journal()).unwrap();
    assert_eq!(book.transactions.values().filter(|entry| entry.stands()).count(), 0);
}

/// Sends its share in one go, waits until all is answered everywhere, takes back ten times what was approved; how many
/// that were.
fn rush(line: &mut Terminal, socket: usize) -> usize {
    let share = ASKED / SOCKETS + usize::from(socket < ASKED % SOCKETS);
    let terminal = format!("T{socket:07}");
    let asks: Vec<Ask> =
        (1..=share).map(|stan| Ask::purchase(CARD, stan as u32, 100).at(&terminal)).collect();
    line.send_all(&asks).unwrap();
    let answers: Vec<Answer> = asks.iter().map(|_| line.hear().unwrap()).collect();
    assert!(answers.iter().all(|answer| ["00", "61"].contains(&answer.code.as_str())), "{answers:?}");
    let approved: Vec<u32> =
        answers.iter().filter(|a| a.code.as_str() == "00").map(|a| a.stan.get()).collect();
    RUSHED.wait();
    for stan in &approved {
        let back = asks[*stan as usize - 1].reversed();
        line.send_all(std::iter::repeat_n(&back, 10)).unwrap();
        for _ in 0..10 {
            assert_eq!(line.hear().unwrap().code.as_str(), "00", "a reversal is never declined");
        }
    }
    approved.len()
}

/// Room that is given back too early would be filled again.
static RUSHED: std::sync::LazyLock<Barrier> = std::sync::LazyLock::new(|| Barrier::new(SOCKETS));
const CARD: &str = "6224240000000018";
const ASKED: usize = 10_000;
const SOCKETS: usize = 64;
const ROOM: usize = 100;
