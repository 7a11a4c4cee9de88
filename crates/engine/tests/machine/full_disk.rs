//! A disk that is full to the last byte: an approval whose record was refused, and what happens to it before that is written.

use crate::builders::{request, reversal};
use crate::script::{check, render};
use terms::{Kind, Mti};

#[test]
fn a_reversal_waits_until_the_approval_is_written() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         disk gone
         late 00 stan=1                      -> nothing
         0400 stan=1 amount=60.00            -> nothing
         sent 0200
         0200 stan=1 amount=60.00            -> 94 replayed
         void stan=2 of=1 amount=60.00       -> 12
         spent 60.00
         journaled
         disk free
         wait 1000                           -> 00
         sent 0420
         spent 0.00
         settle 0.00 0 0.00 0 Equal
         journaled
         restart
         settle 0.00 0 0.00 0 Equal
         quiet",
    );
}

#[test]
fn a_completion_that_is_taken_back_leaves_its_pre_authorization_as_it_was() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         issuer silent
         complete stan=2 of=1 amount=50.00   -> nothing
         disk gone
         late 00 stan=2                      -> nothing
         0400 stan=2 amount=50.00            -> nothing
         spent 60.00
         journaled
         issuer rejects reversals with nothing
         disk free
         wait 1000                           -> 00
         spent 110.00
         journaled
         issuer takes reversals
         wait 3000
         spent 60.00
         settle 0.00 0 0.00 0 Equal
         journaled
         restart
         spent 60.00
         settle 0.00 0 0.00 0 Equal
         cancel stan=3 of=1 amount=60.00     -> 91
         link 0 up
         cancel stan=3 of=1 amount=60.00     -> 00
         spent 0.00
         journaled
         quiet",
    );
}

#[test]
fn a_reversal_that_the_reserve_has_room_for_again_comes_behind_its_approval() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         issuer silent
         complete stan=2 of=1 amount=50.00   -> nothing
         disk gone
         late 00 stan=2                      -> nothing
         disk free
         0400 stan=2 amount=50.00            -> nothing
         journaled
         wait 1000                           -> 00
         sent 0200 0200 0420
         spent 60.00
         settle 0.00 0 0.00 0 Equal
         journaled
         quiet",
    );
}

#[test]
fn a_withdrawal_that_is_refused_is_written_when_there_is_room() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         settle 60.00 1 0.00 0 Equal
         disk gone
         0400 stan=1 amount=60.00            -> nothing
         disk free
         wait 1000                           -> 00
         settle 0.00 0 0.00 0 Equal
         journaled
         restart
         settle 0.00 0 0.00 0 Equal
         quiet",
    );
}

#[test]
fn an_approval_after_a_decline_that_was_refused_room() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         disk gone
         late 51 stan=1                      -> nothing
         late 00 stan=1                      -> nothing
         spent 60.00
         journaled
         issuer rejects reversals with nothing
         disk free
         wait 1000                           -> 51
         sent 0200 0420
         spent 0.00
         owed 1
         journaled
         restart
         spent 0.00
         0200 stan=1 amount=60.00            -> 51 replayed
         link 0 up
         sent 0421
         owed 0
         spent 0.00
         journaled
         quiet",
    );
}

/// Neither of its records was written: nothing was posted, so nothing is given back.
#[test]
fn an_advice_that_is_reversed_before_it_was_written_was_never_posted() {
    let mut world = check("ceiling 100.00").world;
    let sale = request(Mti::of(0x0220), Kind::OfflineSale, 1, 1, 6_000, 1);
    world.ask(&sale);
    world.commit_once();
    world.ask(&reversal(&sale));
    world.commit_full(false);
    assert_eq!((world.spent(1), world.said.len()), ((0, 0), 0), "its OUTCOME was refused");
    world.assert_journaled();
    world.advance(1_000);
    let said: Vec<String> = world.said.iter().map(|said| render(said.reply.code)).collect();
    assert_eq!((said, world.spent(1)), (vec!["00".to_owned()], (0, 0)), "only its reversal is answered");
    assert!(world.sent.is_empty(), "its issuer never hears of it");
    world.assert_journaled();
    world.assert_quiet();
}
