//! What is booked, told line by line: request, answer, balance.

use crate::desk::{Ask, CARD, Desk, ask, network, write};
use books::shapes::{IssuerBook, IssuerKind};
use issuer_sim::{IssuerConfig, Keep};
use terms::Pan;

/// Each line is a request with its answer (`MTI stan=… amount=… -> code`), `balance N`, or `book +N -N …` in order.
fn check(dialect: &str, balance: i64, story: &str) {
    let config = IssuerConfig::new("huaxia", dialect).account(CARD, balance).known_cards_only();
    let mut desk = Desk::new(config);
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        tell(&mut desk, line);
    }
    balances(&desk, balance);
}

fn tell(desk: &mut Desk, line: &str) {
    if let Some(expected) = line.strip_prefix("balance ") {
        let account = desk.issuer.account(Pan::new(CARD.as_bytes()).unwrap()).unwrap();
        assert_eq!(account.balance.to_string(), expected, "{line}");
    } else if let Some(expected) = line.strip_prefix("book") {
        assert_eq!(movements(&desk.issuer.book()), expected.trim(), "{line}");
    } else {
        let (request, code) = line.split_once("->").unwrap();
        assert_eq!(desk.code(&parse(request)), code.trim(), "{line}");
    }
}

fn parse(text: &str) -> Ask {
    let mut words = text.split_whitespace();
    let mut asked = ask(u16::from_str_radix(words.next().unwrap(), 16).unwrap(), 1, 0);
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "stan" => asked.stan = value.parse().unwrap(),
            "amount" => asked.amount = value.parse().unwrap(),
            "code" => asked.code = value.parse().unwrap(),
            "condition" => asked.condition = value.parse().unwrap(),
            "de7" => asked.transmission = value.parse().unwrap(),
            "of" => asked.original = Some(value.parse().unwrap()),
            "to" => asked.replacement = Some(value.parse().unwrap()),
            "rrn" => asked.rrn = Some(format!("{value:0>12}").into_bytes().try_into().unwrap()),
            _ => panic!("{word}"),
        }
    }
    asked
}

