//! A terminal: one transaction at a time, asked until it is answered or reversed until that is answered.
//!
//! Never sees more than bytes and time. Guards: a terminal that keeps the rules ends every transaction knowing how it ended;
//! what breaks a promise of the switch's is a complaint.

use super::dose::Dose;
use super::flows::{FLOWS, Sale};
use super::manners::Manners;
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
    /// What it wants.
    pub wants: Vec<Do>,
}

enum Doing {
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
}

/// One terminal with its book.
pub struct Till {
    /// The listener it connects to.
    pub listener: u16,
    /// Its connection, if it has one.
    pub line: Option<u32>,
    /// Its book.
    pub entries: Vec<TerminalEntry>,
    /// What it said, by entry.
    pub sales: Vec<Sale>,
    /// Promises that were broken.
    pub complaints: Vec<String>,
    /// No more customers.
    pub closed: bool,
    left: u32,
    acquirer: &'static str,
    speech: Speech,
    terminal: String,
    stan: u32,
    batch: u32,
    manners: Manners,
    chance: Chance,
    input: Vec<u8>,
    doing: Doing,
    token: u32,
    told: Option<Answer>,
    stray: Option<Sale>,
    /// How often the request under way was said.
    copies: u32,
    /// And how often it was answered: what is still under way may come at any time.
    answers: u32,
}

fn is_approved(answer: &Answer) -> bool {
    answer.code.as_str() == "00"
}

