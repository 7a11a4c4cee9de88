//! What a terminal says at the end of its batch: the totals of a settlement, the lines of an upload.
//! Never holds a card number. Guards: counts and sums are as the message had them; nothing here is added up.

use crate::{Kind, Minor};

/// Sum and count of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Side {
    /// Minor units.
    pub amount: Minor,
    /// Transactions.
    pub count: u32,
}

/// Debits and credits of one group of cards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Totals {
    /// From cardholders: purchases, completions, offline sales.
    pub debits: Side,
    /// To cardholders: voids, refunds.
    pub credits: Side,
}

/// Domestic cards first, then all others.
pub type BatchTotals = [Totals; 2];

/// Lines that one upload message can carry.
pub const UPLOAD_LINES_MAX: usize = 8;

/// One transaction as an upload lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UploadLine {
    /// DE 11.
    pub stan: u32,
    /// Minor units.
    pub amount: Minor,
}

/// What a settlement or upload message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchSays {
    /// 0500: the terminal's totals.
    Totals(BatchTotals),
    /// 0500 whose totals are none.
    NoTotals,
    /// 0320: lines, of which `count` are filled.
    Lines {
        /// The lines.
        lines: [UploadLine; UPLOAD_LINES_MAX],
        /// How many.
        count: u8,
    },
    /// 0320 with 202 or 207: the upload is over, so many were sent; `equal` if the terminal took the totals for equal.
    End {
        /// Lines sent.
        count: u32,
        /// 207 rather than 202.
        equal: bool,
    },
}

/// Which side of its batch an approved transaction is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchSide {
    /// From the cardholder.
    Debit,
    /// To the cardholder.
    Credit,
}

impl Kind {
    /// The side of the batch's totals, for types that settle. A pre-authorization holds, it does not settle.
    pub const fn batch_side(self) -> Option<BatchSide> {
        match self {
            Self::Purchase | Self::Completion | Self::CompletionAdvice | Self::OfflineSale => {
                Some(BatchSide::Debit)
            }
            Self::PurchaseVoid | Self::CompletionVoid | Self::Refund => Some(BatchSide::Credit),
            _ => None,
        }
    }
}

impl Totals {
    /// One more approved transaction, or with `withdrawn` one less.
    pub fn count(&mut self, side: BatchSide, amount: Minor, withdrawn: bool) {
        let side = match side {
            BatchSide::Debit => &mut self.debits,
            BatchSide::Credit => &mut self.credits,
        };
        if withdrawn {
            (side.amount, side.count) = ((side.amount - amount).max(0), side.count.saturating_sub(1));
        } else {
            (side.amount, side.count) = (side.amount.saturating_add(amount), side.count.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withdrawn_was_never_there() {
        let mut totals = Totals::default();
        totals.count(BatchSide::Debit, 500, false);
        totals.count(BatchSide::Credit, 200, false);
        totals.count(BatchSide::Debit, 500, true);
        assert_eq!(totals.debits, Side::default());
        assert_eq!(totals.credits, Side { amount: 200, count: 1 });
    }
}
