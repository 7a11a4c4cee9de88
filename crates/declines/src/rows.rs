//! From the file as written to checked codes, internal causes and words. Guards: whatever names a reason names one that is there.

use crate::check::{Checking, Reasons};
use crate::raw::{RawEntry, RawInternal, RawReason, RawSaid, Rows};
use crate::{Class, Entry, Internal, Reason, Said};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use terms::{InternalCause, ResponseCode};

impl Checking<'_> {
    /// One code of a scheme.
    pub(crate) fn entry(
        &mut self,
        code: &str,
        row: &toml::Spanned<RawEntry>,
        reasons: &Reasons,
        advice: &BTreeMap<String, Said>,
    ) -> Option<Entry> {
        let before = self.mistakes.len();
        let (at, raw, what) = (row.span(), row.get_ref(), format!("code {code}"));
        let name = self.said(&what, "name", at.clone(), &raw.en, &raw.zh);
        let parsed = self.code(&what, at.clone(), code);
        let class = raw.class.as_deref().map(Class::from_name);
        if class == Some(None) {
            self.wrong(at.clone(), format!("{what} has class {:?}, expected A to E", raw.class));
        }
        if raw.visa.is_some_and(|category| !(1..=4).contains(&category)) {
            self.wrong(at.clone(), format!("{what} has Visa category {:?}, expected 1 to 4", raw.visa));
        }
        for unknown in raw.advice.iter().filter(|code| !advice.contains_key(*code)) {
            self.wrong(at.clone(), format!("{what} has advice {unknown:?}, which [words.advice] has not"));
        }
        let reason = self.referred(&what, at, raw.means.as_deref(), reasons);
        if self.mistakes.len() > before {
            return None;
        }
        Some(Entry {
            code: parsed?,
            name: name?,
            reason: reason?,
            class: class.flatten(),
            visa_category: raw.visa,
            advice: raw.advice.clone(),
            approves: raw.approves,
        })
    }

    fn code(&mut self, what: &str, at: Range<usize>, code: &str) -> Option<ResponseCode> {
        let good = (1..=4).contains(&code.len())
            && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z'));
        if !good {
            self.wrong(at, format!("{what}: {code:?}, expected one to four digits or capital letters"));
            return None;
        }
        ResponseCode::new(code.as_bytes())
    }

    fn referred(
        &mut self,
        what: &str,
        at: Range<usize>,
        name: Option<&str>,
        reasons: &Reasons,
    ) -> Option<Arc<Reason>> {
        let name = name.unwrap_or_default();
        self.used.insert(name.to_owned());
        let found = reasons.get(name).cloned();
        // A reason that is there and wrong has its own mistakes.
        if found.is_none()
            && !self.mistakes.iter().any(|known| known.text.starts_with(&format!("reason {name} ")))
        {
            self.wrong(at, format!("{what} means {name:?}, expected the name of a [means.…]"));
        }
        found
    }

    /// Every internal cause, by number.
    pub(crate) fn internals(
        &mut self,
        raw: &toml::Spanned<Rows<RawInternal>>,
        reasons: &Reasons,
    ) -> Vec<Internal> {
        let rows = raw.get_ref();
        for (name, row) in rows.iter().filter(|(name, _)| InternalCause::from_name(name).is_none()) {
            self.wrong(row.span(), format!("[internal] has {name:?}, which is no internal cause"));
        }
        let mut checked = Vec::with_capacity(InternalCause::ALL.len());
        for cause in InternalCause::ALL {
            match rows.get(cause.name()) {
                Some(row) => checked.extend(self.internal(*cause, row, reasons)),
                None => self.wrong(raw.span(), format!("[internal] has no {cause}")),
            }
        }
        checked
    }

    fn internal(
        &mut self,
        cause: InternalCause,
        row: &toml::Spanned<RawInternal>,
        reasons: &Reasons,
    ) -> Option<Internal> {
        let (at, raw, what) = (row.span(), row.get_ref(), format!("internal cause {cause}"));
        let name = self.said(&what, "name", at.clone(), &raw.en, &raw.zh);
        let reason = self.referred(&what, at.clone(), Some(cause.name()), reasons);
        if let Some(reason) = reason.as_ref().filter(|reason| reason.cause != cause.cause()) {
            let text = format!("{what} has cause {}, expected {}", reason.cause, cause.cause());
            self.wrong(at.clone(), text);
        }
        let wire: Vec<_> = raw
            .wire
            .iter()
            .filter_map(|(table, code)| Some((table.clone(), self.code(&what, at.clone(), code)?)))
            .collect();
        Some(Internal { cause, name: name?, reason: reason?, wire })
    }

    /// A closed set of words: all of `wanted`, nothing else; `wanted` empty: any.
    pub(crate) fn words(
        &mut self,
        table: &str,
        at: Range<usize>,
        raw: &Rows<RawSaid>,
        wanted: &[&str],
    ) -> BTreeMap<String, Said> {
        for missing in wanted.iter().filter(|name| !raw.contains_key(**name)) {
            self.wrong(at.clone(), format!("[words.{table}] has no {missing:?}"));
        }
        let mut words = BTreeMap::new();
        for (name, row) in raw {
            if !wanted.is_empty() && !wanted.contains(&name.as_str()) {
                self.wrong(
                    row.span(),
                    format!("[words.{table}] has {name:?}, expected {}", wanted.join(" ")),
                );
            }
            let said =
                self.said(&format!("word {name}"), table, row.span(), &row.get_ref().en, &row.get_ref().zh);
            words.extend(said.map(|said| (name.clone(), said)));
        }
        words
    }

    /// Reasons that nothing has are mistakes, too.
    pub(crate) fn unused(&mut self, raw: &Rows<RawReason>, besides: &str) {
        for (name, row) in raw.iter().filter(|(name, _)| *name != besides) {
            if !self.used.contains(name) {
                self.wrong(row.span(), format!("reason {name} belongs to no code and no internal cause"));
            }
        }
    }
}
