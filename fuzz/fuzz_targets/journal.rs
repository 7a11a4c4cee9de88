//! Any bytes as a journal: damaged, crafted or none.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| journal::testing::fuzz_journal(data));
