//! Patience, told as a ledger: millisecond, what happened, when to look again, what is overdue then.
//! Handshake, frame and output are due in 5,000 ms here, silence in 60,000; an output is full at 100 bytes.

use framing::{FrameClock, FrameLimits, Overdue};

use crate::ledger::lines;

fn check(ledger: &str) {
    let limits = FrameLimits { idle_us: 60_000_000, output_full: 100, ..FrameLimits::default() };
    let mut clock = FrameClock::new(limits, 0);
    for [at, event, due, overdue] in lines(ledger) {
        let now = at.parse::<u64>().expect("milliseconds") * 1_000;
        tell(&mut clock, now, event);
        assert_eq!((clock.next_deadline() / 1_000).to_string(), due, "at {at} after {event:?}");
        assert_eq!(name(clock.expired(now)), overdue, "at {at} after {event:?}");
        let deadline = clock.next_deadline();
        assert!(clock.expired(deadline).is_some(), "nothing is overdue at the deadline itself");
        assert!(deadline <= now || clock.expired(deadline - 1).is_none(), "overdue before the deadline");
    }
}

fn tell(clock: &mut FrameClock, now: u64, event: &str) {
    match event.split_whitespace().collect::<Vec<_>>()[..] {
        ["wait"] => {}
        ["established"] => clock.on_established(now),
        ["frame"] => clock.on_bytes(now, false),
        ["part"] => clock.on_bytes(now, true),
        ["read", "frames"] => clock.on_read(now, true, false),
        ["read", "part"] => clock.on_read(now, false, true),
        ["read", "frames+part"] => clock.on_read(now, true, true),
        ["output", backlog] => clock.on_output(now, backlog.parse().expect("bytes")),
        _ => panic!("{event:?}"),
    }
}

fn name(overdue: Option<Overdue>) -> &'static str {
    match overdue {
        None => "",
        Some(Overdue::Handshake) => "handshake",
        Some(Overdue::Frame) => "frame",
        Some(Overdue::Output) => "output",
        Some(Overdue::Idle) => "idle",
    }
}

#[test]
fn a_handshake_is_due_at_once() {
    check(
        "
        0    | wait        | 5000  |
        4999 | wait        | 5000  |
        5000 | wait        | 5000  | handshake
        5001 | established | 65001 |
        ",
    );
}

#[test]
fn silence_between_frames_is_allowed_for_long_but_not_for_ever() {
    check(
        "
        10    | established | 60010  |
        20    | frame       | 60020  |
        60019 | wait        | 60020  |
        60020 | wait        | 60020  | idle
        60021 | frame       | 120021 |
        ",
    );
}

#[test]
fn a_frame_is_due_from_its_first_byte_however_it_trickles() {
    check(
        "
        0     | established      | 60000 |
        1000  | part             | 6000  |
        2000  | part             | 6000  |
        5999  | read part        | 6000  |
        6000  | part             | 6000  | frame
        ",
    );
}

#[test]
fn each_frame_has_its_own_time() {
    check(
        "
        0     | established      | 60000 |
        1000  | part             | 6000  |
        4000  | frame            | 64000 |
        4500  | part             | 9500  |
        # A busy peer whose every read ends inside a frame is not a slow one.
        8000  | read frames+part | 13000 |
        12000 | read frames+part | 17000 |
        16000 | read frames      | 76000 |
        ",
    );
}

#[test]
fn a_peer_that_does_not_read_is_dropped() {
    check(
        "
        0    | established | 60000 |
        1000 | output 99   | 60000 |
        2000 | output 100  | 7000  |
        3000 | output 150  | 7000  |
        4000 | output 40   | 60000 |
        5000 | output 120  | 10000 |
        # What it sends does not help a peer that does not read.
        9000 | frame       | 10000 |
        9999 | wait        | 10000 |
        10000 | wait       | 10000 | output
        10001 | output 0   | 70001 |
        ",
    );
}

#[test]
fn an_output_that_waits_is_no_sign_of_life() {
    check(
        "
        0     | established | 60000 |
        30000 | output 10   | 60000 |
        60000 | wait        | 60000 | idle
        60000 | output 0    | 120000 |
        ",
    );
}

#[test]
fn of_several_the_first_due_is_named() {
    check(
        "
        0    | established | 60000 |
        1000 | output 100  | 6000  |
        2000 | part        | 6000  |
        9000 | wait        | 6000  | output
        9000 | output 0    | 7000  | frame
        9000 | frame       | 69000 |
        ",
    );
}

#[test]
fn the_first_bytes_end_a_handshake_nobody_announced() {
    check(
        "
        0    | wait        | 5000  |
        1000 | frame       | 61000 |
        ",
    );
}

#[test]
fn endless_patience_does_not_overflow() {
    let limits = FrameLimits { idle_us: u64::MAX, ..FrameLimits::default() };
    let mut clock = FrameClock::new(limits, 7);
    clock.on_established(7);
    assert_eq!((clock.next_deadline(), clock.expired(u64::MAX - 1)), (u64::MAX, None));
}
