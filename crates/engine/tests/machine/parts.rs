//! Parts: approved for less, reversed in part, line by line.

use crate::script::check;

#[test]
fn a_part_is_approved_where_the_terminal_can_take_it() {
    check(
        "ceiling 100.00
         terminals take parts
         issuer part 40.00
         0200 stan=1 amount=60.00            -> 10
         spent 40.00
         sent 0200
         0200 stan=1 amount=60.00            -> 10 replayed
         restart
         spent 40.00
         0200 stan=1 amount=60.00            -> 10 replayed
         link 0 up
         0400 stan=1 amount=40.00            -> 00
         sent 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn a_part_is_not_approved_where_the_terminal_cannot_take_it() {
    check(
        "ceiling 100.00
         issuer part 40.00
         0200 stan=1 amount=60.00            -> 96
         sent 0200 0420
         spent 0.00
         terminals take parts
         issuer part 70.00
         0200 stan=2 amount=60.00            -> 96
         quiet",
    );
}

#[test]
fn less_than_asked_is_no_part_unless_it_says_so() {
    check(
        "ceiling 100.00
         terminals take parts
         issuer amount 40.00
         0200 stan=1 amount=60.00            -> 96
         sent 0200 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn a_purchase_is_reversed_in_part_and_then_altogether() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 replacement=20.00       -> 00
         sent 0200 0420
         spent 20.00
         0200 stan=1 amount=60.00            -> 94 replayed
         0400 stan=1 replacement=20.00       -> 00
         0400 stan=1 replacement=30.00       -> 13
         restart
         0400 stan=1 replacement=20.00       -> 00
         link 0 up
         spent 20.00
         0200 stan=1 amount=60.00            -> 94 replayed
         0400 stan=1                         -> 00
         sent 0420
         spent 0.00
         quiet",
    );
}

#[test]
fn a_part_stays_owed_over_a_restart_and_whatever_the_issuer_says() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer rejects reversals with 30
         0400 stan=1 replacement=20.00       -> 00
         spent 60.00
         owed 1
         wait 60000
         quarantined 0
         restart
         owed 1
         spent 60.00
         issuer takes reversals
         link 0 up
         spent 20.00
         quiet",
    );
}

#[test]
fn the_whole_overtakes_a_part_that_is_under_way() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer rejects reversals with nothing
         0400 stan=1 replacement=20.00       -> 00
         sent 0200 0420
         0400 stan=1                         -> 00
         sent
         issuer takes reversals
         wait 2000
         sent 0420
         spent 0.00
         quiet",
    );
}
