//! Ten thousand at once on one card.
//! Never counts what was tried, only what was approved. Guards: a ceiling is exact from the wire to the issuer and back.

use issuer_sim::{IssuerConfig, Listen, Simulator};
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
    let (address, client) = (switch.listeners()[1].1, &shop.certificates.client());
    let lines =
        at_once((0..SOCKETS).collect(), |_| Terminal::tls(address, &Speech::acquirer(), client).unwrap());
    // Room that is given back too early would be filled again: nobody reverses before everybody has been answered.
    let rushed = at_once(lines.into_iter().zip(0..).collect(), |(line, socket)| rush(line, socket));
    let approved = at_once(rushed, |(line, approved)| take_back(line, &approved));
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

/// Each on a thread of its own. One that fails fails the test when it is joined: no other waits for it.
fn at_once<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// Sends its share in one go and waits until all is answered; what was approved.
fn rush(mut line: Terminal, socket: usize) -> (Terminal, Vec<Ask>) {
    let share = ASKED / SOCKETS + usize::from(socket < ASKED % SOCKETS);
    let terminal = format!("T{socket:07}");
    let asks: Vec<Ask> =
        (1..=share).map(|stan| Ask::purchase(CARD, stan as u32, 100).at(&terminal)).collect();
    line.send_all(&asks).unwrap();
    let answers: Vec<Answer> = asks.iter().map(|_| line.hear().unwrap()).collect();
    assert!(answers.iter().all(|answer| ["00", "61"].contains(&answer.code.as_str())), "{answers:?}");
    let approved = answers.iter().filter(|answer| answer.code.as_str() == "00");
    let approved = approved.map(|answer| asks[answer.stan.get() as usize - 1].clone()).collect();
    (line, approved)
}

/// Reverses each ten times; how many there were.
fn take_back(mut line: Terminal, approved: &[Ask]) -> usize {
    for ask in approved {
        let back = ask.reversed();
        line.send_all(std::iter::repeat_n(&back, 10)).unwrap();
        for _ in 0..10 {
            assert_eq!(line.hear().unwrap().code.as_str(), "00", "a reversal is never declined");
        }
    }
    approved.len()
}

const CARD: &str = "6224240000000018";
const ASKED: usize = 10_000;
const SOCKETS: usize = 64;
const ROOM: usize = 100;
