//! What terminals tell after the fact, over TLS, against an issuer that keeps a ledger: taken at once, told to the issuer, and the
//! three books agree.
//! Never declined. Guards: each moves its money once, however often it is told; what is no money moves none.

use crate::operations::{BALANCE, Market};
use crate::stories::HARBOUR_CARD;
use books::shapes::{TerminalEntry, TerminalState};
use books::switch_book::State;
use terms::Mti;
use testkit::wait_for;
use tests::message::{Ask, LOCAL_DATE, LOCAL_TIME, Speech};
use tests::terminal::Terminal;

/// Types of transaction by their numbers in the page of records.
const HOLD: u8 = 2;
const COMPLETION: u8 = 6;
const OFFLINE: u8 = 9;
const ADJUSTMENT: u8 = 10;
const SCRIPT: u8 = 12;

/// Tells it, and tells it again: the same answer to both.
#[track_caller]
fn told_twice(market: &mut Market, ask: &Ask) {
    market.ask(ask, TerminalState::Approved, "00");
    let again = market.till.ask(&ask.again()).unwrap();
    assert_eq!((again.mti, again.code.as_str()), (Mti::of(ask.mti + 0x10), "00"), "{ask:?}");
}

/// As a listed transaction that is no money.
fn moves_none(market: &mut Market) {
    market.entries.last_mut().unwrap().money = false;
}

#[test]
fn a_completion_an_offline_sale_an_adjustment_and_a_script_result_are_told_and_booked_once() {
    let mut market = Market::open();
    let hold = Ask::pre_authorization(HARBOUR_CARD, 1, 20_000);
    market.ask(&hold, TerminalState::Approved, "00");
    told_twice(&mut market, &hold.noticed(2, 22_000));
    market.becomes(&hold, TerminalState::Completed);
    // More than the card may spend: it has happened.
    let sale = Ask::offline(HARBOUR_CARD, 3, 10_000);
    told_twice(&mut market, &sale);
    told_twice(&mut market, &sale.adjusted(4, 10_500));
    moves_none(&mut market);
    told_twice(&mut market, &Ask::script_result(HARBOUR_CARD, 5));
    moves_none(&mut market);
    market.ask(&Ask::purchase(HARBOUR_CARD, 6, 1), TerminalState::Approved, "61");

    let journal = market.close(BALANCE - 32_000);
    let kinds: Vec<u8> = journal.transactions.values().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [HOLD, COMPLETION, OFFLINE, ADJUSTMENT, SCRIPT], "no repeat is another one");
    let all_stand = journal.transactions.values().all(|entry| entry.state == State::Approved);
    assert!(all_stand && journal.findings.is_empty(), "{journal:#?}");
    let told = journal.transactions.values().filter(|entry| entry.advised.is_some()).count();
    assert_eq!(told, 4, "the issuer knows each by a number of its own");
}

#[test]
fn an_acquirer_tells_by_0120_and_0220() {
    let mut market = Market::open();
    let client = market.shop.certificates.client();
    let address = market.switch.listeners().iter().find(|(name, _)| name == "acquirer").unwrap().1;
    let mut line = Terminal::tls(address, &Speech::acquirer(), &client).unwrap();
    for (mti, stan, amount) in [(0x0120, 11, 700), (0x0220, 12, 800)] {
        let sale = Ask { mti, ..Ask::purchase(HARBOUR_CARD, stan, amount) };
        for ask in [sale.clone(), sale.again(), sale.again()] {
            let answer = line.ask(&ask).unwrap();
            assert_eq!((answer.mti, answer.code.as_str()), (Mti::of(mti + 0x10), "00"));
        }
        market.entries.push(TerminalEntry {
            acquirer: "00020000".into(),
            terminal: sale.terminal.clone(),
            merchant: sale.merchant.clone(),
            batch: 0,
            stan,
            local_date: LOCAL_DATE as u16,
            local_time: Some(LOCAL_TIME as u32),
            rrn: None,
            amount: amount as i64,
            currency: 156,
            state: TerminalState::Approved,
            code: Some("00".into()),
            money: true,
        });
    }
    let issuer = market.issuer.control("harbour").unwrap().clone();
    wait_for("both booked", || issuer.totals().debits == 2);
    let journal = market.close(BALANCE - 1_500);
    assert_eq!(journal.transactions.len(), 2);
}
