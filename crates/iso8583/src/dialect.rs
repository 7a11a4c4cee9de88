//! A dialect, compiled: the table of fields and what the dialect says about keys, reversals, codes and types.
//! Never changes once it exists; guards: every field reference in it names a field that it has.

pub(crate) mod compile;
pub(crate) mod errors;
pub(crate) mod field;
pub(crate) mod kinds;
pub(crate) mod raw;
pub(crate) mod sample;

use crate::index::place;
use crate::keys::{KeyPart, KeyParts};
use crate::layout::Layouts;
use crate::say::SayRule;
use crate::spec::{FIELD_MAX, Field, Shape};
pub use errors::{DialectErrors, DialectProblem};
use kinds::KindRule;
use std::sync::{Arc, OnceLock};
use terms::{InternalCause, Kind, Mti, ResponseCode};

/// One dialect of ISO 8583. Made at start from data, then shared behind an `Arc`.
#[derive(Clone)]
pub struct Dialect {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) mti: Coding,
    pub(crate) bitmap: Coding,
    pub(crate) levels: usize,
    /// By field number; a whole byte's worth, so that no number needs a check.
    pub(crate) fields: Box<[Field; 256]>,
    /// Those of fixed length.
    pub(crate) fixed: [u64; 3],
    /// By bitmap, as messages bring them.
    pub(crate) layouts: Arc<Layouts>,
    pub(crate) labels: Vec<Label>,
    pub(crate) keys: Keys,
    pub(crate) roles: Roles,
    pub(crate) reversal: ReversalForm,
    pub(crate) answers: Answers,
    pub(crate) codes: Codes,
    pub(crate) kinds: Vec<KindRule>,
    pub(crate) says: Vec<SayRule>,
}

/// How message type or bitmap stand on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coding {
    /// Packed (MTI) or plain bits (bitmap).
    Binary,
    /// ASCII digits, hexadecimal for a bitmap.
    Ascii,
    /// The same in EBCDIC.
    Ebcdic,
}

impl Coding {
    #[inline]
    pub(crate) const fn mti_len(self) -> usize {
        if let Self::Binary = self { 2 } else { 4 }
    }

    #[inline]
    pub(crate) const fn bitmap_len(self) -> usize {
        if let Self::Binary = self { 8 } else { 16 }
    }
}

/// What people call a field, and what is inside it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub field: u8,
    pub name: String,
    pub parts: Vec<PartLabel>,
    pub tags: Tags,
}

/// One fixed sub-field.
#[derive(Clone, Debug)]
pub(crate) struct PartLabel {
    pub name: String,
    pub part: Part,
}

/// Tagged sub-structure of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Tags {
    /// None.
    #[default]
    None,
    /// BER-TLV (ISO/IEC 8825-1) as chip data have it.
    Ber,
    /// Two characters of tag, two digits of length, text.
    Text,
}

/// A field or a fixed piece of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Number of the field.
    pub(crate) field: u8,
    /// Units before the piece.
    pub(crate) from: u16,
    /// Units of the piece; 0 for "the rest" or the whole field.
    pub(crate) len: u16,
}

impl Part {
    /// The field alone.
    pub const fn whole(field: u8) -> Self {
        Self { field, from: 0, len: 0 }
    }

    /// Number of the field.
    pub const fn field(self) -> u8 {
        self.field
    }

    #[inline]
    pub(crate) const fn is_whole(self) -> bool {
        self.from == 0 && self.len == 0
    }
}

/// Which fields make the keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    /// Shared by a repeat and a reference to an original: the slot.
    pub slot: KeyParts,
    /// The rest of the repeat key.
    pub repeat: KeyParts,
    /// What DE 90 says of an original beside the slot.
    pub alias: KeyParts,
    /// What finds the request of an answer.
    pub link: KeyParts,
    /// How a 0400 names its original, first that is present.
    pub reversal: [Reference; 3],
    /// How voids, completions and refunds do.
    pub related: [Reference; 3],
}

