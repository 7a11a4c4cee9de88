//! The BIN table: from a card number to its range in a handful of steps, whatever the table's size.
//!
//! Never changes once built (a new configuration is a new table, swapped as a whole); never shows a card number. Guards:
//! the narrowest span wins; spans nest or are apart, else there is no table.
//!
//! Nested spans are flattened into stretches that follow each other; `lines` finds a number's stretch among them.

use crate::flatten::{Flattened, Piece, before, flatten};
use crate::lines::{Lines, STRETCHES_MAX};
use crate::span::DIGITS;
use crate::{Range, RangeRow, Span};
use std::collections::HashMap;
use terms::Pan;

/// Two rows that cannot both be right; each with its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("range {first} (line {first_line}) {} {second} (line {second_line})", self.verb())]
pub struct Overlap {
    /// The one that begins first.
    pub first: Span,
    /// Its line.
    pub first_line: usize,
    /// The one that clashes with it.
    pub second: Span,
    /// Its line.
    pub second_line: usize,
}

impl Overlap {
    pub(crate) fn new(first: &RangeRow, second: &RangeRow) -> Self {
        Self { first: first.span, first_line: first.line, second: second.span, second_line: second.line }
    }

    /// Whether both name the same numbers; else they share some.
    pub fn is_twin(&self) -> bool {
        (self.first.low(), self.first.high()) == (self.second.low(), self.second.high())
    }

    fn verb(&self) -> &'static str {
        if self.is_twin() { "is the same as" } else { "overlaps" }
    }
}

/// Rows that make no table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableFault {
    /// Every clash, in order of the numbers.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Overlaps(Vec<Overlap>),
    /// More rows than a word can number.
    #[error("{0} ranges, expected at most {ROWS_MAX}")]
    TooMany(usize),
}

/// An immutable snapshot of all ranges.
#[derive(Debug)]
pub struct Table {
    /// From a number to the place of its range + 1, or 0 for none.
    lines: Lines,
    /// The different things that rows say.
    ranges: Box<[Range]>,
    /// Off the hot path, for short cards and for those who ask why: which row owns which numbers.
    pieces: Box<[Piece]>,
    rows: Box<[Row]>,
}

/// What is kept of a row for questions off the hot path.
#[derive(Clone, Copy, Debug)]
struct Row {
    span: Span,
    line: usize,
    range: u32,
    around: Option<u32>,
}

impl Table {
    /// Builds a table. The order of `rows` does not matter.
    /// # Errors
    /// [`TableFault`], with every clash at once.
    pub fn build(mut rows: Vec<RangeRow>) -> Result<Self, TableFault> {
        if rows.len() > ROWS_MAX {
            return Err(TableFault::TooMany(rows.len()));
        }
        rows.sort_by_key(before);
        let Flattened { pieces, around } = flatten(&rows).map_err(TableFault::Overlaps)?;
        let (ranges, rows) = share(rows, &around);
        Ok(Self { lines: lines(&pieces, &rows), ranges, pieces: pieces.into(), rows })
    }

    /// A table that knows no card.
    pub fn empty() -> Self {
        let pieces = Box::new([Piece { start: 0, row: None }]);
        Self { lines: lines(&*pieces, &[]), ranges: Box::default(), pieces, rows: Box::default() }
    }

    /// The narrowest range that the card lies in; `None`: no such issuer (15).
    pub fn find(&self, pan: Pan) -> Option<&Range> {
        if pan.len() < usize::from(DIGITS) {
            return self.row(pan).map(|row| &self.ranges[row.range as usize]);
        }
        self.ranges.get((self.lines.find(key(pan)) as usize).wrapping_sub(1))
    }

    /// Which row answers [`Table::find`]: its span and line, for those who ask why.
    pub fn explain(&self, pan: Pan) -> Option<(Span, usize)> {
        self.row(pan).map(|row| (row.span, row.line))
    }

    /// How many rows it was built from.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it knows no card.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row by the longer way: a card of fewer than twelve digits is filled with zeros, which must not pass for digits
    /// that it has. So a row that asks for more digits than there are gives way to the one around it.
    fn row(&self, pan: Pan) -> Option<&Row> {
        let number = key(pan);
        let piece = self.pieces.partition_point(|piece| piece.start <= number) - 1;
        let mut row = &self.rows[self.pieces[piece].row? as usize];
        while usize::from(row.span.digits()) > pan.len() {
            row = &self.rows[row.around? as usize];
        }
        Some(row)
    }
}

/// The first twelve digits, as [`Pan::bin12`], by one division: that is a fifth of a look-up.
fn key(pan: Pan) -> u64 {
    let (value, len) = pan.parts();
    match usize::from(len).checked_sub(usize::from(DIGITS)) {
        Some(beyond) => value / TENS[beyond.min(TENS.len() - 1)],
        None => pan.bin12(),
    }
}

/// Rows that say the same share one range: the few different ones stay in the processor's cache.
fn share(rows: Vec<RangeRow>, around: &[Option<u32>]) -> (Box<[Range]>, Box<[Row]>) {
    let mut known = HashMap::new();
    let kept = rows.into_iter().zip(around).map(|(row, around)| {
        let next = known.len() as u32;
        let range = *known.entry(row.range).or_insert(next);
        Row { span: row.span, line: row.line, range, around: *around }
    });
    let kept = kept.collect();
    let mut ranges: Vec<_> = known.into_iter().collect();
    ranges.sort_by_key(|(_, position)| *position);
    (ranges.into_iter().map(|(range, _)| range).collect(), kept)
}

fn lines(pieces: &[Piece], rows: &[Row]) -> Lines {
    let code = |piece: &Piece| piece.row.map_or(0, |row| rows[row as usize].range + 1);
    Lines::new(&pieces.iter().map(|piece| (piece.start, code(piece))).collect::<Vec<_>>())
}

/// A row begins and ends at most one stretch each.
const ROWS_MAX: usize = STRETCHES_MAX / 2 - 1;
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

#[cfg(test)]
mod tests;
