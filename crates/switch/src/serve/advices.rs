//! What stands before its issuer was asked: numbers for it, the ceilings of stand-in, and the advices that tell of it.
//!
//! Never decides: as in `effects.rs`, every branch is "it worked" or "it did not". Guards: an advice and its repeats go under one
//! STAN and DE 7; nothing here takes a place in a link's window.

use super::worker::Worker;
use engine::effect::ReversalReason;
use engine::record::Advised;
use engine::{Event, Permit, Transaction, TxnId};
use iso8583::{ReversalOf, write_advice};
use limits::{Charge, Demand};
use terms::{InternalCause, IssuerIx, Kind, LinkIx, ResponseCode, Tick};

impl Worker {
    /// A number, a store-and-forward slot, and the ceilings that a request of its type is held to; no link need be up.
    pub(super) fn enlist(&mut self, txn: TxnId, issuer: IssuerIx) {
        if self.engine.transaction(txn).is_some_and(|notice| notice.request.kind == Kind::ScriptResult) {
            self.carry_chip(txn);
        }
        let result = self.room_for(issuer).and_then(|()| {
            let (link, Advised { stan, transmission }) = self.number(txn, issuer)?;
            let reserved = self.shared.limits.reserve(self.engine.demands(txn));
            reserved.map_err(|exceeded| exceeded.cause())?;
            self.slots_taken[issuer.at()] += 1;
            Ok(Permit { link, stan, transmission })
        });
        self.feed(Event::Reserved { txn, result });
    }

    /// What a notice of script results is about, from the terminal's own message.
    fn carry_chip(&mut self, txn: TxnId) {
        let Some(wire) = self.wires.get(txn) else { return };
        let dialect = &self.shared.config.listeners[wire.listener.at()].dialect;
        let (body, index, mut content) = (&wire.request, &mut self.index, Vec::new());
        let kept = iso8583::locate(dialect, body, index).is_ok()
            && iso8583::keep_chip(dialect, body, index, engine::CONTENT_MAX, &mut content);
        if !kept && let Some(before) = self.complaints.unsayable.tell(self.now.tick) {
            tracing::warn!(
                before,
                "chip data of a script result cannot be followed, or are too long: told without"
            );
        }
        self.feed(Event::Carried { txn, content: &content });
    }

    /// A number for the advice, and what stand-in may spend.
    pub(super) fn stand_in(&mut self, txn: TxnId, issuer: IssuerIx) {
        let demand = self.engine.stand_in_demand(&self.snapshot, txn);
        let result = demand.ok_or(InternalCause::IssuerDown).and_then(|demand| {
            let (_, number) = self.number(txn, issuer)?;
            self.shared.limits.reserve(&[demand]).map_err(|exceeded| exceeded.cause())?;
            Ok(number)
        });
        self.feed(Event::StoodIn { txn, result });
    }

    /// What stand-in may spend it may spend again.
    pub(super) fn uncover(&mut self, txn: TxnId) {
        if let Some(Demand { key, day, amount, .. }) = self.engine.stand_in_demand(&self.snapshot, txn) {
            self.shared.limits.release(&[Charge { key, day, amount }]);
        }
    }

    /// On the link that carried the request, if one did, else on the issuer's first.
    fn number(&mut self, txn: TxnId, issuer: IssuerIx) -> Result<(LinkIx, Advised), InternalCause> {
        let permit = self.engine.transaction(txn).and_then(|transaction| transaction.permit);
        let first = self.shared.config.issuers[issuer.at()].links.first().copied();
        let link = permit.map(|permit| permit.link).or(first).ok_or(InternalCause::IssuerDown)?;
        let number = self.desks[link.at()].number(&self.now).ok_or(InternalCause::WindowFull)?;
        let (stan, transmission) = number;
        Ok((link, Advised { stan, transmission }))
    }

    /// Adds what an advice spends to its counters, whatever they say.
    pub(super) fn post(&mut self, txn: TxnId) {
        let charges = self.engine.charges(txn);
        for charge in charges {
            if self.shared.limits.restore(charge.key, charge.day, charge.amount, 1).is_err() {
                tracing::warn!("a forced post found no room for one more counter");
            }
        }
        if !charges.is_empty() {
            self.meter.limit_forced();
        }
    }

