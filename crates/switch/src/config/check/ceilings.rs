//! Calendars and named ceilings.
//! Never guesses a currency. Guards: a ceiling is a whole number of minor units that a counter can hold.

use super::Known;
use crate::config::amount;
use crate::config::notes::Notes;
use crate::config::raw::{self, Field};
use crate::config::section::Section;
use crate::config::types::CalendarConfig;
use limits::{Calendar, Ceilings, OtherCurrency, Rule};
use terms::{Currency, Minor};

pub(super) fn calendars(known: &Known<'_>, notes: &mut Notes) -> Vec<CalendarConfig> {
    let mut checked = Vec::new();
    for raw in &known.file.calendars {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let mut section = Section::new("calendar", name, raw.span(), known.source, notes);
        if let Some(calendar) = calendar(&mut section, raw.get_ref()) {
            let name = name.unwrap_or_default().to_owned();
            checked.push(CalendarConfig { id: terms::stable_id(&name), name, calendar });
        }
    }
    checked
}

fn calendar(section: &mut Section<'_>, raw: &raw::Calendar) -> Option<Calendar> {
    let zone = section.required("zone", &raw.zone, "an IANA name such as \"Asia/Shanghai\"");
    let cutover = section.required("cutover", &raw.cutover, "a time of day such as \"23:00\"");
    let (zone, cutover) = (zone?, cutover?);
    // Each alone first: a wrong zone must not hide a wrong cutover, nor the other way round.
    for (zone_text, cutover_text, at) in
        [(zone.get_ref().as_str(), "00:00", zone.span()), ("UTC", cutover.get_ref().as_str(), cutover.span())]
    {
        if let Err(fault) = Calendar::new(zone_text, cutover_text) {
            section.problem(at, fault.to_string());
        }
    }
    Calendar::new(zone.get_ref(), cutover.get_ref()).ok()
}

/// By the position of their names; `None` where a mistake was noted.
pub(super) fn limits(known: &Known<'_>, notes: &mut Notes) -> Vec<Option<Rule>> {
    let rule = |raw: &toml::Spanned<raw::Limits>, notes: &mut Notes| {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let mut section = Section::new("limits", name, raw.span(), known.source, notes);
        rule(&mut section, raw.get_ref())
    };
    known.file.limits.iter().map(|raw| rule(raw, notes)).collect()
}

fn rule(section: &mut Section<'_>, raw: &raw::Limits) -> Option<Rule> {
    let own = ceilings(section, &raw.currency, &raw.single, &raw.daily, &raw.count);
    // Collected in two steps, so that a mistake in one does not hide those of the next.
    let others: Vec<_> = raw.other.iter().flatten().map(|other| other.get_ref()).collect();
    let others: Vec<_> = others
        .into_iter()
        .map(|other| ceilings(section, &other.currency, &other.single, &other.daily, &other.count))
        .collect();
    let others: Option<Vec<_>> = others.into_iter().collect();
    let rest = section.choice(
        "other_currency",
        &raw.other_currency,
        &[("refuse", OtherWord::Refuse), ("ignore", OtherWord::Ignore)],
        OtherWord::Refuse,
    );
    if let (Some([_, ..]), Some(word)) = (raw.other.as_deref(), &raw.other_currency) {
        let text = "other_currency stands beside [[limits.other]], expected one of the two";
        section.problem(word.span(), text);
    }
    let other = match (others?, rest) {
        (others, _) if !others.is_empty() => OtherCurrency::Own(others.into()),
        (_, OtherWord::Refuse) => OtherCurrency::Refuse,
        (_, OtherWord::Ignore) => OtherCurrency::Ignore,
    };
    let made = Rule::new(own?, other);
    made.map_err(|fault| section.problem(section.span.clone(), fault.to_string())).ok()
}

#[derive(Clone, Copy)]
enum OtherWord {
    Refuse,
    Ignore,
}

fn ceilings(
    section: &mut Section<'_>,
    currency: &Field<String>,
    single: &Field<String>,
    daily: &Field<String>,
    count: &Field<i64>,
) -> Option<Ceilings> {
    let named = section.required("currency", currency, CURRENCY)?;
    let found = amount::currency(named.get_ref());
    if found.is_none() {
        section.problem(named.span(), format!("currency = \"{}\", expected {CURRENCY}", named.get_ref()));
    }
    let currency = found?;
    let single = money(section, "single", single, currency);
    let daily = money(section, "daily", daily, currency);
    let count = count.as_ref().map(|_| section.number("count", count, 1..=u32::MAX, 1));
    Some(Ceilings { currency, single, daily, count })
}

/// An amount of `currency`, if the key is there.
pub(super) fn money(
    section: &mut Section<'_>,
    key: &str,
    field: &Field<String>,
    currency: Currency,
) -> Option<Minor> {
    let value = field.as_ref()?;
    let found = amount::minor(value.get_ref(), currency.exponent());
    if found.is_none() {
        let places = currency.exponent();
        let text = format!(
            "{key} = \"{}\", expected an amount such as \"5000\" with at most {places} decimal places",
            value.get_ref()
        );
        section.problem(value.span(), text);
    }
    found
}

const CURRENCY: &str = "letters such as \"CNY\" or three digits such as \"156\"";
