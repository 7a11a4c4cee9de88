//! Which framings explain captured bytes, best first.

use framing::{Candidate, MAX_FRAME_DEFAULT, detect};

use crate::ledger::{bytes, lines};

fn check(ledger: &str) {
    for [input, expected] in lines(ledger) {
        let found: Vec<_> = detect(&bytes(input)).iter().map(tell).collect();
        assert_eq!(found.join(", "), expected, "{input}");
    }
}

fn tell(candidate: &Candidate) -> String {
    let alive = if candidate.keepalives == 0 { String::new() } else { format!("+{}", candidate.keepalives) };
    format!("{} x{}{alive}", candidate.framing, candidate.frames)
}

#[test]
fn one_frame_is_explained_to_its_last_byte() {
    check(
        "
        000c 30313030 7000000000000001            | binary2 x1
        0012 30313030 7000000000000001 313233343536 | binary2 x1
        0018 30313030 7000000000000001 313233343536 | bcd2 x1
        30303132 303130307000000000000001         | ascii4 x1
        30303063 303130307000000000000001         | hex4 x1
        # The high half of a four-byte length looks like a keep-alive of the two-byte form: second choice.
        0000000c 303130307000000000000001         | binary4 x1, binary2 x1+1
        000e 303130307000000000000001             | binary2-inclusive x1
        30303136 303130307000000000000001         | ascii4-inclusive x1
        ",
    );
}

#[test]
fn the_envelope_that_is_explained_comes_first() {
    check(
        "
        000d 6000010002 0800 202000000001     | nac x1, binary2 x1
        0013 6000010002 603100310000 0800 202000000001 | unionpay x1, nac x1, binary2 x1
        # What explains the envelope stands before what only fits in fewer pieces.
        0000000d 6000010002 0800 202000000001 | binary4+tpdu x1, nac x1+1, binary4 x1, binary2 x1+1
        # No digits: not a header.
        0013 6000010002 603100a10000 0800 202000000001 | nac x1, binary2 x1
        0013 0100010002 603100310000 0800 202000000001 | binary2 x1
        000d 303130307000000000000001 03      | base24 x1, binary2 x1
        000c 303130307000000000000001 03      | binary2+etx-extra x1
        ",
    );
}

#[test]
fn several_frames_and_keep_alives_are_counted() {
    check(
        "
        000a 30313030700000000001 0000 000b 3031303070000000000001 | binary2 x2+1
        # Zeros at the end of a message can pass for keep-alives, but come second to what needs none.
        000c 303130307000000000000000 | binary2 x1, binary2-inclusive x1+1
        # Short lengths read alike in both forms: the usual one first.
        0003 303830 | binary2 x1, bcd2 x1
        ",
    );
}

#[test]
fn what_no_framing_explains_has_no_candidate() {
    check(
        "
                                    |
        0000                        |
        00000000                    |
        000c 3031                   |
        303130307000000000000001    |
        000c 30313030 7000000000000001 ff |
        ",
    );
}

#[test]
fn a_long_capture_is_read_whatever_the_default_bound() {
    let mut capture = 60_000_u16.to_be_bytes().to_vec();
    capture.resize(60_002, b'0');
    let found = detect(&capture);
    assert_eq!(found.iter().map(tell).collect::<Vec<_>>(), ["binary2 x1"]);
    assert!(found[0].framing.max_frame >= 60_000);
    assert_eq!(detect(&bytes("0003 303830"))[0].framing.max_frame, MAX_FRAME_DEFAULT);
}
