//! Business days, with a clock that stands still until the story moves it: clock changes, leap days, ends of years, what is
//! under way at a cutover, what is reversed after it, numbers that come round.
//! Never waits. Guards: a transaction belongs to the day of its INTENT, a ceiling to its institution's day, and every day
//! begins once in the journal.

use books::switch_book::State;
use issuer_sim::{Act, Mood};
use std::time::Duration;
use terms::BusinessDay;
use tests::message::Ask;
use tests::paused::{CARDS, Institution, Paused};

const SHANGHAI: Institution = ("Asia/Shanghai", "23:00");
const BERLIN: Institution = ("Europe/Berlin", "02:30");

fn buys(card: usize, stan: u32, amount: u64) -> Ask {
    Ask::purchase(CARDS[card], stan, amount)
}

#[track_caller]
fn says(found: Option<String>, code: &str) {
    assert_eq!(found.as_deref(), Some(code));
}

fn day(text: &str) -> BusinessDay {
    let part = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap();
    BusinessDay::from_civil(i64::from(part(0, 4)), part(5, 7), part(8, 10))
}

/// 60.00 of 100.00 a day before a cutover: 60.00 more are too much until it comes, and go through when it has.
#[test]
fn a_new_day_begins_at_its_cutover_whatever_the_clocks_do() {
    for (home, before, cutover, days) in [
        (SHANGHAI, "2026-03-10T14:59:59.999Z", "2026-03-10T15:00:00Z", ["2026-03-10", "2026-03-11"]),
        // Leap days, and a year that is none.
        (SHANGHAI, "2028-02-28T14:59:59.999Z", "2028-02-28T15:00:00Z", ["2028-02-28", "2028-02-29"]),
        (SHANGHAI, "2028-02-29T14:59:59.999Z", "2028-02-29T15:00:00Z", ["2028-02-29", "2028-03-01"]),
        (SHANGHAI, "2100-02-28T14:59:59.999Z", "2100-02-28T15:00:00Z", ["2100-02-28", "2100-03-01"]),
        (SHANGHAI, "2026-12-31T14:59:59.999Z", "2026-12-31T15:00:00Z", ["2026-12-31", "2027-01-01"]),
        // Clocks go forward over 02:30: the day begins where they land.
        (BERLIN, "2027-03-28T00:59:59.999Z", "2027-03-28T01:00:00Z", ["2027-03-27", "2027-03-28"]),
        // Clocks go back over 02:30: the first one counts.
        (BERLIN, "2027-10-31T00:29:59.999Z", "2027-10-31T00:30:00Z", ["2027-10-30", "2027-10-31"]),
        (
            ("America/New_York", "23:00"),
            "2026-11-02T03:59:59.999Z",
            "2026-11-02T04:00:00Z",
            ["2026-11-01", "2026-11-02"],
        ),
        (
            ("Australia/Lord_Howe", "02:00"),
            "2026-10-03T15:29:59.999Z",
            "2026-10-03T15:30:00Z",
            ["2026-10-03", "2026-10-04"],
        ),
    ] {
        let mut switch = Paused::open(before, home, ("UTC", "12:00"));
        says(switch.ask(&buys(0, 1, 6_000)), "00");
        says(switch.ask(&buys(0, 2, 6_000)), "61");
        switch.until(cutover);
        says(switch.ask(&buys(0, 3, 6_000)), "00");
        says(switch.ask(&buys(0, 4, 6_000)), "61");
        let (book, begun) = switch.book();
        let found: Vec<_> = book.transactions.values().map(|entry| BusinessDay(entry.issuer_day)).collect();
        assert_eq!(found, days.map(day), "{home:?} at {cutover}");
        let begun: Vec<_> = begun.iter().filter_map(|day| day.strip_prefix("home ")).collect();
        assert_eq!(begun, days, "each begins once: {home:?} at {cutover}");
    }
}

#[test]
fn an_hour_that_comes_twice_begins_no_second_day() {
    let mut switch = Paused::open("2027-10-31T00:00:00Z", BERLIN, SHANGHAI);
    switch.until("2027-10-31T00:30:00Z");
    says(switch.ask(&buys(0, 1, 6_000)), "00");
    // 02:30 again, an hour later; and once more after a restart in between.
    switch.until("2027-10-31T01:15:00Z");
    switch.restart();
    switch.until("2027-10-31T01:30:00Z");
    says(switch.ask(&buys(0, 2, 6_000)), "61");
    switch.until("2027-10-31T12:00:00Z");
    says(switch.ask(&buys(0, 9, 6_000)), "61");
    switch.until("2027-11-01T01:29:59.999Z");
    says(switch.ask(&buys(0, 3, 6_000)), "61");
    switch.until("2027-11-01T01:30:00Z");
    says(switch.ask(&buys(0, 4, 6_000)), "00");
    let (_, begun) = switch.book();
    let begun: Vec<_> = begun.iter().filter_map(|day| day.strip_prefix("home ")).collect();
    assert_eq!(begun, ["2027-10-30", "2027-10-31", "2027-10-31", "2027-11-01"], "once, and at the restart");
}

