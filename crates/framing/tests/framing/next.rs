//! What the front of a buffer is, line by line: framing, bytes, finding.

use framing::Next;

use crate::ledger::{bytes, framing, hex, lines};

fn check(ledger: &str) {
    for [told, input, expected] in lines(ledger) {
        let buffer = bytes(input);
        let found = match framing(told).next(&buffer) {
            Ok(Next::Incomplete { need }) => format!("need {need}"),
            Ok(Next::KeepAlive { consumed }) => format!("keepalive {consumed}"),
            Ok(Next::Frame { consumed, body, .. }) => format!("frame {consumed}: {}", hex(&buffer[body])),
            Err(violation) => violation.to_string(),
        };
        assert_eq!(found, expected, "{told} reading {input}");
    }
}

#[test]
fn each_form_reads_its_length() {
    check(
        "
        binary2            | 0003 616263             | frame 5: 616263
        binary2            | 0003 616263 0001        | frame 5: 616263
        binary2-inclusive  | 0005 616263             | frame 5: 616263
        bcd2               | 0012 313233343536373839303132 | frame 14: 313233343536373839303132
        bcd2-inclusive     | 0005 616263             | frame 5: 616263
        ascii4             | 30303033 616263         | frame 7: 616263
        ascii4-inclusive   | 30303037 616263         | frame 7: 616263
        hex4               | 30303041 30313233343536373839 | frame 14: 30313233343536373839
        hex4               | 30303061 30313233343536373839 | frame 14: 30313233343536373839
        hex4-inclusive     | 30303037 616263         | frame 7: 616263
        binary4            | 00000003 616263         | frame 7: 616263
        binary4-inclusive  | 00000007 616263         | frame 7: 616263
        ",
    );
}

#[test]
fn the_envelope_and_the_trailer_are_no_message() {
    check(
        "
        nac                      | 0006 6000010002 30           | frame 8: 30
        unionpay                 | 000c 6000010002 603100310000 30 | frame 14: 30
        binary2-inclusive+tpdu   | 0008 6000010002 30           | frame 8: 30
        # BASE24 counts the trailer, others do not.
        base24                   | 0003 3031 03                 | frame 5: 3031
        binary2+etx-extra        | 0002 3031 03                 | frame 5: 3031
        binary2-inclusive+etx    | 0005 3031 03                 | frame 5: 3031
        # An ETX inside the message is the message's own.
        base24                   | 0003 0303 03                 | frame 5: 0303
        ",
    );
}

#[test]
fn what_is_not_there_is_asked_for() {
    check(
        "
        binary2            |                   | need 2
        binary2            | 00                | need 2
        binary2            | 0003              | need 5
        binary2            | 0003 6162         | need 5
        binary2-inclusive  | 0005 6162         | need 5
        ascii4             | 303030            | need 4
        ascii4             | 30303033          | need 7
        binary4            | 000000            | need 4
        nac                | 0006 60000100     | need 8
        base24             | 0003 3031         | need 5
        binary2+etx-extra  | 0002 3031         | need 5
        ",
    );
}

#[test]
fn a_length_of_zero_is_a_sign_of_life_where_that_is_allowed() {
    check(
        "
        binary2                  | 0000          | keepalive 2
        binary2                  | 0000 0001 30  | keepalive 2
        bcd2                     | 0000          | keepalive 2
        ascii4                   | 30303030      | keepalive 4
        hex4                     | 30303030      | keepalive 4
        binary4                  | 00000000      | keepalive 4
        unionpay                 | 0000          | keepalive 2
        base24                   | 0000          | keepalive 2
        binary2+etx-extra        | 0000          | keepalive 2
        # Inclusive lengths say their own size; plain zero is understood too.
        binary2-inclusive        | 0002          | keepalive 2
        binary2-inclusive        | 0000          | keepalive 2
        ascii4-inclusive         | 30303034      | keepalive 4
        binary2 strict           | 0000          | frame length at byte 0: expected at least 1, found 0
        binary2-inclusive strict | 0002          | frame length at byte 0: expected at least 3, found 2
        binary2-inclusive strict | 0000          | frame length at byte 0: expected at least 3, found 0
        ",
    );
}

