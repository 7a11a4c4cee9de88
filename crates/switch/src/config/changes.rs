//! What a running switch can take from a new file, and what it cannot.
//!
//! Never says whether a file is right: that is for `check`, before. Guards: whatever sockets, threads, tables and the
//! journal were made from stays as it was at start; each difference there is shown with its line in the new file.

use super::notes::{Notes, Problem};
use super::source::{Source, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Every difference that needs a restart; both texts are known to be configurations.
pub fn fixed(running: &Source, new: &Source) -> Vec<Problem> {
    let (old, _) = DeTable::parse_recoverable(running.text());
    let (new, _) = DeTable::parse_recoverable(new.text());
    let (old, new) = (old.get_ref(), new.get_ref());
    let mut found = Found::default();
    for name in old.keys().chain(new.keys()).map(|key| key.get_ref().as_ref()) {
        if !FREE_SECTIONS.contains(&name) && !found.seen(name) {
            let free =
                FREE_KEYS.iter().find(|(section, _)| *section == name).map_or(&[][..], |(_, keys)| keys);
            found.compare(&Place::section(name, free), old.get(name), new.get(name));
        }
    }
    found.notes.into_parts().0
}

/// Sections that only the snapshot is made of.
const FREE_SECTIONS: [&str; 4] = ["contacts", "limits", "route", "merchant"];

/// Keys of the other sections that no socket, thread or table was made from.
const FREE_KEYS: [(&str, &[&str]); 3] = [
    ("switch", &["answer_margin_ms"]),
    ("archive", &["cpu_percent", "paused"]),
    (
        "issuer",
        &[
            "calendar",
            "limits",
            "timeout_ms",
            "reversal_timeout_ms",
            "retry_first_ms",
            "retry_max_ms",
            "quarantine_after",
            "grace_ms",
            "require_approval_code",
            "completion_percent",
            "stand_in",
            "saf_max",
            "saf_high_water",
            "saf_window",
            "contact",
        ],
    ),
];

/// Where the comparison is, as people call it: section and path of keys.
struct Place<'a> {
    section: String,
    key: String,
    free: &'a [&'a str],
    /// The section's header in the new file.
    header: Option<Span>,
}

impl<'a> Place<'a> {
    fn section(name: &str, free: &'a [&'a str]) -> Self {
        Self { section: name.to_owned(), key: String::new(), free, header: None }
    }

    /// One of several sections of a kind, by its name.
    fn element(&self, value: Option<&Spanned<DeValue<'_>>>) -> Self {
        let name = value.and_then(|value| value.get_ref().get("name")?.get_ref().as_str());
        let outer = match self.key.as_str() {
            "" => self.section.clone(),
            key => format!("{}, {key}", self.section),
        };
        let section = name.map_or(outer.clone(), |name| format!("{outer} \"{name}\""));
        Self { section, key: String::new(), free: self.free, header: None }
    }

    fn key(&self, key: &str, header: Option<Span>) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { section: self.section.clone(), key, free: &[], header }
    }
}

#[derive(Default)]
struct Found {
    notes: Notes,
    sections: Vec<String>,
}

type Value<'v, 'i> = Option<&'v Spanned<DeValue<'i>>>;

impl Found {
    fn seen(&mut self, name: &str) -> bool {
        let seen = self.sections.iter().any(|section| section == name);
        self.sections.push(name.to_owned());
        seen
    }

    fn compare(&mut self, place: &Place<'_>, old: Value<'_, '_>, new: Value<'_, '_>) {
        match (old.map(Spanned::get_ref), new.map(Spanned::get_ref)) {
            (Some(DeValue::Table(before)), Some(DeValue::Table(after))) => {
                let header = new.map(Spanned::span);
                self.tables(place, before, after, header);
            }
            (Some(DeValue::Array(before)), Some(DeValue::Array(after))) => {
                for at in 0..before.len().max(after.len()) {
                    let (before, after) = (before.get(at), after.get(at));
                    self.compare(&place.element(after.or(before)), before, after);
                }
            }
            (Some(before), Some(after)) if same(before, after) => {}
            (None, None) => {}
            (before, after) => self.differs(place, before.is_some(), after.is_some(), new.map(Spanned::span)),
        }
    }

    fn tables(&mut self, place: &Place<'_>, old: &DeTable<'_>, new: &DeTable<'_>, header: Option<Span>) {
        let added = new.keys().filter(|key| old.get(key.get_ref().as_ref()).is_none());
        for key in old.keys().chain(added).map(|key| key.get_ref().as_ref()) {
            if !place.free.contains(&key) {
                self.compare(&place.key(key, header.clone()), old.get(key), new.get(key));
            }
        }
    }

    fn differs(&mut self, place: &Place<'_>, was: bool, is: bool, span: Option<Span>) {
        let what = if place.key.is_empty() { "the section" } else { place.key.as_str() };
        let verb = match (was, is) {
            (false, _) => "is not what the switch was started with",
            (_, false) => "is gone since the switch was started",
            (true, true) => "has changed since the switch was started",
        };
        let text = format!("{what} {verb}: that takes a restart");
        let span = span.or(place.header.clone());
        self.notes.problem(span, &place.section, text);
    }
}

/// By value, not by spelling: `5_000` is `5000`.
fn same(one: &DeValue<'_>, other: &DeValue<'_>) -> bool {
    match (one, other) {
        (DeValue::String(one), DeValue::String(other)) => one == other,
        (DeValue::Boolean(one), DeValue::Boolean(other)) => one == other,
        (DeValue::Integer(one), DeValue::Integer(other)) => number(one) == number(other),
        (DeValue::Float(one), DeValue::Float(other)) => one.as_str() == other.as_str(),
        (DeValue::Datetime(one), DeValue::Datetime(other)) => one == other,
        _ => false,
    }
}

fn number(integer: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_may_change() {
        let page = include_str!("../../../../deploy/README.md");
        let part = page.split("## What can change without a restart").nth(1).expect("the part");
        let part = part.split("\n## ").next().expect("its text");
        let named: Vec<&str> = part.split('`').skip(1).step_by(2).collect();
        for (section, keys) in FREE_KEYS {
            keys.iter().for_each(|key| assert!(named.contains(key), "[{section}] {key} is not on the page"));
        }
    }
}
