//! A link's life, line by line.

use crate::ledger::check;

#[test]
fn no_traffic_before_the_sign_on_is_approved() {
    check(
        "
        link sign-on
        next                             -> 0
        connect
        next                             -> 5000
        connected                        -> sends 0800 000001 001
        state                            -> not up
        send                             -> link is not signed on
        hear 0810 stan=9 code=00         ->
        send                             -> link is not signed on
        hear 0810 stan=1 code=00 network=1 -> up
        state                            -> up
        send                             -> sends 0200 000077
        hear 0810 stan=1 code=00         ->
    ",
    );
}

#[test]
fn a_unionpay_link_signs_on_in_its_own_way() {
    check(
        "
        link sign-on unionpay echo=60000
        connect
        connected                        -> sends 0800 000001 00000001001
        hear 0810 stan=1 code=00 network=1 -> up
        at 60000                         -> sends 0820 000002 00000001301
        hear 0830 stan=2 code=00 network=301 ->
        sign-off                         -> sends 0820 000003 00000001002
    ",
    );
}

#[test]
fn a_sign_on_that_is_refused_or_unanswered_ends_the_connection() {
    check(
        "
        link sign-on
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=91         -> dead: expected the sign-on to be approved, found code 91
        disconnect                       -> first wait
        at 1000
        connect
        connected                        -> sends 0800 000002 001
        next                             -> 6000
        at 5999
        at 6000                          -> dead: sign-on unanswered
        disconnect                       -> second wait
    ",
    );
}

#[test]
fn a_link_without_sign_on_is_up_when_connected() {
    check(
        "
        link
        connect
        connected                        -> up
        next                             -> never
        send                             -> sends 0200 000077
    ",
    );
}

#[test]
fn a_connection_that_is_not_made_in_time_is_given_up() {
    check(
        "
        link sign-on
        at 100
        connect
        at 5099
        at 5100                          -> dead: handshake not finished in time
    ",
    );
}

#[test]
fn silence_is_asked_about_once_and_then_believed() {
    check(
        "
        link echo=60000
        connect
        connected                        -> up
        next                             -> 60000
        at 59999
        at 60000                         -> sends 0800 000001 301
        next                             -> 63000
        at 62999
        at 63000                         -> dead: echo unanswered
        disconnect                       -> first wait
        state                            -> not up
    ",
    );
}

#[test]
fn whatever_is_heard_is_a_sign_of_life() {
    check(
        "
        link echo=60000
        connect
        connected                        -> up
        at 40000
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        at 60000
        next                             -> 100000
        at 100000                        -> sends 0800 000001 301
        hear 0810 stan=1 code=00 network=301 ->
        at 103000
        next                             -> 160000
        at 160000                        -> sends 0800 000002 301
        at 161000
        hear-keep-alive                  ->
        at 163000
        next                             -> 221000
    ",
    );
}

#[test]
fn answers_pass_with_their_whole_link_key_and_others_with_the_reason() {
    check(
        "
        link de41
        connect
        connected                        -> up
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear 0430 stan=6 code=00         -> answer 0430 000006 00
        hear 0210 stan=5 code=00 without-de7 -> unmatched 000005: no DE 7
        hear 0210 stan=5 code=00 without-de41 -> unmatched 000005: no DE 41
        hear 0210 without-de11 code=00   -> unmatched without STAN: no DE 11
    ",
    );
    check(
        "
        link unionpay
        connect
        connected                        -> up
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear 0210 stan=5 code=00 without-de41 -> unmatched 000005: no DE 41
    ",
    );
    check(
        "
        link
        connect
        connected                        -> up
        hear 0210 stan=5 code=00 without-de41 -> answer 0210 000005 00
    ",
    );
}

#[test]
fn the_issuers_own_messages_are_answered_or_passed_on() {
    check(
        "
        link
        connect
        connected                        -> up
        hear 0800 stan=900 network=301   -> sends 0810 000900 00 301
        hear 0800 stan=901 network=202   -> sends 0810 000901 00 202
        hear 0800 stan=903 network=201   -> request 0800 000903
        hear 0800 stan=902 network=1     -> sends 0810 000902 00 001
        hear 0420 stan=901 code=06       -> request 0420 000901
    ",
    );
    check(
        "
        link unionpay
        connect
        connected                        -> up
        hear 0820 stan=900 network=301   -> sends 0830 000900 00 00000001301
    ",
    );
}

#[test]
fn an_issuer_that_signs_off_gets_nothing_new_until_it_is_back() {
    check(
        "
        link sign-on
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=00         -> up
        hear 0800 stan=900 network=2     -> sends 0810 000900 00 002; down
        send                             -> link is not signed on
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear 0800 stan=901 network=1     -> sends 0810 000901 00 001; up
        hear 0800 stan=902 network=2     -> sends 0810 000902 00 002; down
        at 2000                          -> sends 0800 000002 001
        hear 0810 stan=2 code=00         -> up
    ",
    );
}

