//! Any text as a configuration.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switch::config::fuzz_config(data));
