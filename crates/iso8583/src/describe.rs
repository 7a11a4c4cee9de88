//! A message for people and for JSON: every field with its name, value, place and bytes.
//! Never shows a secret unless asked for everything in clear. Not for the hot path: it allocates.

use crate::decode::{decode, is_structural};
use crate::dialect::{Dialect, Label, Tags};
use crate::error::DecodeError;
use crate::index::Index;
use crate::mask;
use crate::spec::Field;
use crate::tlv;
use crate::view::View;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeStruct};

/// A message, field by field. In JSON: `{"mti": "0200", "fields": {"2": "...", ...}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Four digits.
    pub mti: String,
    /// Fields in ascending order, each followed by its parts.
    pub rows: Vec<Row>,
}

/// A field or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of the field.
    pub field: u8,
    /// Number or tag of the part; `None` for the field itself.
    pub part: Option<String>,
    /// What the dialect calls it.
    pub name: String,
    /// Characters and digits as text, bytes in upper-case hexadecimal; masked unless asked for in clear.
    pub value: String,
    /// Offset of the content in the message.
    pub offset: usize,
    /// The content's bytes in upper-case hexadecimal; stars where the value is masked.
    pub raw: String,
}

impl Serialize for Description {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Description", 2)?;
        message.serialize_field("mti", &self.mti)?;
        message.serialize_field("fields", &Fields(&self.rows))?;
        message.end()
    }
}

struct Fields<'a>(&'a [Row]);

impl Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for row in self.0.iter().filter(|row| row.part.is_none()) {
            map.serialize_entry(&row.field.to_string(), &row.value)?;
        }
        map.end()
    }
}

/// Describes `bytes`; `clear` shows everything as it came.
///
/// # Errors
/// The first thing that is wrong with the message.
pub fn describe(dialect: &Dialect, bytes: &[u8], clear: bool) -> Result<Description, DecodeError> {
    let mut index = Index::new();
    decode(dialect, bytes, &mut index)?;
    let view = View::new(dialect, bytes, &index);
    let mti = index.mti().to_string();
    let mut rows = Vec::new();
    for n in index.fields().filter(|n| !is_structural(*n, dialect.levels())) {
        rows.extend(rows_of(&view, n, clear));
    }
    Ok(Description { mti, rows })
}

fn rows_of(view: &View<'_>, n: u8, clear: bool) -> Vec<Row> {
    let spec = view.dialect.field(n);
    let raw = view.index.raw(n, view.bytes).unwrap_or_default();
    let mut content = vec![0; spec.content_len(view.index.units(n).unwrap_or(0))];
    let len = view.content(n, &mut content).unwrap_or(0);
    content.truncate(len);
    let (value, masked) = shown(view, spec, n, &content, clear);
    let raw_hex = if masked { "*".repeat(raw.len() * 2) } else { mask::hex(raw) };
    let offset = view.index.offset(n).unwrap_or(0);
    let name = view.dialect.field_name(n).to_owned();
    let mut rows = vec![Row { field: n, part: None, name, value, offset, raw: raw_hex }];
    if let Some(label) = view.dialect.label(n).filter(|_| !masked || spec.secret == crate::spec::Secret::Tags)
    {
        rows.extend(parts(label, &content, offset));
        rows.extend(tags(label, &content, offset, clear));
    }
    rows
}

/// The value, and whether any of it is hidden.
fn shown(view: &View<'_>, spec: &Field, n: u8, content: &[u8], clear: bool) -> (String, bool) {
    let open = readable(spec, content);
    if clear {
        return (open, false);
    }
    let label = view.dialect.label(n);
    // Short fixed sub-fields of digits (UnionPay DE 60, 61) leave no room for a card number, whatever their sum looks like.
    let structured =
        label.is_some_and(|label| label.parts.len() > 2) && content.iter().all(u8::is_ascii_digit);
    if structured && spec.secret == crate::spec::Secret::No {
        return (open, false);
    }
    let tags = label.map_or(Tags::None, |label| label.tags);
    let value = mask::value(spec, tags, content, view.mti().is_request()).unwrap_or_else(|| open.clone());
    let masked = value != open;
    (value, masked)
}

/// Characters as text where they are text, everything else in hexadecimal.
fn readable(spec: &Field, content: &[u8]) -> String {
    match core::str::from_utf8(content) {
        Ok(text) if !spec.binary && !text.chars().any(char::is_control) => text.to_owned(),
        _ => mask::hex(content),
    }
}

/// Fixed sub-fields, as far as the content has them.
fn parts(label: &Label, content: &[u8], offset: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, part) in label.parts.iter().enumerate() {
        let from = usize::from(part.part.from);
        let to = if part.part.len == 0 { content.len() } else { from + usize::from(part.part.len) };
        let Some(piece) = content.get(from..to).filter(|piece| !piece.is_empty()) else { break };
        let value = String::from_utf8_lossy(piece).into_owned();
        let name = part.name.clone();
        rows.push(Row {
            field: label.field,
            part: Some((at + 1).to_string()),
            name,
            value,
            offset,
            raw: String::new(),
        });
    }
    rows
}

/// Tagged sub-fields; a last row says where tags could not be followed.
fn tags(label: &Label, content: &[u8], offset: usize, clear: bool) -> Vec<Row> {
    let walk: Box<dyn Iterator<Item = _>> = match label.tags {
        Tags::None => return Vec::new(),
        Tags::Ber => Box::new(tlv::ber(content)),
        Tags::Text => Box::new(tlv::text(content)),
    };
    let row = |part: String, value: String, at: usize, raw: String| Row {
        field: label.field,
        part: Some(part),
        name: String::new(),
        value,
        offset: offset + at,
        raw,
    };
    let describe = |found: Result<tlv::Tlv<'_>, tlv::TlvError>| match found {
        Ok(found) if label.tags == Tags::Text => {
            let value = mask::runs(&String::from_utf8_lossy(found.value), clear);
            row(String::from_utf8_lossy(found.tag).into_owned(), value, found.offset, String::new())
        }
        Ok(found) => {
            let value = if clear { mask::hex(found.value) } else { mask::tag_value(&found) };
            row(mask::hex(found.tag), value.clone(), found.offset, value)
        }
        Err(error) => row("?".into(), error.to_string(), error.offset, String::new()),
    };
    walk.map(describe).collect()
}
