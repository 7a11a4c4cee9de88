//! The bodies of the fuzz targets over changed journals and random bytes.

use books::{fuzz_journal, fuzz_records};
use proptest::prelude::*;

/// A journal that the first reader's code wrote: two segments full of batches, one begun, one prepared.
const SAMPLE: [&[u8]; 4] = [
    include_bytes!("../../journal/tests/sample/segment-00000000.journal"),
    include_bytes!("../../journal/tests/sample/segment-00000001.journal"),
    include_bytes!("../../journal/tests/sample/segment-00000002.journal"),
    include_bytes!("../../journal/tests/sample/segment-00000003.journal"),
];

proptest! {
    #[test]
    fn a_journal_changed_anywhere_reads_as_it_is_verified(changes in prop::collection::vec(any::<[u8; 4]>(), 0..4)) {
        let dir = tempfile::tempdir().unwrap();
        fuzz_journal(dir.path(), &SAMPLE, &changes.concat());
    }

    #[test]
    fn any_bytes_are_a_journal_or_none(data in prop::collection::vec(any::<u8>(), 0..9_000)) {
        let dir = tempfile::tempdir().unwrap();
        fuzz_journal(dir.path(), &[], &data);
    }

    #[test]
    fn any_bytes_are_a_record_or_none(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz_records(&data);
    }
}

#[test]
fn the_sample_itself_reads_whole() {
    let dir = tempfile::tempdir().unwrap();
    fuzz_journal(dir.path(), &SAMPLE, &[]);
    assert!(books::journal::verify(dir.path()).unwrap().sound);
}
