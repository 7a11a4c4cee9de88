//! Links that go, disks that are full, processes that end, line by line.

use crate::script::check;

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
fn a_clock_that_steps_ahead_twice_makes_no_repeat_new() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         clock ahead 23
         0200 stan=2 amount=10.00            -> 00
         clock ahead 23
         0200 stan=3 amount=10.00            -> 00
         0200 stan=1 amount=60.00            -> 00
         sent 0200 0200 0200
         spent 80.00
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
         sent 0421 0420
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
         wait 600
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
