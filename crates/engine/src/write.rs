//! What the machine writes down: records made from transactions.
//! Never decides; guards: each record goes into the frame of its class, and what is awaited is marked as pending.

use crate::event::{TxnId, Verdict};
use crate::past::Gone;
use crate::record::{
    Ack, Charges, Intent, Late, Obligation, Outcome, Parked, Record, Refused, Resolve, Serial, Told,
    Tombstone, Undelivered, Unmatched, UnmatchedReason, Unsettled,
};
use crate::state::State;
use crate::transaction::{Transaction, Written};
use crate::turn::{NOBODY, Turn, token};
use limits::Charge;
use terms::money::AMOUNT_MAX;
use terms::{Answer, InDoubt, InternalCause, LinkIx, Minor, OriginalRef, Request, ResponseCode};

impl Turn<'_, '_> {
    pub(crate) fn write_intent(&mut self, id: TxnId, transaction: &mut Transaction, content: &[u8]) {
        let permit = transaction.permit.expect("an INTENT has a permit");
        let record = Intent {
            serial: transaction.serial,
            wall_ms: self.now().wall_ms,
            issuer: transaction.issuer_id,
            link: transaction.link_id,
            stan: permit.stan,
            transmission: permit.transmission,
            rrn: transaction.rrn,
            issuer_day: transaction.issuer_day,
            acquirer_day: transaction.acquirer_day,
            issuer_calendar: transaction.issuer_calendar,
            acquirer_calendar: transaction.acquirer_calendar,
            charged: transaction.charged,
            foreign: transaction.foreign,
            listener: transaction.origin.listener.0,
            request: transaction.request,
            named: transaction.named,
        };
        transaction.pending |= Written::Intent.bit();
        record.append_with(&mut self.frames.normal, token(id, Written::Intent), content);
    }

