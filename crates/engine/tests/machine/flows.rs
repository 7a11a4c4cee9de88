//! Operations on earlier transactions: what they do to the original, to ceilings, and to each other.

use crate::script::check;

#[test]
fn a_void_gives_everything_back_once() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=50.00       -> 64
         void stan=2 of=9 amount=60.00       -> 25
         void stan=2 of=1 amount=60.00 card=2 -> 25
         spent 60.00
         void stan=2 of=1 amount=60.00       -> 00
         spent 0.00
         sent 0200 0200
         void stan=2 of=1 amount=60.00       -> 00 replayed
         void stan=3 of=1 amount=60.00       -> 12
         0200 stan=1 amount=60.00            -> 94 replayed
         0400 stan=1                         -> 00 replayed
         0200 stan=4 amount=100.00           -> 00
         quiet
         journaled",
    );
}

#[test]
fn what_is_not_approved_cannot_be_voided() {
    check(
        "ceiling 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         void stan=2 of=1 amount=60.00       -> 12
         late 00 stan=1                      -> 00
         issuer declines 51
         0200 stan=3 amount=1.00             -> 51
         void stan=4 of=3 amount=1.00        -> 12
         issuer approves
         0400 stan=1                         -> 00
         void stan=5 of=1 amount=60.00       -> 12
         0400 stan=8                         -> 00
         void stan=9 of=8 amount=1.00        -> 12
         spent 0.00
         journaled",
    );
}

#[test]
fn a_void_that_is_declined_changes_nothing() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer declines 05
         void stan=2 of=1 amount=60.00       -> 05
         spent 60.00
         issuer approves
         0200 stan=1 amount=60.00            -> 00
         void stan=3 of=1 amount=60.00       -> 00
         spent 0.00
         quiet
         journaled",
    );
}

#[test]
fn a_reversal_of_a_void_restores_the_original() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=60.00       -> 00
         spent 0.00
         0200 stan=3 amount=80.00            -> 00
         0400 stan=2                         -> 00
         sent 0200 0200 0200 0420
         spent 140.00
         0200 stan=1 amount=60.00            -> 00 replayed
         void stan=2 of=1 amount=60.00       -> 94 replayed
         void stan=4 of=1 amount=60.00       -> 00
         spent 80.00
         quiet
         journaled",
    );
}

#[test]
fn a_void_in_doubt_is_reversed_and_changes_nothing() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer silent
         void stan=2 of=1 amount=60.00       -> nothing
         wait 1000                           -> 91
         sent 0200 0200 0420
         spent 60.00
         0400 stan=1                         -> 00
         sent 0420
         spent 0.00
         quiet
         journaled",
    );
}

#[test]
fn a_reversal_of_the_original_queues_behind_its_void() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer silent
         void stan=2 of=1 amount=60.00       -> nothing
         0400 stan=1                         -> nothing
         sent 0200 0200
         late 00 stan=2                      -> 00+00
         sent
         spent 0.00
         0200 stan=3 amount=60.00            -> nothing
         late 00 stan=3                      -> 00
         void stan=4 of=3 amount=60.00       -> nothing
         0400 stan=3                         -> nothing
         late 51 stan=4                      -> 51+00
         sent 0200 0200 0420
         spent 0.00
         quiet
         journaled",
    );
}

#[test]
fn an_original_is_found_in_the_journal_when_memory_forgot_it() {
    check(
        "ceiling 100.00
         archive looks
         0200 stan=1 amount=60.00            -> 00
         memory forgets
         void stan=2 of=1 amount=60.00       -> 00
         memory forgets
         void stan=3 of=1 amount=60.00       -> 12
         0400 stan=1                         -> 00 replayed
         memory forgets
         0400 stan=2                         -> 00
         spent 60.00
         memory forgets
         void stan=4 of=1 amount=60.00       -> 00
         spent 0.00
         void stan=5 of=77 amount=60.00      -> 25
         archive cannot say
         void stan=6 of=77 amount=60.00      -> 96
         journaled",
    );
}

#[test]
fn a_void_survives_restarts() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=60.00       -> 00
         restart
         link 0 up
         spent 0.00
         void stan=3 of=1 amount=60.00       -> 12
         0200 stan=1 amount=60.00            -> 94
         0400 stan=2                         -> 00
         spent 60.00
         restart
         link 0 up
         spent 60.00
         issuer silent
         void stan=4 of=1 amount=60.00       -> nothing
         restart
         link 0 up
         spent 60.00
         void stan=4 of=1 amount=60.00       -> 91
         void stan=5 of=1 amount=60.00       -> 00
         spent 0.00
         journaled",
    );
}

