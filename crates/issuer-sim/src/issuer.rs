//! One issuer: messages and time in, answers out.
//! Never touches a socket or a clock; never panics on what a peer sends. Guards: what is approved is booked once,
//! whatever comes again; a reversal that came first declines the request that comes after.

use crate::account::{Account, Accounts, Charge};
use crate::answer::{Said, Teller};
use crate::config::{ConfigFault, IssuerConfig};
use crate::ledger::{EntryIx, Keep, Ledger, New, State, Totals};
use crate::mood::{Act, Mood, Moods};
use crate::random::Random;
use crate::recant::Recants;
use crate::related::Related;
use bytes::{Bytes, BytesMut};
use core::time::Duration;
use framing::{Envelope, Framing};
use iso8583::{CanonDefaults, Dialect, Index, View};
use std::sync::Arc;
use terms::{ApprovalCode, InternalCause, Kind, Minor, Now, Pan, Request, ResponseCode};

/// One issuer. Single-threaded: whoever shares it puts it behind a lock and takes that once per batch.
pub struct Issuer {
    bank: Bank,
    /// Reused from message to message.
    index: Index,
}

/// What one connection has said of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Session {
    sign: Sign,
    stan: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Sign {
    /// Nothing yet.
    #[default]
    Fresh,
    On,
    Off,
}

/// What an issuer gives back: whole frames, ready for the wire.
#[derive(Debug, Default)]
pub struct Replies {
    /// To be written at once, in one go.
    pub now: BytesMut,
    /// To be written later.
    pub later: Vec<Later>,
}

/// A frame that waits.
#[derive(Clone, Debug)]
pub struct Later {
    /// How long from now.
    pub after: Duration,
    /// The frame.
    pub frame: Bytes,
}

