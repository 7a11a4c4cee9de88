//! What answers mean, and what terminals are told because of them.
//!
//! Never changes a state. Guards: an issuer's code that we do not know is never passed on; an approval is told once for each
//! time that it is asked for.

use crate::effect::{Code, Effect, Note, Reply};
use crate::engine::plain;
use crate::event::{TxnId, Verdict};
use crate::record::Told;
use crate::state::State;
use crate::transaction::Transaction;
use crate::turn::Turn;
use crate::write::gone;
use terms::{Answer, InternalCause, ResponseCode};

pub(crate) fn late(
    turn: &mut Turn,
    id: TxnId,
    transaction: &mut Transaction,
    answer: &Answer,
    verdict: Verdict,
) {
    if transaction.state == State::StipApproved && !transaction.undo && verdict == Verdict::Approves {
        // It said that it could not, or acknowledged the reversal: the advice is a second debit there.
        turn.note(Note::IssuerContradiction(transaction.issuer));
    }
    transaction.approval_seen |= verdict == Verdict::Approves;
    turn.write_late(&gone(id, transaction), answer, verdict);
    turn.note(Note::Late(transaction.issuer));
}

/// A second approval that says something else than the first.
pub(crate) fn differs(transaction: &Transaction, answer: &Answer) -> bool {
    transaction.state == State::Approved
        && answer.approval_code.is_some_and(|code| transaction.approval_code != Some(code))
}

pub(crate) fn bad_answer(verdict: Verdict) -> InternalCause {
    match verdict {
        Verdict::Approves => InternalCause::AnswerMismatch,
        Verdict::InDoubt => InternalCause::AnswerInDoubt,
        Verdict::Neither | Verdict::Declines => InternalCause::UnknownAnswerCode,
    }
}

pub(crate) fn reply_approval(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    if !core::mem::take(&mut transaction.reply_due) {
        return;
    }
    transaction.replied = true;
    let code = transaction.issuer_code.unwrap_or_else(ResponseCode::approved);
    let reply = Reply {
        rrn: Some(transaction.rrn),
        approval_code: transaction.approval_code,
        arpc: transaction.arpc,
        amount: transaction.approved_amount,
        from_issuer: true,
        ..plain(Code::Wire(code))
    };
    turn.ask(Effect::Reply { txn: Some(id), origin: transaction.origin, reply });
}

pub(crate) fn reply_decline(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    if !core::mem::take(&mut transaction.reply_due) {
        return;
    }
    let from_issuer = transaction.told.cause.is_none();
    let reply = Reply { rrn: Some(transaction.rrn), from_issuer, ..plain(said(&transaction.told)) };
    turn.ask(Effect::Reply { txn: Some(id), origin: transaction.origin, reply });
}

/// The code of a decline. An issuer's code that we do not know is never passed on: a terminal might take it for a yes.
pub(crate) fn said(told: &Told) -> Code {
    match (told.cause, told.code) {
        (Some(cause), _) => Code::Internal(cause),
        (None, Some(code)) => Code::Wire(code),
        (None, None) => Code::Internal(InternalCause::Reversed),
    }
}

/// Whether an answer takes an advice, or refuses it for good; `None`: it says neither (not now, not signed on, not understood).
/// 94 is taken: it was there before.
pub(crate) fn is_final_advice(code: ResponseCode, verdict: Verdict) -> Option<bool> {
    match (code.as_bytes(), verdict) {
        (b"94", _) | (_, Verdict::Approves) => Some(true),
        ([b'9', ..] | b"03" | b"06" | b"12" | b"19" | b"20" | b"21" | b"22" | b"30" | b"40", _) => None,
        (b"58" | b"77" | b"A0", _) => None,
        (_, Verdict::Declines) => Some(false),
        (_, Verdict::InDoubt | Verdict::Neither) => None,
    }
}
