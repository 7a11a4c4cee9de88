//! Any bytes as a record of every kind, by the second reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| books::fuzz_records(data));
