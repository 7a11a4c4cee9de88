//! A checkpoint and the tail behind it are the same as the whole log; keys are found wherever they stand.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{frame, numbers, open, small};
use journal::testing::{Crash, FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Find, Lsn, Options, Reader, RecordBuf, Recovery, Stepped, open_stepped};

fn keyed() -> Options {
    Options {
        key: Some(|kind, payload| (kind != 5).then(|| u64::from(payload[0]) % 20)),
        fresh: Some(Box::new(|| Box::new(Ledger::default()))),
        ..small()
    }
}

/// Without threads: the keeper has done its work when a step ends.
fn open_tidy(disk: &FakeDisk, options: Options) -> (Stepped, Ledger, Recovery) {
    let mut ledger = Ledger::default();
    let (mut journal, recovery) =
        open_stepped(options, Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger).unwrap();
    journal.tidy();
    (journal, ledger, recovery)
}

/// A hundred records with their checkpoints and indexes, and the position of each record.
fn written(options: Options) -> (FakeDisk, Vec<Lsn>) {
    let disk = FakeDisk::new();
    let (mut journal, ..) = open_tidy(&disk, options);
    let lane = journal.lane(0, Arc::new(|| {}));
    let mut positions = Vec::new();
    for first in (0..100).step_by(2) {
        lane.submit(frame(first..first + 2), Class::Normal);
        journal.step();
        let Some(Commit::Durable(done)) = lane.take() else { panic!("record {first}") };
        positions.extend(done.tokens().map(|(.., lsn)| lsn));
        journal.tidy();
    }
    check_keys(&journal.reader(), &positions);
    journal.close().unwrap();
    (disk, positions)
}

/// Every key's records, newest first; a key nobody has is missing for certain.
fn check_keys(reader: &Reader, positions: &[Lsn]) {
    for key in 0..20 {
        let numbers = (0..positions.len()).rev().filter(|number| number % 20 == key && number % 5 != 4);
        let expected: Vec<Lsn> = numbers.map(|number| positions[number]).collect();
        let expected = if expected.is_empty() { Find::Missing } else { Find::Found(expected) };
        assert_eq!(reader.find(key as u64), expected, "key {key}");
    }
    assert_eq!(reader.find(20), Find::Missing);
    let mut buf = RecordBuf::new();
    assert!(positions.iter().all(|lsn| reader.read(*lsn, &mut buf).is_ok()));
}

fn named(disk: &FakeDisk, start: &str) -> Vec<PathBuf> {
    let mut paths = disk.paths();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start));
    paths
}

fn spoil(disk: &FakeDisk, path: &Path, at: usize) {
    let mut bytes = disk.content(path).unwrap();
    bytes[at] ^= 1;
    disk.overwrite(path, bytes);
}

#[test]
fn checkpoint_and_tail_equal_full_replay() {
    let (disk, positions) = written(keyed());
    let checkpoints = named(&disk, "checkpoint-");
    assert_eq!(checkpoints.len(), 2, "the two newest are kept");
    let mut replayed = Vec::new();
    // The newest, the older one, the whole log.
    for spoiled in 0..=2 {
        let disk = disk.after(Crash::KeepAll);
        checkpoints.iter().rev().take(spoiled).for_each(|path| spoil(&disk, path, 200));
        let (journal, ledger, recovery) = open_tidy(&disk, keyed());
        assert_eq!(numbers(&ledger), Vec::from_iter(0..100));
        assert_eq!(ledger.lines.iter().map(|line| line.2).collect::<Vec<_>>(), positions);
        assert_eq!((recovery.checkpoint.is_none(), recovery.was_clean), (spoiled == 2, true));
        check_keys(&journal.reader(), &positions);
        replayed.push(recovery.records);
    }
    assert!(replayed.is_sorted() && replayed[0] < replayed[1] && replayed[2] == 100, "{replayed:?}");
}

#[test]
fn every_byte_of_a_checkpoint_is_guarded() {
    let (disk, _) = written(keyed());
    let newest = named(&disk, "checkpoint-").pop().unwrap();
    for at in (0..disk.content(&newest).unwrap().len()).step_by(11) {
        let disk = disk.after(Crash::KeepAll);
        spoil(&disk, &newest, at);
        let (_, ledger, recovery) = open(&disk, small()).unwrap();
        assert_eq!(numbers(&ledger), Vec::from_iter(0..100), "byte {at}");
        assert!(recovery.checkpoint.is_some(), "byte {at}: the older one serves");
    }
}

