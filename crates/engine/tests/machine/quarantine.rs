//! Reversals and advices that an issuer refuses: parked after so many, tried again at every sign-on, owed until taken.

use crate::script::check;
use engine::effect::Note;
use engine::record::PARKED;

#[test]
fn a_refused_reversal_is_parked_and_taken_at_a_sign_on() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer rejects reversals with 30
         0400 stan=1                         -> 00
         wait 600
         wait 1200
         quarantined 1
         owed 1
         spent 60.00
         sent 0200 0420 0421 0421
         wait 3600000
         sent
         0400 stan=1                         -> 00 replayed
         0200 stan=1 amount=60.00            -> 94 replayed
         link 0 up
         sent 0421
         quarantined 1
         restart
         quarantined 1
         spent 60.00
         0200 stan=1 amount=60.00            -> 94 replayed
         issuer takes reversals
         link 0 up
         sent 0421
         spent 0.00
         quarantined 0
         quiet",
    );
}

#[test]
fn silence_never_parks() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=60.00            -> 00
         issuer rejects reversals with nothing
         0400 stan=1                         -> 00
         wait 600000
         quarantined 0
         owed 1
         issuer takes reversals
         wait 20000
         spent 0.00
         quiet",
    );
}

#[test]
fn one_that_is_refused_holds_nobody_up() {
    check(
        "ceiling 100.00
         0200 stan=1 amount=10.00            -> 00
         issuer rejects reversals with 30
         0400 stan=1                         -> 00
         wait 600
         wait 1200
         quarantined 1
         issuer takes reversals
         0200 stan=2 amount=20.00            -> 00
         0400 stan=2                         -> 00
         spent 10.00
         owed 1
         quarantined 1",
    );
}

#[test]
fn a_parked_advice_stays_parked_through_a_restart() {
    let mut play = check(
        "ceiling 100.00
         issuer answers advices with 30
         0220 stan=1 amount=60.00            -> 00
         wait 700
         wait 1300
         sent 0220 0221 0221
         quarantined 1
         link 0 up
         sent 0221
         quarantined 1",
    );
    let written = play.world.look().1.into_iter().filter(|kind| *kind == PARKED).count();
    assert_eq!(written, 1, "it is written down once, however often it is tried again");
    let parked = |note: &&Note| matches!(note, Note::Parked(_));
    assert_eq!(play.world.notes.iter().filter(parked).count(), 1);
    check(
        "ceiling 100.00
         issuer answers advices with 30
         0220 stan=1 amount=60.00            -> 00
         wait 700
         wait 1300
         quarantined 1
         journaled
         restart
         issuer answers advices with 30
         quarantined 1
         owed 1
         slots 1
         spent 60.00
         0221 stan=1 amount=60.00            -> 00 replayed
         wait 3600000
         sent
         link 0 up
         sent 0221
         quarantined 1
         wait 3600000
         sent
         0220 stan=2 amount=20.00            -> 00
         sent 0220
         quarantined 1
         owed 2
         issuer answers advices with 00
         link 0 up
         sent 0221 0221
         quarantined 0
         owed 0
         spent 80.00
         0221 stan=1 amount=60.00            -> 00 replayed
         journaled
         quiet",
    );
}

#[test]
fn a_parked_reversal_of_a_request_holds_only_its_advice_up() {
    check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         issuer rejects reversals with 30
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         wait 600
         wait 1200
         sent 0200 0420 0421 0421
         quarantined 1
         restart
         0200 stan=1 amount=60.00            -> 00 replayed
         issuer answers advices with nothing
         quarantined 1
         link 0 up
         sent 0421 0220
         quarantined 0
         wait 3000
         sent 0221
         restart
         quarantined 0
         link 0 up
         sent 0221
         owed 0
         spent 60.00
         stands 60.00
         journaled
         quiet",
    );
}

#[test]
fn a_parked_advice_that_is_reversed_is_parked_again_where_it_is_refused_again() {
    check(
        "ceiling 100.00
         issuer answers advices with 30
         0220 stan=1 amount=60.00            -> 00
         wait 700
         wait 1300
         sent 0220 0221 0221
         0400 stan=1 amount=60.00            -> 00
         sent 0221
         quarantined 1
         spent 60.00
         0221 stan=1 amount=60.00            -> 94 replayed
         restart
         quarantined 1
         spent 60.00
         0221 stan=1 amount=60.00            -> 94 replayed
         link 0 up
         sent 0221 0420
         quarantined 0
         owed 0
         spent 0.00
         journaled
         quiet",
    );
}
