//! What happens on one link, line by line.

use crate::ledger::check;

#[test]
fn answers_come_in_any_order() {
    check(
        "
        desk window=3
        permits 3                 -> 000003
        sent 1 ticket=11
        sent 2 ticket=12
        sent 3 ticket=13
        answer 2 3                -> in time 13
        answer 2 1                -> in time 11
        answer 2 2                -> in time 12
        in_flight                 -> 0
        at 99000
        expire                    -> nothing
    ",
    );
}

#[test]
fn the_first_answer_counts_and_others_are_late() {
    check(
        "
        desk late=1000
        permit                    -> 000001
        sent 1 ticket=7 due=28000
        answer 2 1                -> in time 7
        answer 2 1                -> late 7
        answer 2 1                -> late 7
        in_flight                 -> 0
        at 29000
        expire                    -> nothing
        answer 2 1                -> unknown STAN
    ",
    );
}

#[test]
fn an_answer_after_its_deadline_is_late_until_it_is_nobodys() {
    check(
        "
        desk late=1000
        permit                    -> 000001
        sent 1 ticket=7 due=28000
        next                      -> 24576
        at 27999
        expire                    -> nothing
        in_flight                 -> 1
        next                      -> 28000
        at 28000
        expire                    -> 7
        in_flight                 -> 0
        expire                    -> nothing
        answer 2 1                -> late 7
        at 28999
        expire                    -> nothing
        answer 2 1                -> late 7
        at 29000
        expire                    -> nothing
        answer 2 1                -> unknown STAN
        next                      -> never
    ",
    );
}

#[test]
fn unmatched_answers_have_their_reason() {
    check(
        "
        desk
        permit                    -> 000001
        answer 2 1                -> unknown STAN
        sent 1 ticket=7 class=2
        answer 2 1 without-de7    -> no DE 7
        answer 2 1 other-de7      -> other DE 7
        answer 1 1                -> other MTI class
        answer 4 1                -> other MTI class
        answer 8 1                -> other MTI class
        answer 2 2                -> unknown STAN
        reversal ticket=8         -> 000002
        answer 2 2                -> other MTI class
        answer 4 2 other-de7      -> other DE 7
        answer 4 2 without-de7    -> no DE 7
        answer 4 3                -> unknown STAN
        answer 2 1                -> in time 7
        answer 4 2                -> in time 8
    ",
    );
}

#[test]
fn a_class_that_was_not_said_is_any_but_reversal_and_network() {
    check(
        "
        desk
        permits 2                 -> 000002
        sent 1 class=0
        sent 2 class=0
        answer 8 1                -> other MTI class
        answer 4 1                -> other MTI class
        answer 1 1                -> in time 1
        answer 2 2                -> in time 2
    ",
    );
}

#[test]
fn without_de7_the_stan_and_class_are_the_key() {
    check(
        "
        desk no-de7
        permit                    -> 000001
        sent 1 ticket=7
        answer 2 1 without-de7    -> in time 7
        permit                    -> 000002
        sent 2 ticket=8
        answer 2 2 other-de7      -> in time 8
    ",
    );
}

#[test]
fn a_full_window_refuses_and_every_way_out_frees_a_place() {
    check(
        "
        desk window=2
        permits 2                 -> 000002
        permit                    -> full
        give_back 1
        permit                    -> 000003
        permit                    -> full
        sent 2
        answer 2 2                -> in time 2
        permit                    -> 000004
        sent 3
        retire 3
        answer 2 3                -> late 3
        permit                    -> 000005
        sent 4 due=10
        at 10
        expire                    -> 4
        permit                    -> 000006
        sent 5
        lost                      -> 5
        permit                    -> 000007
        in_flight                 -> 2
        permit                    -> full
    ",
    );
}

#[test]
fn giving_back_and_retiring_twice_changes_nothing() {
    check(
        "
        desk window=2
        permits 2                 -> 000002
        sent 1
        give_back 1
        give_back 1
        retire 1
        answer 2 1                -> unknown STAN
        in_flight                 -> 1
        retire 2
        retire 2
        in_flight                 -> 0
        answer 2 2                -> unknown STAN
        permits 2                 -> 000004
        permit                    -> full
    ",
    );
}

#[test]
fn reversals_have_a_window_of_their_own() {
    check(
        "
        desk window=4
        permits 4                 -> 000004
        permit                    -> full
        reversal ticket=20        -> 000005
        reversal ticket=21        -> full
        reversals                 -> 1
        answer 4 5                -> in time 20
        reversals                 -> 0
        reversal ticket=21        -> 000006
        in_flight                 -> 4
        sent 1 ticket=7
        lost                      -> 7 21r
    ",
    );
}

#[test]
fn a_reversal_under_its_originals_stan_is_told_by_its_class() {
    check(
        "
        desk no-de7 window=100
        permit                    -> 000001
        sent 1 ticket=7 due=28000
        at 28000
        expire                    -> 7
        reversal stan=1 ticket=7 due=30000 -> 000001
        answer 2 1                -> late 7
        reversal stan=1 ticket=9  -> full
        reversals                 -> 1
        at 28500
        answer 4 1                -> in time 7
        answer 4 1                -> late 7
        reversals                 -> 0
    ",
    );
}

