//! All entries, by scheme and code. Read once at start; the hot path takes a [`CodeTable`] from it.
//! Guards: what the shipped file says is checked as strictly as a file of somebody else.

use crate::{CodeTable, Entry, Fault, Mistake, raw};
use std::{collections::BTreeMap, sync::OnceLock};
use terms::ResponseCode;

/// The catalogue.
#[derive(Debug)]
pub struct Catalogue {
    version: u32,
    dated: String,
    schemes: BTreeMap<String, Vec<Entry>>,
    codes: Vec<ResponseCode>,
}

impl Catalogue {
    /// The catalogue shipped with the switch.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(SHIPPED).expect("the shipped catalogue passes its own checks"))
    }

    /// Reads and checks a catalogue file.
    ///
    /// # Errors
    /// [`Fault`] with every mistake and its line: duplicate code, unknown cause, nobody to act, bad class or category.
    /// A mistake in the format itself (TOML) comes alone.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let raw = raw::parse(text)?;
        let mut mistakes = Vec::new();
        if *raw.version.get_ref() == 0 {
            let line = raw::line_of(text, raw.version.span().start);
            mistakes.push(Mistake { line, text: "version 0, expected 1 or more".into() });
        }
        if !is_date(raw.dated.get_ref()) {
            let line = raw::line_of(text, raw.dated.span().start);
            mistakes.push(Mistake {
                line,
                text: format!("dated {:?}, expected YYYY-MM-DD", raw.dated.get_ref()),
            });
        }
        let mut schemes = BTreeMap::new();
        for (scheme, lines) in &raw.scheme {
            let entries =
                lines.iter().filter_map(|(code, line)| raw::checked(code, line, text, &mut mistakes));
            schemes.insert(scheme.clone(), entries.collect::<Vec<Entry>>());
        }
        if !mistakes.is_empty() {
            mistakes.sort_by_key(|mistake| mistake.line);
            return Err(Fault { mistakes });
        }
        let mut codes: Vec<_> = schemes.values().flatten().map(|entry| entry.code).collect();
        codes.sort();
        codes.dedup();
        Ok(Self { version: raw.version.into_inner(), dated: raw.dated.into_inner(), schemes, codes })
    }

    /// Raised with every change of a meaning.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Date of the last change, YYYY-MM-DD.
    pub fn dated(&self) -> &str {
        &self.dated
    }

    /// The schemes that have a table, in alphabetical order.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.schemes.keys().map(String::as_str)
    }

    /// The entries of a scheme or dialect in order of their codes; empty if it has no table.
    pub fn entries(&self, scheme_or_dialect: &str) -> &[Entry] {
        self.table_name(scheme_or_dialect).map_or(&[], |name| &self.schemes[name])
    }

    /// What `code` means under a scheme (`visa`) or dialect. A dialect without a table of its own is read by the one its
    /// name begins with: `iso87-ascii` by `iso87`, `unionpay-pos` by `unionpay`.
    pub fn find(&self, scheme_or_dialect: &str, code: &ResponseCode) -> Option<&Entry> {
        let entries = self.entries(scheme_or_dialect);
        entries.binary_search_by(|entry| entry.code.cmp(code)).ok().map(|at| &entries[at])
    }

    /// Every code of every scheme, sorted, each once: the closed set of `pointsman_declines_by_code_total`.
    pub fn codes(&self) -> &[ResponseCode] {
        &self.codes
    }

    /// Place of a code in [`Catalogue::codes`]; `None` counts as `other`.
    pub fn index_of(&self, code: &ResponseCode) -> Option<u16> {
        self.codes.binary_search(code).ok().map(|at| at as u16)
    }

    /// The look-up of the hot path for one dialect. A dialect without a table gets an empty one: all `unstated`.
    pub fn table(&self, dialect: &str) -> CodeTable {
        CodeTable::new(self.entries(dialect), &self.codes)
    }

    fn table_name(&self, dialect: &str) -> Option<&str> {
        let mut name = dialect;
        loop {
            if let Some((found, _)) = self.schemes.get_key_value(name) {
                return Some(found);
            }
            name = name.rsplit_once('-')?.0;
        }
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let digits = |part: &&str, len| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && digits(&parts[0], 4) && digits(&parts[1], 2) && digits(&parts[2], 2)
}

const SHIPPED: &str = include_str!("../data/codes.toml");
