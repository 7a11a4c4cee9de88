//! Merchants and their terminals.
//! Never takes a terminal twice. Guards: no two of them share a hash, so that the engine never takes one for another.

use super::{Known, peers};
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::section::Section;
use crate::config::source::Span;
use crate::config::types::{ListenerConfig, MerchantConfig, terminal_key};
use engine::snapshot::merchant_key;
use engine::{RefundTerms, Standing};
use limits::Rule;
use std::collections::HashMap;
use terms::Text;
use toml::Spanned;

pub(super) fn check(
    known: &Known<'_>,
    limits: &[Option<Rule>],
    listeners: &[ListenerConfig],
    notes: &mut Notes,
) -> Vec<MerchantConfig> {
    let mut taken = Taken::default();
    let mut checked = Vec::new();
    for raw in &known.file.merchants {
        let id = raw.get_ref().id.as_ref().map(|id| id.get_ref().as_str());
        let mut section = Section::new("merchant", id, raw.span(), known.source, notes);
        let merchant = merchant(&mut section, raw.get_ref(), known, limits, listeners);
        let listed = terminals(&mut section, raw.get_ref());
        let Some(merchant) = merchant else { continue };
        taken.merchant(&mut section, &merchant);
        let terminals = taken.terminals(&mut section, &merchant, listed);
        checked.push(MerchantConfig { terminals, ..merchant });
    }
    checked
}

fn merchant(
    section: &mut Section<'_>,
    raw: &raw::Merchant,
    known: &Known<'_>,
    limits: &[Option<Rule>],
    listeners: &[ListenerConfig],
) -> Option<MerchantConfig> {
    let id = section.required("id", &raw.id, "DE 42: 1 to 15 characters");
    let id = id.and_then(|id| peers::identity(section, "id", id));
    let acquirer = acquirer(section, raw, listeners);
    let rule = |position: Option<usize>| position.and_then(|position| limits[position].clone());
    let own = rule(section.name("limits", &raw.limits, &known.limits));
    let each = rule(section.name("terminal_limits", &raw.terminal_limits, &known.limits));
    let standings = [("active", Standing::Active), ("suspended", Standing::Suspended)];
    let standing = section.choice("status", &raw.status, &standings, Standing::Active);
    let any_terminal = any_terminal(section, raw, acquirer, listeners);
    Some(MerchantConfig {
        id: id?,
        acquirer: acquirer?,
        standing,
        limits: own,
        terminal_limits: each,
        terminals: Vec::new(),
        any_terminal,
        refund: refund(section, raw),
    })
}

fn refund(section: &mut Section<'_>, raw: &raw::Merchant) -> RefundTerms {
    let usual = RefundTerms::default();
    RefundTerms {
        days: section.number("refund_days", &raw.refund_days, 0..=3_650, usual.days),
        percent: section.number("refund_percent", &raw.refund_percent, 0..=100, usual.percent),
        same_card: raw.refund_same_card.as_ref().map_or(usual.same_card, |same| *same.get_ref()),
    }
}

/// The merchant's own acquirer, else that of all listeners.
fn acquirer(
    section: &mut Section<'_>,
    raw: &raw::Merchant,
    listeners: &[ListenerConfig],
) -> Option<Text<11>> {
    if let Some(value) = &raw.acquirer {
        return peers::institution(section, "acquirer", value);
    }
    let first = listeners.first()?.terms.acquirer;
    if listeners.iter().any(|listener| listener.terms.acquirer != first) {
        let text = "acquirer is missing, expected one since the listeners have several";
        section.problem(section.span.clone(), text);
    }
    Some(first)
}

/// Whether "*" stands among the terminals, which only a listener that asks for no registration can honour.
fn any_terminal(
    section: &mut Section<'_>,
    raw: &raw::Merchant,
    acquirer: Option<Text<11>>,
    listeners: &[ListenerConfig],
) -> bool {
    let Some(star) = raw.terminals.iter().flatten().find(|text| text.get_ref() == "*") else { return false };
    let strict = listeners
        .iter()
        .find(|listener| listener.terms.registered_only && Some(listener.terms.acquirer) == acquirer);
    if let Some(listener) = strict {
        let text = format!(
            "terminals has \"*\", but listener \"{}\" takes registered terminals only; expected terminals = \"any\" there",
            listener.name
        );
        section.problem(star.span(), text);
    }
    true
}

/// A terminal's DE 41, its standing and where it was listed.
type Listed = (Text<16>, Standing, Span);

fn terminals(section: &mut Section<'_>, raw: &raw::Merchant) -> Vec<Listed> {
    let mut listed = Vec::new();
    let active = raw.terminals.iter().flatten().map(|text| (text, Standing::Active));
    let suspended = raw.suspended.iter().flatten().map(|text| (text, Standing::Suspended));
    for (text, standing) in active.chain(suspended).filter(|(text, _)| text.get_ref() != "*") {
        let room = TERMINALS_MAX - listed.len().min(TERMINALS_MAX);
        let span = text.span();
        listed.extend(expanded(section, text, room).into_iter().map(|id| (id, standing, span.clone())));
    }
    listed
}

