//! Which cards go to which issuer.
//! Never lets the first of two rows win by chance. Guards: ranges that half overlap are shown with both lines.

use super::{Known, ceilings};
use crate::config::amount;
use crate::config::notes::Notes;
use crate::config::raw::{self, Texts};
use crate::config::section::Section;
use crate::config::suggest;
use limits::Rule;
use routing::{
    CardType, Condition, Kinds, Range, RangeRow, Readings, Scheme, Span, Table, TableFault, Verdict,
};
use std::collections::HashMap;
use terms::{Currency, IssuerIx, Kind, ProcessingCode};
use toml::Spanned;

type Position = crate::config::source::Span;

/// The table's rows, and the card ceilings that they name by number.
pub(super) fn check(
    known: &Known<'_>,
    limits: &[Option<Rule>],
    notes: &mut Notes,
) -> (Vec<RangeRow>, Vec<Rule>) {
    let mut cards = CardLimits::default();
    let mut rows = Vec::new();
    let mut places = HashMap::new();
    for raw in &known.file.routes {
        let name = written(raw.get_ref()).map(|text| text.get_ref().as_str());
        let mut section = Section::new("route", name, raw.span(), known.source, notes);
        let at = written(raw.get_ref()).map_or(section.span.clone(), Spanned::span);
        let line = known.source.line(at.start);
        places.insert(line, at);
        rows.extend(row(&mut section, raw.get_ref(), known, limits, &mut cards, line));
    }
    clashes(&rows, &places, known, notes);
    (rows, cards.rules)
}

/// The range as it is written.
fn written(raw: &raw::Route) -> Option<&Spanned<String>> {
    raw.prefix.as_ref().or(raw.range.as_ref())
}

fn row(
    section: &mut Section<'_>,
    raw: &raw::Route,
    known: &Known<'_>,
    limits: &[Option<Rule>],
    cards: &mut CardLimits,
    line: usize,
) -> Option<RangeRow> {
    let span = span(section, raw);
    section.required("issuer", &raw.issuer, "the name of an [[issuer]]");
    let issuer = section.name("issuer", &raw.issuer, &known.issuers);
    let scheme = scheme(section, raw);
    let types: Vec<_> = CardType::ALL.iter().map(|kind| (kind.name(), *kind)).collect();
    let card_type = section.choice("card_type", &raw.card_type, &types, CardType::default());
    let conditions: Vec<_> = raw.condition.iter().flatten().collect();
    let conditions: Vec<_> = conditions.into_iter().map(|raw| condition(section, raw)).collect();
    let limits = section.name("limits", &raw.limits, &known.limits).and_then(|at| cards.number(at, limits));
    let flag = |field: &raw::Field<bool>| field.as_ref().is_some_and(|value| *value.get_ref());
    let range = Range {
        issuer: IssuerIx(issuer? as u16),
        scheme: scheme?,
        card_type,
        check_digit: flag(&raw.check_digit),
        expiry: flag(&raw.expiry),
        conditions: conditions.into_iter().collect::<Option<_>>()?,
        limits,
    };
    Some(RangeRow { span: span?, line, range })
}

/// Ceilings in the order in which ranges first name them.
#[derive(Default)]
struct CardLimits {
    rules: Vec<Rule>,
    numbers: HashMap<usize, u16>,
}

impl CardLimits {
    fn number(&mut self, position: usize, limits: &[Option<Rule>]) -> Option<u16> {
        let rule = limits[position].clone()?;
        let next = self.rules.len() as u16;
        let number = *self.numbers.entry(position).or_insert(next);
        if number == next {
            self.rules.push(rule);
        }
        Some(number)
    }
}

fn span(section: &mut Section<'_>, raw: &raw::Route) -> Option<Span> {
    let value = match (&raw.prefix, &raw.range) {
        (Some(prefix), None) => prefix,
        (None, Some(range)) => range,
        (Some(_), Some(range)) => {
            section.problem(range.span(), "range stands beside prefix, expected one of the two");
            return None;
        }
        (None, None) => {
            let text =
                "prefix or range is missing, expected prefix = \"6224\" or range = \"541333..=541399\"";
            section.problem(section.span.clone(), text);
            return None;
        }
    };
    let parsed =
        Span::parse(value.get_ref()).map_err(|fault| section.problem(value.span(), fault.to_string()));
    parsed.ok()
}

fn scheme(section: &mut Section<'_>, raw: &raw::Route) -> Option<Scheme> {
    let value = section.required("scheme", &raw.scheme, SCHEME)?;
    let found = Scheme::from_name(value.get_ref());
    if found.is_none() {
        section.problem(value.span(), format!("scheme = \"{}\", expected {SCHEME}", value.get_ref()));
    }
    found
}

