//! Any bytes as tags.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| iso8583::fuzz_tlv(data));