/// One terminal, or those from `T0001..=T0100`.
fn expanded(section: &mut Section<'_>, value: &Spanned<String>, room: usize) -> Vec<Text<16>> {
    let Some((low, high)) = value.get_ref().split_once("..=") else {
        return peers::identity(section, "terminals", value).into_iter().collect();
    };
    let Some((prefix, numbers)) = numbered(low, high) else {
        let expected = "expected two ends that differ in their last digits only, such as \"T0001..=T0100\"";
        section.problem(value.span(), format!("terminals has \"{}\", {expected}", value.get_ref()));
        return Vec::new();
    };
    if numbers.clone().count() > room {
        section.problem(
            value.span(),
            format!("\"{}\" makes more than {TERMINALS_MAX} terminals", value.get_ref()),
        );
        return Vec::new();
    }
    let width = low.len() - prefix.len();
    numbers.filter_map(|number| Text::new(format!("{prefix}{number:0width$}").as_bytes())).collect()
}

/// The common beginning of two ends, and the numbers that follow it.
fn numbered<'t>(low: &'t str, high: &str) -> Option<(&'t str, std::ops::RangeInclusive<u64>)> {
    let digits = low.bytes().rev().take_while(u8::is_ascii_digit).count();
    let fits = low.len() == high.len() && low.len() <= 16 && low.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits || digits == 0 {
        return None;
    }
    let (prefix, first) = low.split_at(low.len() - digits);
    let last = high.strip_prefix(prefix)?;
    let plain = last.bytes().all(|byte| byte.is_ascii_digit());
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (plain && first <= last).then_some((prefix, first..=last))
}

/// Hashes of merchants and terminals so far, and where they stand.
#[derive(Default)]
struct Taken {
    merchants: HashMap<u64, (Text<11>, Text<15>, Span)>,
    terminals: HashMap<u64, (Text<15>, Text<16>, Span)>,
}

impl Taken {
    fn merchant(&mut self, section: &mut Section<'_>, merchant: &MerchantConfig) {
        let entry = (merchant.acquirer, merchant.id, section.span.clone());
        let Some(other) = self.merchants.insert(merchant_key(&merchant.acquirer, &merchant.id), entry) else {
            return;
        };
        let text = match (other.0, other.1) == (merchant.acquirer, merchant.id) {
            true => "this merchant stands already".to_owned(),
            false => format!("has the same hash as merchant \"{}\"; one of them needs another id", other.1),
        };
        section.contradiction(section.span.clone(), other.2, text);
    }

    /// The terminals that are new; a repeated one is noted once.
    fn terminals(
        &mut self,
        section: &mut Section<'_>,
        merchant: &MerchantConfig,
        listed: Vec<Listed>,
    ) -> Vec<(Text<16>, Standing)> {
        let mut kept = Vec::with_capacity(listed.len());
        let mut noted = None;
        for (id, standing, span) in listed {
            let key = terminal_key(&merchant.acquirer, &merchant.id, &id);
            match self.terminals.insert(key, (merchant.id, id, span.clone())) {
                None => kept.push((id, standing)),
                // A range that meets another range would fill pages with the same mistake.
                Some(_) if noted.as_ref() == Some(&span) => {}
                Some(other) => {
                    noted = Some(span.clone());
                    self.met(section, merchant, &id, span, other);
                }
            }
        }
        kept
    }

    fn met(
        &self,
        section: &mut Section<'_>,
        merchant: &MerchantConfig,
        id: &Text<16>,
        span: Span,
        other: (Text<15>, Text<16>, Span),
    ) {
        let text = match (other.0, other.1) == (merchant.id, *id) {
            true => format!("terminal \"{id}\" stands already"),
            false => format!(
                "terminal \"{id}\" has the same hash as \"{}\" of merchant \"{}\"; one of them needs another id",
                other.1, other.0
            ),
        };
        section.contradiction(span, other.2, text);
    }
}

/// Terminals of one merchant: each costs about 100 bytes.
const TERMINALS_MAX: usize = 5_000_000;

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn ranges_of_terminals_count_their_last_digits() {
        for (low, high, expected) in [
            ("T0001", "T0100", Some(("T", 1..=100))),
            ("10000001", "10000003", Some(("", 10_000_001..=10_000_003))),
            ("A9B7", "A9B9", Some(("A9B", 7..=9))),
            ("T1", "T10", None),
            ("T2", "T1", None),
            ("T1", "U2", None),
            ("TX", "TY", None),
            ("T 1", "T 2", None),
        ] {
            assert_eq!(numbered(low, high), expected, "{low}..={high}");
        }
    }
}
