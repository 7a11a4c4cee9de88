//! Mistakes in a dialect's text: all of them in one go, each with its line.
//! Guards: a mistake names the place, what was expected and what stands there.

use core::fmt;

/// Everything that is wrong with one dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialectErrors {
    /// Where the text came from.
    pub source: String,
    /// In order of lines.
    pub problems: Vec<DialectProblem>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialectProblem {
    /// Line, from 1; 0 where the mistake is that something is missing altogether.
    pub line: usize,
    /// What was expected and what stands there.
    pub what: String,
}

impl core::error::Error for DialectErrors {}

impl fmt::Display for DialectErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{count} problem{} in {}", if count == 1 { "" } else { "s" }, self.source)?;
        for problem in &self.problems {
            write!(f, "\n  {}", problem)?;
        }
        Ok(())
    }
}

impl fmt::Display for DialectProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// Collects mistakes while a dialect is compiled.
pub(crate) struct Problems<'a> {
    text: &'a str,
    found: Vec<DialectProblem>,
}

impl<'a> Problems<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// A mistake at a place in the text.
    pub(crate) fn at(&mut self, span: core::ops::Range<usize>, what: impl Into<String>) {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        self.found.push(DialectProblem { line, what: what.into() });
    }

    /// A mistake of the whole.
    pub(crate) fn whole(&mut self, what: impl Into<String>) {
        self.found.push(DialectProblem { line: 0, what: what.into() });
    }

    /// `value` if nothing was wrong.
    pub(crate) fn finish<T>(mut self, value: Option<T>, source: &str) -> Result<T, DialectErrors> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => {
                self.found.sort_by_key(|problem| problem.line);
                Err(DialectErrors { source: source.to_owned(), problems: self.found })
            }
        }
    }
}
