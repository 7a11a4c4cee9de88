//! Bodies of the fuzz targets: plain functions that unit tests run too.
//! Never assert on what is in the bytes, only on what must hold whatever they are.

use crate::canon::{CanonDefaults, answer, request, trusted};
use crate::decode::{decode, decode_one_by_one, locate};
use crate::describe::describe;
use crate::dialect::Dialect;
use crate::index::Index;
use crate::patch::{Patch, Plan, splice, translate};
use crate::tlv;
use crate::view::{CONTENT_MAX, View};
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
        changed_alike(&View::new(dialect, data, &index));
    }
}

/// A message changed where it stands, and written anew field by field: the same fields with the same content. Once with
/// edits alone, once with fields lent by what came of that, some as long as before and one not.
fn changed_alike(source: &View<'_>) {
    let dialect = source.dialect;
    let (mut there, mut index) = (BytesMut::new(), Index::new());
    let mut patch = Patch::new();
    patch.mti(source.mti().answer()).set_number(4, 12_345).set_number(11, 77_123).set_text(32, b"123");
    patch.set_text(37, b"326000000403").set_text(39, b"05").remove(3).remove(52).remove(64);
    let plan = Plan { source: *source, keep: [u64::MAX; 3], lent: None, patch: &patch };
    if !both_ways(&plan, &mut there) {
        return;
    }
    decode(dialect, &there, &mut index).expect("a changed message decodes");
    let lender = (View::new(dialect, &there, &index), crate::dialect::mask([2, 7, 11, 32, 37, 41, 42]));
    let mut patch = Patch::new();
    patch.set_text(39, b"00").remove(35);
    let plan = Plan { source: *source, keep: [!1; 3], lent: Some(lender), patch: &patch };
    both_ways(&plan, &mut BytesMut::new());
}

/// False if the message cannot be written field by field, because a field is longer than what is translated.
fn both_ways(plan: &Plan<'_>, quick: &mut BytesMut) -> bool {
    let (dialect, mti) = (plan.source.dialect, plan.source.mti().answer());
    let mut slow = BytesMut::new();
    if translate(dialect, mti, plan, &mut slow).is_err() {
        return false;
    }
    splice(dialect, mti, plan, quick).expect("what can be written anew can be changed");
    let (mut indices, mut contents) = ([Index::new(), Index::new()], [[0; CONTENT_MAX]; 2]);
    decode(dialect, quick, &mut indices[0]).expect("a changed message decodes");
    decode(dialect, &slow, &mut indices[1]).expect("a message written anew decodes");
    let views = [View::new(dialect, quick, &indices[0]), View::new(dialect, &slow, &indices[1])];
    assert!(indices[0].fields().eq(indices[1].fields()), "both ways have the same fields");
    for n in indices[0].fields() {
        let lens = [views[0].content(n, &mut contents[0]), views[1].content(n, &mut contents[1])];
        assert!(lens[0] == lens[1] && contents[0] == contents[1], "field {n} is the same both ways");
    }
    true
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
