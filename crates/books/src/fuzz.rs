//! Bodies of the fuzz targets: plain functions that unit tests run too.
//! Never assert on what is in the bytes, only on what must hold whatever they are.

use crate::journal::{records, verify};
use crate::record::Payload;
use std::fs;
use std::path::Path;

/// Any bytes as the payload of a record of every kind: read, or refused in words.
///
/// # Panics
/// If a refusal says nothing.
pub fn fuzz_records(data: &[u8]) {
    let told = |kind, payload| {
        if let Err(fault) = Payload::read(kind, payload) {
            assert!(!fault.to_string().is_empty(), "a refusal says why");
        }
    };
    (0..=u8::MAX).for_each(|kind| told(kind, data));
    if let Some((kind, payload)) = data.split_first() {
        told(*kind, payload);
    }
}

/// A journal of `segments` with changes that `data` says (segment, place, what comes there), in `dir`, which is the caller's.
/// Without segments, `data` is the only one.
///
/// # Panics
/// If the two ways of reading it do not agree, or the files cannot be written.
pub fn fuzz_journal(dir: &Path, segments: &[&[u8]], data: &[u8]) {
    let mut spoiled: Vec<Vec<u8>> = segments.iter().map(|segment| segment.to_vec()).collect();
    match spoiled.is_empty() {
        true => spoiled.push(data.to_vec()),
        false => data.as_chunks::<4>().0.iter().for_each(|change| spoil(&mut spoiled, *change)),
    }
    for (number, segment) in spoiled.iter().enumerate() {
        let path = dir.join(format!("segment-{number:08}.journal"));
        fs::write(path, segment).expect("the directory can be written");
    }
    let report = verify(dir).expect("there are segments");
    assert_eq!(report.sound, report.damage.is_none(), "{report}");
    let mut last = 0;
    let mut whole = true;
    for record in records(dir).expect("there are segments") {
        let Ok(record) = record else {
            whole = false;
            continue;
        };
        assert!(last == 0 || record.sequence == last + 1, "record {} follows {last}", record.sequence);
        last = record.sequence;
    }
    assert!(
        whole || report.damage.is_some() || report.torn.is_some(),
        "records stop, yet all is well: {report}"
    );
}

fn spoil(segments: &mut [Vec<u8>], [segment, high, low, byte]: [u8; 4]) {
    let count = segments.len();
    let segment = &mut segments[usize::from(segment) % count];
    if !segment.is_empty() {
        let at = usize::from(u16::from_be_bytes([high, low])) % segment.len();
        segment[at] = byte;
    }
}
