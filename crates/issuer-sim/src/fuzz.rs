//! Body of the fuzz target: a plain function that unit tests run too.
//! Never asserts on what is in the bytes, only on what must hold whatever they are.

use crate::{Issuer, SimConfig};

/// Any text as a configuration: every mistake in words, or issuers that can be made.
///
/// # Panics
/// If a refusal says nothing, or what was found clean makes no issuer.
pub fn fuzz_config(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match SimConfig::parse(text, "fuzz.toml") {
        Err(fault) => assert!(!fault.to_string().is_empty(), "a refusal says why"),
        Ok(config) => {
            for (issuer, _) in config.issuers {
                drop(Issuer::new(issuer).expect("a clean file makes issuers"));
            }
        }
    }
}
