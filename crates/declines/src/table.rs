//! From code to cause on the hot path: one load from a table. Never allocates after it is made; never fails: what it does
//! not know is `unstated`.

use crate::Entry;
use std::collections::BTreeMap;
use terms::{Cause, ResponseCode};

/// Causes and metric places of one dialect's codes. About 5 KiB; made once per dialect and shared.
#[derive(Clone)]
pub struct CodeTable {
    cells: Box<[Cell; CELLS]>,
    /// Codes that are not two characters, sorted; no shipped scheme has any.
    long: Box<[(ResponseCode, Cell)]>,
}

#[derive(Clone, Copy)]
struct Cell {
    cause: Cause,
    /// Place in the catalogue's list of codes, [`OTHER`] if it is not there.
    place: u16,
}

impl CodeTable {
    /// `codes` is the catalogue's list over all schemes.
    pub(crate) fn new(entries: &[Entry], codes: &[ResponseCode]) -> Self {
        let causes: BTreeMap<_, _> = entries.iter().map(|entry| (entry.code, entry.reason.cause)).collect();
        let mut cells = Box::new([UNKNOWN; CELLS]);
        let mut long = Vec::new();
        for (place, code) in codes.iter().enumerate() {
            let cause = causes.get(code).copied().unwrap_or(Cause::Unstated);
            let cell = Cell { cause, place: place as u16 };
            match cell_of(*code) {
                Some(at) => cells[at] = cell,
                None => long.push((*code, cell)),
            }
        }
        Self { cells, long: long.into() }
    }

    /// Why an issuer that answers `code` declines; `unstated` if the dialect does not know it.
    pub fn cause(&self, code: ResponseCode) -> Cause {
        self.cell(code).cause
    }

    /// Place of `code` in [`Catalogue::codes`](crate::Catalogue::codes), whatever the dialect; `None` counts as `other`.
    pub fn index_of(&self, code: ResponseCode) -> Option<u16> {
        Some(self.cell(code).place).filter(|place| *place != OTHER)
    }

    fn cell(&self, code: ResponseCode) -> Cell {
        match cell_of(code) {
            Some(at) => self.cells[at],
            None => {
                self.long.binary_search_by_key(&code, |(long, _)| *long).map_or(UNKNOWN, |at| self.long[at].1)
            }
        }
    }
}

impl std::fmt::Debug for CodeTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stated = self.cells.iter().filter(|cell| cell.cause != Cause::Unstated).count();
        write!(f, "CodeTable({stated} stated)")
    }
}

/// Two characters of 0-9 and A-Z have a cell of their own.
pub(crate) fn cell_of(code: ResponseCode) -> Option<usize> {
    match *code.as_bytes() {
        [first, second] => Some(digit36(first)? * 36 + digit36(second)?),
        _ => None,
    }
}

fn digit36(byte: u8) -> Option<usize> {
    match byte {
        b'0'..=b'9' => Some(usize::from(byte - b'0')),
        b'A'..=b'Z' => Some(usize::from(byte - b'A') + 10),
        _ => None,
    }
}

/// Places of two characters.
pub(crate) const CELLS: usize = 36 * 36;
const OTHER: u16 = u16::MAX;
const UNKNOWN: Cell = Cell { cause: Cause::Unstated, place: OTHER };
