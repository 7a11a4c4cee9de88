//! Operations on earlier bookings: voids, cancellations, completions, refunds, each against the entry it names.
//!
//! Never takes more of an entry than it has. Guards: a hold that a completion has lifted is not lifted twice, and stands
//! again when the completion is reversed. A message that names no original is booked by itself, as far as it moves money.

use crate::account::Charge;
use crate::issuer::{Bank, Message, named};
use crate::ledger::{EntryIx, Keep, State};
use iso8583::View;
use terms::{Kind, Minor, Pan, ResponseCode};

/// The entry that an operation names.
#[derive(Clone, Copy)]
pub(crate) struct Related {
    at: EntryIx,
    /// Whole amount of the entry.
    amount: Minor,
    /// A completion: the entry's hold gives way to the operation's debit.
    pub lifts: bool,
}

impl Bank {
    /// The entry that an operation names, if it names one. The code says why nothing can be done to it.
    pub(crate) fn related(&self, message: &Message<'_>) -> Result<Option<Related>, ResponseCode> {
        let request = message.request;
        let kind = request.kind;
        let operation = kind.is_linked() || kind == Kind::CompletionAdvice;
        if !operation || self.keep == Keep::Totals {
            return Ok(None);
        }
        let view = View::new(&self.teller.dialect, message.body, message.index);
        let Some((stan, transmission)) = named(&view).or_else(|| by_batch(&view)) else { return Ok(None) };
        let at = self.ledger.find_named(stan, transmission, request.terminal.as_bytes());
        let at = at.ok_or_else(|| ResponseCode::of("25"))?;
        self.judge(at, kind, request.amount).map(Some)
    }

    fn judge(&self, at: EntryIx, kind: Kind, amount: Minor) -> Result<Related, ResponseCode> {
        let entry = self.ledger.entry(at);
        let drawn = self.ledger.drawn(at);
        if entry.state != State::Debited {
            return Err(ResponseCode::of("12"));
        }
        let lifts = matches!(kind, Kind::Completion | Kind::CompletionAdvice);
        let allowed = match kind {
            Kind::Refund => amount <= entry.amount - drawn,
            _ if drawn != 0 => return Err(ResponseCode::of("12")),
            _ if lifts => amount <= entry.amount * COMPLETION_PERCENT / 100,
            _ => amount == entry.amount,
        };
        match allowed {
            true => Ok(Related { at, amount: entry.amount, lifts }),
            false => Err(ResponseCode::of("64")),
        }
    }

    /// The hold goes, the completion is charged; if it cannot be, the hold stays.
    pub(crate) fn lift(&mut self, hold: &Related, charge: &Charge, at: i64) -> Result<(), ResponseCode> {
        self.accounts.give_back(charge.pan, hold.amount)?;
        if let Err(code) = self.accounts.charge(charge) {
            self.accounts.charge(&Charge { amount: hold.amount, insist: true, ..*charge })?;
            return Err(code);
        }
        self.ledger.give_back(hold.at, hold.amount, at);
        Ok(())
    }

    /// Books what an operation took of its original.
    pub(crate) fn relate(&mut self, operation: EntryIx, state: State, amount: Minor, to: Option<&Related>) {
        if let (State::Debited | State::Credited, Some(related)) = (state, to) {
            self.ledger.draw(operation, related.at, amount);
        }
    }

    /// A completion was reversed: its pre-authorization holds again.
    pub(crate) fn hold_again(&mut self, completion: EntryIx, pan: Pan, amount: Minor) {
        let Some(hold) = self.ledger.put_back(completion, amount) else { return };
        let amount = self.ledger.entry(hold).amount;
        let again = Charge { pan, amount, expiry: None, yymm: 0, insist: true };
        if self.accounts.charge(&again).is_ok() {
            self.ledger.hold_again(hold);
        }
    }
}

/// DE 61: batch 6, STAN 6, date 4 digits.
fn by_batch(view: &View<'_>) -> Option<(u32, u32)> {
    let mut digits = [0; 32];
    let len = view.content(61, &mut digits).filter(|len| *len >= 12)?;
    let text = std::str::from_utf8(&digits[..len]).ok()?;
    Some((text.get(6..12)?.parse().ok()?, 0))
}

/// A completion may be this much of its hold.
const COMPLETION_PERCENT: Minor = 115;