#[test]
fn each_institution_has_its_own_cutover() {
    let mut switch = Paused::open("2026-03-10T14:00:00Z", SHANGHAI, BERLIN);
    says(switch.ask(&buys(0, 1, 6_000)), "00");
    says(switch.ask(&buys(1, 2, 6_000)), "00");
    switch.until("2026-03-10T15:00:00Z");
    says(switch.ask(&buys(0, 3, 6_000)), "00");
    says(switch.ask(&buys(1, 4, 6_000)), "61");
    switch.until("2026-03-11T01:30:00Z");
    says(switch.ask(&buys(0, 5, 6_000)), "61");
    says(switch.ask(&buys(1, 6, 6_000)), "00");
    let (_, begun) = switch.book();
    let (home, away): (Vec<_>, Vec<_>) = begun.into_iter().partition(|day| day.starts_with("home"));
    assert_eq!(home, ["home 2026-03-10", "home 2026-03-11"]);
    assert_eq!(away, ["away 2026-03-10", "away 2026-03-11"]);
}

/// Half an hour early: its own day goes on, the acquirer's, under the same calendar, does not; neither a second word nor the
/// clock nor a restart moves it again.
#[test]
fn an_issuer_begins_its_day_once() {
    let mut switch = Paused::open("2026-03-10T14:30:00Z", SHANGHAI, BERLIN);
    says(switch.ask(&buys(0, 1, 6_000)), "00");
    says(switch.ask(&buys(0, 2, 6_000)), "61");
    says(switch.ask(&buys(1, 3, 6_000)), "00");
    says(switch.cuts_over(0, 900), "00");
    says(switch.ask(&buys(0, 4, 6_000)), "00");
    says(switch.cuts_over(0, 901), "00");
    says(switch.ask(&buys(0, 5, 6_000)), "61");
    says(switch.ask(&buys(1, 6, 6_000)), "61");
    switch.restart();
    says(switch.ask(&buys(0, 7, 6_000)), "61");
    says(switch.cuts_over(0, 902), "00");
    says(switch.ask(&buys(0, 8, 6_000)), "61");
    switch.until("2026-03-10T15:00:00Z");
    says(switch.ask(&buys(0, 9, 6_000)), "61");
    says(switch.cuts_over(0, 903), "00");
    says(switch.ask(&buys(0, 10, 6_000)), "61");
    switch.restart();
    says(switch.ask(&buys(0, 11, 4_000)), "00");
    switch.until("2026-03-11T15:00:00Z");
    says(switch.ask(&buys(0, 12, 6_000)), "00");
    let (book, begun) = switch.book();
    let of = |stan| book.transactions.values().find(|entry| entry.stan == stan).unwrap();
    let day_of = |stan| BusinessDay(of(stan).issuer_day).to_string();
    assert_eq!([1, 4, 11, 12].map(day_of), ["2026-03-10", "2026-03-11", "2026-03-11", "2026-03-12"]);
    let (told, clock): (Vec<_>, Vec<_>) =
        begun.iter().filter(|day| !day.starts_with("away")).partition(|day| day.contains("told"));
    assert_eq!(told, ["harbour (told) 2026-03-11"]);
    let others =
        ["home 2026-03-10", "home 2026-03-10", "home 2026-03-11", "home 2026-03-11", "home 2026-03-12"];
    assert_eq!(clock, others, "the terminals' calendar goes as it went: by the clock, and at each start");
    let approved = |day: &str| -> i64 {
        let of = |(_, _, of): &(String, u16, u16)| BusinessDay(*of).to_string() == day;
        book.totals()
            .iter()
            .filter(|(key, _)| key.0 == "harbour" && of(key))
            .map(|(_, total)| total.approved)
            .sum()
    };
    let sums = ["2026-03-10", "2026-03-11", "2026-03-12"].map(approved);
    assert_eq!(sums, [6_000, 10_000, 6_000], "its books follow its days");
}

/// In the middle of the day nobody can say which day is meant, and a day begun at will would be ceilings at will.
#[test]
fn a_cutover_far_from_the_configured_one_is_refused() {
    let mut switch = Paused::open("2026-03-10T12:30:00Z", SHANGHAI, BERLIN);
    says(switch.ask(&buys(0, 1, 6_000)), "00");
    says(switch.cuts_over(0, 900), "12");
    says(switch.cuts_over(1, 900), "12");
    says(switch.ask(&buys(0, 2, 6_000)), "61");
    // An hour after the clock has begun it: agreed, and nothing moves.
    switch.until("2026-03-10T16:00:00Z");
    says(switch.ask(&buys(0, 3, 6_000)), "00");
    says(switch.cuts_over(0, 901), "00");
    says(switch.ask(&buys(0, 4, 6_000)), "61");
    let (_, begun) = switch.book();
    assert!(begun.iter().all(|day| !day.contains("told")), "{begun:?}");
}

