//! Reversals that come in: which entry they mean, and what goes back.
//! Never gives back more than is open of an entry. Guards: the money goes back once, however often it is told; an original
//! that has not come yet is declined when it does.

use crate::account::Charge;
use crate::answer::Said;
use crate::issuer::{Bank, Message, entry, named};
use crate::ledger::{EntryIx, Keep, Ledger, New, State};
use crate::mood::Act;
use iso8583::{Dialect, View};
use terms::{Minor, Request, ResponseCode};

impl Bank {
    /// A reversal, first or repeated: the answer is the same, the money goes back once.
    pub(crate) fn reverse(&mut self, message: &Message<'_>, act: Option<Act>) -> Said {
        if let Some(Act::Decline(code)) = act {
            return self.declined(code);
        }
        let original = Original::of(&self.teller.dialect, message);
        if self.keep == Keep::Totals {
            return self.believe(message);
        }
        match self.ledger.find(original.key, original.stan, original.transmission) {
            Some(at) => self.reverse_known(at, message),
            None => self.reverse_unknown(&original, message),
        }
    }

    fn reverse_known(&mut self, at: EntryIx, message: &Message<'_>) -> Said {
        let (entry, request) = (self.ledger.entry(at), message.request);
        match entry.state {
            State::Tombstone => return Said::code(ResponseCode::of("25")),
            State::Declined | State::Reversed => return Said::code(ResponseCode::approved()),
            State::Debited | State::Credited | State::PartlyReversed => {}
        }
        let Some(pan) = request.pan else { return Said::code(ResponseCode::of("30")) };
        if entry.state == State::Credited {
            let again = Charge { pan, amount: entry.amount, expiry: None, yymm: 0, insist: true };
            let taken = self.accounts.charge(&again);
            return self.settled(taken, |bank| {
                bank.ledger.undo_credit(at);
                bank.ledger.put_back(at, entry.amount);
            });
        }
        let amount = self.to_return(at, request);
        if amount == 0 {
            return Said::code(ResponseCode::approved());
        }
        let given = self.accounts.give_back(pan, amount);
        self.settled(given, |bank| {
            bank.ledger.give_back(at, amount, message.now.wall_ms);
            bank.hold_again(at, pan, amount);
        })
    }

    fn settled(&mut self, moved: Result<(), ResponseCode>, book: impl FnOnce(&mut Self)) -> Said {
        match moved {
            Ok(()) => {
                book(self);
                Said::code(ResponseCode::approved())
            }
            Err(code) => Said::code(code),
        }
    }

    /// What is to go back: all that is open, or down to the replacement amount of DE 95.
    fn to_return(&self, at: EntryIx, request: &Request) -> Minor {
        let open = self.ledger.open_amount(at);
        if request.flags.has(terms::Flags::REPLACEMENT) {
            (open - request.replacement_amount).max(0)
        } else {
            open
        }
    }

    /// 25, and a mark that declines the original should it come after.
    fn reverse_unknown(&mut self, original: &Original, message: &Message<'_>) -> Said {
        self.ledger.totals.unknown_originals += 1;
        let mark = New {
            stan: original.stan,
            transmission: original.transmission,
            code: ResponseCode::of("94"),
            ..entry(message, ResponseCode::of("94"), State::Tombstone)
        };
        let code = if self.ledger.write(original.key, &mark).is_ok() { "25" } else { "96" };
        Said::code(ResponseCode::of(code))
    }

    /// Without a book, a reversal is taken at its word.
    fn believe(&mut self, message: &Message<'_>) -> Said {
        let request = message.request;
        let amount = (request.amount - request.replacement_amount).max(0);
        let Some(pan) = request.pan else { return Said::code(ResponseCode::of("30")) };
        let given = self.accounts.give_back(pan, amount);
        self.settled(given, |bank| bank.ledger.count_return(amount))
    }
}

/// What a reversal refers to.
struct Original {
    key: u64,
    stan: u32,
    transmission: u32,
}

impl Original {
    /// By DE 90 where there is one (MTI 4, STAN 6, DE 7 10), else the message carries the original's own numbers.
    fn of(dialect: &Dialect, message: &Message<'_>) -> Self {
        let request = message.request;
        let view = View::new(dialect, message.body, message.index);
        let (stan, transmission) = named(&view).unwrap_or((request.stan.get(), request.transmission.0));
        let key = Ledger::key(stan, transmission, request.terminal.as_bytes());
        Self { key, stan, transmission }
    }
}
