//! Originals that live in another shard: made at another terminal of the same merchant, named by our RRN.
//!
//! The journal says which transaction has that RRN, and so which shard it lives in. That shard *lends* it: it tells what is left
//! of it, and until it has it back nothing else is done to it there. So there is one shard at any time that may draw on an
//! original, and its records of that are in one order. What is lent is memory only: whatever a crash leaves, the journal's
//! newest LINKED says what was drawn.
//!
//! Never lends what something is being done to, never a transaction of another merchant, never for a void or a cancellation:
//! those are for the terminal that did it. Guards: no two shards draw on one original at the same time; what waits for another
//! shard is known to its repeats and reversals.

use super::link::exactly;
use super::ties::{Key, Original, Tie, key};
use crate::effect::Effect;
use crate::engine::{Engine, NOBODY_ASKED, expired_tombstone};
use crate::event::{Permit, TxnId};
use crate::index::{Entry, shard_of};
use crate::record::{Advised, Charges, Drawn, Intent, Serial};
use crate::replay::Past;
use crate::reverse::END;
use crate::state::State;
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use journal::Lsn;
use terms::{
    ApprovalCode, BusinessDay, InternalCause, Kind, Minor, Mti, OriginalRef, Request, ResponseCode, Stan,
};

/// What one shard says to another about an original.
#[derive(Clone, Copy)]
pub struct Letter(Content);

#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant, reason = "letters are rare, and carried as they are")]
enum Content {
    /// To the original's shard.
    Ask(Ask),
    /// The answer.
    Lent(TxnId, Result<Lent, InternalCause>),
    /// Nothing more will be done to it; the newest LINKED, if there is one.
    Back(Key, Drawn, Option<Lsn>),
}

/// A shard asks for an original.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    from: u8,
    asker: TxnId,
    original: OriginalRef,
    /// It cannot be refused: what was done to the original is taken back.
    patient: bool,
}

/// Who waits until nothing is done to an original any more.
#[derive(Clone, Copy)]
pub(crate) enum Patient {
    /// Another shard.
    Shard(Ask),
    /// An operation here that was called back.
    Here(TxnId),
}

/// An original as its shard knows it. Without its card number: the token tells cards apart.
#[derive(Clone, Copy)]
struct Lent {
    home: u8,
    request: Request,
    serial: Serial,
    state: State,
    rrn: terms::Rrn,
    permit: Option<Permit>,
    advice: Option<Advised>,
    intent_lsn: Lsn,
    issuer_code: Option<ResponseCode>,
    approval_code: Option<ApprovalCode>,
    approved_amount: Option<Minor>,
    partly_reversed: bool,
    acquirer_day: BusinessDay,
    /// What it was charged, and whether that is still held.
    charges: Charges,
    holds: bool,
    drawn: Drawn,
}

impl Engine {
    /// The oldest letter that [`Effect::Letter`] has not carried yet.
    pub fn letter(&mut self) -> Option<Letter> {
        self.letters.pop_front()
    }

    fn post_letter(&mut self, turn: &mut Turn, to: u8, content: Content) {
        self.letters.push_back(Letter(content));
        turn.ask(Effect::Letter { to });
    }

    /// From another shard.
    pub(crate) fn take_letter(&mut self, turn: &mut Turn, letter: &Letter) {
        match letter.0 {
            Content::Ask(ask) => self.asked_to_lend(turn, ask),
            Content::Lent(asker, result) => self.borrowed(turn, asker, result),
            Content::Back(key, drawn, lsn) => self.given_back_to_us(turn, key, drawn, lsn),
        }
    }

    /// Whether an original that was found by STAN has another RRN than the operation names.
    pub(super) fn is_another(&self, id: TxnId, original: &Transaction) -> bool {
        let operation = &self.slab.read(id.index).request;
        let by_stan = operation.original.is_some_and(|reference| reference.class == 0);
        by_stan && operation.rrn.is_some_and(|rrn| rrn != original.rrn)
    }