fn movements(book: &IssuerBook) -> String {
    let sign = |kind| if kind == IssuerKind::Debit { '-' } else { '+' };
    book.entries
        .iter()
        .map(|entry| format!("{}{}", sign(entry.kind), entry.amount))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The third book agrees with the accounts and with the totals.
fn balances(desk: &Desk, opening: i64) {
    let (mut debited, mut reversed) = (0, 0);
    for entry in desk.issuer.book().entries {
        match entry.kind {
            IssuerKind::Debit => debited += entry.amount,
            IssuerKind::Reversal => reversed += entry.amount,
        }
    }
    let account = desk.issuer.account(Pan::new(CARD.as_bytes()).unwrap()).unwrap();
    assert_eq!(account.balance, opening - debited + reversed);
    let totals = desk.issuer.totals();
    assert_eq!((totals.debited, totals.reversed), (debited, reversed));
}

#[test]
fn a_purchase_is_booked_once_and_answered_as_often_as_asked() {
    check(
        "iso87-ascii",
        10_000,
        "0200 stan=1 amount=6000 -> 00
         0200 stan=1 amount=6000 -> 00
         0201 stan=1 amount=6000 -> 00
         balance 4000
         0200 stan=2 amount=6000 -> 51
         0201 stan=2 amount=6000 -> 51
         0200 stan=2 amount=4000 de7=1122013016 -> 00
         balance 0
         book -6000 -4000",
    );
}

#[test]
fn a_declined_request_stays_declined_when_it_comes_again() {
    check(
        "iso87-binary",
        5_000,
        "0200 stan=1 amount=6000 -> 51
         0200 stan=2 amount=5000 -> 00
         0420 stan=3 amount=5000 of=2 -> 00
         0201 stan=1 amount=6000 -> 51
         balance 5000
         book -5000 +5000",
    );
}

#[test]
fn a_reversal_gives_back_once() {
    check(
        "iso87-ascii",
        10_000,
        "0200 stan=1 amount=6000 -> 00
         0420 stan=9 amount=6000 of=1 -> 00
         balance 10000
         0421 stan=9 amount=6000 of=1 -> 00
         0421 stan=10 amount=6000 of=1 -> 00
         balance 10000
         0201 stan=1 amount=6000 -> 00
         balance 10000
         book -6000 +6000",
    );
}

#[test]
fn a_reversal_that_comes_first_declines_what_comes_after() {
    check(
        "iso87-ebcdic",
        10_000,
        "0420 stan=9 amount=6000 of=1 -> 25
         0421 stan=9 amount=6000 of=1 -> 25
         0200 stan=1 amount=6000 -> 94
         0201 stan=1 amount=6000 -> 94
         balance 10000
         book",
    );
}

#[test]
fn a_reversal_of_a_decline_gives_nothing_back() {
    check(
        "iso87-ascii",
        10_000,
        "0200 stan=1 amount=10001 -> 51
         0420 stan=2 amount=10001 of=1 -> 00
         balance 10000
         book",
    );
}

#[test]
fn the_unionpay_reversal_carries_the_original_stan() {
    check(
        "unionpay-pos",
        10_000,
        "0200 stan=1 amount=6000 rrn=326000000A7X -> 00
         0400 stan=1 amount=6000 rrn=326000000A7X -> 00
         0400 stan=1 amount=6000 rrn=326000000A7X -> 00
         0400 stan=2 amount=6000 -> 25
         0200 stan=2 amount=6000 -> 94
         balance 10000
         book -6000 +6000",
    );
}

#[test]
fn a_stan_that_has_come_round_is_another_request() {
    check(
        "unionpay-pos",
        10_000,
        "0200 stan=1 amount=1000 rrn=326000000A7X -> 00
         0200 stan=1 amount=1000 rrn=326000000A7X -> 00
         0200 stan=1 amount=2000 rrn=326000000B00 -> 00
         balance 7000
         0400 stan=1 amount=2000 rrn=326000000B00 -> 00
         book -1000 -2000 +2000",
    );
}

#[test]
fn a_partial_reversal_leaves_the_replacement_amount() {
    check(
        "iso87-ascii",
        10_000,
        "0200 stan=1 amount=6000 -> 00
         0420 stan=2 amount=6000 of=1 to=2500 -> 00
         0421 stan=2 amount=6000 of=1 to=2500 -> 00
         balance 7500
         0420 stan=3 amount=6000 of=1 -> 00
         book -6000 +3500 +2500",
    );
}

#[test]
fn an_advice_is_booked_whatever_the_balance() {
    check(
        "iso87-ascii",
        100,
        "0220 stan=1 amount=500 -> 00
         0221 stan=1 amount=500 -> 00
         balance -400
         book -500",
    );
}

#[test]
fn a_refund_gives_money_and_its_reversal_takes_it_again() {
    check(
        "iso87-ascii",
        100,
        "0220 stan=1 amount=500 code=200000 -> 00
         0221 stan=1 amount=500 code=200000 -> 00
         balance 600
         book +500
         0420 stan=2 amount=500 of=1 -> 00
         0421 stan=2 amount=500 of=1 -> 00
         balance 100
         book",
    );
}

#[test]
fn a_balance_is_told_and_books_nothing() {
    for dialect in ["iso87-ascii", "unionpay-pos"] {
        let mut desk = Desk::new(IssuerConfig::new("huaxia", dialect).account(CARD, 12_345));
        let heard = desk.ask(&Ask { code: 310_000, ..ask(0x0200, 1, 0) });
        let heard = heard[0].clone().unwrap();
        assert_eq!(heard.code(), "00");
        assert_eq!(heard.additional.as_deref(), Some(&b"1002156C000000012345"[..]));
        assert!(desk.issuer.book().entries.is_empty());
    }
}

#[test]
fn the_answer_echoes_and_approves() {
    let mut desk = Desk::new(IssuerConfig::new("huaxia", "iso87-ascii"));
    let asked = Ask { rrn: Some(*b"326000000A7X"), ..ask(0x0200, 7, 1_250) };
    let first = desk.ask(&asked)[0].clone().unwrap().answer;
    assert_eq!((first.mti.bcd(), first.stan.get(), first.transmission.0), (0x0210, 7, asked.transmission));
    assert_eq!((first.amount, first.rrn.map(|rrn| *rrn.as_bytes())), (Some(1_250), asked.rrn));
    assert_eq!(first.terminal.unwrap().as_str(), "T0000001");
    assert!(first.approval_code.is_some() && first.pan.is_some() && first.currency.is_some());
    let again = desk.ask(&Ask { mti: 0x0201, ..asked })[0].clone().unwrap().answer;
    assert_eq!(again, first);
    assert_eq!(desk.issuer.totals().repeats, 1);
}

#[test]
fn nothing_before_the_sign_on() {
    for (dialect, refused) in [("iso87-ascii", "58"), ("unionpay-pos", "77")] {
        let mut desk = Desk::new(IssuerConfig::new("huaxia", dialect).require_sign_on());
        assert_eq!(desk.code(&ask(0x0200, 1, 100)), refused);
        let said = |desk: &mut Desk, code| {
            let body = network(&desk.dialect.clone(), code, 5);
            desk.say(&body)[0].clone().unwrap().answer
        };
        assert_eq!(said(&mut desk, 1).code.as_str(), "00");
        assert_eq!(desk.code(&ask(0x0200, 1, 100)), "00");
        assert_eq!(said(&mut desk, 301).mti.bcd(), 0x0810);
        assert_eq!(said(&mut desk, 2).code.as_str(), "00");
        assert_eq!(desk.code(&ask(0x0200, 2, 100)), refused);
        assert_eq!(desk.issuer.totals().network, 3);
    }
}

#[test]
fn totals_without_a_book_add_up() {
    let mut desk =
        Desk::new(IssuerConfig::new("huaxia", "iso87-ascii").keep(Keep::Totals).account(CARD, 1_000));
    assert_eq!(desk.code(&ask(0x0200, 1, 600)), "00");
    assert_eq!(desk.code(&ask(0x0200, 2, 600)), "51");
    assert_eq!(desk.code(&Ask { original: Some(1), ..ask(0x0420, 3, 600) }), "00");
    let totals = desk.issuer.totals();
    assert_eq!((totals.debited, totals.reversed, totals.declined), (600, 600, 1));
    assert!(desk.issuer.book().entries.is_empty());
}

#[test]
fn a_full_book_declines_and_moves_nothing() {
    let mut config = IssuerConfig::new("huaxia", "iso87-ascii").account(CARD, 1_000);
    config.entries_max = 1;
    let mut desk = Desk::new(config);
    assert_eq!(desk.code(&ask(0x0200, 1, 100)), "00");
    assert_eq!(desk.code(&ask(0x0200, 2, 100)), "96");
    assert_eq!(desk.code(&ask(0x0200, 1, 100)), "00");
    balances(&desk, 1_000);
}

#[test]
fn the_written_book_is_the_book() {
    let mut desk = Desk::new(IssuerConfig::new("huaxia", "iso87-ascii"));
    for stan in 1..=5 {
        desk.ask(&Ask { rrn: Some(*b"326000000A7X"), ..ask(0x0200, stan, 100) });
    }
    desk.ask(&Ask { original: Some(2), ..ask(0x0420, 9, 100) });
    desk.ask(&ask(0x0200, 6, 100));
    let mut bytes = Vec::new();
    desk.issuer.write_book(&mut bytes).unwrap();
    let book: IssuerBook = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(book, desk.issuer.book());
    assert_eq!(movements(&book), "-100 -100 -100 -100 -100 +100 -100");
    let back = &book.entries[5];
    assert_eq!((back.stan, back.card.as_str(), back.currency), (2, "622424******0113", 156));
    assert!(!String::from_utf8(bytes).unwrap().contains(CARD));
}

#[test]
fn bytes_that_can_be_trusted_in_part_get_30() {
    let mut desk = Desk::new(IssuerConfig::new("huaxia", "iso87-ascii"));
    let mut body = write(&desk.dialect.clone(), &ask(0x0200, 7, 100));
    let at = body.windows(12).position(|window| window == b"000000000100").unwrap();
    body[at] = b'x';
    let heard = desk.say(&body);
    assert_eq!(heard[0].as_ref().unwrap().code(), "30");
    assert!(desk.say(b"no message at all").is_empty());
    assert_eq!(desk.issuer.totals().malformed, 2);
}

#[test]
fn operations_take_no_more_of_a_booking_than_it_has() {
    check(
        "iso87-ascii",
        10_000,
        "0200 stan=1 amount=4000             -> 00
         0200 code=20000 stan=2 of=1 amount=3000 -> 64
         0200 code=20000 stan=9 of=7 amount=4000 -> 25
         0200 code=20000 stan=3 of=1 amount=4000 -> 00
         balance 10000
         0200 code=20000 stan=4 of=1 amount=4000 -> 12
         0420 stan=5 of=3 amount=4000        -> 00
         balance 6000
         0220 code=200000 stan=6 of=1 amount=3000 -> 00
         0220 code=200000 stan=7 of=1 amount=1001 -> 64
         0220 code=200000 stan=8 of=1 amount=1000 -> 00
         balance 10000",
    );
}

#[test]
fn a_completion_takes_the_place_of_its_hold() {
    check(
        "iso87-ascii",
        10_000,
        "0100 code=30000 stan=1 amount=4000  -> 00
         balance 6000
         0200 condition=6 stan=2 of=1 amount=4601 -> 64
         0200 condition=6 stan=3 of=1 amount=3500 -> 00
         balance 6500
         0200 condition=6 stan=4 of=1 amount=3500 -> 12
         0420 stan=5 of=3 amount=3500        -> 00
         balance 6000
         0100 code=20000 stan=6 of=1 amount=4000 -> 00
         balance 10000",
    );
}
