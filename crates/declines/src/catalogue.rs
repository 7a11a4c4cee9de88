//! All entries, by scheme and code, and all internal causes. Read once at start; the hot path takes a [`CodeTable`] and
//! [`Slips`](crate::Slips) from it. Guards: what the shipped file says is checked as strictly as a file of somebody else.

use crate::check::Checking;
use crate::{CodeTable, Entry, Fault, Internal, Lasts, Reason, Said, Who, raw};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};
use terms::{Cause, InternalCause, ResponseCode};

/// The catalogue.
#[derive(Debug)]
pub struct Catalogue {
    version: u32,
    dated: String,
    words: Words,
    schemes: BTreeMap<String, Vec<Entry>>,
    internals: Vec<Internal>,
    unknown: Arc<Reason>,
    codes: Vec<ResponseCode>,
}

/// What people call causes, parties and rules, each by its name in the data file.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) cause: BTreeMap<String, Said>,
    pub(crate) who: BTreeMap<String, Said>,
    pub(crate) lasts: BTreeMap<String, Said>,
    pub(crate) class: BTreeMap<String, Said>,
    pub(crate) visa: BTreeMap<String, Said>,
    pub(crate) advice: BTreeMap<String, Said>,
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
    /// [`Fault`] with every mistake and its line: missing translation, unknown cause, nobody to act, a reason that is not there, an
    /// internal cause that is left out. A mistake in the format itself (TOML), a key written twice included, comes alone.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let raw = raw::parse(text)?;
        let mut checking = Checking::new(text);
        if *raw.version.get_ref() == 0 {
            checking.wrong(raw.version.span(), "version 0, expected 1 or more");
        }
        if !is_date(raw.dated.get_ref()) {
            let text = format!("dated {:?}, expected YYYY-MM-DD", raw.dated.get_ref());
            checking.wrong(raw.dated.span(), text);
        }
        let words = words(&mut checking, &raw.words);
        let reasons = checking.reasons(&raw.means);
        let mut schemes = BTreeMap::new();
        for (scheme, rows) in &raw.scheme {
            let entries =
                rows.iter().filter_map(|(code, row)| checking.entry(code, row, &reasons, &words.advice));
            schemes.insert(scheme.clone(), entries.collect::<Vec<Entry>>());
        }
        let internals = checking.internals(&raw.internal, &reasons);
        checking.unused(&raw.means, UNKNOWN);
        let unknown = reasons.get(UNKNOWN).cloned();
        if unknown.is_none() && !raw.means.contains_key(UNKNOWN) {
            checking.wrong(0..0, format!("[means] has no {UNKNOWN}, what an unknown code is told as"));
        }
        let mut mistakes = checking.mistakes;
        mistakes.sort_by_key(|mistake| mistake.line);
        let Some(unknown) = unknown.filter(|_| mistakes.is_empty()) else { return Err(Fault { mistakes }) };
        let mut codes: Vec<_> = schemes.values().flatten().map(|entry| entry.code).collect();
        codes.sort();
        codes.dedup();
        let (version, dated) = (raw.version.into_inner(), raw.dated.into_inner());
        Ok(Self { version, dated, words, schemes, internals, unknown, codes })
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

    /// Every internal cause, by number.
    pub fn internals(&self) -> &[Internal] {
        &self.internals
    }

    /// One of them.
    pub fn internal(&self, cause: InternalCause) -> &Internal {
        &self.internals[usize::from(cause.number())]
    }

    /// The code that tells an internal cause in a dialect.
    pub fn wire(&self, cause: InternalCause, dialect: &str) -> ResponseCode {
        let table = self.table_name(dialect);
        let told = self.internal(cause).wire.iter().find(|(name, _)| Some(name.as_str()) == table);
        told.map_or_else(|| ResponseCode::of(cause.iso_code()), |(_, code)| *code)
    }

    /// What a code is told as that no table has.
    pub fn not_in_catalogue(&self) -> &Reason {
        &self.unknown
    }

    /// What people call a cause.
    pub fn cause_word(&self, cause: Cause) -> &Said {
        &self.words.cause[cause.name()]
    }

    /// What people call a party.
    pub fn who_word(&self, who: Who) -> &Said {
        &self.words.who[who.name()]
    }

    /// What people call a duration.
    pub fn lasts_word(&self, lasts: Lasts) -> &Said {
        &self.words.lasts[lasts.name()]
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
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

    pub(crate) fn table_name(&self, dialect: &str) -> Option<&str> {
        let mut name = dialect;
        loop {
            if let Some((found, _)) = self.schemes.get_key_value(name) {
                return Some(found);
            }
            name = name.rsplit_once('-')?.0;
        }
    }
}

fn words(checking: &mut Checking<'_>, raw: &toml::Spanned<raw::RawWords>) -> Words {
    let (at, raw) = (raw.span(), raw.get_ref());
    let causes: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    let who: Vec<_> = Who::ALL.iter().map(|who| who.name()).collect();
    let lasts: Vec<_> = Lasts::ALL.iter().map(|lasts| lasts.name()).collect();
    Words {
        cause: checking.words("cause", at.clone(), &raw.cause, &causes),
        who: checking.words("who", at.clone(), &raw.who, &who),
        lasts: checking.words("lasts", at.clone(), &raw.lasts, &lasts),
        class: checking.words("class", at.clone(), &raw.class, &["A", "B", "C", "D", "E"]),
        visa: checking.words("visa", at.clone(), &raw.visa, &["1", "2", "3", "4"]),
        advice: checking.words("advice", at, &raw.advice, &[]),
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let digits = |part: &&str, len| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && digits(&parts[0], 4) && digits(&parts[1], 2) && digits(&parts[2], 2)
}

/// The reason of a code that no table has.
const UNKNOWN: &str = "not-in-catalogue";
const SHIPPED: &str = include_str!("../data/codes.toml");
