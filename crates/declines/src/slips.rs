//! The short texts of one listener's answers: encoded once when a configuration is read, looked up per decline.
//!
//! Never allocates after it is made, never says more than the catalogue: no card, no amount, no contact is in it. Guards: the same
//! cause or code has the same text every time, so a repeat hears what was told first; every text fits its field.

use crate::table::{CELLS, cell_of};
use crate::{Catalogue, Charset, Entry, Language, Reason, explanation_id};
use terms::{InternalCause, ResponseCode};

/// How a listener's texts are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wording {
    /// What its merchants and cardholders read.
    pub language: Language,
    /// What its terminals print.
    pub charset: Charset,
    /// Bytes that the field has for them; at least [`ROOM_MIN`].
    pub room: usize,
}

/// The texts of one listener.
#[derive(Clone, PartialEq, Eq)]
pub struct Slips {
    /// By number of the internal cause.
    causes: Vec<Box<[u8]>>,
    /// Places in `codes`, by two characters of 0-9 and A-Z; 0 is the text of every other code.
    cells: Box<[u8; CELLS]>,
    codes: Vec<Box<[u8]>>,
}

impl Slips {
    /// `issuers`: dialects of those whose codes are passed on. What a code means is theirs to say; where two of them mean
    /// different things by one, or none has it, it is told as a code that is not in the catalogue.
    pub fn new<'a>(
        catalogue: &Catalogue,
        wording: Wording,
        issuers: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let told = |reason: &Reason, cause: InternalCause| text(reason, cause, wording).into_boxed_slice();
        let causes = catalogue.internals().iter().map(|internal| told(&internal.reason, internal.cause));
        let unknown = told(catalogue.not_in_catalogue(), InternalCause::IssuerDeclined);
        let (mut cells, mut codes) = (Box::new([0; CELLS]), vec![unknown]);
        for code in catalogue.codes() {
            let Some(cell) = cell_of(*code) else { continue };
            if let Some(entry) = agreed(catalogue, *code, issuers.clone()) {
                let text = match entry.approves {
                    true => Box::default(),
                    false => told(&entry.reason, InternalCause::IssuerDeclined),
                };
                cells[cell] = place(&mut codes, text);
            }
        }
        Self { causes: causes.collect(), cells, codes }
    }

    /// Of a decline of ours.
    pub fn of_cause(&self, cause: InternalCause) -> &[u8] {
        &self.causes[usize::from(cause.number())]
    }

    /// Of an issuer's code; empty where it approves.
    pub fn of_code(&self, code: ResponseCode) -> &[u8] {
        let place = cell_of(code).map_or(0, |cell| self.cells[cell]);
        &self.codes[usize::from(place)]
    }
}

impl core::fmt::Debug for Slips {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Slips({} causes, {} codes)", self.causes.len(), self.codes.len())
    }
}

/// Where a text stands; one that is there already is used again.
fn place(codes: &mut Vec<Box<[u8]>>, text: Box<[u8]>) -> u8 {
    let found = codes.iter().position(|known| *known == text).unwrap_or_else(|| {
        codes.push(text);
        codes.len() - 1
    });
    // More different texts than a byte counts are told as the one for codes that nobody knows.
    u8::try_from(found).unwrap_or(0)
}

/// What every issuer that has the code means by it.
fn agreed<'c, 'a>(
    catalogue: &'c Catalogue,
    code: ResponseCode,
    issuers: impl Iterator<Item = &'a str>,
) -> Option<&'c Entry> {
    let mut entries = issuers.filter_map(|dialect| catalogue.find(dialect, &code));
    let first = entries.next()?;
    entries.all(|other| other.reason.name == first.reason.name).then_some(first)
}

/// The receipt text, then the internal cause by its name, or by its id where that is all there is room for.
fn text(reason: &Reason, cause: InternalCause, wording: Wording) -> Vec<u8> {
    let receipt = reason.receipt.to(wording.language);
    let whole = format!("{receipt} {cause}");
    match wording.charset.encoded(&whole) {
        Some(bytes) if bytes.len() <= wording.room => bytes,
        _ => {
            let id = format!(" {}", explanation_id(cause));
            let mut bytes = wording.charset.cut(receipt, wording.room.saturating_sub(id.len()));
            bytes.extend(id.as_bytes());
            bytes.truncate(wording.room);
            bytes
        }
    }
}

/// A field with less room says nothing that helps.
pub const ROOM_MIN: usize = 16;
