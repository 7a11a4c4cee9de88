//! Store-and-forward: what is owed leaves the slab, keeps its slot, and goes out a window at a time, card by card.

use crate::builders::{SAF_WINDOW, answer};
use crate::script::check;
use engine::{Event, Verdict};
use std::collections::HashSet;
use terms::{IssuerIx, LinkIx};

/// Ten purchases of ten cards, reversed while no link is up.
fn outage() -> String {
    let line = |stan, what: &str| format!("{what} stan={stan} card={stan} amount=1.00 -> 00\n");
    let sales: String = (1..=10).map(|stan| line(stan, "0200")).collect();
    let reversals: String = (1..=10).map(|stan| format!("0400 stan={stan} -> 00\n")).collect();
    format!("ceiling 100.00\n{sales}links down\n{reversals}")
}

#[test]
fn an_outage_is_drained_a_window_at_a_time() {
    let script = format!(
        "{}
         owed 10
         slots 10
         live 0
         issuer rejects reversals with nothing
         link 0 up
         owed 10",
        outage()
    );
    let mut play = check(&script);
    let world = &mut play.world;
    let mut out = world.sent.split_off(10);
    let mut paid = HashSet::new();
    while !out.is_empty() {
        assert!(out.len() <= SAF_WINDOW as usize, "more under way than the window has room for");
        let sent = out.remove(0);
        assert!(sent.reversal && paid.insert(sent.serial), "one message each");
        world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves);
        world.commit();
        out.append(&mut world.sent.split_off(10));
    }
    assert_eq!((paid.len(), world.engine.owed(IssuerIx(0))), (10, 0));
    world.assert_quiet();
    world.assert_journaled();
}

#[test]
fn of_one_card_one_goes_after_the_other() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         0200 stan=2 amount=20.00            -> 00
         0200 stan=3 amount=5.00 card=2      -> 00
         issuer rejects reversals with nothing
         0400 stan=1                         -> 00
         0400 stan=2                         -> 00
         0400 stan=3                         -> 00
         sent 0200 0200 0200 0420 0420
         issuer takes reversals
         wait 1900
         sent
         wait 700
         sent 0421 0421 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn what_is_owed_takes_its_slots_again_after_a_restart() {
    let script = format!(
        "{}
         restart
         owed 10
         slots 10
         live 0
         spent 1.00
         wait 600000
         owed 10
         link 0 up
         owed 0
         spent 0.00
         quiet",
        outage()
    );
    check(&script);
}

#[test]
fn a_late_approval_of_what_is_on_the_shelf_makes_no_such_original_no_end() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=10.00            -> nothing
         links down
         wait 1000
         owed 1
         live 0
         late 00 stan=1
         issuer rejects reversals with 25
         link 0 up
         owed 1
         restart
         issuer rejects reversals with 25
         link 0 up
         owed 1
         issuer takes reversals
         link 0 up
         quiet",
    );
}

#[test]
fn an_approval_after_the_end_of_what_was_on_the_shelf_is_reversed_again() {
    check(
        "ceiling 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=10.00            -> nothing
         wait 1000                           -> 91
         wait 2600
         sent 0200 0420 0421
         issuer takes reversals
         wait 4000
         quiet
         sent 0421
         late 00 stan=1                      -> nothing
         sent 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn a_late_acknowledgement_is_one() {
    let mut play = check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         issuer rejects reversals with nothing
         0400 stan=1                         -> 00
         wait 2100
         live 0
         owed 1",
    );
    let world = &mut play.world;
    let sent = world.sent[1];
    world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves);
    world.commit();
    world.assert_quiet();
    assert_eq!((world.sent.len(), world.spent(1).0), (2, 0), "it is not asked for again");
    world.advance(60_000);
    assert_eq!(world.sent.len(), 2);
}

#[test]
fn a_sign_on_in_the_middle_of_a_drain_sends_nothing_twice() {
    let script = format!("{}\nissuer rejects reversals with nothing\nlink 0 up\nlink 0 up", outage());
    let mut play = check(&script);
    let world = &mut play.world;
    world.event(Event::LinkChanged { link: LinkIx(1), up: true });
    let out = world.sent.split_off(10);
    let serials: HashSet<_> = out.iter().map(|sent| sent.serial).collect();
    assert_eq!((out.len(), serials.len()), (SAF_WINDOW as usize, SAF_WINDOW as usize));
}
