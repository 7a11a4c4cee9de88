//! Bodies of the fuzz targets: plain functions that unit tests run too.
//! Never assert on what is in the bytes, only on what must hold whatever they are.

use crate::canon::{CanonDefaults, answer, request, trusted};
use crate::decode::{decode, decode_one_by_one, locate};
use crate::describe::describe;
use crate::dialect::Dialect;
use crate::index::Index;
use crate::patch::Patch;
use crate::tlv;
use bytes::BytesMut;

/// Any bytes through every dialect: an error or a message that copies to the same fields.
///
/// # Panics
/// If a decoded message does not survive a copy.
pub fn fuzz_decode(data: &[u8]) {
    let (mut index, mut out) = (Index::new(), BytesMut::new());
    for dialect in Dialect::builtin_names().filter_map(Dialect::builtin) {
        let _ = trusted(&dialect, data);
        let _ = describe(&dialect, data, false);
        fuzz_ways(&dialect, data);
        match decode(&dialect, data, &mut index) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(()) => {
                let _ = request(&dialect, &CanonDefaults::default(), data, &index);
                let _ = answer(&dialect, data, &index);
                out.clear();
                Patch::new()
                    .apply(&dialect, data, &index, &mut out)
                    .expect("a decoded message can be copied");
                copies(&dialect, data, &index, &out);
            }
        }
    }
}

/// Any bytes by every way of decoding: by layout and field by field they say the same, and what passed is found again.
///
/// # Panics
/// If the ways differ.
pub fn fuzz_ways(dialect: &Dialect, data: &[u8]) {
    let (mut index, mut slow, mut again) = (Index::new(), Index::new(), Index::new());
    let read = decode(dialect, data, &mut index);
    assert_eq!(read, decode_one_by_one(dialect, data, &mut slow), "both ways decode alike");
    if read.is_ok() {
        locate(dialect, data, &mut again).expect("what was decoded is found again");
        for n in index.fields() {
            assert_eq!(index.entry(n), slow.entry(n), "field {n} is where it is field by field");
            assert_eq!(index.entry(n), again.entry(n), "field {n} is found where it was decoded");
        }
    }
}

fn copies(dialect: &Dialect, data: &[u8], index: &Index, out: &[u8]) {
    let mut again = Index::new();
    decode(dialect, out, &mut again).expect("a copy decodes");
    assert!(index.fields().eq(again.fields()), "a copy has the same fields");
    for n in index.fields() {
        assert_eq!(index.raw(n, data), again.raw(n, out), "field {n} is the same in the copy");
    }
}

/// Any text as a dialect: a dialect or problems with lines.
///
/// # Panics
/// If a refusal does not say why.
pub fn fuzz_dialect_toml(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match Dialect::parse(text, "fuzz") {
        Ok(dialect) => _ = dialect.check(),
        Err(errors) => assert!(!errors.problems.is_empty()),
    }
}

/// Any bytes as tags: the walk ends and stays inside.
///
/// # Panics
/// If a value reaches past the end.
pub fn fuzz_tlv(data: &[u8]) {
    for found in tlv::ber(data).chain(tlv::text(data)).flatten() {
        assert!(found.offset + found.tag.len() + found.value.len() <= data.len());
    }
}
