//! What somebody wants explained: a code, a cause by its name, or the id on a receipt.
//! Never guesses a scheme. Guards: a name that is none is refused with the one that was probably meant.

use super::super::Failure;
use super::Explain;
use declines::{Catalogue, from_explanation_id};
use terms::{InternalCause, ResponseCode};

pub(super) enum Asked {
    Code(ResponseCode),
    Internal(InternalCause),
}

impl Asked {
    pub(super) fn of(args: &Explain, catalogue: &Catalogue) -> Result<Self, Failure> {
        known_scheme(args.scheme.as_deref(), catalogue)?;
        if let Some(cause) = args.internal {
            return Ok(Self::Internal(cause));
        }
        let what = args.what.as_deref().unwrap_or_default().trim();
        // A code comes first: two characters are never an id.
        match from_explanation_id(what).or_else(|| InternalCause::from_name(what)) {
            Some(cause) => Ok(Self::Internal(cause)),
            None => code(what),
        }
    }
}

fn code(text: &str) -> Result<Asked, Failure> {
    let capitals = text.to_ascii_uppercase();
    let good = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = ResponseCode::new(capitals.as_bytes()).filter(|_| good);
    code.map(Asked::Code).ok_or_else(|| {
        let expected =
            "expected a response code of one to four characters, an internal cause, or an id such as E13";
        let meant = internal(text)
            .err()
            .and_then(|text| text.split_once("; ").map(|(_, meant)| format!("; {meant}")));
        Failure::new(format!("{text:?}: {expected}{}", meant.unwrap_or_default()))
    })
}

fn known_scheme(scheme: Option<&str>, catalogue: &Catalogue) -> Result<(), Failure> {
    let Some(scheme) = scheme.filter(|scheme| catalogue.entries(scheme).is_empty()) else {
        return Ok(());
    };
    let expected = crate::config::expected(scheme, catalogue.schemes());
    Err(Failure::new(format!("--scheme {scheme:?}: {expected}")))
}

/// For the command line: the name of an internal cause.
pub(super) fn internal(name: &str) -> Result<InternalCause, String> {
    let names = InternalCause::ALL.iter().map(|cause| cause.name());
    InternalCause::from_name(name)
        .or_else(|| from_explanation_id(name))
        .ok_or_else(|| crate::config::expected(name, names))
}

/// For the command line: a language.
pub(super) fn language(name: &str) -> Result<declines::Language, String> {
    let names = declines::Language::ALL.iter().map(|language| language.name());
    declines::Language::from_name(name).ok_or_else(|| crate::config::expected(name, names))
}
