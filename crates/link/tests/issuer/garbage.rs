//! Bytes that nobody would send, cut anywhere: never a panic, never an `up` without an approved sign-on.

use crate::chance::Chance;
use crate::ledger::{Ledger, Told, message};
use bytes::BytesMut;
use framing::{Envelope, Framing};
use iso8583::Dialect;
use iso8583::Index;
use link::Backoff;
use terms::{Mti, Tick};

#[test]
fn any_bytes_never_panic() {
    for seed in 0..400 {
        println!("seed {seed}");
        let mut chance = Chance::seeded(seed);
        let mut ledger = Ledger::open(if seed % 2 == 0 { "link sign-on" } else { "link sign-on unionpay" });
        ledger.act("connect");
        ledger.act("connected");
        let mut told = Told::default();
        for _ in 0..20 {
            let bytes = bytes(&mut chance, seed % 2 == 1);
            let cut = chance.below(bytes.len() as u64 + 1) as usize;
            let now = ledger.now;
            let heard = [&bytes[..cut], &bytes[cut..]]
                .map(|part| ledger.session.on_bytes(part, &now, &mut Index::new(), &mut told));
            if heard.iter().any(Result::is_err) {
                ledger.session.on_disconnected(&now);
                ledger.act("connect");
                ledger.act("connected");
            }
            let _ = ledger.session.on_time(&now, &mut told);
        }
        assert!(!told.0.contains(&"up".to_owned()), "{:?}", told.0);
    }
}

/// Pure noise, noise in a frame, or a message with some bytes changed.
fn bytes(chance: &mut Chance, unionpay: bool) -> Vec<u8> {
    let dialect = Dialect::builtin(if unionpay { "unionpay-pos" } else { "iso87-binary" }).expect("built in");
    let framing = Framing::by_name(if unionpay { "unionpay" } else { "binary2" }).expect("built in");
    let noise: Vec<_> = (0..chance.below(80)).map(|_| chance.next() as u8).collect();
    if chance.below(4) == 0 || noise.is_empty() {
        return noise;
    }
    let mut body = BytesMut::from(&noise[..]);
    if chance.below(3) > 0 {
        body.clear();
        let mti = [0x0210, 0x0430, 0x0800, 0x0420][chance.below(4) as usize];
        message(&dialect, Mti::of(mti), "stan=5 network=301", &Default::default(), &mut body)
            .expect("a message");
        let at = chance.below(body.len() as u64) as usize;
        body[at] = chance.next() as u8;
    }
    let mut frame = BytesMut::new();
    framing.write(&mut frame, &Envelope::default(), |out| out.extend_from_slice(&body)).expect("fits");
    frame.to_vec()
}

#[test]
fn waits_are_within_bounds_grow_and_repeat_by_seed() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut chance = Chance::seeded(seed);
        let (first, max) = (chance.spread(16), chance.spread(40));
        let (mut one, mut same) = (Backoff::new(first, max, seed), Backoff::new(first, max, seed));
        let mut ceiling = 0;
        for _ in 0..100 {
            assert!(one.ceiling_ms() >= ceiling, "the bound shrank");
            ceiling = one.ceiling_ms();
            let wait = one.next_ms();
            assert!((ceiling.div_ceil(2)..=ceiling).contains(&wait), "{wait} of {ceiling}");
            assert_eq!(wait, same.next_ms(), "the same seed waits the same");
        }
        assert_eq!(ceiling, max.max(first).max(1));
        one.reset();
        assert_eq!(one.ceiling_ms(), first.max(1));
    }
}

#[test]
fn links_that_were_lost_together_do_not_come_back_together() {
    let waits: std::collections::HashSet<_> =
        (0..100).map(|seed| Backoff::new(10_000, 10_000, seed).next_ms()).collect();
    assert!(waits.len() > 90, "{} different waits of 100", waits.len());
}

#[test]
fn a_link_waits_the_same_by_the_same_seed() {
    let waits = |line| {
        let mut ledger = Ledger::open(line);
        (0..20).map(|_| ledger.session.on_disconnected(&ledger.now)).collect::<Vec<Tick>>()
    };
    assert_eq!(waits("link"), waits("link sign-on"));
}