/// INTENT before the cutover, OUTCOME after it.
#[test]
fn what_is_under_way_at_a_cutover_belongs_to_the_day_of_its_intent() {
    let mut switch = Paused::open("2026-03-10T14:59:59Z", SHANGHAI, BERLIN);
    switch.mood(0, vec![Mood::new(Act::Delay(Duration::from_secs(3))).amount(6_000)]);
    assert_eq!(switch.ask(&buys(0, 1, 6_000)), None, "it is under way");
    switch.until("2026-03-10T15:00:01Z");
    says(switch.ask(&buys(0, 2, 10_000)), "00");
    switch.until("2026-03-10T15:00:02Z");
    says(switch.hear(), "00");
    says(switch.ask(&buys(0, 3, 100)), "61");
    let (book, _) = switch.book();
    let days: Vec<_> =
        book.transactions.values().map(|entry| (entry.stan, BusinessDay(entry.issuer_day))).collect();
    assert_eq!(days, [(1, day("2026-03-10")), (2, day("2026-03-11"))]);
    let approved: Vec<_> =
        book.totals().into_iter().map(|((_, _, day), total)| (BusinessDay(day), total.approved)).collect();
    assert_eq!(approved, [(day("2026-03-10"), 6_000), (day("2026-03-11"), 10_000)]);
}

/// The same, but in doubt at the cutover: the reversal is the next day's, the release is nobody's.
#[test]
fn a_late_reversal_posts_to_the_current_day_and_stays_with_its_original() {
    let mut switch = Paused::open("2026-03-10T14:00:00Z", SHANGHAI, BERLIN);
    let (early, kept) = (buys(0, 1, 6_000), buys(0, 2, 1_000));
    says(switch.ask(&early), "00");
    says(switch.ask(&kept), "00");
    switch.until("2026-03-11T10:00:00Z");
    says(switch.ask(&buys(0, 3, 7_000)), "00");
    says(switch.ask(&early.reversed()), "00");
    says(switch.ask(&buys(0, 4, 6_000)), "61");
    says(switch.ask(&buys(0, 5, 3_000)), "00");
    says(switch.ask(&early.reversed()), "00");
    switch.restart();
    says(switch.ask(&buys(0, 6, 100)), "61");
    let (book, _) = switch.book();
    let (first, second) = (day("2026-03-10").0, day("2026-03-11").0);
    let early = book.transactions.values().find(|entry| entry.stan == 1).unwrap();
    assert_eq!((early.state, early.issuer_day), (State::Reversed, first), "linked to its original's day");
    assert_eq!(early.reversed_on, Some(second), "posted on the day on which it came");
    let totals = book.totals();
    let of = |day| totals[&("harbour".to_owned(), 156, day)];
    assert_eq!((of(first).approved, of(first).reversed, of(first).posted), (1_000, 6_000, 0));
    assert_eq!((of(second).approved, of(second).reversed, of(second).posted), (10_000, 0, 6_000));
}

/// A terminal's STAN after 999999 is 1 again: the one of before is another transaction.
#[test]
fn a_terminals_numbers_come_round() {
    let mut switch = Paused::open("2026-03-10T14:00:00Z", SHANGHAI, BERLIN);
    let first = buys(0, 1, 1_000);
    says(switch.ask(&first), "00");
    switch.until("2026-03-10T14:30:00Z");
    let at = |stan, local_time| Ask { local_time, ..buys(0, stan, 1_000) };
    says(switch.ask(&at(999_999, 223_000)), "00");
    let again = at(1, 223_001);
    says(switch.ask(&again), "00");
    assert_eq!(switch.banks[0].issuer.totals().debits, 3, "none was taken for a repeat");
    says(switch.ask(&first), "00");
    says(switch.ask(&again), "00");
    assert_eq!(switch.banks[0].issuer.totals().debits, 3, "and repeats still are");
    // DE 90 says STAN and DE 7: the newest of these is meant.
    says(switch.ask(&again.reversed()), "00");
    let (book, _) = switch.book();
    let mut ends: Vec<_> = book.transactions.values().map(|entry| (entry.local_time, entry.state)).collect();
    ends.sort_unstable();
    let expected = [(120_000, State::Approved), (223_000, State::Approved), (223_001, State::Reversed)];
    assert_eq!(ends, expected.map(|(time, state)| (Some(time), state)));
}
