//! A terminal: one transaction at a time, asked until it is answered or reversed until that is answered.
//!
//! Never sees more than bytes and time. Guards: a terminal that keeps the rules ends every transaction knowing how it ended;
//! what breaks a promise of the switch's is a complaint.

use super::batch_end::Ending;
use super::dose::Dose;
use super::flows::{FLOWS, Money};
use super::manners::Manners;
use super::roll::Roll;
use super::sale::Sale;
use super::tally::Tally;
use crate::message::{MARKET, Speech};
use books::shapes::{TerminalEntry, TerminalState};
use framing::Next;
use terms::{Answer, Now, Tick};
use testkit::Chance;

/// What a terminal wants from the world.
pub enum Do {
    /// These bytes on their way, on the connection it has.
    Say(Vec<u8>),
    /// Another connection; the old one is left to itself.
    Reconnect,
    /// The connection it has is closed.
    HangUp,
    /// Time, and then to be woken with this token.
    Wake(u64, u32),
}

/// What a terminal sees of the world.
pub struct View<'a> {
    /// The right time of day.
    pub wall_ms: i64,
    /// Cards that customers come with.
    pub cards: &'a [String],
    /// Where it counts.
    pub tally: &'a mut Tally,
    /// Microseconds since the world began.
    pub now_us: u64,
    /// Starts of the switch so far.
    pub life: u32,
    /// When nothing but a full disk has been wrong, since when.
    pub only_full_since: Option<u64>,
    /// What it wants.
    pub wants: Vec<Do>,
    /// What it heard, in words, where somebody reads it.
    pub heard: Option<Vec<String>>,
}

pub(super) enum Doing {
    Idle,
    Asking {
        tries: u32,
    },
    /// Sent again after the answer: must be answered the same.
    Rechecking,
    /// Another amount under the same key.
    Contradicting,
    Reversing {
        keeps_goods: bool,
        then_ask: bool,
        again: bool,
    },
    /// Asking for what was reversed or declined: it must not be approved now.
    Ghost,
    /// Reversing what never was.
    Stray,
    /// Reversing a part: this stays.
    Shrinking(u64),
    /// Ending its batch.
    Ending(Ending),
}

/// One terminal with its book.
pub struct Till {
    /// The listener it connects to.
    pub listener: u16,
    /// Its connection, if it has one.
    pub line: Option<u32>,
    /// Its book.
    pub roll: Roll,
    /// Promises that were broken.
    pub complaints: Vec<String>,
    /// No more customers.
    pub closed: bool,
    pub(super) left: u32,
    acquirer: &'static str,
    pub(super) speech: Speech,
    pub(super) terminal: String,
    pub(super) stan: u32,
    pub(super) batch: u32,
    pub(super) manners: Manners,
    pub(super) chance: Chance,
    input: Vec<u8>,
    pub(super) doing: Doing,
    token: u32,
    pub(super) told: Option<Answer>,
    /// Starts of the switch when it was told.
    pub(super) told_in: u32,
    /// The transaction under way, in its roll.
    pub(super) at: usize,
    pub(super) stray: Option<Sale>,
    /// When what is waited for was last said.
    pub(super) said_us: u64,
    /// How often the request under way was said.
    pub(super) copies: u32,
    /// And how often it was answered: what is still under way may come at any time.
    pub(super) answers: u32,
}

impl Till {
    /// A terminal that has sold nothing yet.
    pub fn new(number: u16, speech: Speech, acquirer: &'static str, dose: &Dose, mut chance: Chance) -> Self {
        let manners = Manners::draw(dose, &mut chance);
        Self {
            listener: u16::from(speech.dialect.name() != "unionpay-pos"),
            line: None,
            roll: Roll::default(),
            complaints: Vec::new(),
            closed: false,
            left: dose.sales_per_till,
            acquirer,
            speech,
            terminal: format!("T{number:07}"),
            stan: if dose.stan_near_wrap { 999_990 } else { chance.below(1_000) as u32 },
            batch: 1,
            manners,
            chance,
            input: Vec::new(),
            doing: Doing::Idle,
            token: 0,
            told: None,
            told_in: 0,
            at: 0,
            stray: None,
            said_us: 0,
            copies: 0,
            answers: 0,
        }
    }

