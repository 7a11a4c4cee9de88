//! Notices that are no sale: adjustments and script results, and advices by the 0120.
//! Never a decline. Guards: they are taken at once, told until the issuer takes them, and spend nothing that they do not say.

use crate::script::check;
use terms::{Kind, Mti};

#[test]
fn an_adjustment_is_taken_and_passed_on_and_spends_nothing() {
    let play = check(
        "ceiling 100.00
         0220 stan=1 amount=60.00            -> 00
         adjust stan=2 of=1 amount=70.00     -> 00
         sent 0220 0220
         spent 60.00
         owed 0
         adjust stan=2 of=1 amount=70.00     -> 00 replayed
         adjust stan=2 of=1 amount=71.00     -> 94 replayed
         journaled
         quiet",
    );
    let told = play.world.sent[1];
    assert_eq!(
        (told.request.kind, told.mti, told.request.amount),
        (Kind::Adjustment, Mti::of(0x0220), 7_000)
    );
}

#[test]
fn an_adjustment_of_what_nobody_knows_is_told_until_it_is_taken() {
    check(
        "ceiling 100.00
         issuer answers advices with nothing
         adjust stan=2 of=9 amount=5.00      -> 00
         owed 1
         wait 2900
         sent 0220 0221
         restart
         adjust stan=2 of=9 amount=5.00      -> 00 replayed
         link 0 up
         wait 5000
         owed 0
         spent 0.00
         journaled
         quiet",
    );
}

#[test]
fn script_results_are_taken_and_passed_on() {
    let play = check(
        "ceiling 100.00
         0620 stan=2                         -> 00
         sent 0220
         owed 0
         0620 stan=2                         -> 00 replayed
         issuer answers advices with 51
         0620 stan=3                         -> 00
         owed 0
         spent 0.00
         journaled
         quiet",
    );
    assert!(play.world.sent.iter().all(|sent| sent.mti == Mti::of(0x0620)), "told as what it is");
}

#[test]
fn an_advice_by_0120_is_one_too_and_its_repeat_is_the_same() {
    check(
        "ceiling 100.00
         0120 stan=1 amount=160.00           -> 00
         sent 0220
         0121 stan=1 amount=160.00           -> 00 replayed
         0120 stan=1 amount=161.00           -> 94 replayed
         spent 160.00
         journaled
         quiet",
    );
}