impl Issuer {
    /// An issuer with its accounts filled and its book empty.
    ///
    /// # Errors
    /// A dialect or framing of no known name, too many moods.
    pub fn new(config: IssuerConfig) -> Result<Self, ConfigFault> {
        let (dialect, framing) = config.resolve()?;
        let bank = Bank {
            accounts: Accounts::new(&config.accounts, config.unknown, config.bins),
            ledger: Ledger::new(config.entries_max),
            recants: Recants::default(),
            moods: Moods::new(config.moods),
            random: Random::new(config.seed),
            teller: Teller::new(dialect, framing),
            require_sign_on: config.require_sign_on,
            keep: config.keep,
            name: config.name,
        };
        Ok(Self { bank, index: Index::new() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.bank.name
    }

    /// What it speaks.
    pub fn dialect(&self) -> &Arc<Dialect> {
        &self.bank.teller.dialect
    }

    /// How its frames are told apart.
    pub fn framing(&self) -> &Framing {
        &self.bank.teller.framing
    }

    /// Sums and counts.
    pub fn totals(&self) -> Totals {
        self.bank.ledger.totals
    }

    /// The account of a card, if there is one (or one was opened).
    pub fn account(&self, pan: Pan) -> Option<&Account> {
        self.bank.accounts.get(pan)
    }

    /// Opens or replaces an account.
    pub fn set_account(&mut self, pan: Pan, account: Account) {
        self.bank.accounts.set(pan, account);
    }

    /// Other moods from now on.
    pub fn set_moods(&mut self, moods: Vec<Mood>) {
        self.bank.moods = Moods::new(moods);
    }

    /// One message without its envelope. Answers are appended to `replies`; a message that is none is counted and, where
    /// STAN and terminal can be trusted, answered with 30. Allocates nothing unless a mood delays or twists the answer.
    pub fn on_frame(
        &mut self,
        session: &mut Session,
        body: &[u8],
        envelope: &Envelope,
        now: &Now,
        replies: &mut Replies,
    ) {
        let Self { bank, index } = self;
        bank.ledger.totals.messages += 1;
        let dialect = &bank.teller.dialect;
        let read = iso8583::decode(dialect, body, index);
        if read.is_ok() && !index.mti().is_request() {
            return bank.hear_answer(body, index);
        }
        let defaults = CanonDefaults::default();
        match read.and_then(|()| iso8583::request(dialect, &defaults, body, index)) {
            Ok(request) => {
                let message = Message { body, index, envelope, request: &request, now };
                bank.handle(session, &message, replies);
            }
            Err(_) => bank.refuse(body, envelope, replies),
        }
    }

    /// Says on a connection that this issuer signs off; what comes after is declined until the next sign-on.
    pub fn sign_off(&mut self, session: &mut Session, now: &Now, replies: &mut Replies) {
        self.bank.sign_off(session, &Envelope::default(), now, replies);
    }

    /// Approvals that it takes back by itself and the other side has not taken back yet.
    pub fn recanting(&self) -> usize {
        self.bank.recanting()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.bank.ledger
    }
}

/// One request, read.
pub(crate) struct Message<'a> {
    pub body: &'a [u8],
    pub index: &'a Index,
    pub envelope: &'a Envelope,
    pub request: &'a Request,
    pub now: &'a Now,
}

/// Everything of an issuer but the index, which is lent out while a message is handled.
pub(crate) struct Bank {
    name: String,
    pub(crate) teller: Teller,
    pub(crate) accounts: Accounts,
    pub(crate) ledger: Ledger,
    pub(crate) recants: Recants,
    moods: Moods,
    random: Random,
    require_sign_on: bool,
    pub(crate) keep: Keep,
}

impl Bank {
    fn handle(&mut self, session: &mut Session, message: &Message<'_>, replies: &mut Replies) {
        let request = message.request;
        if request.kind.is_network() {
            return self.network(session, message, replies);
        }
        if self.is_shut(session) {
            let code = self.teller.dialect.code_for(InternalCause::SignInRequired);
            return self.tell(Said::code(code), None, message, replies);
        }
        let act = self.moods.find(request, &mut self.random);
        if act == Some(Act::Lose) {
            self.ledger.totals.dropped += 1;
            return;
        }
        match act {
            Some(Act::Part) => self.approve_part(message, replies),
            _ => {
                let said = self.decide(message, act);
                self.tell(said, act, message, replies);
            }
        }
        if act == Some(Act::TakeBack) {
            self.take_back(message, &mut replies.now);
        }
        if act == Some(Act::SignOff) {
            self.sign_off(session, message.envelope, message.now, replies);
        }
    }

    /// Decides on half of what is asked for; what cannot be halved is decided as usual.
    fn approve_part(&mut self, message: &Message<'_>, replies: &mut Replies) {
        let asked = message.request;
        if !matches!(asked.kind, Kind::Purchase | Kind::PreAuth) || asked.amount < 2 {
            let said = self.decide(message, None);
            return self.tell(said, None, message, replies);
        }
        let half = Request { amount: asked.amount / 2, ..*asked };
        let message = &Message { request: &half, ..*message };
        let said = self.decide(message, None);
        match said.approval {
            Some(_) => {
                let said = Said { code: ResponseCode::of("10"), ..said };
                self.tell(said, Some(Act::Part), message, replies);
            }
            None => self.tell(said, None, message, replies),
        }
    }

    fn is_shut(&self, session: &Session) -> bool {
        match session.sign {
            Sign::On => false,
            Sign::Off => true,
            Sign::Fresh => self.require_sign_on,
        }
    }

    fn network(&mut self, session: &mut Session, message: &Message<'_>, replies: &mut Replies) {
        self.ledger.totals.network += 1;
        match message.request.kind {
            Kind::SignOn => session.sign = Sign::On,
            Kind::SignOff => session.sign = Sign::Off,
            _ => {}
        }
        self.tell(Said::code(ResponseCode::approved()), None, message, replies);
        if session.sign != Sign::Off {
            self.recant_again(message.envelope, message.now, &mut replies.now);
        }
    }

