//! What is written, line by line: framing, message, bytes on the wire or the reason why not.

use bytes::{BufMut, BytesMut};
use framing::{Envelope, Framing, Violation};

use crate::ledger::{bytes, framing, hex, lines};

fn check(ledger: &str) {
    let envelope = Envelope::request([0x00, 0x01], [0x00, 0x02]);
    for [told, message, expected] in lines(ledger) {
        let message = bytes(message);
        let mut out = b"before".to_vec();
        let written = framing(told).write(&mut out, &envelope, |out| out.extend_from_slice(&message));
        let found = match written {
            Ok(()) => hex(&out[6..]),
            Err(violation) => {
                assert_eq!(out, b"before", "{told}: a refused frame leaves nothing behind");
                violation.to_string()
            }
        };
        let expected = if written.is_ok() { expected.replace(' ', "") } else { expected.to_string() };
        assert_eq!(found, expected, "{told}");
    }
}

#[test]
fn each_part_stands_in_its_place() {
    check(
        "
        binary2                | 616263 | 0003 616263
        binary2-inclusive      | 616263 | 0005 616263
        bcd2                   | 313233343536373839303132 | 0012 313233343536373839303132
        ascii4                 | 616263 | 30303033 616263
        ascii4-inclusive       | 616263 | 30303037 616263
        hex4                   | 31323334353637383930 | 30303041 31323334353637383930
        binary4                | 616263 | 00000003 616263
        nac                    | 30     | 0006 6000010002 30
        unionpay               | 30     | 000c 6000010002 603100310000 30
        base24                 | 3031   | 0003 3031 03
        binary2+etx-extra      | 3031   | 0002 3031 03
        binary2-inclusive+etx  | 3031   | 0005 3031 03
        ",
    );
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    check(
        "
        binary2 max 2            | 616263 | frame length at byte 0: expected at most 2, found 3
        binary2+etx-extra max 3  | 616263 | frame length at byte 0: expected at most 2, found 3
        unionpay max 13          | 616263 | frame length at byte 0: expected at most 13, found 14
        binary2                  |        | frame length at byte 0: expected at least 1, found 0
        unionpay                 |        | frame length at byte 0: expected at least 12, found 11
        ",
    );
}

#[test]
fn a_length_form_has_its_own_bound() {
    for (name, most) in [("bcd2", 9_999), ("ascii4", 9_999), ("hex4", 65_535), ("binary2", 65_535)] {
        let framing = Framing { max_frame: u32::MAX, ..framing(name) };
        let mut out = Vec::new();
        let fits = framing.write(&mut out, &Envelope::default(), |out| out.put_bytes(0, most));
        assert_eq!(fits, Ok(()), "{name}");
        out.clear();
        let over = framing.write(&mut out, &Envelope::default(), |out| out.put_bytes(0, most + 1));
        let most = most as u64;
        assert_eq!(over, Err(Violation::TooLong { most, found: most + 1 }), "{name}");
    }
}

#[test]
fn frames_line_up_behind_one_another() {
    let mut out = BytesMut::new();
    let framing = framing("binary2");
    framing.write(&mut out, &Envelope::default(), |out| out.put_slice(b"one")).expect("fits");
    framing.keepalive(&mut out);
    framing.write(&mut out, &Envelope::default(), |out| out.put_slice(b"four")).expect("fits");
    assert_eq!(&out[..], b"\0\x03one\0\0\0\x04four");
}

#[test]
fn a_keep_alive_is_a_bare_length() {
    for (name, expected) in [
        ("binary2", "0000"),
        ("binary2-inclusive", "0002"),
        ("bcd2-inclusive", "0002"),
        ("ascii4", "30303030"),
        ("ascii4-inclusive", "30303034"),
        ("hex4", "30303030"),
        ("binary4-inclusive", "00000004"),
        ("unionpay", "0000"),
        ("base24", "0000"),
    ] {
        let mut out = Vec::new();
        framing(name).keepalive(&mut out);
        assert_eq!(hex(&out), expected, "{name}");
    }
}

#[test]
fn a_body_that_fails_leaves_nothing_behind() {
    #[derive(Debug, PartialEq)]
    enum Refused {
        Field(u8),
        Framing(Violation),
    }
    impl From<Violation> for Refused {
        fn from(violation: Violation) -> Self {
            Self::Framing(violation)
        }
    }
    let mut out = b"before".to_vec();
    let framing = framing("unionpay");
    let field = framing.try_write(&mut out, &Envelope::default(), |out| {
        out.extend_from_slice(b"half a mess");
        Err(Refused::Field(35))
    });
    assert_eq!((field, &out[..]), (Err(Refused::Field(35)), &b"before"[..]));
    let empty = framing.try_write(&mut out, &Envelope::default(), |_| Ok::<_, Refused>(()));
    assert_eq!(empty, Err(Refused::Framing(Violation::TooShort { least: 12, found: 11 })));
    assert_eq!(out, b"before");
}