    /// An advice on its way; `false` if no link took it.
    pub(super) fn send_advice(
        &mut self,
        txn: TxnId,
        prefer: LinkIx,
        issuer: IssuerIx,
        repeat: bool,
        deadline: Tick,
    ) -> bool {
        let up = |link: LinkIx| self.up.get(link.at()).copied().unwrap_or(false);
        let Some(chooser) = self.choosers.get_mut(issuer.at()) else { return false };
        let link = if up(prefer) { Some(prefer) } else { chooser.pick(up) };
        let (Some(link), Some(transaction)) = (link, self.engine.transaction(txn)) else { return false };
        let Some(number) = transaction.number() else { return false };
        let dialect = &self.shared.config.issuers[issuer.at()].dialect;
        let mti = transaction.known_mti();
        let asked = !transaction.request.kind.is_advice();
        // What was a request goes as an offline sale: dialects that number their messages have another number for it.
        let function = if asked && transaction.request.function != 0 {
            OFFLINE_SALE
        } else {
            transaction.request.function
        };
        let (kept, said) = (kept(transaction, number), self.said(transaction));
        let processing_code = said.map_or(kept.processing_code, |said| said.processing_code);
        let condition = said.map_or(kept.condition, |said| said.condition);
        let of = ReversalOf { repeat, function, processing_code, condition, ..kept };
        let original = self.engine.named_original(txn).filter(|_| names(transaction.request.kind)).map(named);
        self.body.clear();
        let chip = self.engine.content(txn);
        if let Err(error) = write_advice(dialect, mti, &of, original.as_ref(), chip, &mut self.body) {
            tracing::error!(%error, "an advice cannot be encoded for its issuer");
            return false;
        }
        let key = (number.stan, number.transmission);
        let opened = self.desks[link.at()].open_advice(mti.class_digit(), key, txn.ticket(), deadline);
        // A full output takes nothing now: the desk's deadline brings the next try.
        opened && {
            self.hand_over(link, txn.ticket(), true);
            true
        }
    }
}

fn names(kind: Kind) -> bool {
    matches!(kind, Kind::CompletionAdvice | Kind::Adjustment)
}

/// UnionPay 60.1 of an offline sale.
const OFFLINE_SALE: u8 = 30;

/// What the journal keeps of a transaction that its issuer knows by `number`.
pub(super) fn kept(transaction: &Transaction, number: Advised) -> ReversalOf {
    let request = &transaction.request;
    let (reason, terminal_reason) = transaction.says_why();
    ReversalOf {
        original_mti: transaction.known_mti(),
        pan: request.pan,
        processing_code: request.processing_code,
        amount: transaction.amount(),
        currency: request.currency,
        stan: number.stan,
        stan_new: number.stan,
        transmission: number.transmission,
        transmission_new: number.transmission,
        local_time: request.local_time,
        local_date: request.local_date,
        expiry: request.expiry,
        entry_mode: request.entry_mode,
        condition: request.condition,
        acquirer: request.acquirer,
        rrn: Some(transaction.rrn),
        approval_code: transaction.approval_code,
        terminal: request.terminal,
        merchant: request.merchant,
        reason: terminal_reason.unwrap_or_else(|| reason_code(reason)),
        batch: request.batch,
        function: request.function,
        repeat: false,
        replacement_amount: None,
    }
}

/// An operation's original, as its issuer knows it.
pub(super) fn named(original: engine::NamedOriginal) -> iso8583::Named {
    let engine::NamedOriginal { mti, stan, transmission, acquirer, batch, local_date } = original;
    iso8583::Named { mti, stan, transmission, acquirer, batch, local_date }
}

/// DE 39 of a reversal of our own: 98 no answer in time, 96 the approval could not be used, 06 anything else.
fn reason_code(reason: ReversalReason) -> ResponseCode {
    ResponseCode::of(match reason {
        ReversalReason::Timeout | ReversalReason::LinkLost => "98",
        ReversalReason::Undelivered | ReversalReason::BadAnswer => "96",
        ReversalReason::Terminal | ReversalReason::Restart => "06",
        ReversalReason::Contradiction | ReversalReason::Issuer => "06",
    })
}
