//! What an answer's code means: approved or not, the cause, and whose move it is.
//! Never decides anything: the dialect's lists and the catalogue are read. Guards: a code in no list counts as declined.

use declines::Catalogue;
use iso8583::{CodeVerdict, Dialect};
use serde::Serialize;
use std::fmt;
use terms::{Answer, Cause};

/// An answer, explained.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    /// DE 39; empty if there was none.
    pub code: String,
    /// The dialect lists the code as approving.
    pub approved: bool,
    /// Short names of the code, if the catalogue has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// One of the nine causes, or `unstated`; absent if approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// Who can do something about it, the first one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub who_acts: Vec<&'static str>,
}

/// Short names of a code.
#[derive(Debug, Serialize)]
pub(super) struct Meaning {
    pub en: String,
    pub zh: String,
}

impl Explanation {
    /// Of the answer's DE 39 in its dialect.
    pub(super) fn of(dialect: &Dialect, answer: &Answer) -> Self {
        let approved = dialect.verdict(&answer.code) == CodeVerdict::Approves;
        let entry = Catalogue::builtin().find(dialect.name(), &answer.code);
        let cause = entry.map_or(Cause::Unstated, |entry| entry.reason.cause);
        let who =
            entry.filter(|_| !approved).map(|entry| entry.reason.who.iter().map(|who| who.name()).collect());
        Self {
            code: answer.code.as_str().to_owned(),
            approved,
            meaning: entry.map(|entry| Meaning { en: entry.name.en.clone(), zh: entry.name.zh.clone() }),
            cause: (!approved).then(|| cause.name()),
            who_acts: who.unwrap_or_default(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_empty() { "without a code" } else { &self.code };
        write!(f, "{} {code}", if self.approved { "approved" } else { "declined" })?;
        match &self.meaning {
            Some(meaning) => write!(f, " · {} {}", meaning.en, meaning.zh)?,
            None => f.write_str(" · a code that the catalogue does not know")?,
        }
        if let Some(cause) = self.cause {
            write!(f, " · cause {cause}")?;
        }
        if !self.who_acts.is_empty() {
            write!(f, " · who acts: {}", self.who_acts.join(", "))?;
        }
        Ok(())
    }
}
