//! A journal with changes, and any bytes as a segment, by the second reader.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

const SAMPLE: [&[u8]; 4] = [
    include_bytes!("../../crates/journal/tests/sample/segment-00000000.journal"),
    include_bytes!("../../crates/journal/tests/sample/segment-00000001.journal"),
    include_bytes!("../../crates/journal/tests/sample/segment-00000002.journal"),
    include_bytes!("../../crates/journal/tests/sample/segment-00000003.journal"),
];

/// One directory per kind and process, written over every time.
fn place(kind: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("pointsman-fuzz-{}-{kind}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory for segments");
    dir
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static CHANGED: OnceLock<PathBuf> = OnceLock::new();
    static ANY: OnceLock<PathBuf> = OnceLock::new();
    match data.split_first() {
        Some((0, changes)) => books::fuzz_journal(CHANGED.get_or_init(|| place("changed")), &SAMPLE, changes),
        _ => books::fuzz_journal(ANY.get_or_init(|| place("any")), &[], data),
    }
});