    fn decide(&mut self, message: &Message<'_>, act: Option<Act>) -> Said {
        let request = message.request;
        match request.kind {
            Kind::Reversal => self.reverse(message, act),
            Kind::Balance => self.inquire(message, act),
            Kind::Unknown => Said::code(ResponseCode::of("12")),
            Kind::Adjustment => Said::code(ResponseCode::approved()),
            kind if kind.moves_money() => self.move_money(message, act),
            _ => Said::code(ResponseCode::approved()),
        }
    }

    fn inquire(&mut self, message: &Message<'_>, act: Option<Act>) -> Said {
        if let Some(Act::Decline(code)) = act {
            return self.declined(code);
        }
        let Some(charge) = charge(message, true) else { return self.declined(ResponseCode::of("14")) };
        match self.accounts.inquire(&charge) {
            Ok(available) => Said { available: Some(available), ..Said::code(ResponseCode::approved()) },
            Err(code) => self.declined(code),
        }
    }

    pub(crate) fn declined(&mut self, code: ResponseCode) -> Said {
        self.ledger.totals.declined += 1;
        Said::code(code)
    }

    /// A purchase and its like: the first time it is decided and booked, then it is answered as before.
    fn move_money(&mut self, message: &Message<'_>, act: Option<Act>) -> Said {
        let request = message.request;
        let key = key_of(request);
        if let Some(known) = self.known(key, request) {
            match request.mti.is_advice() {
                // It is told until it is acknowledged: that it comes again is how it is meant, and a repeat on another
                // connection may be here first.
                true => self.ledger.totals.advice_repeats += 1,
                false => self.ledger.totals.repeats += 1,
            }
            return self.as_before(known);
        }
        let related = self.related(message);
        let settled = related.and_then(|related| self.settle(message, act, related.as_ref()));
        let (code, state) = match settled {
            Ok(state) => (ResponseCode::approved(), state),
            Err(code) => (code, State::Declined),
        };
        if self.keep == Keep::Totals {
            return self.only_count(request.amount, code, state);
        }
        match self.ledger.write(key, &entry(message, code, state)) {
            Ok(at) => {
                self.relate(at, state, request.amount, related.ok().flatten().as_ref());
                self.as_before(at)
            }
            Err(_) => {
                self.unsettle(message, state);
                self.declined(ResponseCode::of("96"))
            }
        }
    }

    /// The entry of the same request. One that has another RRN and is not marked as a repeat is another request: its
    /// STAN has come round, or two links use the same.
    fn known(&self, key: u64, request: &Request) -> Option<EntryIx> {
        let at = self.ledger.find(key, request.stan.get(), request.transmission.0)?;
        let differs = |rrn| request.rrn.is_some_and(|asked| asked != rrn);
        let other = self.ledger.entry(at).rrn.is_some_and(differs);
        (request.mti.is_repeat() && !request.mti.is_advice() || !other).then_some(at)
    }

    fn as_before(&self, at: EntryIx) -> Said {
        let entry = self.ledger.entry(at);
        match entry.state {
            State::Declined | State::Tombstone => Said::code(entry.code),
            _ => Said::approved(entry.code, at.approval()),
        }
    }

    /// Moves the money. The code is the decline's.
    fn settle(
        &mut self,
        message: &Message<'_>,
        act: Option<Act>,
        related: Option<&Related>,
    ) -> Result<State, ResponseCode> {
        if let Some(Act::Decline(code)) = act {
            return Err(code);
        }
        if act == Some(Act::Crossed) {
            return Err(ResponseCode::of("51"));
        }
        let (pan, amount) =
            (message.request.pan.ok_or_else(|| ResponseCode::of("14"))?, message.request.amount);
        if gives_back(message.request.kind) {
            return self.accounts.give_back(pan, amount).map(|()| State::Credited);
        }
        let insist = act == Some(Act::Approve) || message.request.mti.is_advice();
        let charge = charge(message, insist).ok_or_else(|| ResponseCode::of("14"))?;
        if let Some(hold) = related.filter(|related| related.lifts) {
            return self.lift(hold, &charge, message.now.wall_ms).map(|()| State::Debited);
        }
        self.accounts.charge(&charge).map(|()| State::Debited)
    }

