//! Every mood, and that it books what it says.

use crate::desk::{Ask, CARD, Desk, ask};
use core::time::Duration;
use issuer_sim::{Act, IssuerConfig, Mood, standard_moods};
use terms::{Kind, ResponseCode};

fn desk(act: Act) -> Desk {
    Desk::new(IssuerConfig::new("huaxia", "iso87-ascii").account(CARD, 1_000).mood(Mood::new(act)))
}

fn booked(desk: &Desk) -> usize {
    desk.issuer.book().entries.len()
}

#[test]
fn approve_and_decline() {
    let mut desk_ = desk(Act::Approve);
    assert_eq!((desk_.code(&ask(0x0200, 1, 5_000)), booked(&desk_)), ("00".into(), 1));
    let mut desk_ = desk(Act::Decline(ResponseCode::of("Z9")));
    assert_eq!((desk_.code(&ask(0x0200, 1, 1)), booked(&desk_)), ("Z9".into(), 0));
}

#[test]
fn drop_books_and_lose_does_not() {
    let mut desk_ = desk(Act::Drop);
    assert_eq!((desk_.ask(&ask(0x0200, 1, 100)).len(), booked(&desk_)), (0, 1));
    let mut desk_ = desk(Act::Lose);
    assert_eq!((desk_.ask(&ask(0x0200, 1, 100)).len(), booked(&desk_)), (0, 0));
    assert_eq!(desk_.issuer.totals().dropped, 1);
}

#[test]
fn a_delay_decides_now_and_answers_later() {
    let mut desk_ = desk(Act::Delay(Duration::from_secs(65)));
    let body = crate::desk::write(&desk_.dialect.clone(), &ask(0x0200, 1, 100));
    let replies = desk_.replies(&body);
    assert!(replies.now.is_empty());
    assert_eq!((replies.later[0].after, booked(&desk_)), (Duration::from_secs(65), 1));
    let heard = crate::desk::hear(&desk_.dialect, desk_.issuer.framing(), &replies.later[0].frame);
    assert_eq!(heard[0].as_ref().unwrap().code(), "00");
}

#[test]
fn twice_is_the_same_twice() {
    let mut desk_ = desk(Act::Twice);
    let heard = desk_.ask(&ask(0x0200, 1, 100));
    let answers: Vec<_> = heard.iter().map(|heard| heard.as_ref().unwrap().answer).collect();
    assert_eq!((answers.len(), answers[0] == answers[1], booked(&desk_)), (2, true, 1));
}

#[test]
fn garbage_is_a_frame_and_no_message() {
    for dialect in ["iso87-ascii", "iso87-binary", "iso87-ebcdic", "unionpay-pos"] {
        let mut desk_ = Desk::new(IssuerConfig::new("huaxia", dialect).mood(Mood::new(Act::Garbage)));
        for stan in 1..100 {
            let heard = desk_.ask(&ask(0x0200, stan, 100));
            assert!(matches!(heard[..], [None]), "{dialect}");
        }
        assert_eq!(booked(&desk_), 99);
    }
}

#[test]
fn wrong_amount_wrong_stan_no_terminal() {
    let mut desk_ = desk(Act::WrongAmount);
    assert_eq!(desk_.ask(&ask(0x0200, 1, 100))[0].clone().unwrap().answer.amount, Some(101));
    let mut desk_ = desk(Act::WrongStan);
    assert_eq!(desk_.ask(&ask(0x0200, 1, 100))[0].clone().unwrap().answer.stan.get(), 2);
    let mut desk_ = desk(Act::NoTerminal);
    let answer = desk_.ask(&ask(0x0200, 1, 100))[0].clone().unwrap().answer;
    assert!(answer.terminal.is_none() && answer.merchant.is_some());
    assert_eq!(desk_.issuer.book().entries[0].amount, 100);
}

#[test]
fn a_crossed_answer_approves_somebody_else_s_and_books_nothing() {
    let mut desk_ = desk(Act::Crossed);
    let purchase = Ask { rrn: Some(*b"326000000001"), ..ask(0x0200, 1, 100) };
    let answer = desk_.ask(&purchase)[0].clone().unwrap().answer;
    assert_eq!(answer.code.as_str(), "00");
    assert!(
        answer.approval_code.is_some() && answer.rrn.is_some_and(|rrn| rrn.as_bytes() != b"326000000001")
    );
    assert_eq!(booked(&desk_), 0);
    let reversal = Ask { mti: 0x0420, original: Some(1), ..purchase };
    assert_eq!(desk_.code(&reversal), "00", "there is nothing to take back");
    assert_eq!(booked(&desk_), 0);
}

#[test]
fn wrong_card_wrong_currency_wrong_rrn_are_booked_as_asked() {
    for (act, at) in [(Act::WrongCard, 0), (Act::WrongCurrency, 1), (Act::WrongRrn, 2)] {
        let mut desk_ = desk(act);
        let wrong = desk_.ask(&ask(0x0200, 1, 100))[0].clone().unwrap().answer;
        let mut usual = Desk::new(IssuerConfig::new("huaxia", "iso87-ascii"));
        let right = usual.ask(&ask(0x0200, 1, 100))[0].clone().unwrap().answer;
        let differs = [wrong.pan != right.pan, wrong.currency != right.currency, wrong.rrn != right.rrn];
        assert_eq!(differs, [at == 0, at == 1, at == 2], "{act:?}");
        assert_eq!(desk_.issuer.book().entries[0].amount, 100);
    }
}

