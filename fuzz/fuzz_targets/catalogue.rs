//! Any text as a catalogue of declines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| declines::fuzz_catalogue(data));
