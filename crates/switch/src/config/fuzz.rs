//! Body of the fuzz target: a plain function that unit tests run too.
//! Never asserts on what is in the bytes, only on what must hold whatever they are.

use super::Config;
use std::path::Path;

/// Any text as a configuration: a clean one, or mistakes that can be shown.
///
/// # Panics
/// If a refusal says nothing, or what was found clean has no bound.
pub fn fuzz_config(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match Config::parse(Path::new("fuzz.toml"), text) {
        Err(errors) => assert!(!errors.to_string().is_empty(), "a refusal says why"),
        Ok(config) => drop(config.snapshot(1)),
    }
}