impl Till {
    /// A terminal that has sold nothing yet.
    pub fn new(number: u16, speech: Speech, acquirer: &'static str, dose: &Dose, mut chance: Chance) -> Self {
        let manners = Manners::draw(dose, &mut chance);
        Self {
            listener: u16::from(speech.dialect.name() != "unionpay-pos"),
            line: None,
            entries: Vec::new(),
            sales: Vec::new(),
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
            stray: None,
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
        };
        format!("{} is {doing}, stan {:06}", self.terminal, self.stan)
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
            Doing::Rechecking => {
                self.maybe_reconnect(view);
                self.say_request(view);
            }
            Doing::Contradicting | Doing::Ghost => self.rest(view),
        }
    }

    fn begin(&mut self, view: &mut View<'_>) {
        self.left -= 1;
        if self.chance.per_mille(self.manners.junk) {
            return self.junk(view);
        }
        let sale = self.next_sale(view);
        if self.chance.per_mille(self.manners.stray_reversals) {
            view.tally.row(26);
            self.stray = Some(sale);
            self.doing = Doing::Stray;
            return self.say_reversal(view);
        }
        view.tally.transactions += 1;
        self.entries.push(self.entry(&sale));
        self.sales.push(sale);
        (self.told, self.copies, self.answers) = (None, 0, 0);
        if self.sale().kind().money && self.chance.per_mille(self.manners.reverse_first) {
            view.tally.row(25);
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: true, again: false };
            return self.say_reversal(view);
        }
        self.doing = Doing::Asking { tries: self.chance.below(3) as u32 };
        self.say_request(view);
    }

    fn next_sale(&mut self, view: &View<'_>) -> Sale {
        self.stan = self.stan % 999_999 + 1;
        if self.stan == 1 {
            self.batch += 1;
        }
        let mut at = self.chance.below(FLOWS.iter().map(|flow| flow.weight).sum());
        let flow = FLOWS.iter().position(|flow| {
            let hit = at < flow.weight;
            at = at.saturating_sub(flow.weight);
            hit
        });
        let flow = flow.unwrap_or(0);
        let wall = view.wall_ms + self.manners.clock_days * 86_400_000;
        Sale {
            flow,
            pan: self.chance.pick(view.cards).clone(),
            amount: if FLOWS[flow].money { 100 + self.chance.below(2_000) } else { 0 },
            stan: self.stan,
            batch: self.batch,
            transmission: u64::from(Now::at(Tick(1), wall).transmission.0),
            terminal: self.terminal.clone(),
            merchant: MARKET,
        }
    }

    fn entry(&self, sale: &Sale) -> TerminalEntry {
        let iso = self.speech.dialect.name() != "unionpay-pos";
        TerminalEntry {
            acquirer: self.acquirer.to_owned(),
            terminal: sale.terminal.clone(),
            merchant: sale.merchant.to_owned(),
            batch: if iso { 0 } else { sale.batch },
            stan: sale.stan,
            local_date: if iso { (sale.transmission / 1_000_000) as u16 } else { 0 },
            local_time: iso.then_some((sale.transmission % 1_000_000) as u32),
            rrn: None,
            amount: sale.amount as i64,
            currency: 156,
            state: TerminalState::Unknown,
            code: None,
            money: sale.kind().money,
        }
    }

    fn sale(&self) -> &Sale {
        self.stray.as_ref().unwrap_or_else(|| &self.sales[self.sales.len() - 1])
    }

    fn ended(&mut self, state: TerminalState) {
        let last = self.entries.len() - 1;
        self.entries[last].state = state;
    }

    fn no_answer(&mut self, tries: u32, view: &mut View<'_>) {
        if tries > 0 && self.chance.per_mille(self.manners.repeats) {
            view.tally.row(21);
            self.doing = Doing::Asking { tries: tries - 1 };
            self.maybe_reconnect(view);
            return self.say_request(view);
        }
        if !self.sale().kind().money || (self.manners.breaks_rules && self.chance.percent(30)) {
            return self.rest(view);
        }
        view.tally.row(24);
        self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
        self.maybe_reconnect(view);
        self.say_reversal(view);
    }

    fn maybe_reconnect(&mut self, view: &mut View<'_>) {
        if self.line.is_none() || self.chance.per_mille(self.manners.reconnects) {
            self.input.clear();
            view.wants.push(Do::Reconnect);
        }
    }

    fn say_request(&mut self, view: &mut View<'_>) {
        self.copies += 1;
        let frame = self.sale().request(&self.speech);
        self.say(frame, view);
    }

    fn say_reversal(&mut self, view: &mut View<'_>) {
        let frame = self.sale().reversal(&self.speech);
        self.say(frame, view);
    }

    fn say(&mut self, frame: Vec<u8>, view: &mut View<'_>) {
        if self.line.is_none() && !view.wants.iter().any(|want| matches!(want, Do::Reconnect)) {
            self.input.clear();
            view.wants.push(Do::Reconnect);
        }
        view.wants.push(Do::Say(frame));
        let (from, to) = self.manners.patience_us;
        let after = self.chance.between(from, to);
        self.wake_in(after, view);
    }

    fn wake_in(&mut self, after_us: u64, view: &mut View<'_>) {
        self.token += 1;
        view.wants.push(Do::Wake(after_us, self.token));
    }

    fn rest(&mut self, view: &mut View<'_>) {
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
                    let answer = self.speech.answer(&self.input[body]);
                    self.input.drain(..consumed);
                    self.answered(answer, view);
                }
                Ok(Next::KeepAlive { consumed }) => drop(self.input.drain(..consumed)),
                Ok(Next::Incomplete { .. }) => return,
                Err(violation) => return self.complain(&format!("the switch sent no frame: {violation}")),
            }
        }
    }

    fn complain(&mut self, what: &str) {
        self.complaints.push(format!("{} stan {:06}: {what}", self.terminal, self.stan));
    }

    fn answered(&mut self, answer: Answer, view: &mut View<'_>) {
        if self.is_idle() || answer.stan.get() != self.sale().stan {
            return;
        }
        let to_reversal = answer.mti.class_digit() == 4;
        self.answers += u32::from(!to_reversal);
        match self.doing {
            Doing::Asking { .. } if !to_reversal => self.told_outcome(answer, view),
            Doing::Rechecking if !to_reversal => self.told_again(&answer, view),
            Doing::Contradicting if !to_reversal => self.told_contradiction(&answer, view),
            Doing::Ghost if !to_reversal => self.told_ghost(&answer, view),
            Doing::Reversing { .. } | Doing::Stray if to_reversal => self.told_reversed(&answer, view),
            _ => {}
        }
    }

    fn told_outcome(&mut self, answer: Answer, view: &mut View<'_>) {
        let approved = is_approved(&answer);
        if answer.code.as_str() == "96" && self.sale().kind().is_advice() {
            // What has happened is told until it is taken: asked again when patience ends.
            return;
        }
        let last = self.entries.len() - 1;
        self.entries[last].code = Some(answer.code.as_str().to_owned());
        self.entries[last].rrn =
            answer.rrn.map(|rrn| String::from_utf8_lossy(rrn.as_bytes()).trim_end().to_owned());
        if !approved && self.copies > 1 && self.sale().kind().money {
            // One copy was declined, another may still be under way: only a reversal tells for sure.
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
            return self.say_reversal(view);
        }
        if !approved {
            self.ended(TerminalState::Declined);
            // The issuer's own decline is settled: asked again, it must be told again.
            if answer.code.as_str() == "51" && self.chance.per_mille(self.manners.rechecks) {
                view.tally.row(22);
                self.doing = Doing::Ghost;
                return self.say_request(view);
            }
            return self.rest(view);
        }
        self.told = Some(answer);
        self.ended(TerminalState::Approved);
        view.tally.row(41);
        if !self.sale().kind().money {
            return self.rest(view);
        }
        if self.manners.breaks_rules && self.chance.percent(5) {
            self.ended(TerminalState::Declined);
            return self.rest(view);
        }
        self.after_approval(view);
    }

    fn after_approval(&mut self, view: &mut View<'_>) {
        if self.chance.per_mille(self.manners.rechecks) {
            view.tally.row(22);
            self.doing = Doing::Rechecking;
            self.maybe_reconnect(view);
            return self.say_request(view);
        }
        if self.chance.per_mille(self.manners.contradicts) {
            view.tally.row(23);
            self.doing = Doing::Contradicting;
            let frame = self.sale().contradiction(&self.speech);
            return self.say(frame, view);
        }
        if self.chance.per_mille(self.manners.voluntary) {
            let keeps_goods = self.manners.breaks_rules && self.chance.percent(30);
            let again = self.chance.percent(30);
            self.doing = Doing::Reversing { keeps_goods, then_ask: false, again };
            return self.say_reversal(view);
        }
        self.rest(view);
    }

    fn told_again(&mut self, answer: &Answer, view: &mut View<'_>) {
        let said = |answer: &Answer| (answer.code, answer.rrn, answer.amount);
        match self.told {
            // A full disk or a failed journal may refuse for now.
            _ if answer.code.as_str() == "96" => {}
            Some(told) if said(&told) == said(answer) => {}
            // What the issuer takes back by itself is not told again.
            _ if answer.code.as_str() == "94" && self.manners.issuers_take_back => {}
            told => {
                let told = told.map(|told| (told.code, told.rrn, told.amount, told.approval_code));
                let again = (answer.code, answer.rrn, answer.amount, answer.approval_code);
                self.complain(&format!("an approval told as {told:?} was told again as {again:?}"));
            }
        }
        if self.chance.per_mille(self.manners.voluntary) {
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
            return self.say_reversal(view);
        }
        self.rest(view);
    }

    fn told_contradiction(&mut self, answer: &Answer, view: &mut View<'_>) {
        if is_approved(answer) && answer.amount == Some(self.sale().amount as i64 + 1) {
            self.complain("another amount under the same key was approved");
        }
        self.rest(view);
    }

    fn told_ghost(&mut self, answer: &Answer, view: &mut View<'_>) {
        if is_approved(answer) {
            self.complain("what was reversed or declined was approved after all");
        }
        self.rest(view);
    }

    fn told_reversed(&mut self, answer: &Answer, view: &mut View<'_>) {
        if answer.code.as_str() == "96" {
            // Not for now: asked again when patience ends.
            return;
        }
        if !is_approved(answer) {
            self.complain(&format!("a reversal was refused with {}", answer.code));
        }
        let Doing::Reversing { keeps_goods, then_ask, again } = self.doing else { return self.rest(view) };
        self.ended(if keeps_goods { TerminalState::Approved } else { TerminalState::Reversed });
        if again {
            view.tally.row(27);
            self.doing = Doing::Reversing { keeps_goods, then_ask, again: false };
            return self.say_reversal(view);
        }
        let all_heard = self.copies == self.answers;
        if then_ask || (!keeps_goods && all_heard && self.chance.per_mille(self.manners.rechecks)) {
            self.doing = Doing::Ghost;
            return self.say_request(view);
        }
        self.rest(view);
    }
}
