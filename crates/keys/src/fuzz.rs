//! Body of the fuzz target for the two files of keys: a plain function that unit tests run too.
//! Never touches a file. Guards: whatever a file says, it is keys that can be written and read again, or a refusal that
//! shows nothing of it.

use crate::{DataKeys, Fault, Kek, KeyFile};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads `data` as a key file and as a store of wrapped keys.
pub fn fuzz_key_files(data: &[u8]) {
    let path = Path::new("fuzz.keys");
    match KeyFile::parse(data, path) {
        Ok(keys) => {
            let again = KeyFile::parse(keys.render().as_bytes(), path).expect("what was written can be read");
            assert!(again.token_key().0 == keys.token_key().0 && again.kek().0 == keys.kek().0);
        }
        Err(fault) => tells_nothing(&fault, data),
    }
    let mut store = empty();
    match store.read(data) {
        Ok(()) => {
            let (text, mut again) = (store.render(), empty());
            again.read(text.as_bytes()).expect("what was written can be read");
            assert!(again.render() == text && again.days().eq(store.days()));
            // Nobody wrapped these: none may pass for a key.
            store.days().for_each(|day| assert!(store.unwrap(day).is_err()));
        }
        Err(fault) => tells_nothing(&fault, data),
    }
}

fn empty() -> DataKeys {
    DataKeys::empty(Path::new("."), 7, &Kek(Zeroizing::new([0x5a; 32])))
}

/// A refusal must not repeat what could be a key.
fn tells_nothing(fault: &Fault, data: &[u8]) {
    let text = fault.to_string();
    for run in data.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 12) {
        let run = str::from_utf8(run).expect("hex digits are text");
        assert!(!text.contains(run), "a refusal repeats {} digits of the file", run.len());
    }
}
