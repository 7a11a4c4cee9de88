//! Rot is refused where something acknowledged is concerned, and named; only the last group can pass for torn.

mod common;

use common::{frame, is_prefix, numbers, open, segment_path, small};
use journal::Fault;
use journal::testing::{Crash, FakeDisk};

/// Two closed segments and an open one; every batch in a group of its own. Also the offset of the last batch.
fn written(clean: bool) -> (FakeDisk, usize) {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    let mut last = Vec::new();
    for first in (0..40).step_by(2) {
        last = desk.commit_durable(frame(first..first + 2));
    }
    if clean {
        desk.close().unwrap()
    } else {
        drop(desk)
    }
    let position = last[0].0;
    assert_eq!(position / 8192, 2, "three segments are used");
    (disk, (position % 8192) as usize - 128)
}

#[test]
fn every_byte_of_every_segment() {
    let (disk, last_batch) = written(false);
    let mut refused = 0;
    for segment in 0..=3 {
        // The next one may not have been prepared yet.
        let whole = disk.content(&segment_path(segment)).unwrap_or_default();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            let rotten = disk.after(Crash::KeepAll);
            rotten.overwrite(&segment_path(segment), bytes);
            let what = format!("segment {segment}, byte {at}");
            match open(&rotten, small()) {
                Ok((_, ledger, recovery)) => {
                    let found = numbers(&ledger);
                    let in_last_group = segment == 2 && at >= last_batch && at < last_batch + 1024;
                    let behind = segment > 2 || (segment == 2 && at >= last_batch);
                    assert!(is_prefix(&found) && behind, "{what}: {found:?}");
                    assert!(found.len() == 40 || (in_last_group && found.len() == 38), "{what}: {found:?}");
                    assert!(recovery.cut.is_some(), "{what}: rot was overlooked");
                }
                Err(Fault::Damaged { segment: named, .. }) => {
                    assert!(named == segment || named + 1 == segment, "{what}: segment {named} is named");
                    refused += 1;
                }
                Err(other) => panic!("{what}: {other}"),
            }
            // A refusal changes nothing: the second attempt says the same.
        }
    }
    assert_eq!(refused, 8192 + 8192 + last_batch, "all of the closed segments and of the open one's past");
}

#[test]
fn a_refusal_names_the_record_and_changes_nothing() {
    let (disk, _) = written(false);
    let mut bytes = disk.content(&segment_path(0)).unwrap();
    bytes[4096 + 512 + 200] ^= 0x10;
    disk.overwrite(&segment_path(0), bytes.clone());
    for _ in 0..2 {
        let fault = open(&disk, small()).map(drop).unwrap_err().to_string();
        let expected =
            "journal damaged in segment 0 at offset 4608: batch 2, from record 3 on: checksum of the batch";
        assert!(fault.starts_with(expected), "{fault}");
    }
    assert_eq!(disk.content(&segment_path(0)).unwrap(), bytes);
}

#[test]
fn after_a_clean_close_nothing_passes_for_torn() {
    let (disk, last_batch) = written(true);
    let mut bytes = disk.content(&segment_path(2)).unwrap();
    bytes.truncate(last_batch + 130);
    disk.overwrite(&segment_path(2), bytes);
    for _ in 0..2 {
        assert!(matches!(open(&disk, small()), Err(Fault::Damaged { segment: 2, .. })));
    }
}

#[test]
fn lost_and_exchanged_segments_are_refused() {
    let (disk, _) = written(false);
    let first = disk.content(&segment_path(0)).unwrap();
    let second = disk.content(&segment_path(1)).unwrap();
    let zeros = vec![0; first.len()];
    let cases: [(&str, u32, &[u8]); 4] = [
        ("first exchanged", 0, &second),
        ("second exchanged", 1, &first),
        ("first zeroed", 0, &zeros),
        ("second zeroed", 1, &zeros),
    ];
    for (what, segment, content) in cases {
        let wrong = disk.after(Crash::KeepAll);
        wrong.overwrite(&segment_path(segment), content.to_vec());
        assert!(matches!(open(&wrong, small()), Err(Fault::Damaged { .. })), "{what}");
    }
}

#[test]
fn an_epoch_that_fell_behind_is_refused() {
    let (disk, _) = written(false);
    let epoch = std::path::Path::new(common::DIR).join("epoch");
    let first = disk.content(&epoch).unwrap();
    let (desk, ..) = open(&disk, small()).unwrap();
    desk.commit_durable(frame(40..42));
    drop(desk);
    disk.overwrite(&epoch, first.clone());
    assert!(matches!(open(&disk, small()), Err(Fault::BadFile { .. })), "a nonce would be used twice");
    disk.overwrite(&epoch, first[..10].to_vec());
    assert!(matches!(open(&disk, small()), Err(Fault::BadFile { .. })));
}

#[test]
fn bytes_behind_the_last_batch_of_a_closed_segment_are_refused() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    for first in (0..30).step_by(10) {
        desk.commit_durable(frame(first..first + 10));
    }
    drop(desk);
    let mut bytes = disk.content(&segment_path(0)).unwrap();
    assert!(bytes.ends_with(&[0; 512]), "the closed segment has room left");
    *bytes.last_mut().unwrap() = 1;
    disk.overwrite(&segment_path(0), bytes);
    assert!(matches!(open(&disk, small()), Err(Fault::Damaged { segment: 0, offset: 7680, .. })));
}
