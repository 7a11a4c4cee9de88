//! From the file as written to checked reasons. Everything wrong is collected with its line, nothing is guessed.

use crate::raw::{self, Field, RawReason, RawRetry, RawSaid, Rows};
use crate::{Charset, Lasts, May, Mistake, RECEIPT_MAX, Reason, Retry, Said, Who};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use terms::Cause;

/// Reasons by name.
pub(crate) type Reasons = BTreeMap<String, Arc<Reason>>;

/// One file under check.
pub(crate) struct Checking<'a> {
    text: &'a str,
    pub(crate) mistakes: Vec<Mistake>,
    /// Reasons that something has.
    pub(crate) used: BTreeSet<String>,
}

impl<'a> Checking<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, mistakes: Vec::new(), used: BTreeSet::new() }
    }

    /// Writes a mistake down.
    pub(crate) fn wrong(&mut self, at: Range<usize>, text: impl Into<String>) {
        let line = raw::line_of(self.text, at.start);
        self.mistakes.push(Mistake { line, text: text.into() });
    }

    /// Every reason; one with a mistake in it is left out.
    pub(crate) fn reasons(&mut self, raw: &Rows<RawReason>) -> Reasons {
        let checked = raw.iter().filter_map(|(name, row)| {
            let reason = self.reason(name, row.span(), row.get_ref())?;
            Some((name.clone(), Arc::new(reason)))
        });
        checked.collect()
    }

    fn reason(&mut self, name: &str, at: Range<usize>, raw: &RawReason) -> Option<Reason> {
        let what = format!("reason {name}");
        let cause = self.one_of(&what, "cause", &at, &raw.cause, Cause::ALL, Cause::name);
        let who = self.who(&what, &at, &raw.who);
        let lasts = self.one_of(&what, "lasts", &at, &raw.lasts, Lasts::ALL, Lasts::name);
        let retry = self.retry(&what, &at, &raw.retry);
        let receipt = self.field(&what, "receipt", &at, &raw.receipt);
        let cardholder = self.field(&what, "cardholder", &at, &raw.cardholder);
        let merchant = self.field(&what, "merchant", &at, &raw.merchant);
        let operator = self.field(&what, "operator", &at, &raw.operator);
        if let Some(receipt) = &receipt {
            self.fits(&what, raw.receipt.as_ref().map_or(at, toml::Spanned::span), receipt);
        }
        Some(Reason {
            name: name.to_owned(),
            cause: cause?,
            who: who?,
            lasts: lasts?,
            retry: retry?,
            receipt: receipt?,
            cardholder: cardholder?,
            merchant: merchant?,
            operator: operator?,
        })
    }

    fn one_of<T: Copy>(
        &mut self,
        what: &str,
        key: &str,
        at: &Range<usize>,
        raw: &Field<String>,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let Some(value) = raw else {
            self.wrong(at.clone(), format!("{what} has no {key}, expected one of {}", names(all, name)));
            return None;
        };
        let found = all.iter().copied().find(|one| name(*one) == value.get_ref());
        if found.is_none() {
            let expected = names(all, name);
            let text = format!("{what} has {key} {:?}, expected one of {expected}", value.get_ref());
            self.wrong(value.span(), text);
        }
        found
    }

    fn who(&mut self, what: &str, at: &Range<usize>, raw: &Field<Vec<String>>) -> Option<Vec<Who>> {
        let expected = names(Who::ALL, Who::name);
        let Some(listed) = raw.as_ref().filter(|listed| !listed.get_ref().is_empty()) else {
            let at = raw.as_ref().map_or(at.clone(), toml::Spanned::span);
            self.wrong(at, format!("{what} says nobody acts, expected some of {expected}"));
            return None;
        };
        let mut who = Vec::with_capacity(listed.get_ref().len());
        for name in listed.get_ref() {
            match Who::from_name(name) {
                Some(found) if !who.contains(&found) => who.push(found),
                Some(_) => self.wrong(listed.span(), format!("{what} names {name:?} twice")),
                None => {
                    self.wrong(listed.span(), format!("{what}: {name:?} acts, expected some of {expected}"));
                }
            }
        }
        Some(who)
    }

    fn retry(&mut self, what: &str, at: &Range<usize>, raw: &Field<RawRetry>) -> Option<Retry> {
        let expected = names(May::ALL, May::name);
        let Some(value) = raw else {
            self.wrong(at.clone(), format!("{what} has no retry, expected may = one of {expected}"));
            return None;
        };
        let (at, raw) = (value.span(), value.get_ref());
        let Some(may) = raw.may.as_deref().and_then(May::from_name) else {
            self.wrong(at, format!("{what} has retry {:?}, expected may = one of {expected}", raw.may));
            return None;
        };
        let change = match may {
            May::Changed => Some(self.said(what, "retry", at.clone(), &raw.en, &raw.zh)?),
            May::No | May::Yes if raw.en.is_some() || raw.zh.is_some() => {
                self.wrong(at.clone(), format!("{what} has a change in its retry, expected may = changed"));
                None
            }
            May::No | May::Yes => None,
        };
        if (may == May::Yes) != raw.after.is_some() {
            self.wrong(at, format!("{what}: `after` (seconds) belongs to a retry that may be = yes"));
        }
        Some(Retry { may, after: raw.after.unwrap_or(0), change })
    }

    fn field(&mut self, what: &str, key: &str, at: &Range<usize>, raw: &Field<RawSaid>) -> Option<Said> {
        match raw {
            Some(said) => {
                let at = said.span();
                self.said(what, key, at, &said.get_ref().en, &said.get_ref().zh)
            }
            None => self.said(what, key, at.clone(), &None, &None),
        }
    }

    pub(crate) fn said(
        &mut self,
        what: &str,
        key: &str,
        at: Range<usize>,
        en: &Option<String>,
        zh: &Option<String>,
    ) -> Option<Said> {
        let there = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (en, zh) = (there(en), there(zh));
        let missing: Vec<_> =
            [("en", &en), ("zh", &zh)].into_iter().filter(|(_, text)| text.is_none()).collect();
        for (language, _) in missing {
            self.wrong(at.clone(), format!("{what} has no {key} in {language:?}"));
        }
        Some(Said { en: en?, zh: zh? })
    }

    /// A receipt text is never cut: it fits everywhere.
    fn fits(&mut self, what: &str, at: Range<usize>, receipt: &Said) {
        for (text, charset) in [(&receipt.en, Charset::Ascii), (&receipt.zh, Charset::Gbk)] {
            match charset.encoded(text) {
                Some(bytes) if bytes.len() <= RECEIPT_MAX => {}
                Some(bytes) => {
                    let len = bytes.len();
                    let text = format!(
                        "{what}: {text:?} is {len} bytes on a receipt, expected {RECEIPT_MAX} at most"
                    );
                    self.wrong(at.clone(), text);
                }
                None => {
                    let text = format!("{what}: {text:?} has characters that {} has not", charset.name());
                    self.wrong(at.clone(), text);
                }
            }
        }
    }
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(" ")
}
