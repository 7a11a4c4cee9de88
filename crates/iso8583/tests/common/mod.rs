//! Messages as text, for tests: `0200 11=000403 41=10000019`.
#![allow(dead_code, reason = "each test binary uses its own part")]

use bytes::BytesMut;
use iso8583::{CanonDefaults, DecodeError, Dialect, Forward, Index, Writer, decode, request};
use std::sync::Arc;
use terms::{Mti, Request, Stan, Text, TransmissionTime};

pub const DEFAULTS: &str = "48120000";
pub const PAN: &str = "6224242900000113";

pub fn ours() -> Forward {
    Forward {
        acquirer: Text::cut(DEFAULTS),
        ..Forward::new(Stan::new(77).unwrap(), TransmissionTime(1_122_101_112))
    }
}

pub const UNIONPAY: &str = "0200 2=6224242900000113 3=000000 4=000000001250 11=000403 14=2806 22=051 25=00 26=12 \
     35=6224242900000113D28062013949031013 41=10000019 42=850100082410002 49=156 52=xD1EEF419D0AE2609 \
     53=2600000000000000 60=22000024000600 64=x3846363531423236";
pub const ISO: &str = "0200 2=6224242900000113 3=000000 4=000000001250 7=1122101112 11=000403 12=181112 13=1122 14=2806 \
     22=051 25=00 32=4812 37=000000000403 41=10000019 42=850100082410002 49=156 52=xD1EEF419D0AE2609";

/// A message as text: `0200 2=6224242900000113 4=1250 11=7`; a value beginning with `x` is hexadecimal.
pub fn message(dialect: &str, text: &str) -> (Arc<Dialect>, Vec<u8>) {
    let dialect = Dialect::builtin(dialect).unwrap();
    let mut words = text.split_whitespace();
    let mti = Mti::from_ascii(words.next().unwrap().as_bytes().try_into().unwrap()).unwrap();
    let mut out = BytesMut::new();
    let mut writer = Writer::new(&dialect, mti, &mut out);
    for word in words {
        let (n, value) = word.split_once('=').unwrap();
        match value.strip_prefix('x') {
            Some(hex) => writer.binary(n.parse().unwrap(), &unhex(hex)),
            None => writer.text(n.parse().unwrap(), value.as_bytes()),
        };
    }
    writer.finish().unwrap();
    (dialect, out.to_vec())
}

pub fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

pub fn index(dialect: &Dialect, bytes: &[u8]) -> Index {
    let mut index = Index::new();
    decode(dialect, bytes, &mut index).unwrap();
    index
}

pub fn read((dialect, bytes): &(Arc<Dialect>, Vec<u8>)) -> Result<Request, DecodeError> {
    request(dialect, &CanonDefaults { acquirer: Text::cut(DEFAULTS) }, bytes, &index(dialect, bytes))
}

/// A message back as text, in the form that [`message`] reads.
pub fn told(dialect: &Dialect, bytes: &[u8]) -> String {
    let index = index(dialect, bytes);
    let mut text = index.mti().to_string();
    for row in iso8583::describe(dialect, bytes, true).unwrap().rows {
        if row.part.is_none() {
            text += &format!(" {}={}", row.field, row.value);
        }
    }
    text
}
