//! Text to raw form. A mistake is written down, cut out of the tree, and reading goes on, so that all are found.
//! Never gives a value that stood at a mistake. Guards: reading ends, since every step cuts something out or stops.

use super::notes::Notes;
use super::raw::{self, File};
use super::source::{Source, Span};
use super::suggest;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The raw form of `source`; whatever could not be read is missing from it and noted. `None` where the text is not TOML:
/// what a broken line leaves behind is not what was meant, so only the grammar is reported then.
pub fn read(source: &Source, notes: &mut Notes) -> Option<File> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    for error in &errors {
        notes.problem(error.span(), "", format!("not TOML: {}", error.message().to_lowercase()));
    }
    errors.is_empty().then(|| sections(document.into_inner(), notes))
}

fn sections(document: DeTable<'_>, notes: &mut Notes) -> File {
    let mut file = File::default();
    for (key, value) in document {
        match key.get_ref().as_ref() {
            "switch" => file.switch = one(value, "switch", notes),
            "admin" => file.admin = one(value, "admin", notes),
            "journal" => file.journal = one(value, "journal", notes),
            "archive" => file.archive = one(value, "archive", notes),
            "contacts" => file.contacts = one(value, "contacts", notes),
            "calendar" => file.calendars = many(value, "calendar", notes),
            "limits" => file.limits = many(value, "limits", notes),
            "listener" => file.listeners = many(value, "listener", notes),
            "issuer" => file.issuers = many(value, "issuer", notes),
            "route" => file.routes = many(value, "route", notes),
            "merchant" => file.merchants = many(value, "merchant", notes),
            unknown => {
                let text = format!("unknown section [{unknown}], {}", suggest::expected(unknown, SECTIONS));
                notes.problem(Some(key.span()), "", text);
            }
        }
    }
    file
}

/// A section written once: `[name]`.
fn one<T: DeserializeOwned + Default>(
    value: Spanned<DeValue<'_>>,
    place: &str,
    notes: &mut Notes,
) -> raw::Field<T> {
    let span = value.span();
    if !matches!(value.get_ref(), DeValue::Table(_)) {
        notes.problem(Some(span), place, format!("expected one section [{place}]"));
        return None;
    }
    Some(Spanned::new(span, table(value, place, notes)))
}

/// A section written as often as needed: `[[name]]`.
fn many<T: DeserializeOwned + Default>(
    value: Spanned<DeValue<'_>>,
    place: &str,
    notes: &mut Notes,
) -> Vec<Spanned<T>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(elements) => {
            elements.into_iter().filter_map(|element| one(element, place, notes)).collect()
        }
        _ => {
            notes.problem(Some(span), place, format!("expected sections [[{place}]], with two brackets"));
            Vec::new()
        }
    }
}

fn table<T: DeserializeOwned + Default>(
    mut value: Spanned<DeValue<'_>>,
    place: &str,
    notes: &mut Notes,
) -> T {
    let name = named(&value, place);
    loop {
        let error = match T::deserialize(value.clone().into_deserializer()) {
            Ok(section) => return section,
            Err(error) => error,
        };
        let at = error.span();
        notes.problem(at.clone(), &name, explained(error.message()));
        if !at.is_some_and(|at| cut(value.get_mut(), &at)) {
            return T::default();
        }
    }
}

/// `issuer "b"` if the section says its name, else `issuer`.
fn named(value: &Spanned<DeValue<'_>>, place: &str) -> String {
    let name = ["name", "id"].iter().find_map(|key| value.get_ref().get(*key)?.get_ref().as_str());
    name.map_or(place.to_owned(), |name| format!("{place} \"{name}\""))
}

/// Removes the innermost key or element at `at`. The span of a table is that of its header, so all of it is searched.
fn cut(value: &mut DeValue<'_>, at: &Span) -> bool {
    match value {
        DeValue::Table(table) => {
            if table.iter_mut().any(|(_, inner)| cut(inner.get_mut(), at)) {
                return true;
            }
            let holding =
                table.iter().find(|(key, value)| holds(&key.span(), at) || holds(&value.span(), at));
            let Some(key) = holding.map(|(key, _)| key.clone()) else { return false };
            table.remove(&key).is_some()
        }
        DeValue::Array(elements) => {
            if elements.iter_mut().any(|inner| cut(inner.get_mut(), at)) {
                return true;
            }
            let Some(position) = elements.iter().position(|element| holds(&element.span(), at)) else {
                return false;
            };
            let others = elements.iter().enumerate().filter(|(index, _)| *index != position);
            *elements = others.map(|(_, element)| element.clone()).collect();
            true
        }
        _ => false,
    }
}

fn holds(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// serde's words in ours; for an unknown key the one that was probably meant.
fn explained(message: &str) -> String {
    let mut parts = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field"), parts.next()) {
        (true, Some(unknown)) => {
            let known: Vec<_> = parts.collect();
            let meant = suggest::nearest(unknown, known.iter().copied());
            let hint = meant.map_or_else(
                || format!("expected one of {}", known.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            format!("unknown key `{unknown}`, {hint}")
        }
        _ => message.replace("invalid type: ", "found ").replace("expected i64", "expected a whole number"),
    }
}

const SECTIONS: [&str; 11] = [
    "switch", "admin", "journal", "archive", "contacts", "calendar", "limits", "listener", "issuer", "route",
    "merchant",
];
