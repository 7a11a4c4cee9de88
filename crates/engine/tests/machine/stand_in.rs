//! Approvals in an issuer's stead, line by line: when, out of what, and what the issuer is told afterwards.

use crate::script::check;
use engine::effect::{Note, ReversalReason};
use terms::Mti;

#[test]
fn the_reversal_of_a_timed_out_request_goes_before_the_advice() {
    let play = check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         sent 0200 0420 0220
         spent 60.00
         stands 60.00
         owed 0
         0200 stan=1 amount=60.00            -> 00 replayed
         late 00 stan=1                      -> nothing
         spent 60.00
         journaled
         quiet",
    );
    let [request, reversal, advice] = play.world.sent[..] else { panic!("three messages") };
    assert_eq!((reversal.number, reversal.mti), (request.number, Mti::of(0x0200)));
    assert_eq!(advice.mti, Mti::of(0x0220));
    assert_ne!(advice.number, request.number);
}

#[test]
fn a_late_approval_changes_nothing_but_what_ends_the_reversal() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         issuer rejects reversals with 25
         hold
         0200 stan=1 amount=60.00            -> nothing
         commit
         issuer rejects reversals with nothing
         wait 1500                           -> 00
         late 00 stan=1                      -> nothing
         issuer rejects reversals with 25
         wait 20000
         owed 1
         issuer takes reversals
         wait 20000
         owed 0
         spent 60.00
         journaled
         quiet",
    );
}

#[test]
fn after_an_answer_only_the_advice_is_owed() {
    for code in ["91", "96"] {
        check(&format!(
            "ceiling 100.00
             stand-in 80.00 100.00
             issuer says {code}
             0200 stan=1 amount=60.00            -> 00
             sent 0200 0220
             spent 60.00
             0200 stan=1 amount=60.00            -> 00 replayed
             restart
             0200 stan=1 amount=60.00            -> 00 replayed
             spent 60.00
             journaled
             quiet"
        ));
    }
}

#[test]
fn a_link_that_is_down_costs_only_the_advice() {
    let play = check(
        "ceiling 100.00
         stand-in 80.00 100.00
         links down
         0200 stan=1 amount=60.00            -> 00
         sent
         spent 60.00
         stands 60.00
         owed 1
         0200 stan=1 amount=60.00            -> 00 replayed
         link 0 up
         sent 0220
         owed 0
         journaled
         quiet",
    );
    assert_eq!(play.world.sent[0].mti, Mti::of(0x0220));
}

#[test]
fn the_switch_s_own_ceilings_come_first() {
    check(
        "ceiling 50.00
         stand-in 80.00 100.00
         links down
         0200 stan=1 amount=60.00            -> 61
         stands 0.00
         spent 0.00
         quiet",
    );
}

#[test]
fn its_own_ceilings_bound_it() {
    check(
        "ceiling 1000.00
         stand-in 80.00 100.00
         links down
         0200 stan=1 amount=80.01            -> 91
         0200 stan=2 amount=80.00            -> 00
         0200 stan=3 amount=30.00            -> 91
         0200 stan=4 amount=30.00 card=2     -> 00
         spent 80.00
         stands 80.00
         link 0 up
         issuer silent
         0200 stan=5 amount=30.00            -> nothing
         wait 1500                           -> 91
         spent 80.00
         journaled
         quiet",
    );
}

#[test]
fn what_nobody_may_approve_is_not_approved() {
    for line in ["0200 stan=1 amount=60.00 entry=11", "balance stan=1", "0100 stan=1 amount=60.00"] {
        check(&format!(
            "ceiling 100.00
             stand-in 80.00 100.00
             links down
             {line} -> 91
             sent
             owed 0
             stands 0.00
             quiet"
        ));
    }
}

#[test]
fn a_restart_never_stands_in() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         restart
         0200 stan=1 amount=60.00            -> 91
         link 0 up
         sent 0421
         spent 0.00
         stands 0.00
         journaled
         quiet",
    );
}

#[test]
fn a_restart_takes_up_both_messages() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         restart
         0200 stan=1 amount=60.00            -> 00 replayed
         stands 60.00
         link 0 up
         sent 0421 0220
         owed 0
         spent 60.00
         journaled
         quiet",
    );
}

#[test]
fn a_reversal_before_the_advice_cancels_it() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         0400 stan=1 amount=60.00            -> 00
         sent 0200 0420
         0200 stan=1 amount=60.00            -> 94 replayed
         issuer takes reversals
         wait 2900
         sent 0421
         spent 0.00
         owed 0
         journaled
         quiet",
    );
}

