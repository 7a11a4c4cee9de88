//! Bytes that nobody would send, and good ones cut anywhere.

use crate::chance::Chance;
use crate::ledger::{Ledger, Told, body};
use bytes::BytesMut;
use framing::{Envelope, Framing};
use iso8583::Dialect;
use iso8583::Index;

#[test]
fn any_bytes_never_panic_and_nothing_is_taken_beyond_the_cap() {
    for seed in 0..400 {
        println!("seed {seed}");
        let mut chance = Chance::seeded(seed);
        let mut ledger = Ledger::open(if seed % 2 == 0 {
            "listener in-flight=3"
        } else {
            "listener in-flight=3 unionpay"
        });
        ledger.session.on_established(ledger.now);
        let mut told = Told::default();
        for _ in 0..20 {
            let bytes: Vec<_> = (0..chance.below(60)).map(|_| chance.spread(8) as u8).collect();
            if ledger.session.on_bytes(&bytes, ledger.now, &mut Index::new(), &mut told).is_err() {
                break;
            }
            assert!(ledger.session.in_flight() <= 3);
        }
    }
}

#[test]
fn messages_cut_anywhere_are_the_same_messages() {
    let dialect = Dialect::builtin("iso87-ascii").expect("built in");
    let framing = Framing::by_name("binary2").expect("built in");
    let mut stream = BytesMut::new();
    for stan in 1..=40 {
        let body = body(&dialect, &format!("0200/{stan}"));
        framing.write(&mut stream, &Envelope::default(), |out| out.extend_from_slice(&body)).expect("fits");
    }
    let expected: Vec<_> = (1..=40).map(|stan| format!("request 0200 {stan:06}")).collect();
    for seed in 0..100 {
        println!("seed {seed}");
        let (mut chance, mut told) = (Chance::seeded(seed), Told::default());
        let mut ledger = Ledger::open("listener in-flight=3");
        ledger.session.on_established(ledger.now);
        let mut rest = &stream[..];
        while told.lines.len() < 40 {
            let cut = if ledger.session.wants_input() {
                chance.below(200).min(rest.len() as u64) as usize
            } else {
                0
            };
            ledger
                .session
                .on_bytes(&rest[..cut], ledger.now, &mut Index::new(), &mut told)
                .expect("good bytes");
            rest = &rest[cut..];
            if chance.below(2) == 0 {
                ledger.session.forgo();
            }
        }
        assert_eq!(told.lines, expected);
    }
}