    /// Asks the journal whom the operation's RRN names, once; `false` if there is nothing to ask.
    pub(super) fn ask_for_name(&mut self, turn: &mut Turn, id: TxnId) -> bool {
        let operation = self.slab.at(id.index);
        let names = operation.request.kind.is_linked() && operation.request.rrn.is_some();
        if !names || core::mem::replace(&mut operation.sought, true) {
            return false;
        }
        turn.ask(Effect::Name { txn: id });
        true
    }

    /// The journal knows whom it names: it is looked for where it lives. Nobody, or nobody that it may mean: the STAN decides.
    pub(crate) fn original_named(&mut self, turn: &mut Turn, id: TxnId, result: Result<&Intent, bool>) {
        let Some(operation) = self.slab.get_mut(id).filter(|operation| operation.is_payment()) else {
            return;
        };
        let named = match result {
            Ok(intent) => intent.request,
            Err(true) => return self.seek_original(turn, id),
            Err(false) => return self.original_missing(turn, id, InternalCause::JournalFailed),
        };
        let request = &mut operation.request;
        let own = named.owner() == request.owner();
        let abroad = matches!(request.kind, Kind::Refund | Kind::Completion | Kind::CompletionAdvice);
        if !(own || abroad && same_merchant(request, &named)) {
            return self.original_missing(turn, id, InternalCause::OriginalNotFound);
        }
        request.original = Some(exactly(&named));
        match shard_of(named.owner(), usize::from(self.config.shards)) as u8 {
            home if home == self.config.shard => self.seek_original(turn, id),
            home => self.borrow(turn, id, home),
        }
    }

    fn borrow(&mut self, turn: &mut Turn, id: TxnId, home: u8) {
        let patient = self.ties.called_back.contains_key(&id.index);
        let operation = self.slab.at(id.index);
        let original = operation.request.original.expect("it was just named");
        // Before its INTENT nothing else knows of it, and others may ask meanwhile.
        if operation.serial == Serial::NONE {
            let entry = Entry::live_of(&operation.request, operation.owner, id.index);
            if self.index.insert(entry).is_err() {
                return self.refuse_kept(turn, id, InternalCause::Overloaded);
            }
            let operation = self.slab.at(id.index);
            (operation.entered, operation.reply_due) = (true, true);
        }
        self.ties.borrowing.insert(id.index, home);
        let ask = Ask { from: self.config.shard, asker: id, original, patient };
        self.post_letter(turn, home, Content::Ask(ask));
    }

    /// Refused before its INTENT, but known since it asked another shard: whoever reversed it hears that it never happened.
    /// Tells whether there was one, who then hears nothing else.
    pub(crate) fn leave_unbegun(&mut self, turn: &mut Turn, id: TxnId) -> bool {
        let operation = self.slab.at(id.index);
        if !core::mem::take(&mut operation.entered) {
            return false;
        }
        let (slot, repeat) = (operation.request.slot, operation.request.repeat);
        let reversed = operation.cancelled == Some(InternalCause::ReversedInFlight);
        self.index.remove(slot, repeat);
        self.bury_waiters(turn, id);
        reversed
    }

    /// The other shard's answer.
    fn borrowed(&mut self, turn: &mut Turn, id: TxnId, result: Result<Lent, InternalCause>) {
        let waits = self.slab.get(id).is_some_and(Transaction::is_payment);
        let waits = waits && self.ties.borrowing.remove(&id.index).is_some();
        match result {
            Ok(lent) if waits => {
                let (original, charges) = lent.original(turn);
                let key = Original::of(&original).key();
                self.original_known(turn, id, &original, charges, lent.drawn);
                match self.ties.get_mut(key) {
                    Some(tie) => tie.home = Some(lent.home),
                    None => self.post_letter(turn, lent.home, Content::Back(key, lent.drawn, None)),
                }
            }
            Ok(lent) => {
                let key = key(lent.request.slot, lent.request.repeat);
                self.post_letter(turn, lent.home, Content::Back(key, lent.drawn, None));
            }
            Err(cause) if waits => self.original_missing(turn, id, cause),
            Err(_) => {}
        }
    }

