//! Any text as a dialect.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| iso8583::fuzz_dialect_toml(data));
