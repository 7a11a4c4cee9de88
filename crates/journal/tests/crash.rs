//! Whatever a crash leaves of the unsynced bytes, every acknowledged batch is there and the rest is a prefix.

mod common;

use common::{DIR, frame, is_prefix, numbers, open, segment_path, small};
use journal::testing::{Crash, FakeDisk};

/// A run of 24 frames of 2 records over several segments: the disk before each sync, and how many records were
/// acknowledged when so many syncs had been asked for.
fn history() -> (Vec<FakeDisk>, Vec<(u64, usize)>) {
    let disk = FakeDisk::new();
    disk.keep_images();
    let mut acknowledged = Vec::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    for first in (0..48).step_by(2) {
        desk.commit_durable(frame(first..first + 2));
        acknowledged.push((disk.syncs(), first as usize + 2));
    }
    desk.close().unwrap();
    (disk.images(), acknowledged)
}

fn acknowledged_before(sync: usize, acknowledged: &[(u64, usize)]) -> usize {
    acknowledged.iter().take_while(|(syncs, _)| *syncs <= sync as u64).last().map_or(0, |last| last.1)
}

/// Opens the crashed disk twice: the second open must find what the first found.
fn check(disk: &FakeDisk, least: usize, what: &dyn Fn() -> String) {
    let (desk, ledger, recovery) = open(disk, small()).unwrap_or_else(|fault| panic!("{}: {fault}", what()));
    let found = numbers(&ledger);
    assert!(is_prefix(&found) && found.len().is_multiple_of(2), "{}: {found:?}", what());
    assert!(found.len() >= least, "{}: {} of {least} acknowledged records", what(), found.len());
    drop(desk);
    let (desk, again, second) =
        open(disk, small()).unwrap_or_else(|fault| panic!("{} again: {fault}", what()));
    assert_eq!((again, second.epoch, second.cut), (ledger, recovery.epoch + 1, None), "{}", what());
    drop(desk);
}

#[test]
fn cut_at_every_unsynced_byte() {
    let (images, acknowledged) = history();
    let mut states = 0;
    for (sync, image) in images.iter().enumerate() {
        let least = acknowledged_before(sync, &acknowledged);
        let bytes = image.unsynced_bytes();
        // Zeros for a new segment and the block that opens one are long: their inside is all the same.
        let step = if bytes >= 4096 { 509 } else { 1 };
        for bytes in (0..=bytes).step_by(step) {
            check(&image.after(Crash::CutAfter { bytes }), least, &|| format!("sync {sync}, {bytes} bytes"));
            states += 1;
        }
    }
    assert!(states > 5_000, "{states} crash states");
}

#[test]
fn any_subset_of_unsynced_sectors_and_names() {
    let (images, acknowledged) = history();
    for (sync, image) in images.iter().enumerate() {
        let least = acknowledged_before(sync, &acknowledged);
        for seed in 0..40 {
            let seed = seed * 7919 + sync as u64;
            let what = || format!("sync {sync}, seed {seed}");
            check(&image.after(Crash::Scatter { seed }), least, &what);
        }
        check(&image.after(Crash::KeepAll), least, &|| format!("sync {sync}, all kept"));
        check(&image.after(Crash::DropAll), least, &|| format!("sync {sync}, all dropped"));
    }
}

#[test]
fn groups_of_several_batches_are_cut_as_one() {
    for seed in 0..200 {
        let disk = FakeDisk::new();
        let (desk, ..) = open(&disk, small()).unwrap();
        desk.commit_durable(frame(0..2));
        disk.keep_images();
        // Several frames wait while the first is synced, so that one group holds more than one batch.
        for first in (2..14).step_by(2) {
            desk.submit(frame(first..first + 2), journal::Class::Normal);
        }
        (0..6).for_each(|_| drop(desk.wait()));
        drop(desk);
        for (sync, image) in disk.images().iter().enumerate() {
            check(&image.after(Crash::Scatter { seed }), 2, &|| format!("sync {sync}, seed {seed}"));
        }
    }
}

#[test]
fn the_file_cut_at_every_byte() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    for first in (0..10).step_by(2) {
        desk.commit_durable(frame(first..first + 2));
    }
    drop(desk);
    let whole = disk.content(&segment_path(0)).unwrap();
    let mut last = 0;
    for len in 0..whole.len() {
        let cut = disk.after(Crash::KeepAll);
        cut.overwrite(&segment_path(0), whole[..len].to_vec());
        let (desk, ledger, _) = open(&cut, small()).unwrap_or_else(|fault| panic!("{len} bytes: {fault}"));
        let found = numbers(&ledger);
        assert!(is_prefix(&found) && found.len() >= last, "{len} bytes: {found:?}");
        last = found.len();
        desk.commit_durable(frame(last as u64..last as u64 + 2));
    }
    assert_eq!(last, 10);
}

#[test]
fn killed_during_recovery_at_every_sync() {
    let (images, acknowledged) = history();
    for (sync, image) in images.iter().enumerate().step_by(3) {
        let least = acknowledged_before(sync, &acknowledged);
        let torn = image.after(Crash::Scatter { seed: sync as u64 });
        torn.keep_images();
        drop(open(&torn, small()).unwrap());
        for (step, image) in torn.images().iter().enumerate() {
            for seed in 0..8 {
                let what = || format!("sync {sync}, recovery step {step}, seed {seed}");
                check(&image.after(Crash::Scatter { seed }), least, &what);
            }
        }
    }
}

#[test]
fn left_overs_are_swept_and_foreign_files_are_not() {
    let disk = FakeDisk::new();
    let names = ["epoch.new", "segment-00000001.preparing", "segment-00000000.index.new", "keys-3.toml"];
    for name in names {
        disk.overwrite(&std::path::Path::new(DIR).join(name), vec![1, 2, 3]);
    }
    drop(open(&disk, small()).unwrap());
    let left = |name: &&str| {
        disk.content(&std::path::Path::new(DIR).join(name)).is_some_and(|bytes| bytes == [1, 2, 3])
    };
    assert_eq!(names.iter().copied().filter(left).collect::<Vec<_>>(), ["keys-3.toml"]);
}
