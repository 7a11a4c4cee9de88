//! One section under check: takes fields, writes mistakes down, hands out values to go on with.
//! Never stops: a missing or wrong value is replaced by a stand-in, and the notes make sure that nobody ever uses it.

use super::notes::Notes;
use super::raw::Field;
use super::source::{Source, Span};
use super::suggest;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use toml::Spanned;

/// A section, its name for people and where it stands.
pub struct Section<'a> {
    /// `issuer "b"`.
    pub place: String,
    /// The section's own position.
    pub span: Span,
    /// The file.
    pub source: &'a Source,
    /// Where mistakes go.
    pub notes: &'a mut Notes,
}

impl<'a> Section<'a> {
    /// The section `kind "name"`, or `kind` if it has none.
    pub fn new(kind: &str, name: Option<&str>, span: Span, source: &'a Source, notes: &'a mut Notes) -> Self {
        let place = name.map_or(kind.to_owned(), |name| format!("{kind} \"{name}\""));
        // The header's line stands for the section; its whole span would paint half the file.
        let line_end = source.text()[span.start..].find('\n').map_or(span.end, |at| span.start + at);
        Self { place, span: span.start..line_end.min(span.end), source, notes }
    }

    /// Writes a mistake down.
    pub fn problem(&mut self, span: Span, text: impl Into<String>) {
        self.notes.problem(Some(span), &self.place, text);
    }

    /// Writes down a mistake made by this and an earlier line.
    pub fn contradiction(&mut self, span: Span, also: Span, text: impl Into<String>) {
        self.notes.contradiction(Some(span), Some(also), &self.place, text);
    }

    /// A value that must be there.
    pub fn required<'f, T>(
        &mut self,
        key: &str,
        field: &'f Field<T>,
        expected: &str,
    ) -> Option<&'f Spanned<T>> {
        if field.is_none() {
            self.problem(self.span.clone(), format!("{key} is missing, expected {expected}"));
        }
        field.as_ref()
    }

    /// A number of a range, or its default.
    pub fn number<N: Number>(
        &mut self,
        key: &str,
        field: &Field<i64>,
        range: RangeInclusive<N>,
        default: N,
    ) -> N {
        let Some(value) = field else { return default };
        match N::try_from(*value.get_ref()).ok().filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                let expected = format!("expected {}..={}", range.start(), range.end());
                self.problem(value.span(), format!("{key} = {}, {expected}", value.get_ref()));
                default
            }
        }
    }

    /// A word of a closed set, or its default.
    pub fn choice<T: Copy>(
        &mut self,
        key: &str,
        field: &Field<String>,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(value) = field else { return default };
        let found = words.iter().find(|(word, _)| word == value.get_ref()).map(|(_, meaning)| *meaning);
        found.unwrap_or_else(|| {
            let expected = suggest::expected(value.get_ref(), words.iter().map(|(word, _)| *word));
            self.problem(value.span(), format!("{key} = \"{}\", {expected}", value.get_ref()));
            default
        })
    }

    /// The position of a name among names, if the name is there and known.
    pub fn name(&mut self, key: &str, field: &Field<String>, names: &Names) -> Option<usize> {
        let value = field.as_ref()?;
        let found = names.position(value.get_ref());
        if found.is_none() {
            let expected = suggest::expected(value.get_ref(), names.iter());
            self.problem(value.span(), format!("{key} = \"{}\", {expected}", value.get_ref()));
        }
        found
    }

    /// A file that must exist; relative to the configuration's directory.
    pub fn file(&mut self, key: &str, field: &Field<String>, expected: &str) -> PathBuf {
        let Some(value) = self.required(key, field, expected) else { return PathBuf::new() };
        let path = self.source.resolve(value.get_ref());
        if !path.is_file() {
            let what = if path.exists() { "is no file" } else { "does not exist" };
            self.problem(value.span(), format!("{key} = \"{}\": {} {what}", value.get_ref(), path.display()));
        }
        path
    }

    /// As [`Section::file`], for a file that may be left out.
    pub fn optional_file(&mut self, key: &str, field: &Field<String>) -> Option<PathBuf> {
        field.is_some().then(|| self.file(key, field, ""))
    }
}

/// Numbers that a configuration can hold.
pub trait Number: TryFrom<i64> + PartialOrd + Copy + std::fmt::Display {}
impl<N: TryFrom<i64> + PartialOrd + Copy + std::fmt::Display> Number for N {}

/// The names of one kind of section, in the order of the file; known before anything refers to them.
#[derive(Debug, Default)]
pub struct Names {
    names: Vec<Option<(String, Span)>>,
}

impl Names {
    /// The names of `sections`; a missing, empty or repeated one is a mistake, and so are two with one stable number.
    pub fn collect<T>(
        kind: &str,
        sections: &[Spanned<T>],
        name: impl Fn(&T) -> &Field<String>,
        source: &Source,
        notes: &mut Notes,
    ) -> Self {
        let mut names = Self::default();
        for section in sections {
            let name = name(section.get_ref());
            let text = name.as_ref().map(|name| name.get_ref().as_str());
            let mut section = Section::new(kind, text, section.span(), source, notes);
            names.take(&mut section, name);
        }
        names
    }

    /// Takes one more name.
    pub fn take(&mut self, section: &mut Section<'_>, name: &Field<String>) {
        let Some(name) = section.required("name", name, "a name of letters, digits, `-`, `_` or `.`") else {
            self.names.push(None);
            return;
        };
        let text = name.get_ref();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || text.len() > NAME_MAX || !text.bytes().all(allowed) {
            let expected = "expected 1 to 32 letters, digits, `-`, `_` or `.`";
            section.problem(name.span(), format!("name = \"{text}\", {expected}"));
        }
        if let Some((other, earlier)) = self.clash(text) {
            let text = match other == *text {
                true => "this name stands already".to_owned(),
                false => {
                    format!("the stable number of \"{text}\" is that of \"{other}\", choose another name")
                }
            };
            section.contradiction(name.span(), earlier, text);
        }
        self.names.push(Some((text.clone(), name.span())));
    }

    /// Where `name` stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.as_ref().is_some_and(|(known, _)| known == name))
    }

    /// Every name.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(|(name, _)| name.as_str())
    }

    fn clash(&self, name: &str) -> Option<(String, Span)> {
        let id = terms::stable_id(name);
        self.names.iter().flatten().find(|(known, _)| terms::stable_id(known) == id).cloned()
    }
}

/// Longest name of anything: names are labels of metrics and parts of CONFIG records.
const NAME_MAX: usize = 32;
