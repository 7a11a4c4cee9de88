//! Random messages of every dialect survive the trip; random bytes never panic; a broken message is refused with the
//! place, and no text of an error holds a card number. A failing case prints its seed (proptest).

use bytes::BytesMut;
use iso8583::{
    CONTENT_MAX, CanonDefaults, DecodeError, Dialect, Index, Patch, View, Writer, answer, decode, describe,
    fuzz_decode, fuzz_dialect_toml, fuzz_tlv, fuzz_ways, request, transcode, trusted,
};
use proptest::prelude::*;
use std::sync::Arc;
use terms::Mti;

/// A random set of fields with random content of each field's own type, and the message made of them.
#[derive(Debug, Clone)]
struct Sample {
    dialect: Arc<Dialect>,
    mti: Mti,
    fields: Vec<(u8, Vec<u8>)>,
    bytes: Vec<u8>,
}

/// Content of a field: the first random length and characters that the dialect's writer accepts for it.
fn content(dialect: &Dialect, n: u8, seed: &[u8]) -> Option<Vec<u8>> {
    let alphabets: [&[u8]; 4] = [b"0123456789", b"0123456789=", b"ABCdef 123.,", b"\x00\x9f\x26\xff"];
    let lengths = (0..=seed.len()).rev().chain([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 25, 40, 42]);
    for len in lengths {
        for alphabet in alphabets {
            let pick = |at: usize| {
                alphabet[(usize::from(*seed.get(at % seed.len().max(1)).unwrap_or(&0)) + at) % alphabet.len()]
            };
            let content: Vec<u8> = (0..len).map(pick).collect();
            let mut out = BytesMut::new();
            let written =
                Writer::new(dialect, Mti::of(0x0200), &mut out).binary(n, &content).finish().is_ok();
            if written && comes_back(dialect, n, &content, &out) {
                return Some(content);
            }
        }
    }
    None
}

/// Not filled up by the writer: what is read is what was given.
fn comes_back(dialect: &Dialect, n: u8, content: &[u8], bytes: &[u8]) -> bool {
    let (mut index, mut back) = (Index::new(), [0; CONTENT_MAX]);
    decode(dialect, bytes, &mut index).is_ok()
        && View::new(dialect, bytes, &index).content(n, &mut back).is_some_and(|len| &back[..len] == content)
}

fn sample() -> impl Strategy<Value = Sample> {
    let names: Vec<_> = Dialect::builtin_names().collect();
    let fields = prop::collection::btree_map(2..=192_u8, prop::collection::vec(any::<u8>(), 0..24), 1..24);
    let mti = prop::sample::select(vec![0x0200_u16, 0x0100, 0x0210, 0x0400, 0x0420, 0x0421, 0x0800, 0x0220]);
    (prop::sample::select(names), mti, fields).prop_map(|(name, mti, seeds)| {
        let dialect = Dialect::builtin(name).unwrap();
        let known = seeds.into_iter().filter(|(n, _)| dialect.has_field(*n));
        let fields: Vec<_> =
            known.filter_map(|(n, seed)| content(&dialect, n, &seed).map(|c| (n, c))).collect();
        let bytes = write(&dialect, Mti::of(mti), &fields);
        Sample { dialect, mti: Mti::of(mti), fields, bytes }
    })
}

fn write(dialect: &Dialect, mti: Mti, fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(dialect, mti, &mut out);
    for (n, content) in fields {
        writer.binary(*n, content);
    }
    writer.finish().unwrap();
    out.to_vec()
}

