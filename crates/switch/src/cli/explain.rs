//! `explain`: what a code, a cause of ours or one transaction means, whose move it is, and what to try.
//!
//! Never decides anything: the catalogue is read, and the archive as `txn show` reads it. Guards: a code that no table has is shown as
//! itself; a code that schemes mean differently is told once for each meaning.

mod args;
mod asked;
mod show;

pub use args::{EXAMPLES, Explain};

use super::args::ArchiveAt;
use super::{Failure, output, txn};
use crate::config::Config;
use ::archive::{Found, Timeline};
use asked::Asked;
use declines::{Catalogue, Contacts, Explanation, Language};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use terms::{InternalCause, ResponseCode};

/// An explanation, and where it holds.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    explanation: Explanation,
    /// Schemes that mean the same by the code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schemes: Vec<String>,
    /// What others mean by it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<Told>,
}

/// A transaction, and why it ended as it did.
#[derive(Serialize)]
struct Case<'a> {
    #[serde(flatten)]
    explanation: Option<&'a Explanation>,
    archive: &'a super::archive::Lag,
    #[serde(flatten)]
    timeline: &'a Timeline,
}

pub(super) fn run(args: &Explain) -> Result<ExitCode, Failure> {
    if let Some(which) = &args.txn {
        return one(which, args);
    }
    let contacts = match &args.config {
        Some(file) => Config::load(file)?.contacts,
        None => Contacts::new(),
    };
    let read = args.catalogue.as_deref().map(read).transpose()?;
    let asking = Asking {
        catalogue: read.as_ref().unwrap_or_else(|| Catalogue::builtin()),
        lang: args.lang,
        contacts,
    };
    let told = match (Asked::of(args, asking.catalogue)?, args.scheme.as_deref()) {
        (Asked::Internal(cause), scheme) => asking.internal(cause, scheme.unwrap_or(ISO)),
        (Asked::Code(code), Some(scheme)) => asking.under(code, scheme),
        (Asked::Code(code), None) => asking.everywhere(code),
    };
    if args.json {
        output::json(&told)?;
    } else {
        for one in std::iter::once(&told).chain(&told.also) {
            output::print_table(&show::table(&one.explanation, &one.schemes))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A catalogue from a file, checked as the built-in one is.
fn read(file: &Path) -> Result<Catalogue, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|fault| Failure::because(format!("cannot read {name}"), fault))?;
    Catalogue::parse(&text).map_err(|fault| {
        let lines: String = fault.mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
        Failure::new(format!("{} problems in {name}{lines}", fault.mistakes.len()))
    })
}

/// What every explanation needs.
struct Asking<'a> {
    catalogue: &'a Catalogue,
    lang: Language,
    contacts: Contacts,
}

impl Asking<'_> {
    fn internal(&self, cause: InternalCause, scheme: &str) -> Told {
        let explanation = self.catalogue.explain_internal(cause, scheme, self.lang, &self.contacts);
        Told { explanation, schemes: Vec::new(), also: Vec::new() }
    }

    fn under(&self, code: ResponseCode, scheme: &str) -> Told {
        let explanation = self.catalogue.explain_code(scheme, code, self.lang, &self.contacts);
        let schemes = Vec::from_iter(explanation.in_catalogue.then(|| explanation.scheme.clone()));
        Told { explanation, schemes, also: Vec::new() }
    }

    /// Once for each meaning, the one of ISO 8583 first.
    fn everywhere(&self, code: ResponseCode) -> Told {
        let mut told: Vec<(&str, Told)> = Vec::new();
        for scheme in self.catalogue.schemes() {
            let Some(entry) = self.catalogue.find(scheme, &code) else { continue };
            let one = self.under(code, scheme);
            match told.iter_mut().find(|(reason, _)| *reason == entry.reason.name) {
                Some((_, known)) => known.join(one),
                None => told.push((&entry.reason.name, one)),
            }
        }
        let mut told = told.into_iter().map(|(_, one)| one);
        match told.next() {
            Some(first) => Told { also: told.collect(), ..first },
            None => self.under(code, ISO),
        }
    }
}

impl Told {
    /// Another scheme means the same: its own rules are told beside.
    fn join(&mut self, other: Told) {
        let (ours, theirs) = (&mut self.explanation, other.explanation);
        ours.unionpay_class = ours.unionpay_class.take().or(theirs.unionpay_class);
        ours.visa_category = ours.visa_category.take().or(theirs.visa_category);
        if ours.mastercard_advice.is_empty() {
            ours.mastercard_advice = theirs.mastercard_advice;
        }
        self.schemes.extend(other.schemes);
    }
}

/// One transaction, hop by hop.
fn one(which: &str, args: &Explain) -> Result<ExitCode, Failure> {
    let Some(config) = args.config.clone() else {
        return Err(Failure::new("--txn needs --config FILE, which names journal and archive"));
    };
    let at = ArchiveAt { config, archive: args.archive.clone(), json: args.json };
    let Some(found) = txn::look_up(which, &at)? else { return Ok(ExitCode::from(txn::NOTHING)) };
    let explanation = explained(&found.timeline.transaction, &found.config, args.lang);
    if args.json {
        let (archive, timeline) = (&found.lag, &found.timeline);
        output::json(&Case { explanation: explanation.as_ref(), archive, timeline })?;
        return Ok(ExitCode::SUCCESS);
    }
    found.tell_hops()?;
    match &explanation {
        Some(explanation) => output::print_table(&show::table(explanation, &[]))?,
        None => output::print(show::nothing(args.lang))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Why, where it was declined or may still have to be explained.
fn explained(found: &Found, config: &Config, lang: Language) -> Option<Explanation> {
    let catalogue = Catalogue::builtin();
    let contacts = config.contacts_with(found.issuer.as_deref());
    let said = found.code.as_deref().and_then(|code| ResponseCode::new(code.as_bytes()));
    match (found.internal_cause(), said) {
        (Some(InternalCause::IssuerDeclined) | None, Some(code)) if found.is_decline() => {
            let dialect = txn::issuer_dialect(found, config);
            Some(catalogue.explain_code(dialect, code, lang, &contacts))
        }
        (Some(cause), _) => {
            let ours = config.listeners.iter();
            let ours = ours
                .clone()
                .find(|one| one.terms.acquirer.as_str() == found.acquirer)
                .or(ours.clone().next());
            let dialect = ours.map_or(ISO, |listener| listener.dialect.name());
            Some(catalogue.explain_internal(cause, dialect, lang, &contacts))
        }
        (None, _) => None,
    }
}

/// The table that is read where no scheme is named.
const ISO: &str = "iso87";
