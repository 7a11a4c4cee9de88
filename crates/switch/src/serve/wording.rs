//! Terminal and issuer may say the same type of transaction in other words (DE 3, DE 25): which, and back again.
//! Never decides what is meant: the dialects' tables do. Guards: an echo of what we said is not another transaction.

use super::mail::Answered;
use super::worker::Worker;
use engine::{Transaction, TxnId};
use iso8583::{Dialect, EncodeError, Words};
use terms::{Answer, Request};

/// How the issuer's dialect says what came in another; as it came within one.
pub(super) fn words(from: &Dialect, to: &Dialect, request: &Request) -> Result<Option<Words>, EncodeError> {
    if core::ptr::eq(from, to) { Ok(None) } else { iso8583::say(to, request) }
}

impl Worker {
    /// How a transaction was said to its issuer, where that was not as it came.
    pub(super) fn said(&self, transaction: &Transaction) -> Option<Words> {
        let listener = self.shared.config.listeners.get(transaction.origin.listener.at())?;
        let theirs = &self.shared.config.issuers.get(transaction.issuer.at())?.dialect;
        words(&listener.dialect, theirs, &transaction.request).ok()?
    }

    /// DE 3 as the terminal said it, where the issuer echoes what it was asked in other words.
    pub(super) fn as_asked(&self, txn: TxnId, one: &Answered) -> Answer {
        let config = &self.shared.config;
        let theirs = &config.issuers[config.links[one.link.at()].issuer.at()].dialect;
        let asked = self.engine.transaction(txn).and_then(|transaction| {
            let request = &transaction.request;
            let listener = config.listeners.get(transaction.origin.listener.at())?;
            let said = words(&listener.dialect, theirs, request).ok()??;
            (one.answer.processing_code == Some(said.processing_code)).then_some(request.processing_code)
        });
        Answer { processing_code: asked.or(one.answer.processing_code), ..one.answer }
    }
}