/// The fields of a message as canonical content.
fn read(dialect: &Dialect, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut index, mut content) = (Index::new(), [0; CONTENT_MAX]);
    decode(dialect, bytes, &mut index).unwrap();
    let view = View::new(dialect, bytes, &index);
    let mut field = |n: u8| {
        let len = view.content(n, &mut content).unwrap();
        (n, content[..len].to_vec())
    };
    index.fields().map(&mut field).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_and_written_again(sample in sample()) {
        let fields = read(&sample.dialect, &sample.bytes);
        prop_assert_eq!(&fields, &sample.fields);
        prop_assert_eq!(write(&sample.dialect, sample.mti, &fields), sample.bytes);
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else(sample in sample(), gone in 2..=128_u8) {
        let (mut index, mut out) = (Index::new(), BytesMut::new());
        decode(&sample.dialect, &sample.bytes, &mut index).unwrap();
        let mut patch = Patch::new();
        patch.set_number(11, 77_123).set_text(37, b"326000000403").remove(gone);
        patch.apply(&sample.dialect, &sample.bytes, &index, &mut out).unwrap();
        let mut expected: Vec<_> = sample.fields.clone();
        expected.retain(|(n, _)| *n != 11 && *n != 37 && *n != gone);
        expected.push((11, b"077123".to_vec()));
        expected.push((37, b"326000000403".to_vec()));
        expected.sort();
        prop_assert_eq!(read(&sample.dialect, &out), expected);
    }

    #[test]
    fn another_encoding_of_the_same_dialect_loses_nothing(sample in sample()) {
        prop_assume!(sample.dialect.name() != "unionpay-pos");
        for name in ["iso87-ascii", "iso87-binary", "iso87-ebcdic"] {
            let other = Dialect::builtin(name).unwrap();
            let (mut index, mut there, mut back) = (Index::new(), BytesMut::new(), BytesMut::new());
            decode(&sample.dialect, &sample.bytes, &mut index).unwrap();
            transcode(&sample.dialect, &sample.bytes, &index, &other, &Patch::new(), &mut there).unwrap();
            decode(&other, &there, &mut index).unwrap();
            transcode(&other, &there, &index, &sample.dialect, &Patch::new(), &mut back).unwrap();
            prop_assert_eq!(&back[..], &sample.bytes[..]);
        }
    }

    #[test]
    fn a_damaged_message_is_refused_or_read(sample in sample(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sample.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        survives(&sample.dialect, &bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_decode(&bytes);
        fuzz_tlv(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_real_head_never_panic(bitmap in any::<u64>(), rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut binary = vec![0x02, 0x00];
        binary.extend(bitmap.to_be_bytes());
        binary.extend(&rest);
        fuzz_decode(&binary);
        let mut ascii = format!("0200{bitmap:016X}").into_bytes();
        ascii.extend(rest.iter().map(|byte| b'0' + byte % 12));
        fuzz_decode(&ascii);
    }

    #[test]
    fn any_change_of_a_dialects_text_never_panics(at in any::<prop::sample::Index>(), with in "[ -~\n]{0,8}", cut in 0..40_usize) {
        let text = Dialect::builtin_source("unionpay-pos").unwrap();
        let mut start = at.index(text.len());
        while !text.is_char_boundary(start) { start -= 1; }
        let mut end = (start + cut).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        fuzz_dialect_toml(format!("{}{with}{}", &text[..start], &text[end..]).as_bytes());
    }
}

/// Every reader gets these bytes; whatever they say must not hold a card number.
fn survives(dialect: &Dialect, bytes: &[u8]) {
    let mut index = Index::new();
    let tell = |error: DecodeError| {
        let text = format!("{error} {error:?}");
        assert!(
            !text.as_bytes().windows(7).any(|run| run.iter().all(u8::is_ascii_digit)),
            "digits in: {text}"
        );
    };
    let _ = trusted(dialect, bytes);
    fuzz_ways(dialect, bytes);
    match decode(dialect, bytes, &mut index) {
        Err(error) => tell(error),
        Ok(()) => {
            request(dialect, &CanonDefaults::default(), bytes, &index).map_or_else(tell, drop);
            answer(dialect, bytes, &index).map_or_else(tell, drop);
            describe(dialect, bytes, false).map_or_else(tell, drop);
        }
    }
}

/// Bytes for which error texts and descriptions are made too.
const TELLING: [u8; 5] = [0x00, b'9', 0x99, 0xDD, 0xFF];

#[test]
fn every_prefix_and_every_changed_byte_of_golden_messages_is_an_error_or_a_message() {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    for vector in vectors {
        let dialect = Dialect::builtin(vector["dialect"].as_str().unwrap()).unwrap();
        let hex = vector["hex"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        for len in 0..bytes.len() {
            let mut index = Index::new();
            assert!(
                decode(&dialect, &bytes[..len], &mut index).is_err(),
                "a message cut after {len} bytes is whole"
            );
            survives(&dialect, &bytes[..len]);
        }
        let mut index = Index::new();
        for at in 0..bytes.len() {
            for byte in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = byte;
                match decode(&dialect, &changed, &mut index) {
                    Err(error) => assert!(error.offset as usize <= changed.len()),
                    Ok(()) => _ = request(&dialect, &CanonDefaults::default(), &changed, &index),
                }
                if TELLING.contains(&byte) {
                    survives(&dialect, &changed);
                }
            }
        }
    }
}
