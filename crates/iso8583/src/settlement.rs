//! The end of a batch on the wire: totals in DE 48 of a 0500, lines and ends in DE 48 of a 0320 (UnionPay POS).
//! Never gives a card number away: of a line only STAN and amount are read. Guards: what is not of the described shape is
//! "no totals", never a guess.

use crate::dialect::Dialect;
use crate::index::Index;
use crate::view::View;
use terms::batch::{BatchSays, Side, Totals, UPLOAD_LINES_MAX, UploadLine};
use terms::{Kind, Request};

/// What a 0500 or 0320 says; `None` if it is neither, or an upload that cannot be read.
pub fn batch_says(dialect: &Dialect, bytes: &[u8], index: &Index, request: &Request) -> Option<BatchSays> {
    let mut digits = [0; TEXT_MAX];
    let len = View::new(dialect, bytes, index).content(TOTALS, &mut digits).unwrap_or(0);
    let text = &digits[..len];
    match (request.kind, request.network_code) {
        (Kind::Settlement, _) => Some(totals(text).unwrap_or(BatchSays::NoTotals)),
        (Kind::BatchUpload, code @ (ENDS_DIFFERENT | ENDS_EQUAL)) => {
            let count = number(text.get(..4)?)? as u32;
            Some(BatchSays::End { count, equal: code == ENDS_EQUAL })
        }
        (Kind::BatchUpload, _) => lines(text),
        _ => None,
    }
}

/// Domestic and other cards, each: debits 12 + 3, credits 12 + 3, result 1.
fn totals(text: &[u8]) -> Option<BatchSays> {
    if text.len() != TOTALS_LEN {
        return None;
    }
    let side = |from: usize| {
        let amount = number(&text[from..from + 12])? as i64;
        Some(Side { amount, count: number(&text[from + 12..from + 15])? as u32 })
    };
    let group = |from: usize| Some(Totals { debits: side(from)?, credits: side(from + 15)? });
    Some(BatchSays::Totals([group(0)?, group(31)?]))
}

/// Count 2, then of each: card group 2, STAN 6, card number 20, amount 12.
fn lines(text: &[u8]) -> Option<BatchSays> {
    let count = number(text.get(..2)?)? as usize;
    if count > UPLOAD_LINES_MAX || text.len() != 2 + count * LINE {
        return None;
    }
    let mut lines = [UploadLine::default(); UPLOAD_LINES_MAX];
    for (line, text) in lines.iter_mut().zip(text[2..].chunks_exact(LINE)) {
        *line = UploadLine { stan: number(&text[2..8])? as u32, amount: number(&text[28..40])? as i64 };
    }
    Some(BatchSays::Lines { lines, count: count as u8 })
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum: u64, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Where an answer's two results stand: behind the totals of each group of cards.
pub(crate) const RESULTS: [usize; 2] = [30, 61];
/// Private data: totals and lines.
pub(crate) const TOTALS: u8 = 48;
/// Length of the totals.
pub(crate) const TOTALS_LEN: usize = 62;
const TEXT_MAX: usize = 322;
const LINE: usize = 40;
const ENDS_DIFFERENT: u16 = 202;
const ENDS_EQUAL: u16 = 207;
