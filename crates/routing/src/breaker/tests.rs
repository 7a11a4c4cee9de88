//! A breaker's days, read like a ledger: what is told at which millisecond, and where it stands then.

use super::*;

const RULE: BreakerRule = BreakerRule { timeouts: 3, probes: 2, probe_ms: 1_000, probe_max_ms: 5_000 };

fn at(ms: u64) -> Tick {
    Tick(ms * 1_000)
}

/// Good probes from `ms` on until it closes; returns when it did.
fn close(breaker: &mut Breaker, mut ms: u64) -> u64 {
    loop {
        if breaker.probe(at(ms)) && breaker.probe_answered() {
            return ms;
        }
        ms += 100;
    }
}

#[test]
fn so_many_time_outs_in_a_row_open_it_and_an_answer_between_them_does_not() {
    let mut breaker = Breaker::new(RULE);
    assert_eq!(breaker.timed_out(2, false, at(0)), None);
    assert_eq!(breaker.timed_out(2, true, at(10)), None, "one was answered in between");
    assert!(breaker.is_closed());
    assert_eq!(breaker.timed_out(1, false, at(20)), Some(Opened::Timeouts));
    assert_eq!(breaker.position(), Position::Open);
    assert_eq!(breaker.timed_out(50, false, at(30)), None, "what was under way then says nothing new");
}

#[test]
fn so_many_good_probes_in_a_row_close_it() {
    let mut breaker = Breaker::new(RULE);
    breaker.timed_out(3, false, at(0));
    assert!(!breaker.probe(at(999)), "not yet");
    assert!(breaker.probe(at(1_000)));
    assert_eq!(breaker.position(), Position::HalfOpen);
    assert!(!breaker.probe(at(1_500)), "one at a time");
    assert!(!breaker.probe_answered(), "one is not enough");
    assert!(breaker.probe(at(2_000)));
    assert!(breaker.probe(at(3_000)), "the one before was not answered: begins again");
    assert!(!breaker.probe_answered());
    assert!(!breaker.probe_answered(), "the same answer twice");
    assert!(breaker.probe(at(4_000)));
    assert!(breaker.probe_answered());
    assert!(breaker.is_closed());
    assert!(!breaker.probe(at(9_000)) && !breaker.probe_answered(), "a closed one is not probed");
}

#[test]
fn one_that_opens_again_in_vain_probes_later_each_time() {
    let mut breaker = Breaker::new(RULE);
    let mut waits = Vec::new();
    let mut ms = 0;
    for _ in 0..5 {
        breaker.timed_out(3, false, at(ms));
        let opened = ms;
        ms = close(&mut breaker, ms);
        waits.push(ms - opened - 1_000);
    }
    assert_eq!(waits, [1_000, 2_000, 4_000, 5_000, 5_000], "up to the longest");
    breaker.timed_out(3, true, at(ms));
    assert!(!breaker.probe(at(ms + 999)) && breaker.probe(at(ms + 1_000)), "it had answered: as at first");
}

#[test]
fn the_last_link_lost_opens_it_and_the_first_that_is_back_closes_it() {
    let mut breaker = Breaker::new(RULE);
    assert_eq!(breaker.links(true, at(0)), None, "nothing new");
    assert_eq!(breaker.links(false, at(0)), Some(Opened::Links));
    assert_eq!(breaker.links(false, at(1)), None);
    assert_eq!(breaker.position(), Position::Open);
    assert!(!breaker.probe(at(60_000)), "over what?");
    assert_eq!(breaker.links(true, at(70_000)), None);
    assert!(breaker.is_closed());
}

#[test]
fn a_mute_issuer_that_loses_its_links_is_still_probed() {
    let mut breaker = Breaker::new(RULE);
    breaker.timed_out(3, false, at(0));
    assert!(breaker.probe(at(1_000)));
    assert_eq!(breaker.links(false, at(1_100)), None, "it was not closed");
    assert_eq!(breaker.position(), Position::Open);
    assert!(!breaker.probe_answered(), "the answer to a probe of before");
    breaker.links(true, at(2_000));
    assert_eq!(breaker.position(), Position::Open, "connected is not answering");
    assert_eq!(close(&mut breaker, 2_000), 3_000, "probed at once");
    breaker.links(false, at(4_000));
    breaker.links(true, at(5_000));
    assert!(breaker.is_closed(), "that is over and done with");
}

#[test]
fn time_outs_can_be_left_out() {
    let mut breaker = Breaker::new(BreakerRule { timeouts: 0, ..RULE });
    assert_eq!(breaker.timed_out(1_000, false, at(0)), None);
    assert_eq!(breaker.links(false, at(1)), Some(Opened::Links));
}
