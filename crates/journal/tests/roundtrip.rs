//! What is committed is read back: by position, with its secret, and after reopening, over segment borders.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use common::{SECRET, frame, numbers, open, open_on, payload, small};
use journal::testing::FakeDisk;
use journal::{Class, Commit, Fault, Frame, Lsn, Options, RealDisk, RecordBuf, SyncMode};

fn round_trip(disk: Arc<dyn journal::Disk>, options: fn() -> Options, dir: &std::path::Path) {
    let opened = || open_on(disk.clone(), Options { dir: dir.to_owned(), ..options() }).unwrap();
    let (desk, ledger, recovery) = opened();
    assert_eq!((ledger.lines.len(), recovery.epoch, recovery.tail), (0, 1, Lsn::NONE));
    let mut positions = Vec::new();
    for first in (0..120).step_by(4) {
        positions.extend(desk.commit_durable(frame(first..first + 4)));
    }
    let reader = desk.journal.reader();
    let mut buf = RecordBuf::new();
    for (number, lsn) in positions.iter().enumerate() {
        let (kind, bytes, secret) = reader.read(*lsn, &mut buf).unwrap();
        assert_eq!((usize::from(kind), bytes), (number % 5 + 1, &payload(number as u64)[..]));
        assert_eq!(secret, (number % 3 == 0).then_some(&[SECRET; 10][..]));
    }
    assert!(positions.is_sorted() && positions[0] > Lsn::NONE);
    desk.close().unwrap();
    let (desk, ledger, recovery) = opened();
    assert_eq!(numbers(&ledger), Vec::from_iter(0..120));
    assert_eq!(ledger.lines.iter().map(|line| line.2).collect::<Vec<_>>(), positions);
    assert_eq!(
        (recovery.epoch, recovery.was_clean, recovery.next_record, recovery.cut),
        (2, true, 121, None)
    );
    desk.commit_durable(frame(120..121));
    drop(desk);
    let (desk, ledger, recovery) = opened();
    assert_eq!((numbers(&ledger).len(), recovery.was_clean, recovery.epoch), (121, false, 3));
    desk.close().unwrap();
}

#[test]
fn on_the_fake_disk() {
    round_trip(Arc::new(FakeDisk::new()), small, std::path::Path::new(common::DIR));
}

#[test]
fn on_the_fake_disk_relaxed() {
    let relaxed = || Options { sync: SyncMode::Relaxed, ..small() };
    round_trip(Arc::new(FakeDisk::new()), relaxed, std::path::Path::new(common::DIR));
}

#[test]
fn on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    round_trip(Arc::new(RealDisk), small, &dir.path().join("journal"));
}

#[test]
fn positions_that_are_no_record_are_refused() {
    let (desk, ..) = open(&FakeDisk::new(), small()).unwrap();
    let positions = desk.commit_durable(frame(0..3));
    let reader = desk.journal.reader();
    let mut buf = RecordBuf::new();
    for lsn in 0..reader.durable_end().0 + 600 {
        let found = reader.read(Lsn(lsn), &mut buf);
        assert_eq!(found.is_ok(), positions.contains(&Lsn(lsn)), "position {lsn}");
    }
}

#[test]
fn frames_of_several_workers_come_back_to_them_in_order() {
    let disk = Arc::new(FakeDisk::new());
    let options = Options { lanes: 3, segment_bytes: 1 << 20, ..small() };
    let mut ledger = journal::testing::Ledger::default();
    let (journal, _) =
        journal::open(options, disk, Arc::new(journal::testing::ToySeal), &mut ledger).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let journal = &journal;
            scope.spawn(move || {
                let me = std::thread::current();
                let lane = journal.lane(worker, Arc::new(move || me.unpark()));
                for token in 0..200 {
                    let mut frame = Frame::new();
                    frame.append(1, token, None, |out| out.push(worker as u8));
                    lane.submit(frame, Class::Normal);
                }
                let mut next = 0;
                while next < 200 {
                    match lane.take() {
                        Some(Commit::Durable(done)) => {
                            assert_eq!(done.tokens().map(|(token, ..)| token).collect::<Vec<_>>(), [next]);
                            next += 1;
                        }
                        Some(_) => panic!("worker {worker}: frame {next} is not durable"),
                        None => std::thread::park(),
                    }
                }
                assert_eq!(lane.in_flight(), 0);
            });
        }
    });
    let stats = journal.stats();
    assert_eq!((stats.batches.load(Relaxed), stats.records.load(Relaxed)), (600, 600));
    assert_eq!(stats.commit_nanos.counts().sum::<u64>(), stats.commits.load(Relaxed));
    journal.close().unwrap();
}

#[test]
fn a_lane_outlives_its_journal() {
    let (journal, _) = journal::open(
        small(),
        Arc::new(FakeDisk::new()),
        Arc::new(journal::testing::ToySeal),
        &mut journal::testing::Ledger::default(),
    )
    .unwrap();
    let lane = journal.lane(0, Arc::new(|| {}));
    journal.close().unwrap();
    lane.submit(frame(0..1), Class::Normal);
    assert!(matches!(lane.take(), Some(Commit::Failed(back)) if back.records() == 1));
}

#[test]
fn the_second_opener_is_told_who_was_first() {
    let dir = tempfile::tempdir().unwrap();
    for disk in [Arc::new(RealDisk) as Arc<dyn journal::Disk>, Arc::new(FakeDisk::new())] {
        let options = || Options { dir: dir.path().to_owned(), ..small() };
        let (desk, ..) = open_on(disk.clone(), options()).unwrap();
        let Err(held @ Fault::Held { .. }) = open_on(disk.clone(), options()) else { panic!("two openers") };
        let text = held.to_string();
        let start = format!("{} is held by process {} on host ", dir.path().display(), std::process::id());
        assert!(text.starts_with(&start), "{text}");
        let since = text.rsplit_once(", since ").unwrap().1;
        let shape: String = since.chars().map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00 UTC", "{text}");
        drop(desk);
        open_on(disk, options()).unwrap();
    }
}

#[test]
fn another_node_or_segment_size_is_refused() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    desk.commit_durable(frame(0..3));
    desk.close().unwrap();
    let cases = [
        ("node", Options { node: 4, ..small() }),
        ("segment_bytes", Options { segment_bytes: 16384, ..small() }),
    ];
    for (expected, options) in cases {
        let Err(Fault::Mismatch { what, .. }) = open(&disk, options) else {
            panic!("{expected} was not refused")
        };
        assert_eq!(what, expected);
    }
    assert!(matches!(
        open(&disk, Options { lanes: 0, ..small() }),
        Err(Fault::Option { option: "lanes", .. })
    ));
}