    /// The book was full: the money goes back where it was.
    fn unsettle(&mut self, message: &Message<'_>, state: State) {
        let (Some(pan), amount) = (message.request.pan, message.request.amount) else { return };
        match state {
            State::Debited => _ = self.accounts.give_back(pan, amount),
            State::Credited => _ = charge(message, true).map(|charge| self.accounts.charge(&charge)),
            _ => {}
        }
    }

    fn only_count(&mut self, amount: Minor, code: ResponseCode, state: State) -> Said {
        match state {
            State::Debited => self.ledger.count_debit(amount),
            State::Credited => self.ledger.count_return(amount),
            _ => return self.declined(code),
        }
        Said::approved(code, (self.ledger.totals.debits % 1_000_000) as u32)
    }

    fn tell(&mut self, said: Said, act: Option<Act>, message: &Message<'_>, replies: &mut Replies) {
        if act == Some(Act::Drop) {
            self.ledger.totals.dropped += 1;
            return;
        }
        self.ledger.totals.answers += 1;
        let said = match act {
            Some(Act::Say(code)) => Said::code(code),
            Some(Act::Crossed) => Said::approved(ResponseCode::approved(), CROSSED),
            _ => said,
        };
        self.teller.tell(&said, act, message, &mut self.random, replies);
    }

    #[cold]
    fn refuse(&mut self, body: &[u8], envelope: &Envelope, replies: &mut Replies) {
        self.ledger.totals.malformed += 1;
        if self.teller.refuse(body, envelope, replies) {
            self.ledger.totals.answers += 1;
        }
    }

    fn sign_off(&mut self, session: &mut Session, envelope: &Envelope, now: &Now, replies: &mut Replies) {
        session.sign = Sign::Off;
        session.stan = session.stan % terms::Stan::COUNT + 1;
        self.teller.sign_off(session.stan, envelope, now, replies);
    }
}

pub(crate) fn named(view: &View<'_>) -> Option<(u32, u32)> {
    let mut digits = [0; 42];
    view.content(90, &mut digits).filter(|len| *len == digits.len())?;
    let number = |from: usize, to: usize| {
        digits[from..to].iter().try_fold(0_u32, |sum, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            sum.checked_mul(10)?.checked_add(digit)
        })
    };
    Some((number(4, 10)?, number(10, 20)?))
}

pub(crate) fn key_of(request: &Request) -> u64 {
    Ledger::key(request.stan.get(), request.transmission.0, request.terminal.as_bytes())
}

fn charge(message: &Message<'_>, insist: bool) -> Option<Charge> {
    let request = message.request;
    let (amount, expiry, yymm) = (request.amount, request.expiry, message.now.yymm);
    Some(Charge { pan: request.pan?, amount, expiry, yymm, insist })
}

pub(crate) fn entry(message: &Message<'_>, code: ResponseCode, state: State) -> New {
    let request = message.request;
    New {
        stan: request.stan.get(),
        transmission: request.transmission.0,
        rrn: request.rrn,
        amount: request.amount,
        currency: request.currency,
        pan: request.pan,
        code,
        state,
        at: message.now.wall_ms,
    }
}

const fn gives_back(kind: Kind) -> bool {
    matches!(kind, Kind::PurchaseVoid | Kind::PreAuthCancel | Kind::CompletionVoid | Kind::Refund)
}

/// Number of the approval that was meant for somebody else.
const CROSSED: u32 = 999_999;

/// DE 38 of an approval: six digits.
pub(crate) fn approval_code(number: u32) -> ApprovalCode {
    let (mut digits, mut rest) = ([b'0'; 6], number);
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    ApprovalCode(digits)
}
