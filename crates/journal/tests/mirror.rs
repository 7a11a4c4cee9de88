//! Two copies: what rots in one is repaired from the other, at every bit; what rots in both is refused and named.

mod common;

use std::path::{Path, PathBuf};

use common::{DIR, frame, is_prefix, numbers, open, small};
use journal::testing::{AfterFailedSync, Crash, FakeDisk};
use journal::{Class, Commit, Fault, Options, RecordBuf};

const TWIN: &str = "/mirror";

fn mirrored() -> Options {
    Options { mirror: Some(TWIN.into()), ..small() }
}

fn path(dir: &str, segment: u32) -> PathBuf {
    Path::new(dir).join(format!("segment-{segment:08}.journal"))
}

/// A closed segment and an open one; each batch in a group of its own. Also where the last batch begins.
fn written() -> (FakeDisk, usize) {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, mirrored()).unwrap();
    let mut last = Vec::new();
    for first in (0..24).step_by(2) {
        last = desk.commit_durable(frame(first..first + 2));
    }
    desk.close().unwrap();
    assert_eq!(last[0].0 / 8192, 1, "the second segment is open");
    (disk, (last[0].0 % 8192) as usize - 128)
}

fn flip(disk: &FakeDisk, path: &Path, at: usize, bit: usize) {
    let mut bytes = disk.content(path).unwrap();
    bytes[at] ^= 1 << bit;
    disk.overwrite(path, bytes);
}

/// Whether every bit is tried, or one of each byte that is used and of every fifth that is not.
fn is_long() -> bool {
    std::env::var_os("POINTSMAN_LONG").is_some()
}

#[test]
fn every_flipped_bit_of_either_copy_is_found_and_repaired() {
    let (disk, last) = written();
    let mut repaired = 0;
    for (dir, segment) in [(DIR, 0), (DIR, 1), (TWIN, 0), (TWIN, 1)] {
        let sound = disk.content(&path(DIR, segment)).unwrap();
        assert!(disk.content(&path(TWIN, segment)).unwrap() == sound, "both copies are the same");
        let used = if segment == 0 { 4096..7168 } else { 4096..last + 1024 };
        for at in 0..sound.len() {
            let bits = match is_long() {
                true => 0..8,
                false if used.contains(&at) || at % 5 == 0 => at % 8..at % 8 + 1,
                false => 0..0,
            };
            for bit in bits {
                let rotten = disk.after(Crash::KeepAll);
                flip(&rotten, &path(dir, segment), at, bit);
                let what = format!("{dir}, segment {segment}, byte {at}, bit {bit}");
                let (desk, ledger, recovery) =
                    open(&rotten, mirrored()).unwrap_or_else(|fault| panic!("{what}: {fault}"));
                assert_eq!(numbers(&ledger), Vec::from_iter(0..24), "{what}");
                assert!(recovery.mended == 1 || recovery.cut.is_some(), "{what}: overlooked");
                drop(desk);
                for copy in [DIR, TWIN] {
                    assert!(
                        rotten.content(&path(copy, segment)).unwrap() == sound,
                        "{what}: {copy} is not repaired"
                    );
                }
                repaired += 1;
            }
        }
    }
    println!("{repaired} flips repaired");
}

#[test]
fn the_same_batch_damaged_in_both_is_refused_and_named_and_nothing_is_changed() {
    let (disk, _) = written();
    for (at, other) in [(4608 + 200, 4608 + 20), (4608 + 70, 4608 + 200), (4608, 4608)] {
        let rotten = disk.after(Crash::KeepAll);
        flip(&rotten, &path(DIR, 0), at, 3);
        flip(&rotten, &path(TWIN, 0), other, 5);
        let before = [DIR, TWIN].map(|dir| rotten.content(&path(dir, 0)));
        for _ in 0..2 {
            let fault = open(&rotten, mirrored()).map(drop).unwrap_err().to_string();
            let expected = "journal damaged in segment 0 at offset 4608: batch 2, from record 3 on: ";
            assert!(fault.starts_with(expected), "{fault}");
        }
        assert!([DIR, TWIN].map(|dir| rotten.content(&path(dir, 0))) == before);
    }
}

#[test]
fn different_batches_damaged_in_the_two_are_both_repaired() {
    let (disk, last) = written();
    let sound = disk.content(&path(DIR, 0)).unwrap();
    // The header and every second batch in one, the other batches in the other.
    flip(&disk, &path(DIR, 0), 50, 1);
    for at in (4096..8192).step_by(512) {
        flip(&disk, &path(if at % 1024 == 0 { DIR } else { TWIN }, 0), at + 33, 1);
    }
    flip(&disk, &path(TWIN, 1), last + 5, 1);
    let (_, ledger, recovery) = open(&disk, mirrored()).unwrap();
    assert_eq!(numbers(&ledger), Vec::from_iter(0..24));
    assert!(recovery.mended > 2);
    assert!([DIR, TWIN].iter().all(|dir| disk.content(&path(dir, 0)).unwrap() == sound));
}