#[test]
fn the_repeat_of_a_reversal_takes_no_second_place() {
    check(
        "
        desk window=4
        reversal ticket=20 due=100 -> 000001
        reversal stan=1 ticket=20 due=300 again -> 000001
        reversals                 -> 1
        at 100
        expire                    -> nothing
        at 300
        expire                    -> 20r
        reversals                 -> 0
        answer 4 1                -> late 20
        reversal stan=1 ticket=20 due=900 again -> 000001
        answer 4 1                -> in time 20
        reversals                 -> 0
    ",
    );
}

#[test]
fn an_acknowledgement_is_late_after_its_deadline_and_then_nobodys() {
    check(
        "
        desk late=1000
        reversal ticket=20 due=100 -> 000001
        at 100
        expire                    -> 20r
        at 1099
        expire                    -> nothing
        answer 4 1                -> late 20
        at 1100
        expire                    -> nothing
        answer 4 1                -> unknown STAN
    ",
    );
}

#[test]
fn workers_share_the_stans_by_their_remainder() {
    check(
        "
        desk worker=0 workers=3
        permits 3                 -> 000009
    ",
    );
    check(
        "
        desk worker=1 workers=3
        permits 3                 -> 000007
    ",
    );
    check(
        "
        desk worker=2 workers=3
        permits 2                 -> 000005
        reversal                  -> 000008
    ",
    );
}

#[test]
fn numbers_wrap_to_the_first_of_the_worker() {
    check(
        "
        desk worker=0 workers=1
        pass 999999               -> 999999
        at 1000
        permit                    -> 000001
    ",
    );
    check(
        "
        desk worker=2 workers=4
        pass 249999               -> 999994
        pass 1                    -> 999998
        at 1000
        permit                    -> 000002
    ",
    );
    check(
        "
        desk worker=3 workers=4
        pass 250000               -> 999999
        at 1000
        permit                    -> 000003
    ",
    );
}

#[test]
fn a_wrap_passes_over_what_is_still_under_way() {
    check(
        "
        desk window=8
        permits 4                 -> 000004
        sent 1 ticket=11
        sent 3 ticket=13
        give_back 4
        pass 953123               -> 999999
        at 1000
        permit                    -> 000004
        answer 2 1                -> in time 11
        answer 2 3                -> in time 13
        permit                    -> 000005
        in_flight                 -> 3
    ",
    );
}

#[test]
fn with_de7_a_number_rests_for_the_second_it_was_used_in() {
    check(
        "
        desk
        pass 999999               -> 999999
        permit                    -> full
        at 999
        permit                    -> full
        at 1000
        permit                    -> 000001
    ",
    );
}

#[test]
fn without_de7_a_number_rests_for_twice_the_time_out() {
    check(
        "
        desk no-de7 rest=56000
        pass 500000               -> 500000
        at 30000
        pass 499999               -> 999999
        at 55999
        permit                    -> full
        at 56000
        pass 499967               -> 499967
        permit                    -> full
        at 86000
        permit                    -> 499968
    ",
    );
}

#[test]
fn resting_alone_holds_no_place_in_the_window() {
    check(
        "
        desk no-de7 rest=56000 workers=10000 worker=7 window=4
        pass 100                  -> 990007
        permit                    -> full
        in_flight                 -> 0
        at 56000
        permit                    -> 000007
    ",
    );
}

#[test]
fn places_that_a_late_answer_may_need_are_spared_while_there_are_others() {
    check(
        "
        desk window=8 late=60000
        permit                    -> 000001
        sent 1 due=10
        at 10
        expire                    -> 1
        pass 63                   -> 000064
        permit                    -> 000066
        answer 2 1                -> late 1
    ",
    );
    check(
        "
        desk window=1 late=60000
        permit                    -> 000001
        sent 1 due=10
        at 10
        expire                    -> 1
        pass 62                   -> 000063
        permit                    -> 000064
        sent 64 due=10
        expire                    -> 64
        pass 1000                 -> 001097
        answer 2 1                -> late 1
        answer 2 64               -> late 64
    ",
    );
}

#[test]
fn late_places_are_given_up_before_a_purchase_is_refused() {
    check(
        "
        desk window=32 late=60000
        permits 32                -> 000032
        lose_all
        permits 32                -> 000064
        lose_all
        answer 2 1                -> late 1
        permit                    -> 000065
        answer 2 1                -> unknown STAN
        answer 2 2                -> late 2
    ",
    );
}

#[test]
fn a_late_reversal_takes_its_place_in_the_window_again() {
    check(
        "
        desk window=4
        reversal ticket=20 due=100 -> 000001
        at 100
        expire                    -> 20r
        reversal ticket=21        -> 000002
        reversal stan=1 ticket=20 again -> full
        answer 4 2                -> in time 21
        reversal stan=1 ticket=20 again -> 000001
        reversals                 -> 1
    ",
    );
}

#[test]
fn an_own_stan_is_never_that_of_a_reversal_under_way() {
    check(
        "
        desk window=8
        reversal stan=2 ticket=20 -> 000002
        permit                    -> 000001
        reversal ticket=21        -> 000003
        permit                    -> 000004
    ",
    );
}

#[test]
fn numbers_rest_also_when_the_last_ones_are_passed_over() {
    check(
        "
        desk no-de7 rest=56000 workers=10000 worker=7 window=4
        pass 34                   -> 330007
        permits 2                 -> 350007
        pass 62                   -> 970007
        permit                    -> full
        at 56000
        permit                    -> 000007
    ",
    );
}