    /// Nothing is done any more to an original: it goes home, or to who waits for it.
    pub(super) fn tie_ended(&mut self, turn: &mut Turn, tie: &Tie) {
        let key = tie.original.key();
        match tie.home {
            Some(home) => self.post_letter(turn, home, Content::Back(key, tie.drawn, tie.lsn)),
            None => self.serve_patient(turn, key),
        }
    }

    fn serve_patient(&mut self, turn: &mut Turn, key: Key) {
        let patient = core::mem::take(&mut self.ties.patient);
        let (now, later) = patient.into_iter().partition::<Vec<_>, _>(|(waits_for, _)| *waits_for == key);
        self.ties.patient = later;
        for (_, patient) in now {
            match patient {
                Patient::Shard(ask) => self.asked_to_lend(turn, ask),
                Patient::Here(id) => self.seek_original(turn, id),
            }
        }
    }

    /// An operation here that was called back waits while its original is lent. Tells whether it does.
    pub(super) fn waits_for_lent(&mut self, id: TxnId, original: &Transaction) -> bool {
        let key = key(original.request.slot, original.request.repeat);
        let lent = self.ties.get(key).is_some_and(|tie| tie.lent);
        let waits = lent && self.ties.called_back.contains_key(&id.index);
        if waits {
            self.ties.patient.push((key, Patient::Here(id)));
        }
        waits
    }

    /// Another shard asks for an original of ours: found in memory, else in the journal.
    fn asked_to_lend(&mut self, turn: &mut Turn, ask: Ask) {
        let key = key(ask.original.slot, ask.original.repeat);
        if self.ties.get(key).is_some() {
            return match ask.patient {
                true => self.ties.patient.push((key, Patient::Shard(ask))),
                false => self.refuse_to_lend(turn, &ask, InternalCause::OriginalNotOpen),
            };
        }
        let mut request = Request::new(Mti::of(0x0400), Kind::Unknown, Stan::MIN);
        request.original = Some(ask.original);
        let asking = Transaction::new(&request, Role::Lend, State::Tombstone, NOBODY_ASKED, turn.now().tick);
        let Some(id) = self.slab.open(asking, 0) else {
            return self.refuse_to_lend(turn, &ask, InternalCause::Overloaded);
        };
        self.ties.asks.insert(id.index, ask);
        let entry = self.index.find_original(&ask.original).filter(|entry| !expired_tombstone(entry, turn));
        match entry.map(|entry| (entry.slab(), entry.record(), entry.state)) {
            None if self.index.is_complete() => self.end_ask(turn, id, Err(InternalCause::OriginalNotFound)),
            None => turn.ask(Effect::Find { txn: id, slot: ask.original.slot, before: END }),
            Some((None, Some(lsn), State::Approved | State::StipApproved)) => {
                turn.ask(Effect::Fetch { txn: id, lsn });
            }
            Some((Some(position), _, state)) if state != State::Tombstone => {
                let (original, charges) = self.in_slab(turn, position);
                let drawn = original.drawn;
                self.end_ask(turn, id, Ok((original, charges, drawn)));
            }
            Some(_) => self.end_ask(turn, id, Err(InternalCause::OriginalNotOpen)),
        }
    }

    /// What the journal's index says of it.
    pub(crate) fn lend_found(&mut self, turn: &mut Turn, id: TxnId, result: Result<Lsn, bool>) {
        match result {
            Ok(lsn) => turn.ask(Effect::Fetch { txn: id, lsn }),
            Err(true) => self.end_ask(turn, id, Err(InternalCause::OriginalNotFound)),
            Err(false) => self.end_ask(turn, id, Err(InternalCause::JournalFailed)),
        }
    }

