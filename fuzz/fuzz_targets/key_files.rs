//! Any bytes as a key file and as a store of wrapped keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keys::fuzz_key_files(data));