    /// Whether it waits for nothing.
    pub fn is_idle(&self) -> bool {
        matches!(self.doing, Doing::Idle)
    }

    /// Whether its day is over: it waits for nothing and begins nothing more.
    pub fn is_done(&self) -> bool {
        self.is_idle() && (self.closed || self.left == 0)
    }

    /// Another day: as many customers as before. What it was in the middle of goes on.
    pub fn open_again(&mut self, view: &mut View<'_>) {
        self.left = self.manners.sales;
        if self.is_idle() {
            self.rest(view);
        }
    }

    /// How it stands, for people.
    pub fn posture(&self) -> String {
        let doing = match self.doing {
            Doing::Idle => "idle",
            Doing::Asking { .. } => "asking",
            Doing::Rechecking => "rechecking",
            Doing::Contradicting => "contradicting",
            Doing::Reversing { .. } => "reversing",
            Doing::Ghost => "asking for what it reversed",
            Doing::Stray => "reversing what never was",
            Doing::Shrinking(_) => "reversing a part",
            Doing::Ending(_) => "ending its batch",
        };
        let about = self.stray.as_ref().or_else(|| self.roll.sales.get(self.at));
        let about = about.map(|sale| {
            let of = sale.of.map_or(String::new(), |of| format!(" of stan {:06}", of.stan));
            format!("{} of {} as stan {:06}{of}", sale.kind().name, sale.amount, sale.stan)
        });
        format!("{} is {doing}: {}", self.terminal, about.unwrap_or_default())
    }

    /// The world's time for it has come.
    pub fn wake(&mut self, token: u32, view: &mut View<'_>) {
        if token != self.token {
            return;
        }
        match self.doing {
            Doing::Idle if self.is_done() => {}
            Doing::Idle => self.begin(view),
            Doing::Asking { tries } => self.no_answer(tries, view),
            Doing::Reversing { .. } | Doing::Stray => {
                view.tally.row(27);
                self.maybe_reconnect(view);
                self.say_reversal(view);
            }
            // Nobody remembers for hours what was answered: what is frozen so long does not ask again.
            Doing::Rechecking if view.now_us > self.said_us + HORIZON_US => self.rest(view),
            Doing::Rechecking => {
                self.maybe_reconnect(view);
                self.say_request(view);
            }
            Doing::Shrinking(stays) => {
                self.maybe_reconnect(view);
                self.say_part(stays, view);
            }
            Doing::Ending(ending) => {
                self.maybe_reconnect(view);
                self.say_ending(ending, view);
            }
            Doing::Contradicting | Doing::Ghost => self.rest(view),
        }
    }

    fn begin(&mut self, view: &mut View<'_>) {
        self.left -= 1;
        if self.ends_batch() {
            return self.end_batch(view);
        }
        if self.chance.per_mille(self.manners.junk) {
            return self.junk(view);
        }
        if self.chance.per_mille(self.manners.follows) && self.follow(view) {
            return;
        }
        let sale = self.next_sale(view);
        if self.chance.per_mille(self.manners.stray_reversals) {
            view.tally.row(26);
            self.stray = Some(sale);
            self.doing = Doing::Stray;
            return self.say_reversal(view);
        }
        self.open(sale, view);
    }