/// One way to name an original.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// No (further) way.
    None,
    /// The original data elements: MTI, STAN, DE 7, acquirer, forwarder.
    OriginalData,
    /// Batch and STAN in a field of their own (DE 61 of UnionPay).
    BatchAndStan,
    /// Our RRN in DE 37, which holds the STAN.
    OurRrn,
    /// The message carries the original's own key.
    SameKey,
}

/// Where things are that mean the same in every dialect but stand elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    /// By which a peer names its acquirer; 0 where it is always the listener's.
    pub acquirer: u8,
    pub rrn: u8,
    pub approval_code: u8,
    pub code: u8,
    /// Text for people; `None` where the dialect has no place for it.
    pub text: Option<Part>,
    pub function: Option<Part>,
    pub batch: Option<Part>,
    pub network_code: Option<Part>,
    /// DE 90.
    pub original_data: u8,
    /// DE 61: batch and STAN of an original.
    pub original_batch: Option<Part>,
    pub original_stan: Option<Part>,
}

/// How a reversal is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReversalForm {
    /// Of the first attempt: 0420, or 0400 for UnionPay POS.
    pub mti: Mti,
    /// Of every later attempt; `None` means the same again.
    pub repeat_mti: Option<Mti>,
    /// Whether the reversal has a STAN of its own or the original's.
    pub stan: ReversalStan,
    /// How it names the original.
    pub reference: Reference,
    /// Field of the reason.
    pub reason: u8,
    /// Fields of the original that it carries.
    pub(crate) fields: [u64; 3],
}

/// STAN of a reversal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReversalStan {
    /// A new one.
    Own,
    /// The original's: the link key must then hold the MTI class.
    Original,
}

/// How answers to terminals are made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answers {
    /// Copied from the request.
    pub echo: [u64; 3],
    /// Taken from the request even where an issuer answered: what we changed on the way.
    pub restore: [u64; 3],
    /// Never in an answer: tracks, PIN, MAC.
    pub never: [u64; 3],
}

/// What response codes mean, and how causes are told.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub approve: Vec<ResponseCode>,
    pub decline: Vec<ResponseCode>,
    /// By number of the internal cause.
    pub causes: Vec<ResponseCode>,
}

/// What an issuer's code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeVerdict {
    /// In the dialect's approving list.
    Approves,
    /// In the dialect's declining list.
    Declines,
    /// In neither: a decline that also owes a reversal.
    Neither,
}

impl Dialect {
    /// One of the dialects that come with the program.
    pub fn builtin(name: &str) -> Option<Arc<Self>> {
        static BUILT: OnceLock<Vec<Arc<Dialect>>> = OnceLock::new();
        let built = BUILT.get_or_init(|| {
            let parsed = SOURCES.iter().map(|(name, toml)| Self::parse(toml, name));
            parsed.map(|dialect| Arc::new(dialect.unwrap_or_else(|errors| panic!("{errors}")))).collect()
        });
        built.iter().find(|dialect| dialect.name == name).cloned()
    }