#[test]
fn a_terminal_that_voids_has_its_answer() {
    check(
        "ceiling 100.00
         terminal hangs up
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=60.00       -> 00
         wait 9000
         sent 0200 0200
         spent 0.00
         quiet
         journaled",
    );
}

#[test]
fn an_undelivered_void_is_taken_back() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         terminal hangs up
         void stan=2 of=1 amount=60.00       -> 00
         spent 0.00
         wait 5000
         sent 0200 0200 0420
         spent 60.00
         0200 stan=1 amount=60.00            -> 00 replayed
         quiet
         journaled",
    );
}

#[test]
fn a_full_disk_keeps_a_void_out_or_finishes_it() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         disk full
         void stan=2 of=1 amount=60.00       -> 96
         disk free
         issuer silent
         void stan=2 of=1 amount=60.00       -> nothing
         disk gone
         hold
         late 00 stan=2                      -> nothing
         disk free
         commit                              -> 00
         spent 0.00
         quiet
         journaled",
    );
}

#[test]
fn refunds_share_what_their_original_had() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         refund stan=2 of=1 amount=60.01     -> 64
         refund stan=3 of=1 amount=20.00     -> 00
         refund stan=4 of=1 amount=40.01     -> 64
         issuer silent
         refund stan=5 of=1 amount=30.00     -> nothing
         refund stan=6 of=1 amount=10.01     -> 64
         refund stan=7 of=1 amount=10.00     -> nothing
         void stan=8 of=1 amount=60.00       -> 12
         late 51 stan=5                      -> 51
         late 00 stan=7                      -> 00
         issuer approves
         refund stan=9 of=1 amount=30.00     -> 00
         refund stan=10 of=1 amount=0.01     -> 64
         spent 60.00
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1                         -> 12
         quiet
         journaled",
    );
}

#[test]
fn refunds_go_to_the_card_that_paid_and_in_time() {
    check(
        "ceiling 100.00
         archive looks
         0200 stan=1 amount=60.00            -> 00
         refund stan=2 of=1 amount=1.00 card=2 -> 25
         memory forgets
         restart
         link 0 up
         archive looks
         refund stan=3 of=1 amount=60.00     -> 00
         memory forgets
         refund stan=4 of=1 amount=0.01      -> 64
         days 180
         0200 stan=11 amount=60.00           -> 00
         days 180
         refund stan=12 of=11 amount=1.00    -> 00
         days 1
         refund stan=13 of=11 amount=1.00    -> 12
         journaled",
    );
}

#[test]
fn a_completion_takes_the_place_of_its_pre_authorization() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         complete stan=2 of=1 amount=69.01   -> 64
         complete stan=3 of=1 amount=40.00   -> 00
         spent 40.00
         complete stan=4 of=1 amount=20.00   -> 12
         cancel stan=5 of=1 amount=60.00     -> 12
         refund stan=6 of=3 amount=10.00     -> 00
         unvoid stan=7 of=3 amount=40.00     -> 12
         0400 stan=1 class=1                 -> 12
         0100 stan=8 amount=60.00            -> 00
         complete stan=9 of=8 amount=69.00   -> 00
         spent 109.00
         unvoid stan=10 of=9 amount=69.00    -> 00
         spent 40.00
         quiet
         journaled",
    );
}

#[test]
fn a_pre_authorization_is_cancelled_or_completed_never_both() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         cancel stan=2 of=1 amount=60.00     -> 00
         spent 0.00
         complete stan=3 of=1 amount=60.00   -> 12
         0100 stan=4 amount=50.00            -> 00
         issuer silent
         complete stan=5 of=4 amount=40.00   -> nothing
         spent 50.00
         cancel stan=6 of=4 amount=50.00     -> 12
         wait 1000                           -> 91
         spent 50.00
         issuer declines 51
         complete stan=7 of=4 amount=40.00   -> 51
         spent 50.00
         issuer approves
         complete stan=8 of=4 amount=40.00   -> 00
         spent 40.00
         0400 stan=8                         -> 00
         spent 50.00
         complete stan=9 of=4 amount=45.00   -> 00
         spent 45.00
         restart
         link 0 up
         spent 45.00
         0400 stan=9                         -> 00
         spent 50.00
         quiet
         journaled",
    );
}

