//! Any bytes as a stream under any framing.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| framing::fuzz_framing(data));