#[test]
fn a_lost_file_or_directory_is_made_again() {
    let (disk, _) = written();
    let sound = disk.content(&path(DIR, 0)).unwrap();
    for dir in [DIR, TWIN] {
        let bare = FakeDisk::new();
        for path in disk.paths().iter().filter(|path| !path.starts_with(dir)) {
            bare.overwrite(path, disk.content(path).unwrap());
        }
        let (_, ledger, recovery) = open(&bare, mirrored()).unwrap_or_else(|fault| panic!("{dir}: {fault}"));
        assert_eq!((numbers(&ledger), recovery.was_clean), (Vec::from_iter(0..24), true), "{dir} was lost");
        assert!(bare.content(&path(dir, 0)).unwrap() == sound);
    }
    // A mirror is added to a journal that had none.
    let alone = FakeDisk::new();
    let (desk, ..) = open(&alone, small()).unwrap();
    desk.commit_durable(frame(0..2));
    desk.close().unwrap();
    let (desk, ledger, _) = open(&alone, mirrored()).unwrap();
    desk.commit_durable(frame(2..4));
    assert_eq!(ledger.lines.len(), 2);
    assert!(alone.content(&path(TWIN, 0)).unwrap() == alone.content(&path(DIR, 0)).unwrap());
}

#[test]
fn a_reader_takes_the_other_copy_where_one_rots_in_service() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, mirrored()).unwrap();
    let positions = desk.commit_durable(frame(0..4));
    for at in [4096 + 4, 4096 + 200] {
        let mut bytes = disk.content(&path(DIR, 0)).unwrap();
        bytes[at] ^= 1;
        disk.overwrite(&path(DIR, 0), bytes);
        let mut buf = RecordBuf::new();
        assert!(positions.iter().all(|lsn| desk.journal.reader().read(*lsn, &mut buf).is_ok()), "byte {at}");
    }
}

#[test]
fn a_crash_at_any_sync_loses_nothing_acknowledged() {
    let disk = FakeDisk::new();
    disk.keep_images();
    let (desk, ..) = open(&disk, mirrored()).unwrap();
    let mut acknowledged = Vec::new();
    for first in (0..30).step_by(2) {
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
        for seed in 0..12 {
            let what = format!("sync {sync}, seed {seed}");
            let crashed = image.after(Crash::Scatter { seed: seed * 7919 + sync as u64 });
            let (desk, ledger, _) =
                open(&crashed, mirrored()).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            let found = numbers(&ledger);
            assert!(is_prefix(&found) && found.len() >= least, "{what}: {found:?}, {least} acknowledged");
            drop(desk);
            // One of the two is enough, whichever.
            let (_, again, _) = open(&crashed, small()).unwrap();
            assert_eq!(again, ledger, "{what}");
        }
    }
}

#[test]
fn a_sync_that_fails_in_either_copy_ends_the_journal() {
    for k in 0..40 {
        let disk = FakeDisk::new();
        let (desk, ..) = open(&disk, mirrored()).unwrap();
        disk.fail_one_sync(k, AfterFailedSync::Kept);
        let mut acknowledged = 0;
        for first in (0..40).step_by(2) {
            match desk.commit(frame(first..first + 2), Class::Normal) {
                Commit::Durable(_) => acknowledged = first as usize + 2,
                _ => break,
            }
        }
        if desk.journal.stats().is_failed() {
            assert!(matches!(desk.close(), Err(Fault::Stopped)), "sync {k}");
        } else {
            drop(desk);
        }
        let (_, ledger, _) = open(&disk.after(Crash::DropAll), mirrored()).unwrap();
        let found = numbers(&ledger);
        assert!(is_prefix(&found) && found.len() >= acknowledged, "sync {k}: {found:?}");
    }
}

#[test]
fn a_repair_reads_everything_and_says_what_it_did() {
    let (disk, last) = written();
    let repair =
        |disk: &FakeDisk, options: Options| journal::repair(&options, std::sync::Arc::new(disk.clone()));
    let sound = repair(&disk, mirrored()).unwrap();
    assert_eq!((sound.batches, sound.mended), (12, 0));
    let before = disk.content(&path(DIR, 0)).unwrap();
    flip(&disk, &path(DIR, 0), 4096 + 300, 2);
    flip(&disk, &path(TWIN, 1), last + 3, 2);
    assert_eq!(repair(&disk, mirrored()).unwrap(), journal::Repaired { mended: 2, ..sound });
    assert!([DIR, TWIN].iter().all(|dir| disk.content(&path(dir, 0)).unwrap() == before));
    assert!(matches!(repair(&disk, small()), Err(Fault::Option { option: "mirror", .. })));
    let (desk, ..) = open(&disk, mirrored()).unwrap();
    assert!(matches!(repair(&disk, mirrored()), Err(Fault::Held { .. })), "somebody has it open");
    drop(desk);
    [DIR, TWIN].iter().for_each(|dir| flip(&disk, &path(dir, 0), 4096 + 300, 2));
    assert!(matches!(
        repair(&disk, mirrored()),
        Err(Fault::Damaged { segment: 0, offset: 4096, batch: 1, .. })
    ));
}
