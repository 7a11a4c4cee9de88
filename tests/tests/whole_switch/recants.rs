//! An issuer takes back by itself what it approved: found whoever's terminal it was, reversed here, told in the books.
//! Never waits for a time. Guards: the original is found in another worker's shard, in two dialects, by our reference alone.

use crate::stories::HARBOUR_CARD;
use books::ItemKind;
use books::shapes::{TerminalBook, TerminalEntry, TerminalState};
use books::switch_book::State;
use issuer_sim::{Act, IssuerConfig, Listen, Mood, Simulator};
use switch::serve::start;
use terms::ResponseCode;
use testkit::{metric, wait_for};
use tests::message::{Ask, Speech};
use tests::paused::{CARDS, Paused};
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn an_approval_that_its_issuer_takes_back_is_reversed_here_and_an_open_item() {
    let harbour = IssuerConfig::new("harbour", "iso87-binary")
        .account(HARBOUR_CARD, 1_000_000)
        .mood(Mood::new(Act::TakeBack).amount_ends("77"));
    let issuer = Simulator::start(vec![(harbour, Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    (shop.plain, shop.daily) = (true, "20.00");
    let switch = start(shop.config()).unwrap();
    wait_for("ready", || switch.unready().is_empty());
    let listener = |name: &str| switch.listeners().iter().find(|(known, _)| known == name).unwrap().1;
    let mut till =
        Terminal::tls(listener("pos"), &Speech::unionpay(), &shop.certificates.stranger()).unwrap();
    let mut line = Terminal::plain(listener("acquirer"), &Speech::acquirer()).unwrap();
    // Both shards: each terminal's transactions live in one of them.
    let terminals = ["T0000001", "T0000002", "T0000003", "T0000004"];
    let control = issuer.control("harbour").unwrap();
    let taken = |count: u64| {
        wait_for("0430 00", || control.totals().recanted == count && control.recanting() == 0);
    };
    let mut believed = TerminalBook::default();
    for (at, terminal) in (1..).zip(terminals) {
        let ask = Ask { terminal: terminal.into(), ..Ask::purchase(HARBOUR_CARD, at, 977) };
        assert_eq!(till.ask(&ask).unwrap().code.as_str(), "00", "{terminal}");
        taken(u64::from(2 * at - 1));
        let other = Ask { terminal: terminal.into(), ..Ask::purchase(HARBOUR_CARD, 100 + at, 1_977) };
        assert_eq!(line.ask(&other).unwrap().code.as_str(), "00", "the ceiling is free again");
        taken(u64::from(2 * at));
        assert_eq!(till.ask(&ask).unwrap().code.as_str(), "94", "no longer true");
        believed.entries.push(entry(&ask, "00010000"));
        believed.entries.push(entry(&other, "00020000"));
    }
    let totals = control.totals();
    assert_eq!((totals.recanted, totals.recants_refused, totals.debited - totals.reversed), (8, 0, 0));
    assert_eq!(
        metric(&switch.metrics(), "pointsman_issuer_contradictions_total", &[]),
        8.0,
        "each is alarmed"
    );
    switch.stop().unwrap();

    let book = books::SwitchBook::of_journal(&shop.journal()).unwrap();
    assert!(book.transactions.values().all(|entry| entry.state == State::Reversed), "{:?}", book.findings);
    for one in &mut believed.entries {
        let known = book.transactions.values().find(|entry| entry.stan == one.stan).unwrap();
        (one.batch, one.local_date, one.local_time) = (known.batch, known.local_date, known.local_time);
        (one.terminal, one.merchant) = (known.terminal.clone(), known.merchant.clone());
    }
    let verdict = books::compare(&believed, &book, &control.book());
    assert!(verdict.agree, "{:?}", verdict.disagreements);
    assert_eq!(verdict.items.len(), 8);
    assert!(verdict.items.iter().all(|item| item.kind == ItemKind::IssuerContradiction));
}

/// What a terminal holds that was told yes and never came back.
fn entry(ask: &Ask, acquirer: &str) -> TerminalEntry {
    TerminalEntry {
        acquirer: acquirer.into(),
        terminal: ask.terminal.clone(),
        merchant: String::new(),
        batch: 0,
        stan: ask.stan,
        local_date: 0,
        local_time: None,
        rrn: None,
        amount: ask.amount as i64,
        currency: 156,
        state: TerminalState::Approved,
        code: Some("00".into()),
        money: true,
    }
}

/// By our STAN and DE 7 in DE 90 and nothing else: what it was sent is all that an issuer needs to know. Purchase, void, refund,
/// pre-authorization, completion; in both shards, across a restart, in two dialects.
#[test]
fn an_issuer_that_only_knows_our_numbers_takes_back_whatever_it_approved() {
    const SHANGHAI: (&str, &str) = ("Asia/Shanghai", "23:00");
    let mut switch = Paused::open("2026-03-10T02:00:00Z", SHANGHAI, SHANGHAI);
    for (bank, till) in [(0, "T0000001"), (1, "T0000002"), (0, "T0000003"), (1, "T0000004")] {
        let first = 100 * (1 + till.as_bytes()[7] - b'0') as u32;
        let pays = |stan: u32, amount| Ask::purchase(CARDS[bank], first + stan, amount).at(till);
        let says = |found: Option<String>, code: &str| assert_eq!(found.as_deref(), Some(code), "{till}");
        // A purchase.
        says(switch.ask(&pays(1, 1_001)), "00");
        says(switch.takes_back(bank, 1_001, None), "00");
        says(switch.takes_back(bank, 1_001, None), "00");
        says(switch.ask(&pays(1, 1_001)), "94");
        // A void; its sale stands again. A reference that is not ours does not hide the number.
        let sale = pays(2, 1_002);
        let void = |stan: u32| Ask { code: 20_000, ..sale.voided(first + stan) };
        says(switch.ask(&sale), "00");
        says(switch.ask(&void(3)), "00");
        switch.restart();
        says(switch.takes_back(bank, 1_002, Some("999999999999")), "00");
        says(switch.ask(&void(3)), "94");
        says(switch.ask(&sale), "00");
        // A refund; there is as much to refund as before.
        let sale = pays(4, 1_004);
        says(switch.ask(&sale), "00");
        says(switch.ask(&sale.refunded(first + 5, 905)), "00");
        says(switch.ask(&sale.refunded(first + 6, 106)), "64");
        says(switch.takes_back(bank, 905, None), "00");
        switch.restart();
        // The simulated issuer has not booked that it took it back.
        switch.mood(bank, vec![Mood::new(Act::Say(ResponseCode::of("00"))).amount(1_000)]);
        says(switch.ask(&sale.refunded(first + 7, 1_000)), "00");
        switch.mood(bank, Vec::new());
        // What was refunded in part is not taken back whole.
        says(switch.takes_back(bank, 1_004, None), "12");
        // A completion: the hold is there again. Then the hold itself.
        let hold = Ask::pre_authorization(CARDS[bank], first + 8, 1_008).at(till);
        says(switch.ask(&hold), "00");
        let rrn = switch.rrn();
        let complete = |stan: u32, amount| hold.completed(first + stan, amount).naming(&rrn);
        says(switch.ask(&complete(9, 1_160)), "64");
        says(switch.ask(&complete(10, 910)), "00");
        says(switch.takes_back(bank, 910, None), "00");
        says(switch.ask(&complete(10, 910)), "94");
        says(switch.takes_back(bank, 1_008, None), "00");
        says(switch.ask(&complete(11, 910)), "12");
    }
    // Of another issuer's, or of nothing, it is not believed.
    let foreign = Ask::purchase(CARDS[1], 900, 4_321).at("T0000001");
    assert_eq!(switch.ask(&foreign).as_deref(), Some("00"));
    let rrn = switch.rrn();
    assert_eq!(switch.takes_back(0, 1_004, Some(&rrn)).as_deref(), Some("25"));
    let (book, _) = switch.book();
    assert_eq!((book.unlinked(), book.owed().count()), (Vec::new(), 0));
    let recanted = book.transactions.values().filter(|entry| entry.reversal_reason == Some(7));
    assert!(recanted.clone().all(|entry| entry.state == State::Reversed));
    assert_eq!(recanted.count(), 4 * 5);
}
