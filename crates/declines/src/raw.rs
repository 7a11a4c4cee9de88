//! The file as written, and the step to checked entries. Everything wrong is collected, nothing is guessed.

use crate::{Class, Entry, Fault, Mistake, Who};
use serde::Deserialize;
use std::collections::BTreeMap;
use terms::{Cause, ResponseCode};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCatalogue {
    pub(crate) version: Spanned<u32>,
    pub(crate) dated: Spanned<String>,
    pub(crate) scheme: BTreeMap<String, BTreeMap<String, Spanned<RawEntry>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawEntry {
    en: String,
    zh: String,
    cause: String,
    who: Vec<String>,
    class: Option<String>,
    visa: Option<u8>,
    #[serde(default)]
    approves: bool,
}

/// Parses without checking meanings. A key written twice is found here: the format forbids it.
pub(crate) fn parse(text: &str) -> Result<RawCatalogue, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        Fault { mistakes: vec![Mistake { line, text: error.message().to_owned() }] }
    })
}

/// Checks one line; what is wrong with it goes to `mistakes`.
pub(crate) fn checked(
    code: &str,
    raw: &Spanned<RawEntry>,
    text: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Entry> {
    let before = mistakes.len();
    let line = line_of(text, raw.span().start);
    let mut wrong = |text: String| mistakes.push(Mistake { line, text });
    let raw = raw.get_ref();

    if !(1..=4).contains(&code.len()) || !code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z')) {
        wrong(format!("code {code:?}, expected one to four digits or capital letters"));
    }
    if raw.en.trim().is_empty() || raw.zh.trim().is_empty() {
        wrong(format!("code {code} has no name, expected `en` and `zh`"));
    }
    let cause = Cause::from_name(&raw.cause);
    if cause.is_none() {
        wrong(format!(
            "code {code} has cause {:?}, expected one of {}",
            raw.cause,
            names(Cause::ALL, Cause::name)
        ));
    }
    let who = actors(code, &raw.who, &mut wrong);
    let class = raw.class.as_deref().map(Class::from_name);
    if class == Some(None) {
        wrong(format!("code {code} has class {:?}, expected A to E", raw.class));
    }
    if raw.visa.is_some_and(|category| !(1..=4).contains(&category)) {
        wrong(format!("code {code} has Visa category {:?}, expected 1 to 4", raw.visa));
    }
    if mistakes.len() > before {
        return None;
    }
    Some(Entry {
        code: ResponseCode::new(code.as_bytes())?,
        name_en: raw.en.clone(),
        name_zh: raw.zh.clone(),
        cause: cause?,
        who,
        class: class.flatten(),
        visa_category: raw.visa,
        approves: raw.approves,
    })
}

fn actors(code: &str, raw: &[String], wrong: &mut impl FnMut(String)) -> Vec<Who> {
    let mut who = Vec::with_capacity(raw.len());
    if raw.is_empty() {
        wrong(format!("code {code} says nobody acts, expected some of {}", names(Who::ALL, Who::name)));
    }
    for name in raw {
        match Who::from_name(name) {
            Some(found) if !who.contains(&found) => who.push(found),
            Some(_) => wrong(format!("code {code} names {name:?} twice")),
            None => {
                wrong(format!("code {code}: {name:?} acts, expected some of {}", names(Who::ALL, Who::name)))
            }
        }
    }
    who
}

/// The line of a byte, counted from 1.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(" ")
}
