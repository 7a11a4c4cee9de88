//! What a terminal, an issuer and a bad day can do to a transaction, line by line.

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
         0220 stan=2 amount=1.00             -> 12
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
fn a_lost_link_is_in_doubt_and_an_unsent_request_is_not() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         lost stan=1                         -> 91
         sent 0200 0420
         0200 stan=2 amount=60.00            -> nothing
         unsent stan=2                       -> 91
         sent 0200
         spent 0.00
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
fn a_terminal_takes_back() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=60.00            -> 00
         sent 0200 0420
         spent 0.00
         0400 stan=1                         -> 00 replayed
         0401 stan=1                         -> 00 replayed
         0420 stan=1                         -> 00 replayed
         0421 stan=1                         -> 00 replayed
         0200 stan=1 amount=60.00            -> 94 replayed
         0400 stan=1 replacement=20.00       -> 12 replayed
         quiet",
    );
}

#[test]
fn a_reversal_must_name_the_whole_amount() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=50.00            -> 12
         0400 stan=1 replacement=20.00       -> 12
         0400 stan=9 replacement=20.00       -> 12
         spent 60.00
         sent 0200
         quiet",
    );
}

#[test]
fn a_reversal_overtakes_the_answer() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         0200 stan=1 amount=60.00            -> nothing
         0400 stan=1                         -> 00
         sent 0200 0420
         late 00 stan=1                      -> nothing
         0200 stan=1 amount=60.00            -> 94
         quiet",
    );
}

#[test]
fn a_reversal_overtakes_the_intent() {
    check(
        "ceiling 100.00
         hold
         0200 stan=1 amount=60.00            -> nothing
         0400 stan=1                         -> nothing
         0401 stan=1                         -> nothing
         commit                              -> 00+00
         sent
         spent 0.00
         0200 stan=1 amount=60.00            -> 94
         quiet",
    );
}

#[test]
fn a_reversal_before_its_purchase_forbids_it() {
    check(
        "ceiling 100.00
         0400 stan=1                         -> 00
         0400 stan=1                         -> 00
         0200 stan=1 amount=60.00            -> 94
         0200 stan=2 amount=60.00            -> 00
         wait 86400000
         0200 stan=1 amount=40.00            -> 00
         quiet",
    );
}

#[test]
fn an_original_that_nobody_can_rule_out_stays_owed() {
    check(
        "ceiling 100.00
         0200 stan=7 amount=1.00             -> 00
         memory forgets
         0400 stan=1                         -> 00
         0200 stan=1 amount=60.00            -> 94
         0400 stan=1                         -> 00
         archive rules it out
         wait 60000
         quiet
         0200 stan=1 amount=60.00            -> 94
         sent",
    );
}

#[test]
fn the_journal_knows_what_memory_forgot() {
    check(
        "ceiling 100.00
         0200 stan=7 amount=60.00            -> 00
         memory forgets
         archive looks
         0400 stan=7 amount=50.00            -> 12
         0400 stan=7 amount=60.00            -> 00
         0400 stan=7                         -> 00
         sent 0420
         0200 stan=7 amount=60.00            -> 94
         spent 0.00
         quiet",
    );
}

#[test]
fn the_journal_knows_a_tombstone_that_memory_forgot() {
    check(
        "ceiling 100.00
         0400 stan=7                         -> 00
         wait 86400000
         memory forgets
         archive looks
         0400 stan=7                         -> 00
         quiet",
    );
}

#[test]
fn an_original_found_at_last_is_reversed() {
    check(
        "ceiling 100.00
         0200 stan=7 amount=60.00            -> 00
         memory forgets
         0400 stan=7                         -> 00
         sent
         archive looks
         wait 3000
         sent 0420
         spent 0.00
         0400 stan=7                         -> 00 replayed
         0200 stan=7 amount=60.00            -> 94
         quiet",
    );
}

