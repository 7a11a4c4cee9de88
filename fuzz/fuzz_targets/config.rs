//! Any text as a configuration: a clean one, or mistakes that can be shown.
#![no_main]

use std::path::Path;
use switch::config::Config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Err(errors) = Config::parse(Path::new("fuzz.toml"), text) {
        assert!(!errors.to_string().is_empty(), "a refusal says why");
    }
});