    /// As the journal has it.
    pub(crate) fn lend_fetched(&mut self, turn: &mut Turn, id: TxnId, past: Option<Past>) {
        let reference = self.slab.at(id.index).request.original.expect("it was asked for");
        let meant = past.filter(|past| {
            let Transaction { request, state, .. } = &past.transaction;
            Entry::settled(request, *state, past.lsn).is_meant_by(&reference)
        });
        let Some(past) = meant else {
            return self.end_ask(turn, id, Err(InternalCause::OriginalNotFound));
        };
        let held = past.transaction.holds;
        let charges = past.transaction.charges().iter().copied().filter(|_| held).collect();
        self.end_ask(turn, id, Ok((past.transaction, charges, past.drawn)));
    }

    /// Lent, or not.
    fn end_ask(
        &mut self,
        turn: &mut Turn,
        id: TxnId,
        found: Result<(Transaction, Charges, Drawn), InternalCause>,
    ) {
        let ask = self.ties.asks.remove(&id.index).expect("it was asked for");
        self.forget(turn, id);
        match found {
            Ok((original, charges, drawn)) => {
                self.ties.lend(Original::of(&original), drawn);
                let lent = Lent::of(self.config.shard, &original, charges, drawn);
                self.post_letter(turn, ask.from, Content::Lent(ask.asker, Ok(lent)));
            }
            Err(cause) => self.refuse_to_lend(turn, &ask, cause),
        }
    }

    fn refuse_to_lend(&mut self, turn: &mut Turn, ask: &Ask, cause: InternalCause) {
        self.post_letter(turn, ask.from, Content::Lent(ask.asker, Err(cause)));
    }

    /// It is back.
    fn given_back_to_us(&mut self, turn: &mut Turn, key: Key, drawn: Drawn, lsn: Option<Lsn>) {
        let Some(tie) = self.ties.end_lend(key) else { return };
        if let Some(lsn) = lsn {
            self.stands_at(key, drawn, lsn);
        }
        self.resume(turn, tie.waiting);
        self.serve_patient(turn, key);
    }
}

impl Lent {
    fn of(home: u8, original: &Transaction, held: Charges, drawn: Drawn) -> Self {
        let charged: Charges = original.charges().iter().copied().collect();
        Self {
            home,
            request: Request { pan: None, ..original.request },
            serial: original.serial,
            state: original.state,
            rrn: original.rrn,
            permit: original.permit,
            advice: original.advice,
            intent_lsn: original.intent_lsn,
            issuer_code: original.issuer_code,
            approval_code: original.approval_code,
            approved_amount: original.approved_amount,
            partly_reversed: original.partly_reversed,
            acquirer_day: original.acquirer_day,
            charges: if charged.is_empty() { held } else { charged },
            holds: !held.is_empty(),
            drawn,
        }
    }

    /// As a transaction that is looked at only.
    fn original(&self, turn: &Turn) -> (Transaction, Charges) {
        let blank = Transaction::new(&self.request, Role::Payment, self.state, NOBODY_ASKED, turn.now().tick);
        let mut original = Transaction {
            serial: self.serial,
            rrn: self.rrn,
            permit: self.permit,
            advice: self.advice,
            intent_lsn: self.intent_lsn,
            issuer_code: self.issuer_code,
            approval_code: self.approval_code,
            approved_amount: self.approved_amount,
            partly_reversed: self.partly_reversed,
            acquirer_day: self.acquirer_day,
            drawn: self.drawn,
            ..blank
        };
        self.charges.iter().for_each(|charge| original.charge(charge));
        (original, if self.holds { self.charges } else { Charges::NONE })
    }
}

/// Another terminal of the same merchant.
fn same_merchant(one: &Request, other: &Request) -> bool {
    one.acquirer.trimmed() == other.acquirer.trimmed() && one.merchant.trimmed() == other.merchant.trimmed()
}