#[test]
fn a_part_is_half_and_is_booked_as_half() {
    let mut desk_ = desk(Act::Part);
    let answer = desk_.ask(&ask(0x0200, 1, 101))[0].clone().unwrap().answer;
    assert_eq!((answer.code.as_str(), answer.amount), ("10", Some(50)));
    assert_eq!(desk_.issuer.book().entries[0].amount, 50);
    let whole = desk_.ask(&ask(0x0200, 2, 1))[0].clone().unwrap().answer;
    assert_eq!((whole.code.as_str(), whole.amount), ("00", Some(1)));
}

#[test]
fn sign_off_answers_then_says_so_then_declines() {
    for dialect in ["iso87-ascii", "unionpay-pos"] {
        let mood = Mood::new(Act::SignOff).amount(77);
        let mut desk_ = Desk::new(IssuerConfig::new("huaxia", dialect).mood(mood));
        let heard = desk_.ask(&ask(0x0200, 1, 77));
        let [Some(answer), Some(off)] = &heard[..] else { panic!("two messages") };
        assert_eq!((answer.code().as_str(), off.answer.network_code), ("00", Some(2)));
        assert_ne!(desk_.code(&ask(0x0200, 2, 100)), "00");
        let sign_on = crate::desk::network(&desk_.dialect.clone(), 1, 3);
        assert_eq!(desk_.say(&sign_on)[0].as_ref().unwrap().code(), "00");
        assert_eq!(desk_.code(&ask(0x0200, 4, 100)), "00");
    }
}

#[test]
fn moods_can_be_for_reversals_only() {
    let mood = Mood::decline("96").kind(Kind::Reversal);
    let mut desk_ = Desk::new(IssuerConfig::new("huaxia", "iso87-ascii").mood(mood));
    assert_eq!(desk_.code(&ask(0x0200, 1, 100)), "00");
    let reversal = Ask { original: Some(1), ..ask(0x0420, 2, 100) };
    assert_eq!(desk_.code(&reversal), "96");
    desk_.issuer.set_moods(vec![]);
    assert_eq!(desk_.code(&Ask { mti: 0x0421, ..reversal }), "00");
    assert_eq!(booked(&desk_), 2);
}

#[test]
fn the_standard_moods_follow_the_amount() {
    let mut desk_ = Desk::new(IssuerConfig::new("huaxia", "unionpay-pos").moods(standard_moods()));
    // One for each cause: network, funds, card, limit, authentication, merchant, operator, system, risk, unstated.
    let causes = ["91", "51", "54", "61", "55", "03", "12", "96", "59", "05"];
    for (stan, code) in (1..).zip(causes.into_iter().chain(["57", "58", "65", "75"])) {
        let amount = 1_000 + code.parse::<u64>().unwrap();
        assert_eq!(desk_.code(&ask(0x0200, stan, amount)), code);
    }
    assert_eq!(desk_.code(&ask(0x0200, 99, 1_000)), "00");
}

#[test]
fn what_it_takes_back_is_told_until_it_is_taken() {
    let mut desk_ = desk(Act::TakeBack);
    let purchase = Ask { rrn: Some(*b"326000000001"), ..ask(0x0200, 1, 100) };
    let heard: Vec<_> = desk_.ask(&purchase).into_iter().map(|heard| heard.unwrap().answer).collect();
    let mtis: Vec<_> = heard.iter().map(|one| one.mti.to_string()).collect();
    assert_eq!(mtis, ["0210", "0420"], "the answer first");
    assert_eq!((heard[1].rrn, heard[1].amount), (heard[0].rrn, Some(100)));
    assert_eq!((booked(&desk_), desk_.issuer.recanting()), (2, 1), "debit and reversal");

    let echo = crate::desk::network(&desk_.dialect.clone(), 301, 9);
    let again = desk_.say(&echo);
    assert_eq!(again[1].as_ref().unwrap().answer.mti.to_string(), "0421");
    let told = Ask { stan: heard[1].stan.get(), ..ask(0x0430, 0, 100) };
    let said = |code| crate::desk::write_coded(&desk_.dialect, &told, code);
    let (busy, taken) = (said("96"), said("00"));
    assert!(desk_.say(&busy).is_empty() && desk_.issuer.recanting() == 1, "busy is not taken");
    assert!(desk_.say(&taken).is_empty() && desk_.issuer.recanting() == 0);
    assert_eq!(desk_.say(&echo).len(), 1, "and nothing more");
    let totals = desk_.issuer.totals();
    assert_eq!((totals.recanted, totals.recants_refused), (1, 0));
    assert_eq!(desk_.code(&Ask { mti: 0x0420, original: Some(1), ..purchase }), "00", "reversed is reversed");
    assert_eq!(booked(&desk_), 2);
}
