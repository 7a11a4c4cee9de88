//! A follower: every record once and in order, however it is stopped; nothing that is not durable; another log is recognised.
//! Never sleeps. Guards: `journal::Follower`.

mod common;

use common::{DIR, Desk, frame, open, small};
use journal::testing::{FakeDisk, Ledger, ToySeal};
use journal::{Disk, Fault, Follower, Lsn, Mark, Options, Reached, Resumed, log_extent};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testkit::Chance;

type Line = (u8, Vec<u8>, Lsn);

fn disk_of(disk: &FakeDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

fn dirs() -> Vec<PathBuf> {
    vec![PathBuf::from(DIR)]
}

fn resume(disk: &FakeDisk, mark: Mark) -> Resumed {
    Follower::resume(&disk_of(disk), &dirs(), mark).unwrap()
}

/// Follows on from `mark`, a few bytes at a time, until `until`.
fn follow(disk: &FakeDisk, mark: Option<Mark>, until: Lsn, bytes: u64, into: &mut Vec<Line>) -> Mark {
    let mut log = match mark {
        None => Follower::oldest(&disk_of(disk), &dirs()).unwrap().unwrap(),
        Some(mark) => match resume(disk, mark) {
            Resumed::Here(log) => log,
            _ => panic!("the mark stands in this log"),
        },
    };
    loop {
        match log.step(until, bytes, &mut |kind, bytes, lsn| into.push((kind, bytes.to_vec(), lsn))).unwrap()
        {
            Reached::More => {}
            reached => {
                assert_eq!(reached, Reached::End, "at {} of {until}", log.mark().position);
                return log.mark();
            }
        }
    }
}

/// What a replay of the whole journal says.
fn replayed(disk: &FakeDisk) -> Vec<Line> {
    let mut ledger = Ledger::default();
    let journal = journal::open(small(), disk_of(disk), Arc::new(ToySeal), &mut ledger).unwrap().0;
    journal.close().unwrap();
    ledger.lines
}

fn write(desk: &Desk, from: u64, count: u64) {
    desk.commit_durable(frame(from..from + count));
}

#[test]
fn every_record_once_and_in_order() {
    let mut chance = Chance::seeded();
    for _ in 0..40 {
        once_and_in_order(&mut chance.branch());
    }
}

fn once_and_in_order(chance: &mut Chance) {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    let (mut lines, mut mark, mut written) = (Vec::new(), None, 0);
    for _ in 0..chance.between(1, 40) {
        let count = chance.between(1, 12);
        write(&desk, written, count);
        written += count;
        if chance.percent(50) {
            let until = desk.journal.reader().durable_end();
            let now = follow(&disk, mark, until, chance.between(1, 9_000), &mut lines);
            assert_eq!(Mark::from_bytes(&now.to_bytes()), Some(now));
            assert_eq!((lines.len() as u64, now.record()), (written, written + 1));
            mark = Some(now);
        }
    }
    desk.close().unwrap();
    follow(&disk, mark, Lsn::END, chance.between(1, 9_000), &mut lines);
    assert_eq!(lines, replayed(&disk));
}

#[test]
fn an_empty_log_is_none_yet() {
    let disk = FakeDisk::new();
    assert!(matches!(Follower::oldest(&disk_of(&disk), &dirs()), Err(Fault::Io { .. }) | Ok(None)));
    let (desk, ..) = open(&disk, small()).unwrap();
    assert!(Follower::oldest(&disk_of(&disk), &dirs()).unwrap().is_none());
    assert!(log_extent(&disk_of(&disk), Path::new(DIR)).unwrap().is_none());
    write(&desk, 0, 3);
    let mut lines = Vec::new();
    let mark = follow(&disk, None, Lsn::END, 1 << 20, &mut lines);
    assert_eq!(lines.len(), 3);
    let (first, end) = log_extent(&disk_of(&disk), Path::new(DIR)).unwrap().unwrap();
    assert!(first < lines[0].2 && end >= mark.position && end.0 - mark.position.0 <= 4096, "{first} {end}");
}

#[test]
fn nothing_behind_the_given_position_is_handed_on() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    write(&desk, 0, 3);
    let until = desk.journal.reader().durable_end();
    write(&desk, 3, 3);
    let mut lines = Vec::new();
    let mark = follow(&disk, None, until, 1 << 20, &mut lines);
    assert_eq!(lines.len(), 3);
    let mut log = match resume(&disk, mark) {
        Resumed::Here(log) => log,
        _ => panic!("it is there"),
    };
    assert_eq!(log.step(until, 1 << 20, &mut |_, _, _| panic!("not yet")).unwrap(), Reached::End);
}

