//! Any bytes as a record of every kind.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::record::fuzz_records(data));