#[test]
fn what_is_owed_is_written_when_the_reserve_has_room_again() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=10.00            -> nothing
         0200 stan=2 amount=20.00            -> nothing
         disk gone
         late 00 stan=1                      -> nothing
         late 51 stan=2                      -> nothing
         0400 stan=9                         -> 96
         spent 30.00
         disk free
         wait 1000                           -> 00+51
         spent 10.00
         disk gone
         0400 stan=1                         -> nothing
         disk free
         wait 2000                           -> 00
         sent 0200 0200 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn a_ruled_out_original_is_buried_at_once() {
    check(
        "ceiling 100.00
         0200 stan=7 amount=1.00             -> 00
         memory forgets
         archive rules it out
         0400 stan=1                         -> 00
         quiet
         0200 stan=1 amount=60.00            -> 94",
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
fn a_grace_ends_with_a_reversal_too() {
    check(
        "ceiling 100.00
         terminal hangs up
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1                         -> 00
         wait 9000
         sent 0200 0420
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

#[test]
fn no_link_no_intent() {
    check(
        "ceiling 100.00
         links down
         0200 stan=1 amount=60.00            -> 91
         spent 0.00
         quiet",
    );
}

#[test]
fn a_link_that_comes_up_is_offered_what_is_owed() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         0200 stan=2 amount=10.00            -> 00
         links down
         0400 stan=1                         -> 00
         0400 stan=2                         -> 00
         owed 2
         spent 20.00
         sent 0200 0200
         link 0 up
         sent 0421 0421
         owed 0
         spent 0.00
         quiet",
    );
}

#[test]
fn bad_answers_to_a_reversal_leave_it_owed() {
    check(
        "ceiling 100.00
         issuer rejects reversals with 30
         0200 stan=1 amount=10.00            -> 00
         0400 stan=1                         -> 00
         wait 30000
         owed 1
         issuer rejects reversals with 21
         wait 10000
         owed 0
         quiet",
    );
}

#[test]
fn a_full_disk_refuses_what_is_new_and_serves_what_is_owed() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         disk full
         0200 stan=2 amount=10.00            -> 96
         0400 stan=1                         -> 00
         0400 stan=5                         -> 00
         spent 0.00
         disk free
         0200 stan=2 amount=10.00            -> 00
         quiet",
    );
}

#[test]
fn a_reversal_of_what_the_disk_refused_is_kept() {
    check(
        "ceiling 100.00
         disk full
         hold
         0200 stan=1 amount=10.00            -> nothing
         0400 stan=1                         -> nothing
         0400 stan=1                         -> nothing
         commit                              -> 00+00
         disk free
         0200 stan=1 amount=10.00            -> 94
         sent
         quiet",
    );
}

#[test]
fn a_drain_finishes_what_is_open_and_takes_reversals() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         issuer silent
         0200 stan=2 amount=10.00            -> nothing
         sent 0200 0200
         drain
         0200 stan=3 amount=10.00            -> 91
         0200 stan=1 amount=10.00            -> 00 replayed
         0400 stan=1                         -> 00
         drain over                          -> 91
         quiet",
    );
}

#[test]
fn a_restart_settles_by_type_and_keeps_its_promises() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=2 amount=20.00            -> nothing
         balance stan=3                      -> nothing
         0200 stan=4 amount=30.00            -> nothing
         wait 1000                           -> 91+91+91
         0200 stan=5 amount=40.00            -> nothing
         0400 stan=9                         -> 00
         restart
         owed 3
         spent 100.00
         sent
         0200 stan=1 amount=10.00            -> 00 replayed
         0200 stan=2 amount=20.00            -> 91
         0200 stan=5 amount=40.00            -> 91
         0200 stan=9 amount=1.00             -> 94
         link 0 up
         wait 9000
         owed 0
         spent 10.00
         0400 stan=1                         -> 00
         spent 0.00
         0200 stan=1 amount=10.00            -> 94
         quiet",
    );
}