#[test]
fn signing_off_stops_traffic_and_waits_for_the_answer_or_its_time() {
    check(
        "
        link sign-on
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=00         -> up
        sign-off                         -> sends 0800 000002 002
        sign-off                         ->
        state                            -> not up
        send                             -> link is not signed on
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear 0810 stan=2 code=00         ->
        state                            -> not up, signed off
        next                             -> never
    ",
    );
    check(
        "
        link sign-on
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=00         -> up
        sign-off                         -> sends 0800 000002 002
        next                             -> 5000
        at 5000
        state                            -> not up, signed off
    ",
    );
    check(
        "
        link sign-on
        sign-off
        state                            -> not up, signed off
    ",
    );
}

#[test]
fn waits_grow_and_a_link_that_held_begins_again() {
    check(
        "
        link
        disconnect                       -> first wait
        disconnect                       -> second wait
        disconnect                       -> third wait
        disconnect                       -> longest wait
        disconnect                       -> longest wait
        connect
        connected                        -> up
        at 7999
        disconnect                       -> longest wait
        connect
        connected                        -> up
        at 15999
        disconnect                       -> first wait
    ",
    );
}

#[test]
fn a_link_has_held_since_it_was_first_up() {
    check(
        "
        link sign-on
        disconnect                       -> first wait
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=00         -> up
        at 7000
        hear 0800 stan=902 network=2     -> sends 0810 000902 00 002; down
        hear 0800 stan=903 network=1     -> sends 0810 000903 00 001; up
        at 8000
        disconnect                       -> first wait
    ",
    );
}

#[test]
fn a_bad_message_costs_itself_and_the_third_in_a_row_the_connection() {
    check(
        "
        link
        connect
        connected                        -> up
        hear-garbage                     -> unreadable
        hear-garbage                     -> unreadable
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear-garbage                     -> unreadable
        hear-garbage                     -> unreadable
        hear-garbage                     -> unreadable; dead: expected at most 2 bad messages, found one more
    ",
    );
}

#[test]
fn a_frame_that_is_begun_is_due_and_a_broken_one_ends_it() {
    check(
        "
        link
        connect
        connected                        -> up
        at 1000
        hear-bytes \0
        next                             -> 6000
        at 3000
        hear-bytes \u{5}
        next                             -> 6000
        at 6000                          -> dead: frame begun and not finished in time
    ",
    );
    check(
        "
        link
        connect
        connected                        -> up
        hear-bytes zz                    -> dead: cannot find the next frame
    ",
    );
}

#[test]
fn an_issuer_that_does_not_read_is_refused_more_and_then_dropped() {
    check(
        "
        link output=100
        connect
        connected                        -> up
        at 1000
        backlog 100
        send                             -> output is full
        next                             -> 6000
        at 6000                          -> dead: peer does not read
    ",
    );
    check(
        "
        link output=100
        connect
        connected                        -> up
        at 1000
        backlog 100
        at 4000
        backlog 99
        send                             -> sends 0200 000077
        next                             -> never
    ",
    );
}

#[test]
fn what_a_dead_connection_left_half_read_is_not_the_next_ones() {
    check(
        "
        link sign-on
        connect
        connected                        -> sends 0800 000001 001
        hear-bytes \0
        disconnect                       -> first wait
        connect
        connected                        -> sends 0800 000002 001
        hear 0810 stan=1 code=00         ->
        hear 0810 stan=2 code=00         -> up
    ",
    );
}

#[test]
fn a_link_that_was_lost_proves_itself_before_traffic() {
    check(
        "
        link sign-on steady=2
        connect
        connected                        -> sends 0800 000001 001
        hear 0810 stan=1 code=00 network=1 -> up
        disconnect                       -> first wait
        at 1000
        connect
        connected                        -> sends 0800 000002 001
        hear 0810 stan=2 code=00 network=1 -> sends 0800 000003 301
        state                            -> not up
        send                             -> link is not signed on
        hear 0810 stan=3 code=00 network=301 -> sends 0800 000004 301
        hear 0810 stan=3 code=00 network=301 ->
        hear 0810 stan=4 code=91 network=301 ->
        state                            -> not up
        hear 0810 stan=4 code=00 network=301 -> up
        send                             -> sends 0200 000077
    ",
    );
}

#[test]
fn a_flapping_link_carries_nothing() {
    check(
        "
        link steady=2
        connect
        connected                        -> up
        disconnect                       -> first wait
        at 1000
        connect
        connected                        -> sends 0800 000001 301
        next                             -> 4000
        at 3999
        at 4000                          -> dead: echo unanswered
        disconnect                       -> second wait
        at 6000
        connect
        connected                        -> sends 0800 000002 301
        hear 0810 stan=2 code=00 network=301 -> sends 0800 000003 301
        disconnect                       -> third wait
        at 10000
        connect
        connected                        -> sends 0800 000004 301
        hear 0810 stan=4 code=00 network=301 -> sends 0800 000005 301
        hear 0810 stan=5 code=00 network=301 -> up
    ",
    );
}

#[test]
fn a_probe_is_told_by_its_own_answer_and_silence_ends_the_link() {
    check(
        "
        link echo=60000
        probe                            ->
        connect
        connected                        -> up
        probe                            -> sends 0800 000001 301
        hear 0210 stan=5 code=00         -> answer 0210 000005 00
        hear 0810 stan=1 code=96 network=301 ->
        hear 0810 stan=1 code=00 network=301 -> echoed
        hear 0810 stan=1 code=00 network=301 ->
        at 5000
        probe                            -> sends 0800 000002 301
        at 8000                          -> dead: echo unanswered
    ",
    );
}
