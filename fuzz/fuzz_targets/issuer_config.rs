//! Any text as a configuration of the issuer simulator.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| issuer_sim::fuzz_config(data));
