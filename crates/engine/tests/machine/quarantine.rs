//! Reversals that an issuer refuses: parked after so many, tried again at every sign-on, owed until taken.

use crate::script::check;

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
