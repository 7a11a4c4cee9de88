//! Whose move it is: what the catalogue says about a decline.
//! Never decides anything. Guards: our own causes have their own entries, finer than the code that tells them.

use declines::{Catalogue, Reason, Said};
use serde::Serialize;
use terms::{Cause, InternalCause, ResponseCode};

/// What a decline means, and who can do something about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acts {
    /// One of the nine causes, or `unstated`.
    pub cause: &'static str,
    /// Who found it: issuer, limit, risk, registry, format, route, stand_in, system.
    pub source: &'static str,
    /// What the code means, in English and Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<[String; 2]>,
    /// The first one first.
    pub who: Vec<&'static str>,
}

impl Acts {
    /// For a decline of our own, or an issuer's code in its dialect; `None` where neither was said.
    pub fn of(cause: Option<InternalCause>, code: Option<&str>, dialect: &str) -> Option<Self> {
        let catalogue = Catalogue::builtin();
        match (cause, code) {
            (Some(InternalCause::IssuerDeclined) | None, Some(code)) => {
                let find = |dialect| catalogue.find(dialect, &ResponseCode::new(code.as_bytes())?);
                let entry = find(dialect).or_else(|| find(ISO));
                let reason = entry.map_or(catalogue.not_in_catalogue(), |entry| &entry.reason);
                Some(Self::new("issuer", entry.map(|entry| &entry.name), reason))
            }
            (Some(cause), _) => {
                let internal = catalogue.internal(cause);
                Some(Self::new(cause.source().name(), Some(&internal.name), &internal.reason))
            }
            (None, None) => None,
        }
    }

    fn new(source: &'static str, name: Option<&Said>, reason: &Reason) -> Self {
        Self {
            cause: reason.cause.name(),
            source,
            means: name.map(|name| [name.en.clone(), name.zh.clone()]),
            who: reason.who.iter().map(|who| who.name()).collect(),
        }
    }
}

/// What a word of a search means: an internal cause by its name, or all that belong to one of the nine, with the codes of
/// issuers that mean it. `None` for a word that is neither.
pub fn causes(word: &str) -> Option<(Vec<InternalCause>, Vec<String>)> {
    if let Some(cause) = InternalCause::from_name(word) {
        return Some((vec![cause], Vec::new()));
    }
    let cause = Cause::from_name(word)?;
    let ours = InternalCause::ALL.iter().copied().filter(|one| one.cause() == cause).collect();
    let entries = Catalogue::builtin().entries(ISO).iter();
    let codes = entries.filter(|entry| entry.reason.cause == cause && !entry.approves);
    Some((ours, codes.map(|entry| entry.code.as_str().to_owned()).collect()))
}

/// The table that a dialect without one is read by.
const ISO: &str = "iso87";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_cause_and_an_issuers_code_both_say_who_acts() {
        let ours = Acts::of(Some(InternalCause::OverDailyAmount), None, "unionpay-pos").unwrap();
        assert_eq!((ours.cause, ours.source), ("limit", "limit"));
        assert_eq!(ours.means.unwrap()[0], "over our ceiling for one day");
        let theirs = Acts::of(None, Some("51"), "iso87-binary").unwrap();
        assert_eq!((theirs.cause, theirs.source), ("funds", "issuer"));
        assert_eq!(theirs.who[0], "cardholder");
        assert_eq!(Acts::of(None, None, "iso87"), None);
        let unknown = Acts::of(None, Some("Z9"), "iso87").unwrap();
        assert_eq!((unknown.cause, unknown.means, unknown.who), ("unstated", None, vec!["issuer"]));
    }

    #[test]
    fn a_word_is_an_internal_cause_or_one_of_the_nine() {
        assert_eq!(causes("issuer-timeout").unwrap(), (vec![InternalCause::IssuerTimeout], vec![]));
        let (ours, codes) = causes("funds").unwrap();
        assert!(ours.is_empty() && codes.contains(&"51".to_owned()));
        let (ours, codes) = causes("limit").unwrap();
        assert!(ours.contains(&InternalCause::OverSingleAmount) && codes.contains(&"61".to_owned()));
        assert_eq!(causes("weather"), None);
    }
}
