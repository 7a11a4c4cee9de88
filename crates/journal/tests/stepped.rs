//! Without threads the journal is the same journal, and the same calls give the same bytes.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{DIR, frame, is_prefix, numbers, small};
use journal::testing::{Crash, FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Lane, Options, Stepped, open_stepped};

fn keyed() -> Options {
    Options {
        key: Some(|_, payload| Some(u64::from(payload[0]))),
        fresh: Some(Box::new(|| Box::new(Ledger::default()))),
        segment_bytes: 64 << 10,
        ..small()
    }
}

fn open(disk: &FakeDisk, options: Options) -> (Stepped, Lane, Ledger, Arc<AtomicUsize>) {
    let mut ledger = Ledger::default();
    let (journal, _) = open_stepped(options, Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger).unwrap();
    let rung = Arc::new(AtomicUsize::new(0));
    let bell = rung.clone();
    let lane = journal.lane(
        0,
        Arc::new(move || {
            bell.fetch_add(1, Relaxed);
        }),
    );
    (journal, lane, ledger, rung)
}

fn written(disk: &FakeDisk, frames: u64) {
    let (mut journal, lane, ..) = open(disk, keyed());
    for first in 0..frames {
        lane.submit(frame(2 * first..2 * first + 2), Class::Normal);
        if first % 3 == 2 {
            assert!(journal.step());
            (0..3).for_each(|_| assert!(matches!(lane.take(), Some(Commit::Durable(_)))));
        }
        if first % 50 == 0 {
            journal.tidy();
        }
    }
    journal.close().unwrap();
}

fn contents(disk: &FakeDisk) -> BTreeMap<PathBuf, Vec<u8>> {
    disk.paths().into_iter().map(|path| (path.clone(), disk.content(&path).unwrap())).collect()
}

#[test]
fn nothing_happens_between_steps() {
    let disk = FakeDisk::new();
    let (mut journal, lane, _, rung) = open(&disk, keyed());
    assert!(!journal.step(), "nothing was submitted");
    let before = contents(&disk);
    lane.submit(frame(0..2), Class::Normal);
    lane.submit(frame(2..4), Class::Normal);
    assert!(lane.take().is_none() && contents(&disk) == before && rung.load(Relaxed) == 0);
    assert!(journal.step());
    assert!(matches!(lane.take(), Some(Commit::Durable(done)) if done.first_record() == 1));
    assert!(matches!(lane.take(), Some(Commit::Durable(done)) if done.first_record() == 3));
    assert_eq!((rung.load(Relaxed), journal.stats().commits.load(Relaxed)), (1, 1), "one group, one wake-up");
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let disks = [FakeDisk::new(), FakeDisk::new()];
    disks.iter().for_each(|disk| written(disk, 600));
    let [first, second] = disks.map(|disk| contents(&disk));
    assert!(first.len() > 8, "segments, indexes, checkpoints: {:?}", first.keys());
    assert!(first == second);
}

#[test]
fn threads_take_up_where_steps_ended() {
    let disk = FakeDisk::new();
    written(&disk, 600);
    let (desk, ledger, recovery) = common::open(&disk, keyed()).unwrap();
    assert_eq!(numbers(&ledger), Vec::from_iter(0..1200));
    assert!(recovery.was_clean && recovery.checkpoint.is_some());
    desk.commit_durable(frame(1200..1202));
    desk.close().unwrap();
    let (journal, _, ledger, _) = open(&disk, keyed());
    assert_eq!((ledger.lines.len(), journal.epoch()), (1202, 3));
}

#[test]
fn a_failed_sync_ends_it_and_the_next_opening_has_what_was_acknowledged() {
    for k in 0..40 {
        let disk = FakeDisk::new();
        let (mut journal, lane, ..) = open(&disk, keyed());
        disk.fail_sync_after(k);
        let mut acknowledged = 0;
        for first in 0..60 {
            lane.submit(frame(2 * first..2 * first + 2), Class::Normal);
            journal.step();
            match lane.take() {
                Some(Commit::Durable(_)) => acknowledged = 2 * first as usize + 2,
                Some(Commit::Failed(_)) => break,
                _ => panic!("sync {k}, frame {first}"),
            }
        }
        assert!(journal.stats().is_failed() && journal.close().is_err());
        disk.heal();
        let (_, _, ledger, _) = open(&disk.after(Crash::DropAll), keyed());
        let found = numbers(&ledger);
        assert!(is_prefix(&found) && found.len() >= acknowledged, "sync {k}: {found:?}");
    }
}

#[test]
fn without_space_it_says_full_and_goes_on_when_there_is_some() {
    let disk = FakeDisk::new();
    let (mut journal, lane, ..) = open(&disk, keyed());
    disk.set_capacity(Some(70 << 10));
    let mut commit = |number: u64| {
        lane.submit(frame(number..number + 1), Class::Normal);
        journal.step();
        match lane.take() {
            Some(Commit::Durable(_)) => true,
            Some(Commit::Full(_)) => false,
            _ => panic!("record {number}"),
        }
    };
    let mut next = 0;
    while commit(next) {
        next += 1;
    }
    assert!(next > 80, "the first segment was used: {next} records");
    disk.set_capacity(None);
    assert!(commit(next));
    assert!(!disk.paths().contains(&PathBuf::from(DIR).join("segment-00000001.preparing")));
}
