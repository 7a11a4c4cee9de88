//! What may be approved in an issuer's stead.
//! Never lets stand-in without ceilings pass. Guards: amount, day and count are bounded for every card.

use super::Known;
use super::routes::list;
use crate::config::raw;
use crate::config::section::Section;
use crate::config::suggest;
use engine::StandInTerms;
use limits::Rule;
use terms::{Kind, Text};

pub(super) fn check(
    section: &mut Section<'_>,
    raw: &raw::Field<raw::StandIn>,
    known: &Known<'_>,
    limits: &[Option<Rule>],
) -> Option<StandInTerms> {
    let (raw, span) = (raw.as_ref()?.get_ref(), raw.as_ref()?.span());
    section.required("stand_in.limits", &raw.limits, "the name of [[limits]]");
    let rule = section.name("stand_in.limits", &raw.limits, &known.limits);
    let rule = rule.and_then(|position| limits[position].clone())?;
    let bounds = rule.ceilings();
    if bounds.single.is_none() || bounds.daily.is_none() || bounds.count.is_none() {
        section.problem(span, "stand_in.limits has no single, daily or count, expected all three");
        return None;
    }
    let kinds = list(section, "stand_in.kinds", &raw.kinds, kind, |text| {
        suggest::expected(text, KINDS.iter().map(|kind| kind.name()))
    });
    let merchants =
        list(section, "stand_in.merchants", &raw.merchants, merchant, |_| "expected a DE 42".into());
    let never = list(section, "stand_in.never_categories", &raw.never_categories, category, |_| {
        "expected four digits such as \"6011\"".into()
    });
    let kinds = if raw.kinds.is_some() { kinds } else { vec![Kind::Purchase] };
    let never = if raw.never_categories.is_some() { never } else { NEVER.to_vec() };
    Some(StandInTerms { kinds, merchants, never, rule })
}

fn kind(text: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.name() == text)
}

fn merchant(text: &str) -> Option<Text<15>> {
    Text::new(text.as_bytes()).filter(|merchant| !merchant.trimmed().is_empty())
}

fn category(text: &str) -> Option<u16> {
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// What the engine can stand in for.
const KINDS: [Kind; 2] = [Kind::Purchase, Kind::PreAuth];
/// Cash, money transfer, gambling: as good as cash, and gone.
const NEVER: [u16; 5] = [4_829, 6_010, 6_011, 6_051, 7_995];
