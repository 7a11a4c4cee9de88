//! What was found wrong, or doubtful, in a configuration: every mistake with its line, all in one report.
//! Never stops at the first. Guards: the report is in the order of the file and never shows what a key file holds.

use super::source::{Source, Span};
use miette::{Diagnostic, LabeledSpan, Severity};
use std::fmt;

/// One mistake or doubt.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Where in the file; `None` if it is about the file as a whole.
    pub span: Option<Span>,
    /// Which section, as people call it: `issuer "b"`.
    pub place: String,
    /// Key, value, what was expected.
    pub text: String,
    /// The other line of a contradiction.
    pub also: Option<Span>,
}

/// Collects problems and warnings while the file is checked.
#[derive(Debug, Default)]
pub struct Notes {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Notes {
    /// Writes a mistake down.
    pub fn problem(&mut self, span: Option<Span>, place: &str, text: impl Into<String>) {
        self.contradiction(span, None, place, text);
    }

    /// Writes down a mistake that two lines make together.
    pub fn contradiction(
        &mut self,
        span: Option<Span>,
        also: Option<Span>,
        place: &str,
        text: impl Into<String>,
    ) {
        self.problems.push(Problem { span, place: place.into(), text: text.into(), also });
    }

    /// Writes down something that is allowed but should be known.
    pub fn warn(&mut self, span: Option<Span>, place: &str, text: impl Into<String>) {
        self.warnings.push(Problem { span, place: place.into(), text: text.into(), also: None });
    }

    /// Whether nothing forbids this configuration so far.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Both lists, each in the order of the file.
    pub fn into_parts(mut self) -> (Vec<Problem>, Vec<Problem>) {
        let order = |problem: &Problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start);
        self.problems.sort_by_key(order);
        self.warnings.sort_by_key(order);
        (self.problems, self.warnings)
    }
}

/// Every mistake of one file. `Display` is the plain report, one line each; as a [`Diagnostic`] it shows the lines.
#[derive(Debug)]
pub struct ConfigErrors {
    source: Source,
    shown: Vec<Shown>,
}

impl ConfigErrors {
    /// A report on `source`; `problems` must not be empty.
    pub fn new(source: Source, problems: Vec<Problem>) -> Self {
        let shown = problems.into_iter().map(|problem| Shown::new(&source, problem)).collect();
        Self { source, shown }
    }

    /// How many mistakes.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Never, where an error is returned.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The mistakes as lines of text with their line numbers, for machines.
    pub fn lines(&self) -> impl Iterator<Item = (Option<usize>, &str)> {
        self.shown.iter().map(|shown| (shown.line, shown.text.as_str()))
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural} in {}", self.len(), self.source.path().display())?;
        for shown in &self.shown {
            match shown.line {
                Some(line) => write!(f, "\n  line {line}: {}", shown.text)?,
                None => write!(f, "\n  {}", shown.text)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// For terminals: each mistake under its line of the file.
#[derive(Debug)]
pub struct Pictured(pub ConfigErrors);

impl fmt::Display for Pictured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural} in {}", self.0.len(), self.0.source.path().display())
    }
}

impl std::error::Error for Pictured {}

impl Diagnostic for Pictured {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.shown.iter().map(|shown| shown as &dyn Diagnostic)))
    }
}

#[derive(Debug)]
struct Shown {
    text: String,
    line: Option<usize>,
    labels: Vec<LabeledSpan>,
    source: miette::NamedSource<String>,
}

impl Shown {
    fn new(source: &Source, problem: Problem) -> Self {
        let label = |span: &Span, text: &str| LabeledSpan::new(Some(text.into()), span.start, span.len());
        let own = problem.span.as_ref().map(|span| label(span, "here"));
        let also = problem.also.as_ref().map(|span| label(span, "and here"));
        Self {
            text: text(source, &problem),
            line: problem.span.as_ref().map(|span| source.line(span.start)),
            labels: own.into_iter().chain(also).collect(),
            source: miette::NamedSource::new(source.path().to_string_lossy(), source.text().to_owned()),
        }
    }
}

/// A problem without its line number.
fn text(source: &Source, problem: &Problem) -> String {
    let mut text = match problem.place.as_str() {
        "" => problem.text.clone(),
        place => format!("{place}: {}", problem.text),
    };
    if let Some(also) = &problem.also {
        text.push_str(&format!(" (line {})", source.line(also.start)));
    }
    text
}

/// A warning as one line of text.
pub fn warning(source: &Source, problem: &Problem) -> String {
    match &problem.span {
        Some(span) => format!("line {}: {}", source.line(span.start), text(source, problem)),
        None => text(source, problem),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }
}
