//! Originals that were made at another terminal of the same merchant, which live in another worker's shard: refunds and
//! completions that name them by our reference, at once, one after the other, and across a restart.
//! Never waits. Guards: two tills together never take more of an original than it had.

use books::switch_book::State;
use issuer_sim::{Act, Mood};
use std::time::Duration;
use tests::message::Ask;
use tests::paused::{CARDS, Paused};

const SHANGHAI: (&str, &str) = ("Asia/Shanghai", "23:00");

/// The switch, and three tills: the first two in different shards, the third in the second's.
fn open() -> (Paused, [String; 3]) {
    let switch = Paused::open("2026-03-10T02:00:00Z", SHANGHAI, SHANGHAI);
    let shard = |till: &String| switch.shard(&Ask::purchase(CARDS[0], 1, 1).at(till));
    let tills: Vec<String> = (1..100).map(|till| format!("T{till:07}")).collect();
    let of = |wanted: usize| tills.iter().filter(move |till| shard(till) == wanted).cloned();
    let (first, mut second) = (of(0).next().unwrap(), of(1));
    let tills = [first, second.next().unwrap(), second.next().unwrap()];
    drop(second);
    (switch, tills)
}

fn pays(till: &str, stan: u32, amount: u64) -> Ask {
    Ask::purchase(CARDS[0], stan, amount).at(till)
}

#[track_caller]
fn says(found: Option<String>, code: &str) {
    assert_eq!(found.as_deref(), Some(code));
}

#[test]
fn a_refund_at_another_till_counts_against_the_original() {
    let (mut switch, [first, second, third]) = open();
    let sale = pays(&first, 1, 10_000);
    says(switch.ask(&sale), "00");
    let rrn = switch.rrn();
    let refund = |till: &str, stan, amount| sale.refunded(stan, amount).naming(&rrn).at(till);
    // A transaction of the till's own under the same STAN is not meant.
    says(switch.ask(&Ask::purchase(CARDS[1], 1, 500).at(&second)), "00");
    says(switch.ask(&refund(&second, 2, 4_000)), "00");
    says(switch.ask(&refund(&second, 2, 4_000)), "00");
    assert_eq!(switch.banks[0].issuer.totals().repeats, 0, "a repeat is told again");
    says(switch.ask(&refund(&first, 3, 6_001)), "64");
    says(switch.ask(&refund(&third, 4, 6_001)), "64");
    says(switch.ask(&refund(&third, 5, 1_000)), "00");
    switch.restart();
    says(switch.ask(&refund(&first, 6, 5_001)), "64");
    says(switch.ask(&refund(&second, 7, 5_001)), "64");
    // What is taken back may be taken again, by whoever comes.
    says(switch.ask(&refund(&second, 2, 4_000).reversed()), "00");
    says(switch.ask(&refund(&first, 8, 9_001)), "64");
    says(switch.ask(&refund(&first, 9, 2_000)), "00");
    says(switch.ask(&refund(&third, 10, 7_000)), "00");
    says(switch.ask(&refund(&second, 11, 1)), "64");
    // Another merchant's reference means nothing here, nor does that of a void.
    let other = Ask { merchant: "999999999999999".into(), ..refund(&second, 12, 1) };
    says(switch.ask(&other), "25");
    let void = Ask { code: 20_000, ..sale.voided(13) };
    says(switch.ask(&void.naming(&rrn).at(&second)), "25");
    let (book, _) = switch.book();
    assert_eq!(book.unlinked(), [""; 0]);
    let original =
        book.transactions.values().find(|entry| entry.stan == 1 && entry.terminal == first).unwrap();
    assert_eq!(original.taken, 10_000);
}