#[test]
fn indexes_that_are_lost_or_spoiled_are_made_again() {
    let (disk, positions) = written(keyed());
    let indexes = named(&disk, "segment-").into_iter().filter(|path| path.extension().unwrap() == "index");
    let indexes: Vec<PathBuf> = indexes.collect();
    assert!(indexes.len() >= 4, "{indexes:?}");
    disk.overwrite(&indexes[0], Vec::new());
    spoil(&disk, &indexes[1], 20);
    spoil(&disk, &indexes[2], 70);
    let (journal, ..) = open_tidy(&disk, keyed());
    check_keys(&journal.reader(), &positions);
}

#[test]
fn a_spoiled_page_makes_the_answer_unknown() {
    let (disk, _) = written(keyed());
    let index = named(&disk, "segment-00000000.index").remove(0);
    spoil(&disk, &index, 4096 + 9);
    let (journal, ..) = open_tidy(&disk, keyed());
    assert_eq!(journal.reader().find(0), Find::Unknown);
}

#[test]
fn without_keys_every_answer_is_unknown() {
    let (desk, ..) = open(&FakeDisk::new(), small()).unwrap();
    desk.commit_durable(frame(0..2));
    assert_eq!(desk.journal.reader().find(0), Find::Unknown);
}

#[test]
fn a_crash_at_any_sync_of_the_keeper_loses_nothing() {
    let disk = FakeDisk::new();
    disk.keep_images();
    let (desk, ..) = open(&disk, keyed()).unwrap();
    let mut acknowledged = Vec::new();
    for first in (0..60).step_by(2) {
        desk.commit_durable(frame(first..first + 2));
        acknowledged.push((disk.syncs(), first as usize + 2));
    }
    desk.close().unwrap();
    for (sync, image) in disk.images().iter().enumerate() {
        let least = acknowledged
            .iter()
            .take_while(|(syncs, _)| *syncs <= sync as u64)
            .last()
            .map_or(0, |last| last.1);
        for seed in 0..6 {
            let (_, ledger, _) = open(&image.after(Crash::Scatter { seed }), keyed()).unwrap();
            let found = numbers(&ledger);
            assert!(common::is_prefix(&found) && found.len() >= least, "sync {sync}, seed {seed}: {found:?}");
        }
    }
}

/// One segment that is far from full: checkpoints stand in the middle of it.
fn within() -> Options {
    Options { segment_bytes: 128 << 10, checkpoint_bytes: 8192, ..keyed() }
}

#[test]
fn a_checkpoint_in_the_middle_of_a_segment_bounds_the_replay() {
    let (disk, positions) = written(within());
    assert_eq!(named(&disk, "checkpoint-").len(), 2, "the two newest are kept");
    for _ in 0..2 {
        let (journal, ledger, recovery) = open_tidy(&disk, within());
        assert_eq!(ledger.lines.iter().map(|line| line.2).collect::<Vec<_>>(), positions);
        let checkpoint = recovery.checkpoint.expect("one was written");
        let bytes = recovery.tail.0 - checkpoint.0;
        assert!(checkpoint.0 > 4096 && bytes < 3 * 8192 && recovery.records < 60, "{bytes} bytes behind it");
        check_keys(&journal.reader(), &positions);
    }
}

#[test]
fn keys_before_a_checkpoint_are_unknown_until_they_were_read_and_never_missing() {
    let (disk, _) = written(within());
    let mut ledger = Ledger::default();
    let (mut journal, _) =
        open_stepped(within(), Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger).unwrap();
    let found = |journal: &Stepped, key| journal.reader().find(key);
    assert_eq!((found(&journal, 3), found(&journal, 20)), (Find::Unknown, Find::Unknown));
    assert!(journal.tidy());
    assert!(matches!(found(&journal, 3), Find::Found(positions) if positions.len() == 5));
    assert_eq!(found(&journal, 20), Find::Missing);
}

#[test]
fn a_checkpoint_within_a_segment_does_not_hide_what_is_missing_behind_it() {
    let (disk, _) = written(within());
    let (_, _, recovery) = open(&disk.after(Crash::KeepAll), within()).unwrap();
    let at = recovery.checkpoint.unwrap().0 as usize;
    spoil(&disk, &common::segment_path(0), at + 20);
    let fault = open(&disk, within()).map(drop).unwrap_err().to_string();
    assert!(fault.starts_with(&format!("journal damaged in segment 0 at offset {at}: ")), "{fault}");
}
