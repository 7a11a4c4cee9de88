//! What terminals tell after the fact: taken at once, passed on until the issuer takes it.

use crate::builders::{operation, request};
use crate::script::check;
use engine::effect::{Note, StandIn};
use terms::{Kind, Mti};

#[test]
fn an_advice_is_taken_whatever_the_ceilings_say() {
    check(
        "ceiling 100.00
         0220 stan=1 amount=160.00           -> 00
         sent 0220
         spent 160.00
         0221 stan=1 amount=160.00           -> 00 replayed
         0220 stan=1 amount=170.00           -> 94 replayed
         0200 stan=2 amount=1.00             -> 61
         owed 0
         journaled
         quiet",
    );
}

#[test]
fn an_advice_is_repeated_until_it_is_taken() {
    let play = check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         owed 1
         wait 2900
         sent 0220 0221
         0221 stan=1 amount=60.00            -> 00 replayed
         wait 3400
         sent 0221
         issuer answers advices with 94
         wait 4500
         sent 0221
         owed 0
         spent 60.00
         0221 stan=1 amount=60.00            -> 00 replayed
         journaled
         quiet",
    );
    let first = play.world.sent[0];
    assert_eq!(first.mti, Mti::of(0x0220));
    assert!(play.world.sent.iter().all(|sent| sent.number == first.number), "a repeat has another number");
}

#[test]
fn a_refused_advice_is_a_loss_and_no_decline() {
    let play = check(
        "ceiling 100.00
         issuer answers advices with 51
         0220 stan=1 amount=60.00            -> 00
         sent 0220
         owed 0
         spent 60.00
         0221 stan=1 amount=60.00            -> 00 replayed
         restart
         0221 stan=1 amount=60.00            -> 00 replayed
         spent 60.00
         quiet",
    );
    drop(play);
    let play = check(
        "ceiling 100.00
         issuer answers advices with 51
         0220 stan=1 amount=60.00            -> 00",
    );
    let lost = |note: &&Note| matches!(note, Note::StandIn(_, StandIn::Refused));
    assert_eq!(play.world.notes.iter().filter(lost).count(), 1);
}

#[test]
fn an_advice_that_the_issuer_cannot_read_is_set_aside() {
    check(
        "ceiling 100.00
         issuer answers advices with 30
         0220 stan=1 amount=60.00            -> 00
         wait 700
         wait 1300
         sent 0220 0221 0221
         quarantined 1
         wait 60000
         sent
         owed 1
         0221 stan=1 amount=60.00            -> 00 replayed
         0220 stan=2 amount=20.00 card=2     -> 00
         issuer answers advices with 00
         link 0 up
         wait 700
         owed 0
         quarantined 0
         journaled
         quiet",
    );
}

#[test]
fn advices_of_one_card_go_one_after_the_other() {
    check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         0220 stan=2 amount=20.00            -> 00
         sent 0220
         owed 2
         issuer answers advices with 00
         wait 2900
         sent 0221 0220
         owed 0
         quiet",
    );
}

#[test]
fn one_that_is_cancelled_before_its_turn_holds_nobody_up() {
    check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         0220 stan=2 amount=20.00            -> 00
         0220 stan=3 amount=5.00             -> 00
         sent 0220
         0400 stan=2 amount=20.00            -> 00
         owed 2
         0220 stan=4 amount=3.00             -> 00
         spent 68.00
         issuer answers advices with 00
         wait 2900
         sent 0221 0220 0220
         wait 60000
         sent
         owed 0
         spent 68.00
         journaled
         quiet",
    );
}

#[test]
fn no_link_no_matter() {
    check(
        "ceiling 100.00
         links down
         0220 stan=1 amount=60.00            -> 00
         sent
         owed 1
         restart
         spent 60.00
         0221 stan=1 amount=60.00            -> 00 replayed
         link 0 up
         sent 0221
         owed 0
         spent 60.00
         journaled
         quiet",
    );
}

#[test]
fn an_advice_whose_answer_a_restart_cut_off_is_taken() {
    check(
        "ceiling 100.00
         hold
         0220 stan=1 amount=60.00            -> nothing
         restart
         spent 0.00
         0221 stan=1 amount=60.00            -> 00
         link 0 up
         owed 0
         spent 60.00
         quiet",
    );
}

#[test]
fn what_the_issuer_has_not_heard_of_is_cancelled() {
    check(
        "ceiling 100.00
         links down
         0220 stan=1 amount=60.00            -> 00
         spent 60.00
         0400 stan=1 amount=60.00            -> 00
         spent 0.00
         owed 0
         0400 stan=1                         -> 00 replayed
         0221 stan=1 amount=60.00            -> 94 replayed
         link 0 up
         sent
         journaled
         quiet",
    );
}

