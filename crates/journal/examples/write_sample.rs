//! Writes the sample journal that other readers of the format are tested with (`crates/journal/tests/sample`).
//!
//! `cargo run -p journal --example write_sample -- DIR`; the lock file is not part of the sample.

use std::sync::Arc;

use journal::testing::{Ledger, ToySeal};
use journal::{Class, Commit, Frame, Options, RealDisk};

fn main() -> Result<(), journal::Fault> {
    let dir = std::env::args().nth(1).expect("expected the directory to write to");
    for epoch in 0..2 {
        let options = Options { node: 3, segment_bytes: 8192, reserve_bytes: 1024, ..Options::new(&dir) };
        let (journal, _) =
            journal::open(options, Arc::new(RealDisk), Arc::new(ToySeal), &mut Ledger::default())?;
        let this = std::thread::current();
        let lane = journal.lane(0, Arc::new(move || this.unpark()));
        for frame in 0..8 {
            lane.submit(sample(epoch * 24 + frame * 3), Class::Normal);
            let commit = loop {
                match lane.take() {
                    Some(commit) => break commit,
                    None => std::thread::park(),
                }
            };
            assert!(matches!(commit, Commit::Durable(_)), "the sample fits");
        }
        journal.close()?;
    }
    Ok(())
}

/// Three records from `first` on, one of them with a secret; the payload of record `n` is `n` and then `n` times `n`.
fn sample(first: u64) -> Frame {
    let mut frame = Frame::new();
    for number in first..first + 3 {
        let secret = number.is_multiple_of(3).then_some(&b"4111111111111111"[..]);
        frame.append((number % 4) as u8 + 1, number, secret, |out| {
            out.extend_from_slice(&number.to_le_bytes());
            out.resize(out.len() + number as usize * 3, number as u8);
        });
    }
    frame
}