#[test]
fn a_length_outside_its_bounds_is_refused_before_anything_else_is_read() {
    check(
        "
        binary2                  | 1000          | need 4098
        binary2                  | 1001          | frame length at byte 0: expected at most 4096, found 4097
        binary2                  | ffff          | frame length at byte 0: expected at most 4096, found 65535
        binary2-inclusive        | 1002          | need 4098
        binary2-inclusive        | 1003          | frame length at byte 0: expected at most 4098, found 4099
        binary4                  | ffffffff      | frame length at byte 0: expected at most 4096, found 4294967295
        binary4 max 4294967295   | ffffffff      | need 4294967299
        binary4+etx-extra max 4294967295 | ffffffff | frame length at byte 0: expected at most 4294967294, found 4294967295
        hex4                     | 46464646      | frame length at byte 0: expected at most 4096, found 65535
        ascii4 max 20000         | 39393939      | need 10003
        bcd2 max 20000           | 9999          | need 10001
        # The bound is on all that follows the length, an uncounted trailer included.
        binary2 max 3            | 0003          | need 5
        binary2 max 3            | 0004          | frame length at byte 0: expected at most 3, found 4
        base24 max 3             | 0003          | need 5
        base24 max 3             | 0004          | frame length at byte 0: expected at most 3, found 4
        binary2+etx-extra max 3  | 0002          | need 5
        binary2+etx-extra max 3  | 0003          | frame length at byte 0: expected at most 2, found 3
        # A frame must hold its own envelope, its trailer and one byte of message.
        nac                      | 0005          | frame length at byte 0: expected at least 6, found 5
        unionpay                 | 000b          | frame length at byte 0: expected at least 12, found 11
        base24                   | 0001          | frame length at byte 0: expected at least 2, found 1
        binary2-inclusive        | 0001          | frame length at byte 0: expected at least 3, found 1
        binary4-inclusive        | 00000003      | frame length at byte 0: expected at least 5, found 3
        # A bound too small for the envelope lets nothing in.
        unionpay max 4           | 000c          | frame length at byte 0: expected at most 4, found 12
        unionpay max 0           | 0001          | frame length at byte 0: expected at most 0, found 1
        ",
    );
}

#[test]
fn a_digit_that_is_none_is_named_as_soon_as_it_is_there() {
    check(
        "
        bcd2     | 0a63              | length digit at byte 0: expected two decimal digits, found 0x0a
        bcd2     | a063              | length digit at byte 0: expected two decimal digits, found 0xa0
        bcd2     | 006f              | length digit at byte 1: expected two decimal digits, found 0x6f
        bcd2     | f0                | length digit at byte 0: expected two decimal digits, found 0xf0
        ascii4   | 30303a            | length digit at byte 2: expected an ASCII decimal digit, found 0x3a
        ascii4   | 30303041          | length digit at byte 3: expected an ASCII decimal digit, found 0x41
        ascii4   | 0063              | length digit at byte 0: expected an ASCII decimal digit, found 0x00
        ascii4   | 2b313233          | length digit at byte 0: expected an ASCII decimal digit, found 0x2b
        hex4     | 30303047          | length digit at byte 3: expected an ASCII hexadecimal digit, found 0x47
        # The start of a TLS hello where a length was due.
        ascii4   | 16030100          | length digit at byte 0: expected an ASCII decimal digit, found 0x16
        ",
    );
}

#[test]
fn a_missing_trailer_is_named() {
    check(
        "
        base24             | 0003 3031 30    | trailer at byte 4: expected 0x03, found 0x30
        binary2+etx-extra  | 0002 3031 00    | trailer at byte 4: expected 0x03, found 0x00
        ",
    );
}
