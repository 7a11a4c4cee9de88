//! Which dialect could these bytes be? For people with an unknown message in hand, not for the hot path.
//! Never settles it: it ranks. Guards: a dialect that cannot decode the bytes wholly is not named.

use crate::canon::{CanonDefaults, request};
use crate::decode::decode;
use crate::dialect::Dialect;
use crate::index::Index;
use std::sync::Arc;
use terms::Kind;

/// The built-in dialects that decode `bytes` to the last byte, the likeliest first.
pub fn detect(bytes: &[u8]) -> Vec<Arc<Dialect>> {
    let mut index = Index::new();
    let known = Dialect::builtin_names().filter_map(Dialect::builtin);
    let fitting = known.filter(|dialect| decode(dialect, bytes, &mut index).is_ok());
    let mut ranked: Vec<_> = fitting.map(|dialect| (likelihood(&dialect, bytes), dialect)).collect();
    ranked.sort_by_key(|(points, _)| core::cmp::Reverse(*points));
    ranked.into_iter().map(|(_, dialect)| dialect).collect()
}

/// Points for what real messages have: a known class and version, a type we know, the fields that all have.
fn likelihood(dialect: &Dialect, bytes: &[u8]) -> u32 {
    let mut index = Index::new();
    if decode(dialect, bytes, &mut index).is_err() {
        return 0;
    }
    let mti = index.mti();
    let mut points = 0;
    points += u32::from(mti.bcd() >> 12 == 0) * 4;
    points += u32::from(matches!(mti.class_digit(), 1..=6 | 8)) * 4;
    points += u32::from(index.has(11)) + u32::from(index.has(3)) + u32::from(index.has(41));
    match request(dialect, &CanonDefaults::default(), bytes, &index) {
        Ok(request) => points += 2 + u32::from(request.kind != Kind::Unknown) * 4,
        Err(_) => points += 1,
    }
    points
}
