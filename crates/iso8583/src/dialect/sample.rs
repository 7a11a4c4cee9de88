//! Sample contents for every field of a dialect, and the round trip that `dialect check` makes with them.
//! Never random: the same dialect gives the same samples. Guards: what the dialect can write it can read.

use super::Dialect;
use crate::decode::decode;
use crate::index::Index;
use crate::spec::{Field, Shape};
use crate::view::{CONTENT_MAX, View};
use crate::write::Writer;
use bytes::BytesMut;
use terms::Mti;

/// Writes and reads each field alone, then all together.
pub(crate) fn round_trip(dialect: &Dialect) -> Vec<String> {
    let mut problems = Vec::new();
    for n in dialect.field_numbers() {
        for units in lengths(dialect.field(n)) {
            let content = content(dialect.field(n), units);
            if let Err(what) = there_and_back(dialect, &[(n, content)]) {
                problems.push(format!("field {n} ({}) with {units} units: {what}", dialect.field_name(n)));
            }
        }
    }
    let shortest = |n: u8| (n, content(dialect.field(n), usize::from(dialect.field(n).min).max(1)));
    let all: Vec<_> = dialect.field_numbers().map(shortest).collect();
    if let Err(what) = there_and_back(dialect, &all) {
        problems.push(format!("all fields together: {what}"));
    }
    problems
}

/// Lengths worth trying, in units.
fn lengths(spec: &Field) -> Vec<usize> {
    let (min, max) = (usize::from(spec.min), usize::from(spec.max));
    let longest = max.min(spec.units_of(CONTENT_MAX));
    let step = if matches!(spec.shape, Shape::AsciiHex | Shape::EbcdicHex) { 2 } else { 1 };
    let mut lengths = vec![min, min + step, longest - step.min(longest), longest];
    lengths
        .retain(|units| (min..=longest).contains(units) && units % step == 0 && spec.content_len(*units) > 0);
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// Canonical content of so many units, of the field's own type.
fn content(spec: &Field, units: usize) -> Vec<u8> {
    let len = spec.content_len(units);
    let pattern: &[u8] = match spec.shape {
        Shape::AsciiDigits | Shape::EbcdicDigits | Shape::Bcd => b"1234567890",
        Shape::AsciiTrack | Shape::EbcdicTrack => b"123456789=",
        Shape::BcdTrack => b"123456789D",
        Shape::AsciiSigned | Shape::EbcdicSigned => b"1234567890",
        Shape::AsciiText | Shape::EbcdicText => b"Pointsman 1435 mm ",
        _ => &[0x00, 0x9F, 0x26, 0xFF, 0x41, 0x7E],
    };
    let mut content: Vec<u8> = pattern.iter().copied().cycle().take(len).collect();
    if let (Shape::AsciiSigned | Shape::EbcdicSigned, Some(sign)) = (spec.shape, content.first_mut()) {
        *sign = b'D';
    }
    content
}

fn there_and_back(dialect: &Dialect, fields: &[(u8, Vec<u8>)]) -> Result<(), String> {
    let (mut out, mut index) = (BytesMut::new(), Index::new());
    let mut writer = Writer::new(dialect, Mti::of(0x0200), &mut out);
    for (n, content) in fields {
        writer.binary(*n, content);
    }
    writer.finish().map_err(|error| error.to_string())?;
    decode(dialect, &out, &mut index).map_err(|error| error.to_string())?;
    let view = View::new(dialect, &out, &index);
    let mut back = [0; CONTENT_MAX];
    for (n, content) in fields {
        let len = view.content(*n, &mut back).ok_or_else(|| format!("field {n} was lost"))?;
        if &back[..len] != content.as_slice() {
            return Err(format!("field {n} came back different"));
        }
    }
    if index.fields().count() != fields.len() { Err("a field too many came back".into()) } else { Ok(()) }
}
