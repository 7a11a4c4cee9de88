//! Golden messages, published by others: they decode to these values and encode back to the same bytes.
//! The envelope (length, TPDU, header) has been cut off: that is framing's.
//! One value differs from the list it was copied from: DE 64 of the chip purchase. The list says 3846353142323336, but the
//! message itself ends in 3846363531423236, and the list's own note (the text 8F651B26) agrees with the message.

use bytes::BytesMut;
use iso8583::{CONTENT_MAX, CanonDefaults, Dialect, Index, View, Writer, decode, describe, detect, request};
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::{Currency, Kind};

struct Vector {
    name: String,
    dialect: Arc<Dialect>,
    bytes: Vec<u8>,
    mti: String,
    fields: BTreeMap<u8, String>,
}

fn vectors() -> Vec<Vector> {
    let parsed: Vec<serde_json::Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let vector = |value: &serde_json::Value| Vector {
        name: text(&value["name"]),
        dialect: Dialect::builtin(value["dialect"].as_str().unwrap()).unwrap(),
        bytes: unhex(value["hex"].as_str().unwrap()),
        mti: text(&value["mti"]),
        fields: value["fields"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), text(v)))
            .collect(),
    };
    parsed.iter().map(vector).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_vector_decodes_to_its_values() {
    for vector in vectors() {
        let description = describe(&vector.dialect, &vector.bytes, true).unwrap();
        assert_eq!(description.mti, vector.mti, "{}", vector.name);
        let rows = description.rows.iter().filter(|row| row.part.is_none());
        let fields: BTreeMap<u8, String> = rows.map(|row| (row.field, row.value.clone())).collect();
        assert_eq!(fields, vector.fields, "{}", vector.name);
    }
}

#[test]
fn every_vector_is_written_again_from_its_canonical_content() {
    for vector in vectors() {
        let (mut index, mut out) = (Index::new(), BytesMut::new());
        decode(&vector.dialect, &vector.bytes, &mut index).unwrap();
        let view = View::new(&vector.dialect, &vector.bytes, &index);
        let mut content = [0; CONTENT_MAX];
        let mut writer = Writer::new(&vector.dialect, index.mti(), &mut out);
        for n in index.fields() {
            let len = view.content(n, &mut content).unwrap();
            writer.binary(n, &content[..len]);
        }
        writer.finish().unwrap();
        assert_eq!(out[..], vector.bytes[..], "{}", vector.name);
    }
}

#[test]
fn json_is_mti_and_fields() {
    for vector in vectors() {
        let json = serde_json::to_value(describe(&vector.dialect, &vector.bytes, true).unwrap()).unwrap();
        assert_eq!(json["mti"], vector.mti);
        let fields: BTreeMap<u8, String> = json["fields"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), v.as_str().unwrap().into()))
            .collect();
        assert_eq!(fields, vector.fields);
        assert_eq!(json.as_object().unwrap().len(), 2);
    }
}

#[test]
fn every_vector_is_recognised_as_its_dialect() {
    for vector in vectors() {
        let found = detect(&vector.bytes);
        assert_eq!(
            found.first().map(|dialect| dialect.name()),
            Some(vector.dialect.name()),
            "{}",
            vector.name
        );
    }
}

#[test]
fn secrets_are_masked_unless_asked_for() {
    let vector = &vectors()[1];
    let masked = describe(&vector.dialect, &vector.bytes, false).unwrap();
    let value =
        |n: u8| masked.rows.iter().find(|row| row.field == n && row.part.is_none()).unwrap().value.clone();
    assert_eq!((value(2), value(35), value(52)), ("622424******0113".into(), "****".into(), "****".into()));
    assert_eq!((value(4), value(55)), (vector.fields[&4].clone(), vector.fields[&55].clone()));
    let everything = format!("{masked:?}{}", serde_json::to_string(&masked).unwrap());
    for secret in ["6224242900000113", "28062013949031013", "D1EEF419D0AE2609"] {
        assert!(!everything.contains(secret), "{secret} is shown");
    }
}

#[test]
fn sub_fields_and_tags_are_rows_of_their_own() {
    let vector = &vectors()[1];
    let description = describe(&vector.dialect, &vector.bytes, true).unwrap();
    let part = |field: u8, part: &str| {
        let found =
            description.rows.iter().find(|row| row.field == field && row.part.as_deref() == Some(part));
        found.map(|row| row.value.as_str())
    };
    assert_eq!((part(60, "1"), part(60, "2"), part(60, "3")), (Some("22"), Some("000024"), Some("000")));
    assert_eq!((part(55, "9F26"), part(55, "82")), (Some("95BBE372271DDA7C"), Some("7C00")));
    assert_eq!((part(59, "12"), part(59, "14")), (Some("89860617080002583993"), Some("20190830093435")));
    assert_eq!(part(59, "?"), None);
}

#[test]
fn the_chip_purchase_is_a_purchase() {
    let vector = &vectors()[1];
    let mut index = Index::new();
    decode(&vector.dialect, &vector.bytes, &mut index).unwrap();
    assert_eq!(index.raw(22, &vector.bytes), Some(&[0x07, 0x10][..]), "odd digits stand at the left");
    let request = request(&vector.dialect, &CanonDefaults::default(), &vector.bytes, &index).unwrap();
    assert_eq!((request.kind, request.amount, request.currency), (Kind::Purchase, 1, Currency::CNY));
    assert_eq!((request.batch, request.function, request.entry_mode.0), (24, 22, 71));
    assert_eq!((request.stan.get(), request.terminal.as_str()), (403, "10000019"));
    assert_eq!(request.expiry.unwrap().yymm(), 2806);
    assert_eq!(request.pan.unwrap().to_string(), "622424******0113");
}
