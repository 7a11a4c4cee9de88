//! The second reader against a journal that the first one wrote, whole, flipped, cut and robbed.

use std::fs;
use std::path::{Path, PathBuf};

use books::journal::{Damage, Fault, Report, SegmentState, records, verify};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../journal/tests/sample");
const SEGMENT: usize = 8192;

fn verified(dir: &Path) -> Report {
    verify(dir).unwrap_or_else(|fault| panic!("{}: {fault}", dir.display()))
}

/// A copy of the sample that may be spoiled; without the mark of a clean close unless `clean`.
fn copy(clean: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(SAMPLE).unwrap() {
        let entry = entry.unwrap();
        if clean || entry.file_name() != "clean" {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    dir
}

fn segment(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("segment-{number:08}.journal"))
}

#[test]
fn the_sample_is_sound_and_counted() {
    let report = verified(Path::new(SAMPLE));
    assert!(report.sound && report.torn.is_none(), "{report}");
    assert_eq!((report.node, report.segment_bytes), (Some(3), Some(SEGMENT as u64)));
    assert_eq!((report.batches, report.records, report.secrets), (16, 48, 16));
    assert_eq!(report.kinds.into_iter().collect::<Vec<_>>(), [(1, 12), (2, 12), (3, 12), (4, 12)]);
    assert_eq!(report.epochs.into_iter().collect::<Vec<_>>(), [(1, 8), (2, 8)]);
    let states: Vec<_> = report.segments.iter().map(|line| line.state).collect();
    use SegmentState::{Closed, Open, Prepared};
    assert_eq!(states, [Closed, Closed, Open, Prepared]);
    assert_eq!(report.segments.iter().map(|line| line.records).sum::<u64>(), 48);
}

#[test]
fn its_records_come_in_order() {
    for (number, record) in (0_u64..).zip(records(Path::new(SAMPLE)).unwrap()) {
        let record = record.unwrap();
        assert_eq!(
            (record.sequence, record.batch, record.epoch),
            (number + 1, number / 3 + 1, (number / 24) as u32 + 1)
        );
        assert_eq!((u64::from(record.kind), record.has_secret), (number % 4 + 1, number % 3 == 0));
        assert_eq!(record.payload[..8], number.to_le_bytes());
        assert_eq!(record.payload[8..], vec![number as u8; number as usize * 3]);
    }
    assert_eq!(records(Path::new(SAMPLE)).unwrap().count(), 48);
}

#[test]
fn a_flipped_bit_is_damage_or_lies_behind_the_end() {
    let dir = copy(true);
    let end = verified(dir.path()).end as usize;
    for number in 0..4 {
        let path = segment(dir.path(), number);
        let whole = fs::read(&path).unwrap();
        for at in (0..SEGMENT).step_by(13) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let report = verified(dir.path());
            let behind = number * SEGMENT + at >= end;
            assert_eq!(report.sound, behind, "segment {number}, byte {at}: {report}");
            assert_eq!(report.torn.is_some(), behind, "segment {number}, byte {at}: {report}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn without_the_clean_mark_only_the_last_group_can_pass_for_torn() {
    let dir = copy(false);
    let path = segment(dir.path(), 2);
    let whole = fs::read(&path).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut least = 0;
    for len in (0..SEGMENT).step_by(7) {
        fs::write(&path, &whole[..len]).unwrap();
        let report = verified(dir.path());
        assert!(report.sound && report.records >= least, "{len} bytes: {report}");
        assert_eq!(report.records == 48, len >= used, "{len} bytes: {report}");
        least = report.records;
    }
}

#[test]
fn damage_is_named() {
    let dir = copy(false);
    let path = segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 + 512 + 200] ^= 4;
    fs::write(&path, bytes).unwrap();
    let report = verified(dir.path());
    let Some(Damage { segment: 0, offset: 4608, batch: 2, record: 4, reason }) = report.damage else {
        panic!("{report}")
    };
    assert!(reason.starts_with("checksum of the batch, but "), "{reason}");
    let last = records(dir.path()).unwrap().last().unwrap();
    assert!(matches!(last, Err(Fault::Unsound { segment: 0, offset: 4608, .. })));
}

#[test]
fn a_batch_forged_with_right_checksums_breaks_the_chain() {
    let dir = copy(false);
    let path = segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    // The payload of record 1 changes, and both checksums of its batch are made to fit again.
    let batch = 4096;
    bytes[batch + 128 + 16] ^= 1;
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let used = 128 + number(&bytes, batch + 40) + number(&bytes, batch + 44);
    let mut zeroed = bytes[batch..batch + used].to_vec();
    zeroed[12..20].fill(0);
    bytes[batch + 16..batch + 20].copy_from_slice(&crc32c::crc32c(&zeroed).to_le_bytes());
    let mut header = bytes[batch..batch + 128].to_vec();
    header[12..16].fill(0);
    bytes[batch + 12..batch + 16].copy_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let damage = verified(dir.path()).damage.expect("the hash does not fit");
    assert!(damage.reason.starts_with("hash of the batch, but "), "{}", damage.reason);
}

#[test]
fn missing_segments_are_noticed() {
    for number in 0..3 {
        let dir = copy(true);
        fs::remove_file(segment(dir.path(), number)).unwrap();
        let report = verified(dir.path());
        // A missing beginning looks like an archived one; the chain starts where the first segment says.
        assert_eq!(report.sound, number == 0, "without segment {number}: {report}");
    }
}

#[test]
fn an_empty_directory_is_no_journal() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(verify(dir.path()), Err(Fault::NoJournal { .. })));
    assert!(matches!(verify(&dir.path().join("none")), Err(Fault::Read { .. })));
}

#[test]
fn the_report_is_a_table_and_json() {
    let report = verified(Path::new(SAMPLE));
    let table = report.to_string();
    assert!(table.contains("records by kind   1: 12, 2: 12, 3: 12, 4: 12"), "{table}");
    assert!(table.ends_with("the journal is sound"), "{table}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["records"], &json["segments"][0]["state"]), (&48.into(), &"closed".into()));
    assert_eq!((&json["kinds"]["3"], &json["damage"]), (&12.into(), &serde_json::Value::Null));
}
