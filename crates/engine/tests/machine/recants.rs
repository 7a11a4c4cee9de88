//! The issuer reverses by itself: what becomes of the original, of its limits, and what the issuer is told.

use crate::script::check;
use engine::effect::Note;
use terms::IssuerIx;

#[test]
fn an_approval_that_the_issuer_takes_back_is_reversed_and_alarmed() {
    let play = check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         spent 60.00
         issuer reverses stan=1 amount=60.00 -> 00
         spent 0.00
         sent 0200
         issuer reverses stan=1 amount=60.00 -> 00
         0200 stan=1 amount=60.00            -> 94 replayed
         0400 stan=1                         -> 00
         sent
         owed 0
         journaled
         restart
         sent
         spent 0.00
         quiet",
    );
    assert!(play.world.told_issuer.is_empty());
}

#[test]
fn it_is_alarmed_once() {
    let play = check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer reverses stan=1              -> 00
         issuer reverses stan=1              -> 00",
    );
    let alarm = Note::IssuerContradiction(IssuerIx(0));
    assert_eq!(play.world.notes.iter().filter(|note| **note == alarm).count(), 1);
}

#[test]
fn an_approval_that_is_being_written_is_told_and_then_taken_back() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         hold
         late 00 stan=1                      -> nothing
         issuer reverses stan=1              -> nothing
         commit                              -> 00+00
         spent 0.00
         sent 0200
         quiet",
    );
}

#[test]
fn in_flight_it_is_declined_and_reversed_by_us_as_well() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         issuer reverses stan=1              -> 05+00
         sent 0200 0420
         spent 0.00
         late 00 stan=1                      -> nothing
         sent 0420
         0200 stan=1 amount=60.00            -> 05 replayed
         quiet",
    );
}

#[test]
fn what_is_reversed_or_declined_stays_so() {
    check(
        "ceiling 100.00
         issuer declines 51
         0200 stan=1 amount=60.00            -> 51
         issuer reverses stan=1              -> 00
         issuer approves
         0200 stan=2 amount=60.00            -> 00
         issuer rejects reversals with nothing
         0400 stan=2                         -> 00
         issuer reverses stan=2              -> 00
         owed 1
         issuer takes reversals
         wait 60000
         issuer reverses stan=2              -> 00
         quiet",
    );
}

#[test]
fn nobody_is_believed_about_what_is_not_his() {
    check(
        "ceiling 100.00
         issuer reverses stan=1              -> 25
         0400 stan=1                         -> 00
         issuer reverses stan=1              -> 25
         0200 stan=2 amount=60.00            -> 00
         issuer reverses stan=2 link=2       -> 25
         issuer reverses stan=2 pan=6224240000000099 -> 25
         issuer reverses stan=2 amount=50.00 -> 13
         issuer reverses stan=2 replacement=10.00 -> 13
         spent 60.00
         sent 0200
         quiet",
    );
}

#[test]
fn what_operations_have_used_is_not_taken_back() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         refund stan=2 of=1 amount=20.00     -> 00
         issuer reverses stan=1              -> 12
         0200 stan=3 amount=10.00            -> 00
         void stan=4 of=3 amount=10.00       -> 00
         issuer reverses stan=3              -> 00
         spent 60.00
         quiet",
    );
}

#[test]
fn the_journal_finds_what_memory_forgot() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         memory forgets
         archive cannot say
         issuer reverses stan=1              -> 96
         archive rules it out
         issuer reverses stan=1              -> 25
         spent 60.00
         archive looks
         issuer reverses stan=1              -> 00
         spent 0.00
         quiet",
    );
}

#[test]
fn neighbours_under_one_stan_are_told_apart_by_our_reference() {
    check(
        "ceiling 100.00
         archive looks
         0100 stan=1 amount=60.00            -> 00
         0200 stan=1 amount=30.00            -> 00
         issuer reverses stan=1 class=1      -> 00
         spent 30.00
         issuer reverses stan=1              -> 00
         spent 0.00
         quiet",
    );
}