#[test]
fn a_reversal_of_what_was_told_names_the_advice() {
    let play = check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer says 91
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=60.00            -> 00
         sent 0200 0220 0420
         spent 0.00
         journaled
         quiet",
    );
    let [_, advice, reversal] = play.world.sent[..] else { panic!("three messages") };
    assert_eq!((reversal.number, reversal.mti), (advice.number, Mti::of(0x0220)));
}

#[test]
fn an_approval_that_nobody_got_is_taken_back() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer says 91
         terminal hangs up
         0200 stan=1 amount=60.00            -> 00
         sent 0200
         wait 6000
         sent
         spent 0.00
         owed 0
         0200 stan=1 amount=60.00            -> 94 replayed
         journaled
         quiet",
    );
}

#[test]
fn a_terminal_that_comes_back_keeps_it() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer says 91
         terminal hangs up
         0200 stan=1 amount=60.00            -> 00
         0200 stan=1 amount=60.00            -> 00
         wait 6000
         sent 0200 0220
         spent 60.00
         owed 0
         quiet",
    );
}

#[test]
fn a_void_of_what_stands_waits_until_the_issuer_knows() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         links down
         0200 stan=1 amount=60.00            -> 00
         void stan=2 of=1 amount=60.00       -> 12
         link 0 up
         void stan=2 of=1 amount=60.00       -> 00
         sent 0220 0200
         spent 0.00
         0200 stan=1 amount=60.00            -> 94 replayed
         journaled
         quiet",
    );
}

#[test]
fn a_request_that_never_left_costs_only_the_advice() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         unsent stan=1                       -> 00
         spent 60.00
         owed 0
         journaled
         quiet",
    );
}

#[test]
fn its_reversal_says_why_and_not_why_the_issuer_was_not_waited_for() {
    let reversed = |before: &str, then: &str| {
        let play = check(&format!(
            "ceiling 100.00
             stand-in 80.00 100.00
             issuer silent
             issuer rejects reversals with nothing
             {before}
             0200 stan=1 amount=60.00            -> nothing
             wait 1500                           -> 00
             {then}
             wait 6000
             issuer takes reversals
             wait 20000
             spent 0.00
             owed 0
             journaled
             quiet"
        ));
        play.world.notes.iter().rev().find_map(|note| match note {
            Note::ReversalOwed(_, reason) => Some(*reason),
            _ => None,
        })
    };
    assert_eq!(reversed("", "0400 stan=1 amount=60.00 -> 00"), Some(ReversalReason::Terminal));
    assert_eq!(reversed("terminal hangs up", ""), Some(ReversalReason::Undelivered));
}

#[test]
fn what_never_stood_is_given_back_to_its_own_counter() {
    let ways = [
        // No INTENT.
        "disk full
         0200 stan=1 amount=60.00            -> 96
         disk free",
        // Taken back before its INTENT was durable.
        "hold
         0200 stan=1 amount=60.00            -> nothing
         stands 60.00
         0400 stan=1 amount=60.00            -> nothing
         commit                              -> 00",
        // The time for finishing was over before that.
        "hold
         0200 stan=1 amount=60.00            -> nothing
         drain
         drain over                          -> nothing
         stands 60.00
         commit                              -> 91",
    ];
    for way in ways {
        check(&format!(
            "ceiling 100.00
             stand-in 80.00 100.00
             links down
             {way}
             stands 0.00
             spent 0.00
             sent
             owed 0
             journaled
             quiet"
        ));
    }
}

#[test]
fn what_stood_is_not() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         links down
         0200 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=60.00            -> 00
         stands 60.00
         spent 0.00
         0200 stan=2 amount=50.00            -> 91
         journaled
         restart
         stands 60.00
         spent 0.00
         quiet",
    );
}

#[test]
fn what_is_out_already_is_repeated_as_it_was() {
    let script = |restart: &str| {
        let play = check(&format!(
            "ceiling 100.00
             stand-in 80.00 100.00
             issuer silent
             issuer rejects reversals with nothing
             0200 stan=1 amount=60.00            -> nothing
             wait 1500                           -> 00
             {restart}
             0400 stan=1 amount=60.00            -> 00
             issuer rejects reversals with nothing
             link 0 up
             wait 20000
             owed 1"
        ));
        let reversals = play.world.sent.iter().filter(|sent| sent.reversal);
        reversals.map(|sent| (sent.repeat, sent.why, sent.number, sent.mti)).collect::<Vec<_>>()
    };
    let (here, after) = (script(""), script("restart"));
    assert!(here.len() > 2 && after.len() > 2 && !here[0].0);
    for (repeat, why, number, mti) in here[1..].iter().chain(&after) {
        assert_eq!((*repeat, *why, *mti), (true, (ReversalReason::Timeout, None), Mti::of(0x0200)));
        assert_eq!(*number, here[0].2, "the request's own");
    }
}
