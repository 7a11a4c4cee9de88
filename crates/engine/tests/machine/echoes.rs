//! An approval is one only if all that we sent and the issuer echoed is the same.
//! Absent is not different. Guards: somebody else's approval is none, and what it may have debited goes back.

use crate::script::check;

#[test]
fn an_approval_that_echoes_all_it_was_sent_is_taken() {
    check(
        "ceiling 100.00
         issuer echoes everything
         approval codes are required
         0200 stan=1 amount=60.00            -> 00
         sent 0200
         spent 60.00
         quiet",
    );
}

/// Declined as a mismatch, reversed, and free again: the script of one field.
#[track_caller]
fn is_a_mismatch(issuer: &str) {
    check(&format!(
        "ceiling 100.00
         {issuer}
         0200 stan=1 amount=60.00            -> 96
         sent 0200 0420
         owed 0
         spent 0.00
         0201 stan=1 amount=60.00            -> 96 replayed
         issuer approves
         0200 stan=2 amount=100.00           -> 00
         journaled
         quiet"
    ));
}

#[test]
fn another_card_is_a_mismatch() {
    is_a_mismatch("issuer echoes another card");
}

#[test]
fn another_reference_is_a_mismatch() {
    is_a_mismatch("issuer echoes another rrn");
}

#[test]
fn another_processing_code_is_a_mismatch() {
    is_a_mismatch("issuer echoes another processing-code");
}

#[test]
fn another_currency_is_a_mismatch() {
    is_a_mismatch("issuer echoes another currency");
}

#[test]
fn another_terminal_or_merchant_is_a_mismatch() {
    is_a_mismatch("issuer echoes another terminal");
    is_a_mismatch("issuer echoes another merchant");
}

#[test]
fn an_approval_without_its_code_is_a_mismatch_only_where_one_is_required() {
    is_a_mismatch(
        "issuer gives no approval code
         approval codes are required",
    );
    check(
        "ceiling 100.00
         issuer gives no approval code
         0200 stan=1 amount=60.00            -> 00
         sent 0200
         quiet",
    );
}