#[test]
fn a_log_that_lost_its_tail_or_took_another_course_has_diverged() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    write(&desk, 0, 3);
    let before = disk.image();
    write(&desk, 3, 3);
    let mark = follow(&disk, None, Lsn::END, 1 << 20, &mut Vec::new());
    assert!(matches!(resume(&before, mark), Resumed::Diverged), "the tail is gone");
    let (other, ..) = open(&before, small()).unwrap();
    write(&other, 100, 3);
    assert!(matches!(resume(&before, mark), Resumed::Diverged), "something else stands there");
    assert!(matches!(resume(&disk, mark), Resumed::Here(_)));
}

#[test]
fn a_place_past_retention_is_gone() {
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, small()).unwrap();
    write(&desk, 0, 3);
    let mark = follow(&disk, None, Lsn::END, 1 << 20, &mut Vec::new());
    let mut written = 3;
    while desk.journal.reader().durable_end().segment(small().segment_bytes) < 2 {
        write(&desk, written, 8);
        written += 8;
    }
    let kept = disk.image();
    disk.remove(&common::segment_path(0)).unwrap();
    assert!(matches!(resume(&disk, mark), Resumed::Gone));
    // All of it was read: then nothing is missing.
    let read = follow(&kept, None, Lsn::at(1, 0, small().segment_bytes), 1 << 20, &mut Vec::new());
    assert!(matches!(resume(&disk, read), Resumed::Here(_)));
    let mut lines = Vec::new();
    follow(&disk, None, Lsn::END, 1 << 20, &mut lines);
    assert_eq!(lines.last().unwrap().1[..8], (written - 1).to_le_bytes());
}

#[test]
fn damage_is_told_and_the_mirror_helps() {
    let mirrored = Options { mirror: Some(PathBuf::from("/mirror")), ..small() };
    let disk = FakeDisk::new();
    let (desk, ..) = open(&disk, mirrored).unwrap();
    write(&desk, 0, 3);
    write(&desk, 3, 3);
    let path = common::segment_path(0);
    let mut bytes = disk.content(&path).unwrap();
    let mut first = Vec::new();
    follow(&disk, None, Lsn::END, 1, &mut first);
    let hit = first[4].2.offset(small().segment_bytes) as usize + 9;
    bytes[hit] ^= 1;
    disk.overwrite(&path, bytes);

    let mut log = Follower::oldest(&disk_of(&disk), &dirs()).unwrap().unwrap();
    let mut count = 0;
    let reached = loop {
        match log.step(Lsn::END, 1 << 20, &mut |_, _, _| count += 1).unwrap() {
            Reached::More => {}
            reached => break reached,
        }
    };
    assert!(matches!(reached, Reached::Flaw { reason: "checksum of the batch", .. }), "{reached:?}");
    assert_eq!(count, 3);

    let both = vec![PathBuf::from(DIR), PathBuf::from("/mirror")];
    let mut log = Follower::oldest(&disk_of(&disk), &both).unwrap().unwrap();
    let mut count = 0;
    while log.step(Lsn::END, 1 << 20, &mut |_, _, _| count += 1).unwrap() == Reached::More {}
    assert_eq!(count, 6);
}
