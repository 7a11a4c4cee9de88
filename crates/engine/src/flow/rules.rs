//! What an operation may do to its original: the trade's rules, and the shares and days that configuration sets.
//! Never looks anything up, never changes anything. Guards: nothing is taken that is not there.

use crate::record::Drawn;
use crate::snapshot::RefundTerms;
use crate::state::State;
use crate::transaction::Transaction;
use terms::{InternalCause, Kind, Minor};

/// Why not, and what would have been left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Objection {
    pub(crate) cause: InternalCause,
    /// 0 where the amount is not the reason.
    pub(crate) remaining: Minor,
}

/// What configuration says.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    /// Of a pre-authorization, in percent, that a completion may be.
    pub(crate) completion_percent: u16,
    pub(crate) refund: RefundTerms,
}

/// The original, and what others have taken or are about to take.
pub(crate) struct Meant<'a> {
    pub(crate) original: &'a Transaction,
    pub(crate) drawn: Drawn,
    pub(crate) under_way: Minor,
    /// Operations whose fate is open.
    pub(crate) open: u32,
}

pub(crate) fn check(operation: &Transaction, meant: &Meant, policy: &Policy) -> Result<(), Objection> {
    let (asked, original) = (&operation.request, &meant.original.request);
    let fits = follows(asked.kind, original.kind) && asked.currency == original.currency;
    if !fits || meant.original.state != State::Approved || meant.drawn.voided {
        return Err(plain(InternalCause::OriginalNotOpen));
    }
    let same_card = asked.token == original.token;
    match asked.kind {
        _ if !same_card && (asked.kind != Kind::Refund || policy.refund.same_card) => {
            Err(plain(other_card(asked.kind)))
        }
        Kind::Refund => refund(operation, meant, &policy.refund),
        Kind::Completion | Kind::CompletionAdvice => completion(operation, meant, policy.completion_percent),
        _ => whole(operation, meant),
    }
}

/// A void or a cancellation: of the whole, by the terminal that did it, in the batch in which it was done.
fn whole(operation: &Transaction, meant: &Meant) -> Result<(), Objection> {
    let (asked, original) = (&operation.request, &meant.original.request);
    let same_batch = asked.batch == original.batch || asked.kind == Kind::PreAuthCancel;
    let untouched = meant.drawn == Drawn::UNTOUCHED && meant.open == 0;
    if !same_batch || !untouched {
        return Err(plain(InternalCause::OriginalNotOpen));
    }
    match asked.amount == approved(meant.original) {
        true => Ok(()),
        false => Err(plain(InternalCause::NotWholeOriginal)),
    }
}

/// Once, and at most the issuer's share of what was authorized.
fn completion(operation: &Transaction, meant: &Meant, percent: u16) -> Result<(), Objection> {
    if meant.drawn.completed || meant.open > 0 {
        return Err(plain(InternalCause::OriginalNotOpen));
    }
    within(operation.request.amount, share(approved(meant.original), percent))
}

/// Several, in the merchant's days, together at most the merchant's share of the original.
fn refund(operation: &Transaction, meant: &Meant, terms: &RefundTerms) -> Result<(), Objection> {
    let age = operation.acquirer_day.0.saturating_sub(meant.original.acquirer_day.0);
    if age > terms.days {
        return Err(plain(InternalCause::RefundTooLate));
    }
    let left = share(approved(meant.original), terms.percent) - meant.drawn.taken - meant.under_way;
    within(operation.request.amount, left.max(0))
}

fn within(amount: Minor, remaining: Minor) -> Result<(), Objection> {
    let objection = Objection { cause: InternalCause::OverOriginal, remaining };
    if amount <= remaining { Ok(()) } else { Err(objection) }
}

fn follows(operation: Kind, original: Kind) -> bool {
    let completed = matches!(original, Kind::Completion | Kind::CompletionAdvice);
    match operation {
        Kind::PurchaseVoid => original == Kind::Purchase,
        Kind::PreAuthCancel | Kind::Completion | Kind::CompletionAdvice => original == Kind::PreAuth,
        Kind::CompletionVoid => completed,
        Kind::Refund => completed || matches!(original, Kind::Purchase | Kind::OfflineSale),
        _ => false,
    }
}

const fn other_card(kind: Kind) -> InternalCause {
    match kind {
        Kind::Refund => InternalCause::RefundOtherCard,
        _ => InternalCause::OriginalNotFound,
    }
}

/// What was approved of it.
fn approved(original: &Transaction) -> Minor {
    original.amount()
}

/// Rounded down: a share is a ceiling.
fn share(amount: Minor, percent: u16) -> Minor {
    (i128::from(amount) * i128::from(percent) / 100) as Minor
}

pub(crate) const fn plain(cause: InternalCause) -> Objection {
    Objection { cause, remaining: 0 }
}