#[test]
fn two_tills_at_once_never_take_more_than_there_is() {
    let (mut switch, [first, second, third]) = open();
    let sale = pays(&first, 1, 10_000);
    says(switch.ask(&sale), "00");
    let rrn = switch.rrn();
    let refund = |till: &str, stan, amount| sale.refunded(stan, amount).naming(&rrn).at(till);
    for (round, two) in [[&first, &second], [&second, &first], [&second, &third]].into_iter().enumerate() {
        let stan = 10 * (round as u32 + 1);
        let said = switch.ask_together(&[refund(two[0], stan, 6_000), refund(two[1], stan + 1, 6_000)]);
        let codes: Vec<&str> = said.iter().map(|(_, code)| code.as_str()).collect();
        assert!(matches!(codes[..], ["00", "12" | "64"] | ["12" | "64", "00"]), "{two:?}: {codes:?}");
        let (stan, _) = said.iter().find(|(_, code)| code == "00").unwrap();
        let till = two[usize::from(stan % 10 != 0)];
        says(switch.ask(&refund(till, *stan, 6_000).reversed()), "00");
    }
    // The same when the issuer takes its time.
    switch.mood(0, vec![Mood::new(Act::Delay(Duration::from_secs(2))).amount(6_000)]);
    assert_eq!(switch.ask(&refund(&second, 50, 6_000)), None, "it is under way");
    says(switch.ask(&refund(&first, 51, 6_000)), "12");
    says(switch.ask(&refund(&third, 52, 100)), "12");
    assert_eq!(switch.ask(&refund(&second, 50, 6_000)), None, "a repeat joins it");
    // Taken back by its terminal: the original waits for what is under way on it.
    assert_eq!(switch.ask(&sale.reversed()), None);
    switch.until("2026-03-10T02:00:02Z");
    let said: Vec<_> = std::iter::from_fn(|| switch.hear()).collect();
    assert_eq!(said, ["00", "12"], "the refund, and the reversal of what was used");
    says(switch.ask(&refund(&first, 53, 4_001)), "64");
    says(switch.ask(&refund(&first, 54, 4_000)), "00");
    let (book, _) = switch.book();
    assert_eq!(book.unlinked(), [""; 0]);
}

/// Killed while a refund is under way elsewhere: it is reversed, and all of the original is there again.
#[test]
fn a_restart_forgets_who_had_it_and_nothing_that_was_taken() {
    let (mut switch, [first, second, third]) = open();
    let sale = pays(&first, 1, 10_000);
    says(switch.ask(&sale), "00");
    let rrn = switch.rrn();
    let refund = |till: &str, stan, amount| sale.refunded(stan, amount).naming(&rrn).at(till);
    says(switch.ask(&refund(&third, 2, 1_000)), "00");
    switch.mood(0, vec![Mood::new(Act::Delay(Duration::from_secs(2))).amount(6_000)]);
    assert_eq!(switch.ask(&refund(&second, 3, 6_000)), None, "it is under way");
    switch.restart();
    switch.mood(0, Vec::new());
    switch.until("2026-03-10T02:01:00Z");
    says(switch.ask(&refund(&third, 4, 9_001)), "64");
    says(switch.ask(&refund(&third, 5, 9_000)), "00");
    switch.restart();
    says(switch.ask(&refund(&second, 6, 1)), "64");
    let (book, _) = switch.book();
    assert_eq!(book.unlinked(), [""; 0]);
    let under_way = book.transactions.values().find(|entry| entry.stan == 3).unwrap();
    assert_eq!(under_way.state, State::Reversed);
}

/// A hotel: the desk completes what the bar pre-authorized.
#[test]
fn a_pre_authorization_is_completed_at_another_till() {
    let (mut switch, [bar, desk, spa]) = open();
    let hold = Ask::pre_authorization(CARDS[0], 1, 9_000).at(&bar);
    says(switch.ask(&hold), "00");
    let rrn = switch.rrn();
    let complete = |till: &str, stan, amount| hold.completed(stan, amount).naming(&rrn).at(till);
    let said = switch.ask_together(&[complete(&desk, 2, 8_000), complete(&spa, 3, 8_000)]);
    assert_eq!(said.iter().filter(|(_, code)| code == "00").count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|(_, code)| code == "12").count(), 1, "{said:?}");
    says(switch.ask(&complete(&bar, 4, 100)), "12");
    // The hold went with it: 100.00 a day, 80.00 spent.
    says(switch.ask(&pays(&bar, 5, 2_001)), "61");
    says(switch.ask(&pays(&bar, 6, 2_000)), "00");
    switch.restart();
    says(switch.ask(&pays(&bar, 7, 1)), "61");
    let (book, _) = switch.book();
    assert_eq!(book.unlinked(), [""; 0]);
}