#[test]
fn what_the_issuer_may_have_heard_of_is_acknowledged_first() {
    let play = check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=60.00            -> 00
         sent 0220
         spent 60.00
         0221 stan=1 amount=60.00            -> 94 replayed
         issuer answers advices with 00
         wait 2900
         sent 0221 0420
         spent 0.00
         owed 0
         journaled
         quiet",
    );
    let reversal = play.world.sent.last().unwrap();
    assert_eq!((reversal.mti, reversal.number), (Mti::of(0x0220), play.world.sent[0].number));
}

#[test]
fn a_restart_remembers_what_comes_first() {
    check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         wait 3000
         0400 stan=1 amount=60.00            -> 00
         restart
         link 0 up
         sent 0221 0420
         spent 0.00
         owed 0
         0221 stan=1 amount=60.00            -> 94 replayed
         journaled
         quiet",
    );
}

#[test]
fn a_refused_advice_needs_no_reversal() {
    check(
        "ceiling 100.00
         issuer answers advices with nothing
         0220 stan=1 amount=60.00            -> 00
         wait 3000
         0400 stan=1 amount=60.00            -> 00
         issuer answers advices with 51
         wait 2900
         spent 0.00
         owed 0
         journaled
         quiet",
    );
}

#[test]
fn what_the_issuer_has_taken_is_reversed_as_any_approval() {
    let play = check(
        "ceiling 100.00
         0220 stan=1 amount=60.00            -> 00
         sent 0220
         0400 stan=1 amount=60.00            -> 00
         sent 0420
         spent 0.00
         0400 stan=1 replacement=20.00       -> 13
         journaled
         quiet",
    );
    assert_eq!(play.world.sent[1].mti, Mti::of(0x0220));
}

#[test]
fn a_part_of_what_is_owed_cannot_be_reversed() {
    check(
        "ceiling 100.00
         links down
         0220 stan=1 amount=60.00            -> 00
         0400 stan=1 amount=60.00 replacement=20.00 -> 13
         owed 1",
    );
}

#[test]
fn a_notice_takes_the_place_of_its_pre_authorization() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         spent 60.00
         notice stan=2 of=1 amount=50.00     -> 00
         spent 50.00
         sent 0200 0220
         notice stan=2 of=1 amount=50.00     -> 00 replayed
         complete stan=3 of=1 amount=50.00   -> 12
         0400 stan=2 amount=50.00            -> 00
         sent 0420
         spent 60.00
         notice stan=4 of=1 amount=60.00     -> 00
         spent 60.00
         journaled
         quiet",
    );
}

#[test]
fn a_notice_that_is_owed_is_taken_back_with_its_pre_authorization() {
    check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         issuer answers advices with nothing
         notice stan=2 of=1 amount=50.00     -> 00
         wait 3000
         spent 50.00
         0400 stan=2 amount=50.00            -> 00
         issuer answers advices with 00
         wait 20000
         spent 60.00
         owed 0
         cancel stan=3 of=1 amount=60.00     -> 00
         spent 0.00
         journaled
         quiet",
    );
}

#[test]
fn a_notice_of_something_else_goes_by_itself() {
    check(
        "ceiling 100.00
         archive rules it out
         notice stan=2 of=1 amount=50.00     -> 00
         spent 50.00
         0100 stan=3 amount=20.00            -> 00
         notice stan=4 of=3 amount=99.00     -> 00
         spent 169.00
         owed 0
         journaled
         quiet",
    );
}

#[test]
fn an_advice_that_is_reversed_in_flight() {
    check(
        "ceiling 100.00
         hold
         0220 stan=1 amount=60.00            -> nothing
         0400 stan=1 amount=60.00            -> nothing
         commit                              -> 00
         sent
         spent 0.00
         0221 stan=1 amount=60.00            -> 94 replayed
         journaled
         quiet",
    );
}

#[test]
fn a_notice_whose_answer_a_restart_cut_off_still_has_its_original() {
    let mut play = check(
        "ceiling 100.00
         0100 stan=1 amount=60.00            -> 00
         hold",
    );
    // The INTENT is durable, its OUTCOME is not.
    let pre_auth = request(Mti::of(0x0100), Kind::PreAuth, 1, 1, 6_000, 1);
    let notice = operation(Mti::of(0x0220), Kind::CompletionAdvice, &pre_auth, 2, 5_000, 1);
    play.world.ask(&notice);
    play.world.commit_once();
    let mut world = play.world.restart(10_000);
    assert_eq!(world.spent(1), (5_000, 1));
    world.links[0] = true;
    world.event(engine::Event::LinkChanged { link: terms::LinkIx(0), up: true });
    assert_eq!(world.sent.last().map(|sent| sent.advice), Some(true));
    world.assert_journaled();
}
