//! An error with everything that caused it, as one line of the log.
//!
//! Never adds a word of its own; guards: an error says one level, so whoever logs only the outermost hides where and why.

use std::error::Error;
use std::fmt;

/// Shows an error and, after colons, its sources. Costs nothing until it is shown.
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read a message")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("field 4 at byte 12: expected decimal digits, found byte 0x78")]
    struct Inner(#[source] std::fmt::Error);

    #[test]
    fn every_level_is_shown_from_the_outside_in() {
        let shown = Chain(&Outer(Inner(std::fmt::Error))).to_string();
        let inner = "field 4 at byte 12: expected decimal digits, found byte 0x78";
        assert_eq!(shown, format!("cannot read a message: {inner}: {}", std::fmt::Error));
    }
}
