//! Nested spans made flat: who owns each stretch of numbers, in order. Done once, when a table is built.
//! Never on the hot path; guards: of two spans that share a number, one lies within the other, or the table is refused.

use crate::{Overlap, RangeRow};

/// From `start` (twelve digits) to the next piece's start the numbers belong to a row, or to none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// First number.
    pub start: u64,
    /// Position of its row among the sorted ones.
    pub row: Option<u32>,
}

/// Rows made flat.
#[derive(Debug)]
pub struct Flattened {
    /// In order, the first at number 0.
    pub pieces: Vec<Piece>,
    /// For each row the narrowest one that it lies in.
    pub around: Vec<Option<u32>>,
}

/// Flattens `rows`, which must be sorted by [`before`].
/// # Errors
/// Every pair of rows of which neither lies within the other, and every span that stands twice.
pub fn flatten(rows: &[RangeRow]) -> Result<Flattened, Vec<Overlap>> {
    let mut flat = Flat { rows, open: Vec::new(), pieces: vec![Piece { start: 0, row: None }] };
    let (mut around, mut overlaps) = (Vec::with_capacity(rows.len()), Vec::new());
    for (row, one) in (0_u32..).zip(rows) {
        flat.close_before(one.span.low());
        let clashes = flat.clashes(one);
        around.push(flat.open.last().copied());
        if clashes.is_empty() {
            flat.push(one.span.low(), Some(row));
            flat.open.push(row);
        }
        overlaps.extend(clashes);
    }
    flat.close_before(u64::MAX);
    if overlaps.is_empty() { Ok(Flattened { pieces: flat.pieces, around }) } else { Err(overlaps) }
}

/// The order of rows: from low to high, a span before those within it, its twin by line.
pub fn before(row: &RangeRow) -> (u64, core::cmp::Reverse<u64>, usize) {
    (row.span.low(), core::cmp::Reverse(row.span.high()), row.line)
}

struct Flat<'a> {
    rows: &'a [RangeRow],
    /// Rows around the present number, outermost first.
    open: Vec<u32>,
    pieces: Vec<Piece>,
}

impl Flat<'_> {
    fn close_before(&mut self, number: u64) {
        while let Some(&last) = self.open.last() {
            let end = self.high(last);
            if end >= number {
                return;
            }
            self.open.pop();
            self.push(end + 1, self.open.last().copied());
        }
    }

    /// A later piece at the same number replaces the earlier, which has no number of its own.
    fn push(&mut self, start: u64, row: Option<u32>) {
        if self.pieces.last().is_some_and(|last| last.start == start) {
            self.pieces.pop();
        }
        self.pieces.push(Piece { start, row });
    }

    /// Those around are wider the further out, so the clashes are the innermost.
    fn clashes(&self, row: &RangeRow) -> Vec<Overlap> {
        let (low, high) = (row.span.low(), row.span.high());
        let clashes = |other: &&RangeRow| {
            other.span.high() < high || (other.span.low(), other.span.high()) == (low, high)
        };
        let open = self.open.iter().rev().map(|row| &self.rows[*row as usize]);
        open.take_while(clashes).map(|other| Overlap::new(other, row)).collect()
    }

    fn high(&self, row: u32) -> u64 {
        self.rows[row as usize].span.high()
    }
}
