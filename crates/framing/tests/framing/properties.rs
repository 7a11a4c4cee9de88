//! Random settings, messages and streams: identity, patience byte by byte, and no panic for any bytes.
//! The seed is printed and can be set: `SEED=77 cargo test -p framing`.

use std::hash::{BuildHasher, RandomState};

use framing::{Envelope, Framing, Header, LengthForm, Next, fuzz_framing};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

#[test]
fn what_is_written_is_read_the_same() {
    run((framings(), envelopes(), vec(any::<u8>(), 1..300)), |(framing, envelope, message)| {
        let wire = write(&framing, &envelope, &message)?;
        let next = framing.next(&wire).map_err(|violation| fail(violation.to_string()))?;
        let Next::Frame { consumed, envelope: read, body } = next else {
            return Err(fail(format!("{next:?}")));
        };
        prop_assert_eq!(consumed, wire.len());
        prop_assert_eq!(&wire[body], &message[..]);
        prop_assert_eq!(read, carried(&framing, &envelope));
        Ok(())
    });
}

#[test]
fn a_frame_is_incomplete_until_its_last_byte() {
    run((framings(), envelopes(), vec(any::<u8>(), 1..200)), |(framing, envelope, message)| {
        let wire = write(&framing, &envelope, &message)?;
        for have in 0..wire.len() {
            let need = if have < framing.length.size() { framing.length.size() } else { wire.len() };
            prop_assert_eq!(framing.next(&wire[..have]), Ok(Next::Incomplete { need }), "{} bytes", have);
        }
        Ok(())
    });
}

#[test]
fn a_keep_alive_is_read_as_one() {
    run(framings(), |framing| {
        let mut wire = Vec::new();
        framing.keepalive(&mut wire);
        let expected = Next::KeepAlive { consumed: framing.length.size() };
        prop_assert_eq!(framing.next(&wire), Ok(expected));
        Ok(())
    });
}

#[test]
fn no_bytes_break_a_promise() {
    run(vec(any::<u8>(), 0..200), |data| {
        fuzz_framing(&data);
        Ok(())
    });
}

#[test]
fn no_stream_of_likely_lengths_breaks_a_promise() {
    let likely = prop_oneof![Just(0_u8), Just(3), 0..20_u8, b'0'..=b'9', Just(0x60), any::<u8>()];
    run((any::<[u8; 3]>(), vec(likely, 0..120)), |(settings, stream)| {
        fuzz_framing(&[&settings[..], &stream].concat());
        Ok(())
    });
}

#[test]
fn the_corpus_breaks_no_promise_under_any_setting() {
    for stream in CORPUS {
        for form in 0..5 {
            for flags in 0..128 {
                for bound in [0, 1, 128] {
                    fuzz_framing(&[&[form, flags, bound], *stream].concat());
                }
            }
        }
    }
}

fn framings() -> impl Strategy<Value = Framing> {
    let header = prop_oneof![Just(Header::None), Just(Header::UnionPay6)];
    let length = proptest::sample::select(LengthForm::ALL.to_vec());
    let parts = (length, any::<[bool; 3]>(), header, proptest::option::of(any::<u8>()));
    parts.prop_map(|(length, [inclusive, tpdu, trailer_counted], header, trailer)| Framing {
        length,
        inclusive,
        tpdu,
        header,
        trailer,
        trailer_counted,
        ..Framing::default()
    })
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    any::<([u8; 5], [u8; 6])>().prop_map(|(tpdu, header)| Envelope { tpdu, header })
}

/// The parts of `envelope` that `framing` carries.
fn carried(framing: &Framing, envelope: &Envelope) -> Envelope {
    let none = Envelope::default();
    Envelope {
        tpdu: if framing.tpdu { envelope.tpdu } else { none.tpdu },
        header: if framing.header == Header::UnionPay6 { envelope.header } else { none.header },
    }
}

fn write(framing: &Framing, envelope: &Envelope, message: &[u8]) -> Result<Vec<u8>, TestCaseError> {
    let mut wire = Vec::new();
    let written = framing.write(&mut wire, envelope, |out| out.extend_from_slice(message));
    written.map_err(|violation| fail(violation.to_string()))?;
    Ok(wire)
}

fn fail(why: String) -> TestCaseError {
    TestCaseError::fail(why)
}

/// Captured output is shown when a test fails, and the seed with it.
fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let chosen = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = chosen.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("SEED={seed}");
    let config =
        Config { cases: 512, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(&strategy, test) {
        panic!("SEED={seed}: {failure}");
    }
}

const CORPUS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\0\0",
    b"\0\0\0\0",
    b"\0\x03abc",
    b"\0\x05abc",
    b"\0\x03ab\x03",
    b"\0\x02ab\x03",
    b"0003abc",
    b"000Aabcdefghij",
    b"000aabcdefghij",
    b"0000",
    b"00:0",
    b"\0\0\0\x03abc",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\0",
    b"\x0a\x63",
    b"\0\x0c\x60\0\x01\0\x02\x60\x31\0\x31\0\0\x08",
    b"\0\x0e\x60\0\x01\0\x02\x60\x31\0\x31\0\0\x08",
    b"\0\x12\x60\0\x01\0\x02\x60\x31\0\x31\0\0\x08",
    b"\0\0\0\x01a\0\0\0\x02bc\0",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\n\r\n",
];