    /// Their names.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        SOURCES.iter().map(|(name, _)| *name)
    }

    /// The text one of them is made from: the example to start a new dialect with.
    pub fn builtin_source(name: &str) -> Option<&'static str> {
        SOURCES.iter().find(|(known, _)| *known == name).map(|(_, toml)| *toml)
    }

    /// Reads a dialect from TOML. `source_name` (a file name) begins every line of the errors.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line.
    pub fn parse(toml: &str, source_name: &str) -> Result<Self, DialectErrors> {
        compile::compile(toml, source_name)
    }

    /// Its name in configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line about it.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Whether a transaction's slot depends on its batch number.
    pub fn slot_has_batch(&self) -> bool {
        self.keys.slot.has(crate::keys::KeyPart::Batch)
    }

    /// The code that tells `cause` in this dialect.
    #[inline]
    pub fn code_for(&self, cause: InternalCause) -> ResponseCode {
        self.codes.causes[usize::from(cause.number())]
    }

    /// What a code from an issuer says.
    #[inline]
    pub fn verdict(&self, code: &ResponseCode) -> CodeVerdict {
        if self.codes.approve.binary_search(code).is_ok() {
            CodeVerdict::Approves
        } else if self.codes.decline.binary_search(code).is_ok() {
            CodeVerdict::Declines
        } else {
            CodeVerdict::Neither
        }
    }

    /// How reversals are written.
    pub fn reversal_form(&self) -> &ReversalForm {
        &self.reversal
    }

    /// Whether the dialect knows field `n`.
    #[inline]
    pub fn has_field(&self, n: u8) -> bool {
        self.field(n).shape != Shape::Unknown
    }

    /// Whether answers are found by DE 7 too. Where not, a STAN must rest before it is used again.
    pub fn links_by_transmission_time(&self) -> bool {
        self.keys.link.has(KeyPart::Transmission)
    }

    /// Whether an answer must name its terminal, DE 41: one that does not belongs to nobody.
    pub fn links_by_terminal(&self) -> bool {
        self.keys.link.has(KeyPart::Terminal)
    }

    /// Tries the dialect out: every field at its shortest, longest and odd lengths is written and read again.
    /// What comes back is what did not survive, in words; nothing for a good dialect.
    pub fn check(&self) -> Vec<String> {
        sample::round_trip(self)
    }

    /// Numbers of the fields it knows, ascending.
    pub fn field_numbers(&self) -> impl Iterator<Item = u8> + '_ {
        (2..=FIELD_MAX).filter(|n| self.has_field(*n))
    }

    /// What people call field `n`; empty if the dialect does not know it.
    pub fn field_name(&self, n: u8) -> &str {
        self.label(n).map_or("", |label| &label.name)
    }

    /// The type that the dialect's table gives to a message with these values.
    #[inline]
    pub fn kind(&self, mti: Mti, code: u8, condition: u8, function: u8, network: u16) -> Kind {
        let asked = kinds::Asked { mti, code, condition, function, network };
        self.kinds.iter().find(|rule| rule.matches(&asked)).map_or(Kind::Unknown, |rule| rule.kind)
    }

    /// Whether field `n` must never be shown in full.
    pub fn is_secret(&self, n: u8) -> bool {
        self.field(n).secret != crate::spec::Secret::No
    }

    #[inline(always)]
    pub(crate) fn field(&self, n: u8) -> &Field {
        &self.fields[usize::from(n)]
    }

    pub(crate) fn label(&self, n: u8) -> Option<&Label> {
        self.labels.iter().find(|label| label.field == n)
    }

    #[inline]
    pub(crate) fn mti_coding(&self) -> Coding {
        self.mti
    }

    #[inline]
    pub(crate) fn bitmap_coding(&self) -> Coding {
        self.bitmap
    }

    #[inline]
    pub(crate) fn levels(&self) -> usize {
        self.levels
    }

    /// Whether two dialects are one, so that fields can be copied as bytes.
    #[inline]
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        core::ptr::eq(self, other) || core::ptr::eq(&*self.fields, &*other.fields)
    }
}

impl core::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Dialect({})", self.name)
    }
}

/// A set of fields.
pub(crate) fn mask(fields: impl IntoIterator<Item = u8>) -> [u64; 3] {
    let mut words = [0; 3];
    for n in fields {
        let (word, bit) = place(n);
        words[word] |= bit;
    }
    words
}

const SOURCES: [(&str, &str); 4] = [
    ("iso87-ascii", include_str!("../dialects/iso87-ascii.toml")),
    ("iso87-binary", include_str!("../dialects/iso87-binary.toml")),
    ("iso87-ebcdic", include_str!("../dialects/iso87-ebcdic.toml")),
    ("unionpay-pos", include_str!("../dialects/unionpay-pos.toml")),
];
