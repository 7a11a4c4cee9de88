//! A terminal's connection, line by line.

use crate::ledger::check;

#[test]
fn requests_are_taken_in_order_and_answered() {
    check(
        "
        listener
        established
        hear 0200/5 0800/6               -> request 0200 000005; request 0800 000006
        reply                            -> reply
        reply                            -> reply
    ",
    );
    check(
        "
        listener unionpay
        established
        hear 0200/5                      -> request 0200 000005
        reply                            -> reply to [0, 9]
    ",
    );
}

#[test]
fn keep_alives_are_answered_in_their_place() {
    check(
        "
        listener
        established
        hear keep-alive                  -> keep-alive
        hear keep-alive 0200/5 keep-alive -> request 0200 000005; keep-alive; keep-alive
    ",
    );
}

#[test]
fn a_bad_message_is_refused_where_it_can_be_trusted_and_ends_it_where_not() {
    check("
        listener
        established
        hear bad/7 0200/8                -> refused 0200 000007: message at byte 40: expected the end of the message, found 1 bytes more; request 0200 000008
        reply                            -> reply
        hear bad/9                       -> dead: expected at most 1 bad messages, found one more
    ");
    check(
        "
        listener
        established
        hear 0200/5 noise 0200/6         -> request 0200 000005; dead: cannot read a message
    ",
    );
    check(
        "
        listener
        established
        hear 0210/5                      -> dead: expected a request, found message type 0210
    ",
    );
    check(
        "
        listener
        established
        hear-bytes zz                    -> dead: cannot find the next frame
    ",
    );
}

#[test]
fn no_more_is_taken_than_may_be_unanswered() {
    check(
        "
        listener in-flight=2
        established
        hear 0200/1 0200/2 0200/3 0200/4 -> request 0200 000001; request 0200 000002
        wants                            -> nothing
        resume                           ->
        reply                            -> reply
        wants                            -> input
        resume                           -> request 0200 000003
        wants                            -> nothing
        forgo
        resume                           -> request 0200 000004
        reply                            -> reply
        wants                            -> input
        resume                           ->
    ",
    );
}

#[test]
fn what_we_do_not_take_is_not_the_peers_delay() {
    check(
        "
        listener in-flight=1
        established
        hear 0200/1 0200/2               -> request 0200 000001
        inside                           -> nothing
        next                             -> never
        at 20000
        reply                            -> reply
        resume                           -> request 0200 000002
    ",
    );
}

#[test]
fn a_reply_that_fails_leaves_the_request_unanswered() {
    check(
        "
        listener in-flight=1
        established
        hear 0200/1                      -> request 0200 000001
        fail-reply                       -> cannot build message
        wants                            -> nothing
        reply                            -> reply
        wants                            -> input
    ",
    );
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from_and_then_dropped() {
    check(
        "
        listener output=100
        established
        at 1000
        backlog 100
        wants                            -> nothing
        hear keep-alive keep-alive       ->
        next                             -> 6000
        at 5999
        at 6000                          -> dead: peer does not read
    ",
    );
    check(
        "
        listener output=100
        established
        at 1000
        backlog 100
        hear 0200/1                      ->
        at 5000
        backlog 0
        wants                            -> input
        resume                           -> request 0200 000001
        at 6000
    ",
    );
}

#[test]
fn keep_alives_are_not_answered_beyond_a_full_output() {
    check(
        "
        listener output=100
        established
        backlog 96
        hear keep-alive keep-alive keep-alive keep-alive -> keep-alive; keep-alive
        backlog 0
        resume                           -> keep-alive; keep-alive
    ",
    );
}

#[test]
fn a_frame_is_due_whole_from_its_first_byte_however_it_drips() {
    check(
        "
        listener
        established
        at 1000
        hear-bytes \0
        next                             -> 6000
        at 2000
        hear-bytes \u{20}0
        inside                           -> a frame
        next                             -> 6000
        at 4000
        hear-bytes 2
        at 5999
        hear-bytes 0
        at 6000                          -> dead: frame begun and not finished in time
    ",
    );
}

#[test]
fn a_handshake_and_silence_have_their_time() {
    check(
        "
        listener
        next                             -> 5000
        at 4999
        at 5000                          -> dead: handshake not finished in time
    ",
    );
    check(
        "
        listener
        at 3000
        established
        next                             -> 63000
        at 50000
        hear keep-alive                  -> keep-alive
        at 109999
        at 110000                        -> dead: nothing came between frames for too long
    ",
    );
}

#[test]
fn waiting_for_an_answer_is_not_silence() {
    check(
        "
        listener
        established
        hear 0200/1                      -> request 0200 000001
        next                             -> never
        at 90000
        reply                            -> reply
        backlog 0
        next                             -> 150000
    ",
    );
}

#[test]
fn delivery_is_the_first_byte_taken() {
    check(
        "
        listener
        established
        queued 11 0
        queued 12 100
        queued 13 180
        taken 0                          ->
        taken 1                          -> 11
        taken 100                        ->
        taken 101                        -> 12
        queued 14 260
        died                             -> 13 14
        died                             ->
    ",
    );
    check(
        "
        listener
        established
        queued 11 0
        queued 12 100
        taken 300                        -> 11 12
        queued 13 300
        taken 300                        ->
        taken 512                        -> 13
        died                             ->
    ",
    );
}