/// The original of a void stands again, with its charges; its terminal may void it once more.
#[test]
fn a_void_that_the_issuer_takes_back_leaves_its_original_standing() {
    for memory in ["live 0", "restart\nlink 0 up\narchive looks"] {
        check(&format!(
            "ceiling 100.00
             archive looks
             0200 stan=1 amount=60.00            -> 00
             void stan=2 of=1 amount=60.00       -> 00
             sent 0200 0200
             {memory}
             issuer reverses stan=2              -> 00
             spent 60.00
             issuer reverses stan=2              -> 00
             void stan=2 of=1 amount=60.00       -> 94 replayed
             0200 stan=1 amount=60.00            -> 00 replayed
             0400 stan=2                         -> 00
             void stan=3 of=1 amount=60.00       -> 00
             spent 0.00
             issuer reverses stan=1              -> 00
             owed 0
             quiet
             journaled"
        ));
    }
}

#[test]
fn operations_that_memory_has_forgotten_are_taken_back_as_well() {
    check(
        "ceiling 100.00
         archive looks
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=60.00       -> 00
         0100 stan=3 amount=40.00 card=2     -> 00
         complete stan=4 of=3 amount=30.00 card=2 -> 00
         memory forgets
         issuer reverses stan=2              -> 00
         spent 60.00
         issuer reverses stan=4              -> 00
         complete stan=5 of=3 amount=40.00 card=2 -> 00
         refund stan=6 of=1 amount=60.00     -> 00
         memory forgets
         issuer reverses stan=6              -> 00
         refund stan=7 of=1 amount=60.00     -> 00
         owed 0
         quiet",
    );
}

#[test]
fn a_refund_that_the_issuer_takes_back_may_be_made_again() {
    for memory in ["live 0", "restart\nlink 0 up\narchive looks"] {
        check(&format!(
            "ceiling 100.00
             archive looks
             0200 stan=1 amount=60.00            -> 00
             refund stan=2 of=1 amount=40.00     -> 00
             refund stan=3 of=1 amount=15.00     -> 00
             refund stan=4 of=1 amount=40.00     -> 64
             sent 0200 0200 0200
             {memory}
             issuer reverses stan=2 amount=30.00 -> 13
             issuer reverses stan=2              -> 00
             refund stan=2 of=1 amount=40.00     -> 94 replayed
             refund stan=5 of=1 amount=46.00     -> 64
             refund stan=6 of=1 amount=45.00     -> 00
             spent 60.00
             owed 0
             quiet
             journaled"
        ));
    }
}

#[test]
fn a_completion_that_the_issuer_takes_back_is_a_hold_again() {
    for memory in ["live 0", "restart\nlink 0 up\narchive looks"] {
        check(&format!(
            "ceiling 100.00
             archive looks
             0100 stan=1 amount=50.00            -> 00
             complete stan=2 of=1 amount=40.00   -> 00
             spent 40.00
             sent 0200 0200
             {memory}
             issuer reverses stan=2              -> 00
             spent 50.00
             complete stan=2 of=1 amount=40.00   -> 94 replayed
             complete stan=3 of=1 amount=30.00   -> 00
             spent 30.00
             unvoid stan=4 of=3 amount=30.00     -> 00
             spent 0.00
             issuer reverses stan=4              -> 00
             spent 30.00
             quiet
             journaled"
        ));
    }
}

#[test]
fn a_cancellation_that_the_issuer_takes_back_is_a_hold_again() {
    for memory in ["live 0", "restart\nlink 0 up\narchive looks"] {
        check(&format!(
            "ceiling 100.00
             archive looks
             0100 stan=1 amount=50.00            -> 00
             cancel stan=2 of=1 amount=50.00     -> 00
             spent 0.00
             {memory}
             issuer reverses stan=2 class=1      -> 00
             spent 50.00
             complete stan=3 of=1 amount=50.00   -> 00
             quiet
             journaled"
        ));
    }
}

/// Its answer is being written: told, and then taken back with what it did to its original.
#[test]
fn an_operation_that_is_being_written_is_told_and_then_taken_back() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer silent
         void stan=2 of=1 amount=60.00       -> nothing
         hold
         late 00 stan=2                      -> nothing
         issuer reverses stan=2              -> nothing
         commit                              -> 00+00
         spent 60.00
         quiet
         journaled",
    );
}