    /// A transaction begins.
    fn open(&mut self, sale: Sale, view: &mut View<'_>) {
        view.tally.transactions += 1;
        self.at = self.roll.push(self.entry(&sale), sale);
        (self.told, self.copies, self.answers) = (None, 0, 0);
        if self.sale().kind().moves_money() && self.chance.per_mille(self.manners.reverse_first) {
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: true, again: false };
            return self.say_reversal(view);
        }
        self.doing = Doing::Asking { tries: self.chance.below(3) as u32 };
        self.say_request(view);
    }

    /// Something is done to an earlier approval; `false` if there is none.
    fn follow(&mut self, view: &mut View<'_>) -> bool {
        let Some(at) = self.roll.pick(&mut self.chance) else { return false };
        if self.roll.is_untouched(at) && self.chance.percent(15) {
            // Long after its answer. Whether every copy of it was answered nobody remembers.
            (self.at, self.told, self.copies, self.answers) = (at, None, 1, 0);
            let simple = self.sale().kind().does.is_none() && self.sale().kind().money == Money::Debit;
            let parts = simple && self.listener == 1 && !self.sale().kind().advice;
            let whole = self.roll.entries[at].amount as u64;
            if parts && whole > 1 && self.chance.percent(50) {
                let stays = self.chance.between(1, whole - 1);
                self.doing = Doing::Shrinking(stays);
                self.say_part(stays, view);
                return true;
            }
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
            self.say_reversal(view);
            return true;
        }
        let next = self.roll.follow_up(at, self.batch, &self.manners, &mut self.chance);
        let Some(next) = next else { return false };
        let original = &self.roll.sales[at];
        let (pan, of) = (original.pan.clone(), Some(original.named(at)));
        let fresh = self.fresh(next.flow, pan, next.amount, view);
        self.open(Sale { of, hopeless: next.hopeless, ..fresh }, view);
        true
    }

    fn next_sale(&mut self, view: &mut View<'_>) -> Sale {
        let mut at = self.chance.below(FLOWS.iter().map(|flow| flow.weight).sum());
        let flow = FLOWS.iter().position(|flow| {
            let hit = at < flow.weight;
            at = at.saturating_sub(flow.weight);
            hit
        });
        let flow = flow.unwrap_or(0);
        let pan = self.chance.pick(view.cards).clone();
        let amount = if FLOWS[flow].moves_money() { 100 + self.chance.below(2_000) } else { 0 };
        self.fresh(flow, pan, amount, view)
    }

    /// A transaction with the next STAN.
    fn fresh(&mut self, flow: usize, pan: String, amount: u64, view: &mut View<'_>) -> Sale {
        let before = self.stan;
        self.next_stan();
        view.tally.rows_met(53, u64::from(self.stan < before));
        let wall = view.wall_ms + self.manners.clock_days * 86_400_000;
        Sale {
            flow,
            pan,
            amount,
            stan: self.stan,
            batch: self.batch,
            transmission: u64::from(Now::at(Tick(1), wall).transmission.0),
            terminal: self.terminal.clone(),
            of: None,
            hopeless: false,
        }
    }

    fn next_stan(&mut self) {
        self.stan = self.stan % 999_999 + 1;
        if self.stan == 1 && self.listener == 0 {
            self.next_batch();
        }
    }

    pub(super) fn next_batch(&mut self) {
        self.batch += 1;
        self.roll.next_batch();
    }

    fn entry(&self, sale: &Sale) -> TerminalEntry {
        let iso = self.speech.dialect.name() != "unionpay-pos";
        TerminalEntry {
            acquirer: self.acquirer.to_owned(),
            terminal: sale.terminal.clone(),
            merchant: MARKET.to_owned(),
            batch: if iso { 0 } else { sale.batch },
            stan: sale.stan,
            local_date: if iso { (sale.transmission / 1_000_000) as u16 } else { 0 },
            local_time: iso.then_some((sale.transmission % 1_000_000) as u32),
            rrn: None,
            amount: sale.amount as i64,
            currency: 156,
            state: TerminalState::Unknown,
            code: None,
            money: sale.kind().moves_money(),
        }
    }

    pub(super) fn sale(&self) -> &Sale {
        self.stray.as_ref().unwrap_or_else(|| &self.roll.sales[self.at])
    }

    pub(super) fn ended(&mut self, state: TerminalState) {
        self.roll.set(self.at, state);
    }

    fn no_answer(&mut self, tries: u32, view: &mut View<'_>) {
        let recent = view.now_us <= self.said_us + HORIZON_US;
        if tries > 0 && recent && self.chance.per_mille(self.manners.repeats) {
            view.tally.row(21);
            self.doing = Doing::Asking { tries: tries - 1 };
            self.maybe_reconnect(view);
            return self.say_request(view);
        }
        if !self.sale().kind().moves_money() || (self.may_break() && self.chance.percent(30)) {
            return self.rest(view);
        }
        view.tally.row(24);
        self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
        self.maybe_reconnect(view);
        self.say_reversal(view);
    }

    /// Whether it breaks the rules with what is under way. Of what it did to a hold it must not lose sight: its book would
    /// name no transaction for it.
    pub(super) fn may_break(&self) -> bool {
        self.manners.breaks_rules && self.sale().of.is_none()
    }

    pub(super) fn maybe_reconnect(&mut self, view: &mut View<'_>) {
        if self.line.is_none() || self.chance.per_mille(self.manners.reconnects) {
            self.input.clear();
            view.wants.push(Do::Reconnect);
        }
    }

    pub(super) fn say_request(&mut self, view: &mut View<'_>) {
        self.copies += 1;
        let frame = self.sale().request(&self.speech);
        self.say(frame, view);
    }

    pub(super) fn say_reversal(&mut self, view: &mut View<'_>) {
        let frame = self.sale().reversal(&self.speech);
        self.say(frame, view);
    }

    fn say_part(&mut self, stays: u64, view: &mut View<'_>) {
        let frame = self.sale().reversal_to(&self.speech, stays);
        self.say(frame, view);
    }

    pub(super) fn say(&mut self, frame: Vec<u8>, view: &mut View<'_>) {
        if self.line.is_none() && !view.wants.iter().any(|want| matches!(want, Do::Reconnect)) {
            self.input.clear();
            view.wants.push(Do::Reconnect);
        }
        view.wants.push(Do::Say(frame));
        self.said_us = view.now_us;
        let (from, to) = self.manners.patience_us;
        let after = self.chance.between(from, to);
        self.wake_in(after, view);
    }

    fn wake_in(&mut self, after_us: u64, view: &mut View<'_>) {
        self.token += 1;
        view.wants.push(Do::Wake(after_us, self.token));
    }

    pub(super) fn rest(&mut self, view: &mut View<'_>) {
        self.doing = Doing::Idle;
        self.stray = None;
        let (from, to) = self.manners.think_us;
        let after = self.chance.between(from, to);
        self.wake_in(after, view);
    }

    /// Bytes that are no message, or a frame that has no end: the switch hangs up.
    fn junk(&mut self, view: &mut View<'_>) {
        let endless = self.chance.percent(50);
        view.tally.row(if endless { 33 } else { 34 });
        let bytes = match endless {
            true => vec![0xFF; 6],
            false => {
                let mut frame = self.next_sale(view).request(&self.speech);
                let at = frame.len() / 2 + self.chance.below(frame.len() as u64 / 2) as usize;
                frame[at..].fill(0xEE);
                frame
            }
        };
        view.wants.push(Do::Reconnect);
        view.wants.push(Do::Say(bytes));
        view.wants.push(Do::HangUp);
        self.rest(view);
    }

    /// Its connection is gone.
    pub fn cut(&mut self) {
        self.line = None;
        self.input.clear();
    }

    /// Bytes from the switch.
    pub fn hear(&mut self, bytes: &[u8], view: &mut View<'_>) {
        self.input.extend_from_slice(bytes);
        loop {
            match self.speech.framing.next(&self.input) {
                Ok(Next::Frame { consumed, body, .. }) => {
                    let answer = self.speech.answer(&self.input[body.clone()]);
                    let totals = (answer.mti.class_digit() == 5)
                        .then(|| self.speech.text(&self.input[body], 48).unwrap_or_default());
                    self.input.drain(..consumed);
                    self.answered(answer, totals, view);
                }
                Ok(Next::KeepAlive { consumed }) => drop(self.input.drain(..consumed)),
                Ok(Next::Incomplete { .. }) => return,
                Err(violation) => return self.complain(&format!("the switch sent no frame: {violation}")),
            }
        }
    }

    pub(super) fn complain(&mut self, what: &str) {
        let stan =
            self.stray.as_ref().or_else(|| self.roll.sales.get(self.at)).map_or(self.stan, |sale| sale.stan);
        self.complaints.push(format!("{} stan {stan:06}: {what}", self.terminal));
    }
}

/// A terminal repeats within this, or reverses: ten minutes less a margin.
const HORIZON_US: u64 = 300_000_000;
