//! What a terminal can take back, when, and what becomes of it, line by line.

use crate::script::check;

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
         0400 stan=1 replacement=20.00       -> 13 replayed
         quiet",
    );
}

#[test]
fn a_reversal_must_name_the_whole_amount() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=50.00            -> 13
         0400 stan=1 replacement=60.00       -> 13
         0400 stan=9 replacement=20.00       -> 13
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
         0400 stan=7 amount=50.00            -> 13
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
