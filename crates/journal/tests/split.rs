//! A frame longer than a batch may be is written in parts: every record once, in order, each with its own secret.

mod common;

use std::sync::Arc;

use common::{frame, numbers, open, payload, small};
use journal::testing::{FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Frame, Options, RecordBuf, open_stepped};

/// Submits one frame and gives positions, and records per part.
fn parts(options: Options, submitted: Frame, disk: &FakeDisk) -> (Vec<(u64, journal::Lsn)>, Vec<usize>) {
    let (mut journal, _) =
        open_stepped(options, Arc::new(disk.clone()), Arc::new(ToySeal), &mut Ledger::default()).unwrap();
    let lane = journal.lane(0, Arc::new(|| {}));
    lane.submit(submitted, Class::Owed);
    journal.step();
    let (mut positions, mut parts) = (Vec::new(), Vec::new());
    while let Some(commit) = lane.take() {
        let Commit::Durable(done) = commit else { panic!("there is room") };
        parts.push(done.tokens().count());
        positions.extend(done.tokens().map(|(token, _, lsn)| (token, lsn)));
        assert!(done.into_frame().is_empty());
    }
    assert_eq!(lane.in_flight(), 0);
    (positions, parts)
}

#[test]
fn every_record_and_every_secret_is_where_it_says() {
    let disk = FakeDisk::new();
    let mut long = Frame::new();
    for number in 0..400_u64 {
        // Secrets of all lengths, some records without.
        let secret = vec![number as u8; number as usize % 33];
        let secret = (!secret.is_empty()).then_some(&secret[..]);
        long.append(1, number, secret, |out| out.extend_from_slice(&payload(number)));
    }
    let (positions, parts) = parts(small(), long, &disk);
    assert!(parts.len() > 8 && parts.iter().sum::<usize>() == 400, "{parts:?}");
    assert!(positions.iter().map(|(token, _)| *token).eq(0..400) && positions.is_sorted());
    let (desk, ledger, _) = open(&disk, small()).unwrap();
    assert_eq!(ledger.lines.len(), 400);
    let (reader, mut buf) = (desk.journal.reader(), RecordBuf::new());
    for (number, lsn) in positions {
        let (_, bytes, secret) = reader.read(lsn, &mut buf).unwrap();
        let expected = vec![number as u8; number as usize % 33];
        assert_eq!(
            (bytes, secret.unwrap_or_default()),
            (&payload(number)[..], &expected[..]),
            "record {number}"
        );
    }
}

#[test]
fn frames_that_just_fit_stay_whole() {
    // One record: header 8, payload a multiple of 8; batch header 128; a segment of 8192 leaves 4096 for batches.
    for (payload, expected) in [(4096 - 128 - 8, vec![1]), (1976, vec![2]), (1984, vec![1, 1]), (8, vec![2])]
    {
        let mut frame = Frame::new();
        (0..expected.iter().sum::<usize>() as u64)
            .for_each(|token| frame.append(1, token, None, |out| out.resize(out.len() + payload, 1)));
        assert_eq!(parts(small(), frame, &FakeDisk::new()).1, expected, "payloads of {payload}");
    }
}

#[test]
fn five_megabytes_of_owed_records_are_written() {
    let disk = FakeDisk::new();
    let options = || Options { segment_bytes: 16 << 20, ..small() };
    let long = frame(0..56_000);
    assert!(long.bytes() > 4 << 20, "{} bytes", long.bytes());
    let (positions, parts) = parts(options(), long, &disk);
    assert!(parts.len() == 2 && positions.len() == 56_000, "{parts:?}");
    let (_, ledger, _) = open(&disk, options()).unwrap();
    assert!(numbers(&ledger).into_iter().eq(0..56_000));
}
