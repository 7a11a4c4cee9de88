//! What terminals are told beside a code, and how parties are reached.
//! Never more than the catalogue says. Guards: a text is promised only where the dialect has room for it, in characters that fit.

use super::Known;
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::raw::Field;
use crate::config::section::Section;
use crate::config::types::{Explaining, IssuerConfig, ListenerConfig};
use declines::{Catalogue, Charset, Contacts, Language, ROOM_MIN, Slips, Who, Wording};
use iso8583::{Dialect, TextPlace};
use std::sync::Arc;
use toml::Spanned;

/// Where a listener's texts go and how they are written; `None`: its answers have none.
pub(super) fn check(
    section: &mut Section<'_>,
    raw: &Field<raw::Explanation>,
    dialect: &Dialect,
) -> Option<Explaining> {
    let none = raw::Explanation::default();
    let given = raw.as_ref().map_or(&none, Spanned::get_ref);
    let place = place(section, &given.field, dialect)?;
    let languages = Language::ALL.iter().map(|language| (language.name(), *language)).collect::<Vec<_>>();
    let usual = if dialect.name().starts_with("unionpay") { Language::Zh } else { Language::En };
    let usual = if place.takes_any_bytes() { usual } else { Language::En };
    let language = section.choice("explanation.language", &given.language, &languages, usual);
    let charsets = [Charset::Gbk, Charset::Utf8, Charset::Ascii].map(|charset| (charset.name(), charset));
    let usual = if language == Language::Zh { Charset::Gbk } else { Charset::Ascii };
    let charset = section.choice("explanation.charset", &given.charset, &charsets, usual);
    if language == Language::Zh && (charset == Charset::Ascii || !place.takes_any_bytes()) {
        let at =
            given.language.as_ref().or(given.charset.as_ref()).map_or(section.span.clone(), Spanned::span);
        let text = "explanation.language = \"zh\" needs gbk or utf-8, in a field that takes any bytes";
        section.problem(at, text);
    }
    let wording = Wording { language, charset, room: place.room() };
    let slips = Arc::new(Slips::new(Catalogue::builtin(), wording, std::iter::empty()));
    Some(Explaining { place, wording, slips })
}

fn place(section: &mut Section<'_>, field: &Field<String>, dialect: &Dialect) -> Option<TextPlace> {
    let Some(value) = field else { return dialect.text_place().filter(|place| place.room() >= ROOM_MIN) };
    if value.get_ref() == "none" {
        return None;
    }
    let place = dialect.text_place_at(value.get_ref()).filter(|place| place.room() >= ROOM_MIN);
    if place.is_none() {
        let own = dialect.text_place().map_or("", |_| " (left out: the dialect's own)");
        let text = format!(
            "explanation.field = \"{}\", expected \"none\" or a field of {} with room for {ROOM_MIN} bytes of text{own}",
            value.get_ref(),
            dialect.name()
        );
        section.problem(value.span(), text);
    }
    place
}

/// What a code means is for those to say who send it.
pub(super) fn with_issuers(listeners: &mut [ListenerConfig], issuers: &[IssuerConfig]) {
    for explaining in listeners.iter_mut().filter_map(|listener| listener.explaining.as_mut()) {
        let dialects = issuers.iter().map(|issuer| issuer.dialect.name());
        explaining.slips = Arc::new(Slips::new(Catalogue::builtin(), explaining.wording, dialects));
    }
}

/// How parties are reached.
pub(super) fn contacts(known: &Known<'_>, notes: &mut Notes) -> Contacts {
    let Some(raw) = &known.file.contacts else { return Contacts::new() };
    let mut section = Section::new("contacts", None, raw.span(), known.source, notes);
    let raw = raw.get_ref();
    let all = [
        (Who::Cardholder, &raw.cardholder),
        (Who::Issuer, &raw.issuer),
        (Who::Merchant, &raw.merchant),
        (Who::Acquirer, &raw.acquirer),
        (Who::Network, &raw.network),
    ];
    all.into_iter()
        .filter_map(|(who, field)| Some((who, contact(&mut section, who.name(), field)?)))
        .collect()
}

/// A line of text that people can act on.
pub(super) fn contact(section: &mut Section<'_>, key: &str, field: &Field<String>) -> Option<String> {
    let value = field.as_ref()?;
    let text = value.get_ref().trim();
    let length = text.chars().count();
    if length == 0 || length > CONTACT_MAX || text.chars().any(char::is_control) {
        let text = format!("{key} = {:?}, expected 1 to {CONTACT_MAX} printable characters", value.get_ref());
        section.problem(value.span(), text);
    }
    Some(text.to_owned())
}

/// A number, a mail address, a page: not a procedure.
const CONTACT_MAX: usize = 120;
