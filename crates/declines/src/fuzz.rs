//! Body of the fuzz target: a plain function that unit tests run too.
//! Never asserts on what is in the bytes, only on what must hold whatever they are.

use crate::Catalogue;

/// Any text as a catalogue: mistakes in words, or one whose look-ups agree with each other.
///
/// # Panics
/// If they do not.
pub fn fuzz_catalogue(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let catalogue = match Catalogue::parse(text) {
        Err(fault) => return assert!(!fault.to_string().is_empty(), "a refusal says why"),
        Ok(catalogue) => catalogue,
    };
    for scheme in catalogue.schemes() {
        let table = catalogue.table(scheme);
        for entry in catalogue.entries(scheme) {
            assert_eq!(catalogue.find(scheme, &entry.code), Some(entry), "{scheme} {}", entry.code);
            assert_eq!(table.cause(entry.code), entry.reason.cause, "{scheme} {}", entry.code);
            let place = catalogue.index_of(&entry.code);
            assert!(place.is_some() && table.index_of(entry.code) == place, "{scheme} {}", entry.code);
        }
    }
}