    /// The one OUTCOME of an INTENT, in the state the transaction is in now.
    pub(crate) fn write_outcome(&mut self, id: TxnId, transaction: &mut Transaction) {
        let owes = transaction.state == State::Reversing;
        let here = transaction.state == State::StipApproved;
        let record = Outcome {
            serial: transaction.serial,
            slot: transaction.request.slot,
            repeat: transaction.request.repeat,
            intent_lsn: transaction.intent_lsn,
            wall_ms: self.now().wall_ms,
            state: transaction.state,
            told: Told { cause: transaction.cause, code: transaction.issuer_code },
            approval_code: transaction.approval_code,
            approved_amount: transaction.approved_amount,
            reason: (owes || here && transaction.undo).then_some(transaction.reason),
            approval_seen: transaction.approval_seen,
            terminal_reason: transaction.terminal_reason.filter(|_| owes),
            arpc: transaction.arpc.filter(|_| !owes),
            advised: transaction.advice.filter(|_| here),
        };
        transaction.pending |= Written::Outcome.bit();
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::OutcomeTwice) {
            record.append_to(&mut self.frames.owed, NOBODY);
        }
        record.append_to(&mut self.frames.owed, token(id, Written::Outcome));
    }

    /// A reversal owed after the OUTCOME. `resolves`: the look-up that led here.
    pub(crate) fn write_obligation(&mut self, id: TxnId, transaction: &mut Transaction, resolves: Serial) {
        // What a record under way already releases is not held: a replay would give it back twice.
        let holds = transaction.holds && transaction.release_on == 0;
        #[cfg(pointsman_zoo)]
        let holds = if zoo::has(zoo::Bug::HoldReleasedTwice) { transaction.holds } else { holds };
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ObligationNotWritten) {
            return;
        }
        let share = Some(transaction.share).filter(|_| transaction.reduce_on != 0);
        let keeps = |charge: &Charge| share.map_or(*charge, |share| share.keeps(*charge));
        let held = transaction.charges().iter().map(keeps).filter(|_| holds);
        let owed = Unsettled::Reverse {
            intent_lsn: transaction.intent_lsn,
            reason: transaction.reason,
            terminal_reason: transaction.terminal_reason,
            told: transaction.told,
            approval_seen: transaction.approval_seen,
            charges: held.collect::<Charges>(),
            part: transaction.part,
            issuer: transaction.issuer_id,
            owner: transaction.request.owner(),
            token: transaction.request.token,
            resolves,
            advised: transaction.advice,
            advice_first: transaction.advice_first,
            first_reason: transaction.first_reason,
            request_only: transaction.state == State::StipApproved,
        };
        self.write_owed(id, transaction, owed);
    }

    /// An original that nobody could rule out.
    pub(crate) fn write_resolve(&mut self, id: TxnId, transaction: &mut Transaction, original: OriginalRef) {
        let request = &transaction.request;
        let owed = Unsettled::Resolve(Resolve {
            original,
            terminal_reason: transaction.terminal_reason,
            amount: request.amount,
            currency: request.currency,
            stan: request.stan,
            batch: request.batch,
            acquirer: request.acquirer,
            terminal: request.terminal,
            merchant: request.merchant,
        });
        self.write_owed(id, transaction, owed);
    }

    fn write_owed(&mut self, id: TxnId, transaction: &mut Transaction, owed: Unsettled) {
        let (slot, repeat) = match &owed {
            Unsettled::Reverse { .. } => (transaction.request.slot, transaction.request.repeat),
            Unsettled::Resolve(resolve) => (resolve.original.slot, transaction.request.repeat),
        };
        let record =
            Obligation { serial: transaction.serial, slot, repeat, wall_ms: self.now().wall_ms, owed };
        transaction.pending |= Written::Obligation.bit();
        record.append_to(&mut self.frames.owed, token(id, Written::Obligation));
    }

    /// The reversal is acknowledged.
    pub(crate) fn write_ack(&mut self, id: TxnId, transaction: &mut Transaction, code: Option<ResponseCode>) {
        let stands = transaction.stands();
        let record = Ack {
            serial: transaction.serial,
            slot: transaction.request.slot,
            repeat: transaction.request.repeat,
            intent_lsn: transaction.intent_lsn,
            wall_ms: self.now().wall_ms,
            state: transaction.state,
            code,
            told: transaction.told,
            approval_code: transaction.approval_code.filter(|_| stands),
            amount: transaction.approved_amount.filter(|_| stands),
            refused: transaction.refused,
            advised: transaction.advice,
        };
        transaction.pending |= Written::Ack.bit();
        record.append_to(&mut self.frames.owed, token(id, Written::Ack));
    }

    /// The issuer refused the reversal too often, or the advice of what stands; `code`: the last time with this.
    pub(crate) fn write_parked(
        &mut self,
        id: TxnId,
        transaction: &mut Transaction,
        code: Option<ResponseCode>,
    ) {
        let record = Parked {
            serial: transaction.serial,
            slot: transaction.request.slot,
            repeat: transaction.request.repeat,
            intent_lsn: transaction.intent_lsn,
            wall_ms: self.now().wall_ms,
            answers: transaction.bad_answers,
            code,
            told: transaction.told,
            advice: transaction.stands(),
        };
        transaction.pending |= Written::Parked.bit();
        record.append_to(&mut self.frames.owed, token(id, Written::Parked));
    }

    pub(crate) fn write_tombstone(
        &mut self,
        id: TxnId,
        transaction: &mut Transaction,
        original: OriginalRef,
    ) {
        let record = Tombstone {
            serial: transaction.serial,
            original,
            wall_ms: self.now().wall_ms,
            owner: transaction.request.owner(),
            batch: transaction.request.batch,
        };
        transaction.pending |= Written::Tombstone.bit();
        record.append_to(&mut self.frames.owed, token(id, Written::Tombstone));
    }

    pub(crate) fn write_late(&mut self, of: &Gone, answer: &Answer, verdict: Verdict) {
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::DropLateApproval) {
            return;
        }
        let record = Late {
            serial: of.serial,
            slot: of.slot,
            repeat: of.repeat,
            intent_lsn: of.intent_lsn,
            wall_ms: self.now().wall_ms,
            verdict,
            code: coded(answer),
            approval_code: answer.approval_code,
            amount: answer.amount.map(bounded),
        };
        record.append_to(&mut self.frames.normal, NOBODY);
    }

    pub(crate) fn write_undelivered(&mut self, transaction: &Transaction) {
        let record = Undelivered {
            serial: transaction.serial,
            slot: transaction.request.slot,
            repeat: transaction.request.repeat,
            intent_lsn: transaction.intent_lsn,
            wall_ms: self.now().wall_ms,
        };
        record.append_to(&mut self.frames.normal, NOBODY);
    }

    /// `link`: `None` where it is not known any more.
    pub(crate) fn write_unmatched(
        &mut self,
        link: Option<LinkIx>,
        answer: &Answer,
        verdict: Verdict,
        reason: UnmatchedReason,
    ) {
        let terms = link.and_then(|link| self.snapshot().links.get(link.at()));
        let record = Unmatched {
            wall_ms: self.now().wall_ms,
            link: terms.map_or(0, |terms| terms.id),
            mti: answer.mti,
            stan: answer.stan,
            transmission: answer.transmission,
            verdict,
            reason,
            code: coded(answer),
            amount: bounded(answer.amount.unwrap_or(0)),
            terminal: answer.terminal.unwrap_or_default(),
        };
        record.append_to(&mut self.frames.normal, NOBODY);
    }

    /// Journaled without waiting for its sync.
    pub(crate) fn write_refused(
        &mut self,
        request: &Request,
        issuer: u32,
        cause: InternalCause,
        remaining: Minor,
    ) {
        let record = Refused {
            wall_ms: self.now().wall_ms,
            mti: request.mti,
            kind: request.kind,
            told: Told::ours(cause),
            issuer,
            stan: request.stan,
            amount: bounded(request.amount),
            currency: request.currency,
            token: request.token,
            batch: request.batch & 0xFF_FFFF,
            remaining: bounded(remaining),
            acquirer: request.acquirer,
            terminal: request.terminal,
            merchant: request.merchant,
        };
        record.append_to(&mut self.frames.normal, NOBODY);
    }
}

/// What an issuer's later word is matched with.
pub(crate) fn gone(id: TxnId, transaction: &Transaction) -> Gone {
    Gone {
        ticket: id.ticket(),
        slot: transaction.request.slot,
        repeat: transaction.request.repeat,
        issuer: transaction.issuer,
        serial: transaction.serial,
        intent_lsn: transaction.intent_lsn,
        reverses: reverses(transaction),
        stood_in: transaction.stood_in(),
    }
}

/// Whether its type owes a reversal when in doubt.
pub(crate) fn reverses(transaction: &Transaction) -> bool {
    let request = &transaction.request;
    match request.kind.in_doubt() {
        InDoubt::Reverse => true,
        InDoubt::Repeat => request.kind != terms::Kind::ScriptResult,
        InDoubt::Forget => false,
    }
}

fn coded(answer: &Answer) -> Option<ResponseCode> {
    (!answer.code.as_bytes().is_empty()).then_some(answer.code)
}

/// A record's amount field: what no message can say is cut rather than believed.
fn bounded(amount: Minor) -> Minor {
    amount.clamp(0, AMOUNT_MAX)
}
