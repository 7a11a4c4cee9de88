//! Searches and timelines.

use crate::book::{Book, CARD, LIVES, Life, START};
use archive::{Found, Key, Outcome, Search, Timeline, causes};
use journal::Lsn;

fn all() -> Search {
    Search { limit: 1_000, ..Search::default() }
}

fn book() -> (Book, Vec<Lsn>) {
    let mut book = Book::new();
    book.name_things();
    let firsts = LIVES.iter().map(|life| book.live(*life)).collect();
    book.archive();
    (book, firsts)
}

fn find(book: &Book, search: Search) -> Vec<Found> {
    book.view().find(&search).unwrap()
}

fn timeline(book: &Book, firsts: &[Lsn], life: Life) -> Timeline {
    let at = LIVES.iter().position(|one| *one == life).unwrap();
    book.view().timeline(firsts[at]).unwrap().unwrap()
}

#[test]
fn every_life_is_found_by_what_identifies_it() {
    let (book, firsts) = book();
    let view = book.view();
    // A void is a transaction of its own.
    assert_eq!(view.ids().unwrap().len(), firsts.len() + 1);
    for first in &firsts {
        let whole = view.timeline(*first).unwrap().unwrap().transaction;
        let mut keys = Vec::new();
        keys.extend(whole.rrn.clone().map(Key::Rrn));
        keys.extend(whole.stan.as_ref().map(|stan| Key::Stan(stan.parse().unwrap())));
        keys.extend((!whole.terminal.is_empty()).then(|| Key::Terminal(whole.terminal.clone())));
        keys.extend(whole.token.as_ref().map(|_| Key::Token(CARD)));
        for key in keys {
            let hits = find(&book, Search { keys: vec![key.clone()], ..all() });
            assert!(hits.contains(&whole), "{key:?} finds {whole:?}");
        }
    }
    assert!(find(&book, Search { keys: vec![Key::Token([1; 16])], ..all() }).is_empty());
}

#[test]
fn outcomes_causes_and_times_narrow_a_search() {
    let (book, firsts) = book();
    let count = |outcome| find(&book, Search { outcomes: vec![outcome], ..all() }).len();
    assert_eq!(count(Outcome::Approved), 3, "approved, voided, and the void");
    assert_eq!(count(Outcome::Declined), 1);
    assert_eq!(count(Outcome::Refused), 1);
    assert_eq!(count(Outcome::Reversed), 3, "timed out, by the terminal, and the one with a late answer");
    assert_eq!(count(Outcome::Reversing), 1, "not delivered");
    assert_eq!(count(Outcome::Quarantined), 1);
    assert_eq!(count(Outcome::Tombstone), 2);
    assert_eq!(count(Outcome::Unmatched), 1);
    assert_eq!(count(Outcome::Open), 2, "open, and the one that a newer version knows more about");
    let sum: usize = Outcome::ALL.iter().map(|outcome| count(*outcome)).sum();
    assert_eq!(sum, firsts.len() + 1, "each has one outcome");

    let because = |word: &str| {
        let (causes, codes) = causes(word).unwrap();
        find(&book, Search { causes, codes, ..all() })
    };
    assert_eq!(because("funds").len(), 1);
    assert_eq!(because("limit")[0].cause, Some("over-daily-amount"));
    assert_eq!(because("issuer-timeout").len(), 2);

    let window = Search { from: Some(START + 1_000), to: Some(START + 3_000), ..all() };
    assert_eq!(find(&book, window).len(), 2);
    assert_eq!(find(&book, Search { limit: 4, ..Search::default() }).len(), 4);
}

#[test]
fn a_timeline_tells_every_hop() {
    let (book, firsts) = book();
    let hops = |life| -> Vec<String> {
        timeline(&book, &firsts, life).hops.into_iter().map(|hop| hop.what).collect()
    };
    let begin = ["request", "INTENT", "forward"];
    let with = |more: &[&'static str]| [&begin[..], more].concat();
    assert_eq!(hops(Life::Approved), with(&["answer", "OUTCOME", "reply"]));
    assert_eq!(hops(Life::TimedOut), with(&["answer", "OUTCOME", "reply", "OBLIGATION", "ACK"]));
    assert_eq!(hops(Life::ReversedByTerminal), with(&["OUTCOME", "reply", "OBLIGATION", "ACK"]));
    assert_eq!(hops(Life::Undelivered), with(&["answer", "OUTCOME", "reply", "UNDELIVERED", "OBLIGATION"]));
    assert_eq!(hops(Life::Late), with(&["answer", "OUTCOME", "reply", "OBLIGATION", "ACK", "LATE"]));
    assert_eq!(hops(Life::Voided), with(&["answer", "OUTCOME", "reply", "LINKED"]));
    assert_eq!(hops(Life::OfTheFuture), with(&["KIND 200"]));
    assert_eq!(hops(Life::Refused), ["request", "REFUSED", "reply"]);
    assert_eq!(hops(Life::LookedFor), ["OBLIGATION", "TOMBSTONE"]);
    assert_eq!(hops(Life::Unmatched), ["UNMATCHED"]);
}

#[test]
fn names_and_notes_are_told() {
    let (book, firsts) = book();
    let declined = timeline(&book, &firsts, Life::DeclinedByIssuer).transaction;
    assert_eq!((declined.issuer.as_deref(), declined.link.as_deref()), (Some("harbour"), Some("harbour/a")));
    assert_eq!((declined.outcome, declined.code.as_deref(), declined.cause), ("declined", Some("51"), None));
    assert_eq!((declined.amount.as_str(), declined.currency.as_str()), ("12.50", "156"));
    assert_eq!(timeline(&book, &firsts, Life::Late).transaction.notes, ["late answer"]);
    assert_eq!(timeline(&book, &firsts, Life::Voided).transaction.notes, ["voided"]);
    let tombstone = timeline(&book, &firsts, Life::Tombstoned).transaction;
    assert!(tombstone.terminal.starts_with("T0000"), "whose it is, by the hash that earlier records told");
    let json = serde_json::to_string(&timeline(&book, &firsts, Life::Parked)).unwrap();
    assert!(json.contains("parked, still owed"), "{json}");
}