#[test]
fn a_batch_settles_by_what_stands_approved() {
    check(
        "ceiling 500.00
         settle 0.00 0 0.00 0 Equal
         0200 stan=1 amount=60.00            -> 00
         0200 stan=2 amount=10.00            -> 00
         0100 stan=3 amount=50.00            -> 00
         settle 70.00 2 0.00 0 Equal
         settle 70.00 3 0.00 0 Different
         complete stan=4 of=3 amount=40.00   -> 00
         0400 stan=2                         -> 00
         refund stan=5 of=1 amount=20.00     -> 00
         settle 100.00 2 20.00 1 Equal
         restart
         link 0 up
         settle 100.00 2 20.00 1 Equal
         unvoid stan=6 of=4 amount=40.00     -> 00
         0200 stan=7 amount=5.00             -> 00
         void stan=8 of=7 amount=5.00        -> 00
         settle 105.00 3 65.00 3 Equal
         0400 stan=8                         -> 00
         issuer declines 51
         0200 stan=9 amount=1.00             -> 51
         issuer approves
         terminal hangs up
         0200 stan=10 amount=2.00            -> 00
         settle 107.00 4 60.00 2 Equal
         wait 6000
         settle 105.00 3 60.00 2 Equal
         settle 105.00 3 60.00 3 Different
         upload                              -> 00
         restart
         link 0 up
         settle 105.00 3 60.00 2 Equal
         quiet
         journaled",
    );
}

#[test]
fn a_settlement_waits_for_its_record() {
    check(
        "ceiling 100.00
         hold
         upload                              -> nothing
         commit                              -> 00
         disk gone
         upload                              -> 96
         disk free
         quiet",
    );
}

/// What another terminal of the merchant did is named by our RRN, also where a transaction of one's own has that STAN.
#[test]
fn an_original_of_another_terminal_is_found_by_our_reference() {
    for own in ["echo -> 00", "0200 term=2 stan=1 amount=5.00 card=3 -> 00"] {
        for memory in ["live 0", "restart\nlink 0 up\narchive looks"] {
            check(&format!(
                "ceiling 100.00
                 archive looks
                 0200 term=1 stan=1 amount=60.00                  -> 00
                 {own}
                 {memory}
                 refund term=2 stan=2 of=1 at=1 amount=40.00      -> 00
                 refund term=1 stan=3 of=1 amount=40.00           -> 64
                 refund term=3 stan=4 of=1 at=1 amount=21.00      -> 64
                 void term=2 stan=5 of=1 at=1 amount=60.00        -> 25
                 0400 term=2 stan=2                               -> 00
                 refund term=3 stan=6 of=1 at=1 amount=60.00      -> 00
                 refund term=2 stan=7 of=1 at=1 amount=0.01       -> 64
                 quiet
                 journaled"
            ));
        }
    }
}

#[test]
fn a_pre_authorization_is_completed_at_another_terminal() {
    check(
        "ceiling 100.00
         archive looks
         0100 term=1 stan=1 amount=50.00                  -> 00
         complete term=2 stan=2 of=1 at=1 amount=58.00    -> 64
         complete term=2 stan=2 of=1 at=1 amount=40.00    -> 00
         spent 40.00
         complete term=1 stan=3 of=1 amount=10.00         -> 12
         notice term=3 stan=4 of=1 at=1 amount=10.00      -> 00
         spent 50.00
         unvoid term=2 stan=5 of=2 amount=40.00           -> 00
         spent 10.00
         quiet
         journaled",
    );
}

#[test]
fn a_reference_that_nobody_can_look_up_is_refused_for_now() {
    check(
        "ceiling 100.00
         0200 term=1 stan=1 amount=60.00                  -> 00
         archive cannot say
         refund term=2 stan=2 of=1 at=1 amount=40.00      -> 96
         archive rules it out
         refund term=2 stan=3 of=1 at=1 amount=40.00      -> 25
         archive looks
         refund term=2 stan=4 of=1 at=1 amount=40.00      -> 00
         quiet",
    );
}

#[test]
fn an_original_of_another_terminal_that_memory_has_forgotten() {
    check(
        "ceiling 100.00
         archive looks
         0200 term=1 stan=1 amount=60.00                  -> 00
         memory forgets
         refund term=2 stan=2 of=1 at=1 amount=40.00      -> 00
         memory forgets
         refund term=3 stan=3 of=1 at=1 amount=21.00      -> 64
         refund term=1 stan=4 of=1 amount=20.00           -> 00
         quiet",
    );
}
