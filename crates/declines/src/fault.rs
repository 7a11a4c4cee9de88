//! Mistakes in a catalogue file, all of them in one go. Guards: each names its line, what is there and what was expected.

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", listed(.mistakes))]
pub struct Fault {
    /// In order of their lines; never empty.
    pub mistakes: Vec<Mistake>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct Mistake {
    /// Counted from 1; 0 if the parser could not say.
    pub line: usize,
    /// Where, expected, found.
    pub text: String,
}

fn listed(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    lines.join("; ")
}
