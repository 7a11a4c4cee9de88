//! Why an item is open, and whose move it is.
//!
//! Never guesses: what it says follows from the records of the transaction. Guards: nothing is left with "see the log".

use super::ItemKind;
use crate::switch_book::{Entry, State};
use serde::Serialize;

/// Who does what next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Next {
    /// `operator`, `acquirer` or `terminal`.
    pub who: &'static str,
    /// What, as one says it to them.
    pub what: &'static str,
}

const fn next(who: &'static str, what: &'static str) -> Next {
    Next { who, what }
}

/// Why an item is open.
pub(super) fn cause(kind: ItemKind, entry: &Entry) -> String {
    match kind {
        ItemKind::UnconfirmedDelivery if entry.undelivered => {
            "approved, the connection died before the answer left, and the terminal has not come back".into()
        }
        ItemKind::UnconfirmedDelivery => {
            "approved and answered; the terminal does not know how it ended and has not reversed it".into()
        }
        ItemKind::StandInLoss if entry.refused => {
            "approved in the issuer's stead; the issuer refused the advice".into()
        }
        ItemKind::StandInLoss => {
            "approved in the issuer's stead; the issuer has not acknowledged the advice".into()
        }
        ItemKind::Quarantined if entry.parked => {
            "approved here; the issuer neither takes nor refuses the advice of it".into()
        }
        ItemKind::Quarantined => {
            format!("the reversal ({}) was refused by the issuer again and again", reason(entry))
        }
        ItemKind::TerminalBreach if !entry.stands() => {
            "reversed because the terminal asked for it; the terminal holds it approved all the same".into()
        }
        ItemKind::TerminalBreach => {
            "approved and answered; the terminal took it for a decline and did not reverse it".into()
        }
        ItemKind::IssuerContradiction => contradiction(entry),
    }
}

fn contradiction(entry: &Entry) -> String {
    match (entry.state, &entry.code) {
        (State::Declined, Some(code)) => format!("the issuer answered {code} and booked it"),
        (_, _) if entry.reversal_reason == Some(ISSUER_REVERSED) => {
            "the issuer approved it, then took it back by itself".into()
        }
        (State::Reversed, _) => {
            format!("the issuer acknowledged the reversal ({}) and keeps its booking", reason(entry))
        }
        _ => "the issuer booked the request and the advice of the same transaction".into(),
    }
}

/// Why it was reversed, in words.
pub(super) fn reason(entry: &Entry) -> &'static str {
    match entry.reversal_reason {
        Some(0) => "the terminal asked for it",
        Some(1) => "the issuer did not answer in time",
        Some(2) => "the link was lost",
        Some(3) => "the approval was not delivered",
        Some(4) => "the answer did not match, or its code was unknown",
        Some(5) => "the switch was restarted",
        Some(6) => "the issuer approved what had been declined or reversed",
        Some(ISSUER_REVERSED) => "the issuer did it by itself",
        _ => "of no known reason",
    }
}

/// Whose move an open item is.
pub(super) fn act(kind: ItemKind, entry: &Entry) -> Next {
    match kind {
        ItemKind::UnconfirmedDelivery => next(
            "acquirer",
            "ask the merchant whether the goods were handed over; if not, have the terminal reverse it, or refund it",
        ),
        ItemKind::StandInLoss if entry.refused => next(
            "operator",
            "claim the amount from the issuer as the stand-in agreement says, or book it as a loss",
        ),
        ItemKind::StandInLoss => {
            next("operator", "bring the issuer's link up, let the advice be acknowledged, then compare again")
        }
        ItemKind::Quarantined if entry.parked => next(
            "operator",
            "have the issuer book it by hand, or say what is wrong with the advice; it is sent again at its next sign-on",
        ),
        ItemKind::Quarantined => next(
            "operator",
            "have the issuer take its booking back by hand; the reversal is sent again at its next sign-on",
        ),
        ItemKind::TerminalBreach if !entry.stands() => next(
            "acquirer",
            "ask the merchant for the signed slip; charge the sale again or have the terminal's book corrected",
        ),
        ItemKind::TerminalBreach => {
            next("acquirer", "have the merchant refund it, and the terminal's maker mend its reversals")
        }
        ItemKind::IssuerContradiction if entry.reversal_reason == Some(ISSUER_REVERSED) => next(
            "operator",
            "ask the issuer why it took the approval back; claim the amount, the merchant was told yes",
        ),
        ItemKind::IssuerContradiction => {
            next("operator", "have the issuer correct its ledger; send it the hops of `pointsman txn show`")
        }
    }
}

/// Whose move a disagreement about a transaction is.
pub(super) fn mend(entry: &Entry) -> Next {
    match entry.state {
        State::Open => next(
            "operator",
            "start the switch once: recovery gives every intent its outcome; then compare again",
        ),
        State::Reversing => next(
            "operator",
            "let the owed reversal be acknowledged (pointsman_saf_depth at 0), then compare again",
        ),
        _ => LOOK,
    }
}

/// Where the books are of one transaction, and of no known reason different.
pub(super) const LOOK: Next = next(
    "operator",
    "read every hop with `pointsman txn show`, ask the other side for its record of the same numbers",
);
/// The journal contradicts itself.
pub(super) const VERIFY: Next = next(
    "operator",
    "keep a copy of the journal, run `pointsman journal verify`, report it as a fault of the switch",
);
/// The end of a batch contradicts itself.
pub(super) const UPLOAD: Next =
    next("terminal", "settle and upload the batch again, before a new batch is begun");

/// Reversal reason 7 of the page of records.
const ISSUER_REVERSED: u8 = 7;
