//! The issuer's own reversals: what it approved and takes back by itself, told until the other side has taken it.
//!
//! Booked when it is decided; a 0420 goes out behind the answer, a 0421 with every sign-on and echo that comes in, until a
//! 0430 ends it. Never takes back what operations have used. Guards: an entry is taken back once.

use crate::answer::Teller;
use crate::issuer::{Bank, Message, approval_code, key_of};
use crate::ledger::{Keep, State};
use bytes::BytesMut;
use framing::Envelope;
use iso8583::{Index, ReversalOf};
use terms::{Kind, Now, ResponseCode, Stan};

/// Told and not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Recants {
    waiting: Vec<ReversalOf>,
    stan: Option<Stan>,
}

/// What one issuer may have under way at a time; more are not begun.
const WAITING_MAX: usize = 65_536;

impl Bank {
    /// Takes back what `message` was approved for, if it still stands whole.
    pub(crate) fn take_back(&mut self, message: &Message<'_>, out: &mut BytesMut) {
        let request = message.request;
        let holds = matches!(request.kind, Kind::Purchase | Kind::PreAuth);
        if !holds || self.keep == Keep::Totals || self.recants.waiting.len() >= WAITING_MAX {
            return;
        }
        let found = self.ledger.find(key_of(request), request.stan.get(), request.transmission.0);
        let (Some(at), Some(pan)) = (found, request.pan) else { return };
        let entry = self.ledger.entry(at);
        if entry.state != State::Debited || self.ledger.drawn(at) != 0 {
            return;
        }
        if self.accounts.give_back(pan, entry.amount).is_err() {
            return;
        }
        self.ledger.give_back(at, entry.amount, message.now.wall_ms);
        self.ledger.totals.recanted += 1;
        let stan = self.recants.stan.map_or(Stan::MIN, Stan::next);
        self.recants.stan = Some(stan);
        let reversal = ReversalOf {
            original_mti: request.mti,
            pan: request.pan,
            processing_code: request.processing_code,
            amount: entry.amount,
            currency: request.currency,
            stan: request.stan,
            stan_new: stan,
            transmission: request.transmission,
            transmission_new: message.now.transmission,
            local_time: request.local_time,
            local_date: request.local_date,
            expiry: None,
            entry_mode: request.entry_mode,
            condition: request.condition,
            acquirer: request.acquirer,
            rrn: request.rrn,
            approval_code: Some(approval_code(at.approval())),
            terminal: request.terminal,
            merchant: request.merchant,
            reason: ResponseCode::of("06"),
            batch: request.batch,
            function: request.function,
            repeat: false,
            replacement_amount: None,
        };
        write(&self.teller, &reversal, message.envelope, out);
        self.recants.waiting.push(ReversalOf { repeat: true, ..reversal });
    }

    /// The other side is there: everything that it has not taken is told again.
    pub(crate) fn recant_again(&mut self, envelope: &Envelope, now: &Now, out: &mut BytesMut) {
        for reversal in &mut self.recants.waiting {
            reversal.transmission_new = now.transmission;
            write(&self.teller, reversal, envelope, out);
        }
    }

    /// An answer of the other side's; only those to reversals of ours mean anything.
    pub(crate) fn hear_answer(&mut self, body: &[u8], index: &Index) {
        if self.recants.waiting.is_empty() || index.mti().class_digit() != 4 {
            return;
        }
        let Ok(answer) = iso8583::answer(&self.teller.dialect, body, index) else { return };
        // Busy: it is told again.
        if answer.code.as_bytes() == b"96" {
            return;
        }
        let before = self.recants.waiting.len();
        self.recants.waiting.retain(|reversal| reversal.stan_new != answer.stan);
        let taken = before != self.recants.waiting.len();
        self.ledger.totals.recants_refused += u64::from(taken && answer.code.as_bytes() != b"00");
    }

    /// Reversals of its own that the other side has not taken.
    pub(crate) fn recanting(&self) -> usize {
        self.recants.waiting.len()
    }
}

fn write(teller: &Teller, reversal: &ReversalOf, envelope: &Envelope, out: &mut BytesMut) {
    // What cannot be written is not told: the books show it.
    teller.own(&envelope.reply(), out, |dialect, out| iso8583::write_reversal(dialect, reversal, out));
}
