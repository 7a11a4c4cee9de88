//! The file as written. Never interprets: everything that may be missing is optional, so that all mistakes are told in one go.

use crate::{Fault, Mistake};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A value with its place, if it is there.
pub(crate) type Field<T> = Option<Spanned<T>>;

/// A table by name, each row with its place.
pub(crate) type Rows<T> = BTreeMap<String, Spanned<T>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCatalogue {
    pub(crate) version: Spanned<u32>,
    pub(crate) dated: Spanned<String>,
    pub(crate) words: Spanned<RawWords>,
    pub(crate) scheme: BTreeMap<String, Rows<RawEntry>>,
    pub(crate) internal: Spanned<Rows<RawInternal>>,
    pub(crate) means: Rows<RawReason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWords {
    pub(crate) cause: Rows<RawSaid>,
    pub(crate) who: Rows<RawSaid>,
    pub(crate) lasts: Rows<RawSaid>,
    pub(crate) class: Rows<RawSaid>,
    pub(crate) visa: Rows<RawSaid>,
    pub(crate) advice: Rows<RawSaid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSaid {
    pub(crate) en: Option<String>,
    pub(crate) zh: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawEntry {
    pub(crate) en: Option<String>,
    pub(crate) zh: Option<String>,
    pub(crate) means: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) visa: Option<u8>,
    #[serde(default)]
    pub(crate) advice: Vec<String>,
    #[serde(default)]
    pub(crate) approves: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInternal {
    pub(crate) en: Option<String>,
    pub(crate) zh: Option<String>,
    #[serde(default)]
    pub(crate) wire: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawReason {
    pub(crate) cause: Field<String>,
    pub(crate) who: Field<Vec<String>>,
    pub(crate) lasts: Field<String>,
    pub(crate) retry: Field<RawRetry>,
    pub(crate) receipt: Field<RawSaid>,
    pub(crate) cardholder: Field<RawSaid>,
    pub(crate) merchant: Field<RawSaid>,
    pub(crate) operator: Field<RawSaid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRetry {
    pub(crate) may: Option<String>,
    pub(crate) after: Option<u32>,
    pub(crate) en: Option<String>,
    pub(crate) zh: Option<String>,
}

/// Parses without checking meanings. A key written twice is found here: the format forbids it.
pub(crate) fn parse(text: &str) -> Result<RawCatalogue, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        Fault { mistakes: vec![Mistake { line, text: error.message().to_owned() }] }
    })
}

/// The line of a byte, counted from 1.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}