fn condition(section: &mut Section<'_>, raw: &Spanned<raw::Condition>) -> Option<Condition> {
    let (raw, at) = (raw.get_ref(), raw.span());
    let kinds = list(section, "kinds", &raw.kinds, Kind::from_name, |text| {
        suggest::expected(text, Kind::ALL.iter().map(|kind| kind.name()))
    });
    let codes = list(section, "processing_codes", &raw.processing_codes, six_digits, |_| {
        "expected six digits such as \"000000\"".into()
    });
    let currencies = list(section, "currencies", &raw.currencies, amount::currency, |_| {
        "expected letters such as \"CNY\" or three digits".into()
    });
    let readings = list(section, "entry_modes", &raw.entry_modes, two_digits, |_| {
        "expected the first two digits of DE 22, such as \"05\"".into()
    });
    let effects = [
        ("allow", Verdict::Allow),
        ("exclude-card", Verdict::ExcludeCard),
        ("exclude-terminal", Verdict::ExcludeTerminal),
    ];
    if raw.effect.is_none() {
        let expected = "expected \"allow\", \"exclude-card\" or \"exclude-terminal\"";
        section.problem(at.clone(), format!("effect is missing, {expected}"));
    }
    let verdict = section.choice("effect", &raw.effect, &effects, Verdict::default());
    let amounts = amounts(section, raw, &currencies, at);
    Some(Condition {
        kinds: Kinds::of(kinds),
        processing_codes: codes.into(),
        currencies: currencies.into(),
        amounts,
        readings: Readings::of(readings)?,
        verdict,
    })
}

/// The amount band, in minor units; needs currencies that agree on their decimal places.
fn amounts(
    section: &mut Section<'_>,
    raw: &raw::Condition,
    currencies: &[Currency],
    at: Position,
) -> Option<(i64, i64)> {
    if raw.min.is_none() && raw.max.is_none() {
        return None;
    }
    let unit = currencies.first().copied();
    if unit.is_none() || currencies.iter().any(|other| Some(other.exponent()) != unit.map(Currency::exponent))
    {
        let text = "min and max need currencies, all with the same number of decimal places";
        section.problem(at.clone(), text);
    }
    let unit = unit.unwrap_or(Currency::CNY);
    let low = ceilings::money(section, "min", &raw.min, unit).unwrap_or(0);
    let high = ceilings::money(section, "max", &raw.max, unit).unwrap_or(terms::money::AMOUNT_MAX);
    if high < low {
        section.problem(at, "max lies below min, expected min <= max");
    }
    Some((low, high))
}

/// Each text of a list as a value; those that are none are noted.
pub(super) fn list<T>(
    section: &mut Section<'_>,
    key: &str,
    texts: &Texts,
    value: impl Fn(&str) -> Option<T>,
    expected: impl Fn(&str) -> String,
) -> Vec<T> {
    let mut values = Vec::new();
    for text in texts.iter().flatten() {
        match value(text.get_ref()) {
            Some(value) => values.push(value),
            None => {
                let expected = expected(text.get_ref());
                section.problem(text.span(), format!("{key} has \"{}\", {expected}", text.get_ref()));
            }
        }
    }
    values
}

fn six_digits(text: &str) -> Option<ProcessingCode> {
    digits(text, 6).map(ProcessingCode)
}

fn two_digits(text: &str) -> Option<u8> {
    digits(text, 2).map(|number| number as u8)
}

fn digits(text: &str, len: usize) -> Option<u32> {
    (text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Builds the table once to hear what it says, each clash with both lines.
fn clashes(rows: &[RangeRow], places: &HashMap<usize, Position>, known: &Known<'_>, notes: &mut Notes) {
    let overlaps = match Table::build(rows.to_vec()) {
        Ok(_) => return,
        Err(TableFault::Overlaps(overlaps)) => overlaps,
        Err(fault) => return notes.problem(None, "", fault.to_string()),
    };
    let issuer = |line: usize| {
        let row = rows.iter().find(|row| row.line == line)?;
        Some(known.issuers.iter().nth(row.range.issuer.at())?.to_owned())
    };
    for overlap in overlaps {
        // Shown at the later line, pointing back.
        let mut pair = [(overlap.first_line, overlap.first), (overlap.second_line, overlap.second)];
        pair.sort_by_key(|(line, _)| *line);
        let [(earlier_line, earlier), (line, span)] = pair;
        let verb = if overlap.is_twin() { "is the same as" } else { "overlaps" };
        let owner = issuer(earlier_line).unwrap_or_default();
        let text = format!("{verb} {earlier} of issuer \"{owner}\"");
        let place = format!("route \"{span}\"");
        notes.contradiction(places.get(&line).cloned(), places.get(&earlier_line).cloned(), &place, text);
    }
}

const SCHEME: &str = "a mark such as \"CUP\", \"VIS\", \"MCC\" or another name of 1 to 12 letters";
