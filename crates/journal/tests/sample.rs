//! A journal written once and kept: today's code must still read it, or the format version must rise.

use std::sync::Arc;

use journal::testing::{FakeDisk, Ledger, ToySeal};
use journal::{Options, RecordBuf};

fn sample_disk() -> FakeDisk {
    let disk = FakeDisk::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sample")).unwrap() {
        let entry = entry.unwrap();
        disk.overwrite(
            &std::path::Path::new("/sample").join(entry.file_name()),
            std::fs::read(entry.path()).unwrap(),
        );
    }
    disk
}

#[test]
fn the_sample_opens_and_every_secret_with_it() {
    let mut ledger = Ledger::default();
    let options = Options { node: 3, segment_bytes: 8192, reserve_bytes: 1024, ..Options::new("/sample") };
    let (journal, recovery) =
        journal::open(options, Arc::new(sample_disk()), Arc::new(ToySeal), &mut ledger).unwrap();
    assert_eq!((recovery.epoch, recovery.was_clean, recovery.batches, recovery.records), (3, true, 16, 48));
    let reader = journal.reader();
    let mut buf = RecordBuf::new();
    for (number, (kind, payload, lsn)) in ledger.lines.iter().enumerate() {
        assert_eq!((usize::from(*kind), payload.len()), (number % 4 + 1, 8 + 3 * number), "record {number}");
        let (.., secret) = reader.read(*lsn, &mut buf).unwrap();
        assert_eq!(secret, (number % 3 == 0).then_some(&b"4111111111111111"[..]), "record {number}");
    }
}
