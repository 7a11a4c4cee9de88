//! The form of both key files: `name = "value"` lines, comments after `#`, tables in brackets. A subset of TOML, so that
//! editors know it; read by hand, so that no key lies about in a parser's memory.

use crate::Fault;
use std::path::Path;

/// One line that says something.
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// Left of the equals sign.
    pub(crate) name: &'a str,
    /// Right of it, without quotes.
    pub(crate) value: &'a str,
}

/// The lines of `text`, in order. Table headings, comments and empty lines are passed over.
///
/// # Errors
/// [`Fault::Line`] for bytes that are no text and for a line that is no `name = "value"`.
pub(crate) fn lines<'a>(text: &'a [u8], path: &Path) -> Result<Vec<Line<'a>>, Fault> {
    let mut found = Vec::new();
    for (index, bytes) in text.split(|byte| *byte == b'\n').enumerate() {
        let bad = || Fault::Line { path: path.into(), line: index + 1, expected: "name = \"value\"" };
        let line = str::from_utf8(bytes).map_err(|_| bad())?;
        let said = line.split('#').next().unwrap_or("").trim();
        if said.is_empty() || said.starts_with('[') && said.ends_with(']') {
            continue;
        }
        let (name, value) = said.split_once('=').ok_or_else(bad)?;
        let value = unquoted(value.trim()).ok_or_else(bad)?;
        found.push(Line { number: index + 1, name: name.trim(), value });
    }
    Ok(found)
}

/// Without its pair of quotes, if it has any; `None` if only one side has one.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => (!value.ends_with('"')).then_some(value),
    }
}
