//! What an issuer can say to a purchase, and what its terminal hears, line by line.

use crate::script::check;

#[test]
fn a_day_at_the_till() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         0200 stan=1 amount=60.00            -> 00
         0200 stan=1 amount=70.00            -> 94
         0200 stan=2 amount=60.00            -> 61
         spent 60.00
         cutover
         0200 stan=3 amount=60.00            -> 00
         sent 0200 0200
         quiet",
    );
}

#[test]
fn what_is_checked_at_the_door() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=0.00             -> 13
         unknown stan=2 amount=1.00          -> 12
         0200 stan=3 amount=1.00 pin=yes     -> 57
         0200 stan=4 amount=1.00 pan=none    -> 30
         0200 stan=5 amount=1.00 pan=6200000000000000 -> 15
         0200 stan=6 amount=1.00 pan=5000000000000001 -> 14
         0200 stan=7 amount=1.00 pan=5000000000000009 expiry=2310 -> 54
         0200 stan=8 amount=1.00 pan=5000000000000009 expiry=2311 -> 00
         keys                                -> 12
         sign-on                             -> 00
         echo                                -> 00
         sign-off                            -> 00
         sent 0200
         quiet",
    );
}

#[test]
fn an_issuer_that_declines_gives_the_hold_back() {
    check(
        "ceiling 100.00
         issuer declines 51
         0200 stan=1 amount=60.00            -> 51
         spent 0.00
         0200 stan=1 amount=60.00            -> 51
         sent 0200
         0400 stan=1                         -> 00 replayed
         issuer approves
         0200 stan=2 amount=100.00           -> 00
         quiet",
    );
}

#[test]
fn a_deadline_declines_and_owes_until_it_is_acknowledged() {
    check(
        "ceiling 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=60.00            -> nothing
         spent 60.00
         wait 1000                           -> 91
         sent 0200 0420
         owed 1
         spent 60.00
         0200 stan=1 amount=60.00            -> 91 replayed
         0400 stan=1                         -> 00 replayed
         wait 4000
         sent 0421
         issuer takes reversals
         wait 4000
         sent 0421
         owed 0
         spent 0.00
         0200 stan=1 amount=60.00            -> 91 replayed
         quiet",
    );
}

#[test]
fn a_late_approval_changes_nothing_that_was_told() {
    check(
        "ceiling 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=60.00            -> nothing
         wait 1000                           -> 91
         late 00 stan=1                      -> nothing
         issuer rejects reversals with 25
         wait 6000
         owed 1
         issuer rejects reversals with 94
         wait 10000
         owed 0
         spent 0.00
         quiet",
    );
}

#[test]
fn an_approval_after_the_end_is_reversed_again_without_a_second_release() {
    check(
        "ceiling 100.00
         issuer silent
         issuer rejects reversals with 25
         0200 stan=1 amount=60.00            -> nothing
         wait 1000                           -> 91
         owed 0
         spent 0.00
         sent 0200 0420
         issuer takes reversals
         late 00 stan=1                      -> nothing
         sent 0420
         owed 0
         spent 0.00
         0200 stan=1 amount=60.00            -> 91 replayed
         quiet",
    );
}

#[test]
fn answers_that_are_no_answers_owe_a_reversal() {
    check(
        "ceiling 100.00
         issuer says ZZ
         0200 stan=1 amount=10.00            -> 05
         sent 0200 0420
         issuer says 68
         0200 stan=2 amount=10.00            -> 91
         sent 0200 0420
         issuer amount 9.00
         0200 stan=3 amount=10.00            -> 96
         sent 0200 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn an_undelivered_approval_waits_for_its_terminal() {
    check(
        "ceiling 100.00
         terminal hangs up
         0200 stan=1 amount=60.00            -> 00
         wait 4000
         0200 stan=1 amount=60.00            -> 00
         sent 0200
         wait 4000
         quiet
         spent 60.00
         terminal hangs up
         0200 stan=2 amount=40.00            -> 00
         wait 5000
         sent 0200 0420
         0200 stan=2 amount=40.00            -> 94
         spent 60.00
         quiet",
    );
}

#[test]
fn a_balance_is_never_reversed() {
    check(
        "ceiling 0.00
         balance stan=1                      -> 00
         balance stan=1                      -> 00
         issuer silent
         balance stan=2                      -> nothing
         wait 1000                           -> 91
         late 00 stan=2                      -> nothing
         issuer says ZZ
         balance stan=3                      -> 05
         issuer approves
         terminal hangs up
         balance stan=4                      -> 00
         0400 stan=1                         -> 00
         sent 0200 0200 0200 0200
         quiet",
    );
}

#[test]
fn a_pre_authorization_holds_like_a_purchase() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         0100 stan=1 amount=60.00            -> 00
         0100 stan=2 amount=60.00            -> 61
         issuer silent
         0100 stan=3 amount=40.00            -> nothing
         wait 1000                           -> 91
         sent 0200 0200 0420
         spent 60.00
         quiet",
    );
}
