//! One connection and what its terminals have under way.
//! Never awaits: a turn takes bytes and time and writes once. Guards: a terminal that got no answer reverses until it
//! knows; no terminal uses a STAN twice in a run.

use crate::book::{Line, Stamp, State};
use crate::template::Fill;
use crate::thread::Thread;
use crate::wire::Wire;
use framing::Next;
use iso8583::{CodeVerdict, View, answer, decode};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use terms::ResponseCode;
use tokio::sync::Notify;

/// One connection.
pub(crate) struct Lane {
    pub wire: Option<Wire>,
    /// Tells its task that there is something to do beside reading.
    pub wake: Rc<Notify>,
    /// Due times of the open load that are not sent yet.
    pub due: VecDeque<u64>,
    /// Transactions under way, those being reversed included.
    pub outstanding: u32,
    /// May send transactions.
    pub ready: bool,
    plain: Vec<u8>,
    out: Vec<u8>,
    /// By the low bits of the STAN.
    slots: Box<[Option<Slot>]>,
    terminal: u32,
    stan: u32,
    batch: u32,
}

/// A transaction under way.
#[derive(Clone, Copy)]
struct Slot {
    fill: Fill,
    step: Step,
    balance: bool,
    due: u64,
    deadline: u64,
    /// Its line in the thread's book.
    line: usize,
    code: [u8; 2],
    rrn: [u8; 12],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    SigningIn,
    Asked,
    Repeated,
    Reversing,
}

impl Lane {
    pub(crate) fn new(terminal: u32, in_flight: u32) -> Self {
        let slots = (in_flight as usize * 2).next_power_of_two().max(4);
        Self {
            wire: None,
            wake: Rc::new(Notify::new()),
            due: VecDeque::new(),
            outstanding: 0,
            ready: false,
            plain: Vec::new(),
            out: Vec::new(),
            slots: vec![None; slots].into(),
            terminal,
            stan: 0,
            batch: 1,
        }
    }

    /// Bytes from the socket. False: the peer has said goodbye.
    pub(crate) fn take(&mut self, input: &mut [u8]) -> io::Result<bool> {
        match &mut self.wire {
            Some(wire) => wire.take(input, &mut self.plain),
            None => Ok(false),
        }
    }

    /// Answers that came, what they lead to, what may begin, and one write.
    pub(crate) fn turn(&mut self, thread: &mut Thread) -> io::Result<()> {
        let now = thread.run.now();
        let plain = core::mem::take(&mut self.plain);
        let mut at = 0;
        loop {
            match thread.run.framing.next(&plain[at..]) {
                Ok(Next::Frame { consumed, body, .. }) => {
                    self.understand(thread, &plain[at..][body], now)?;
                    at += consumed;
                }
                Ok(Next::KeepAlive { consumed }) => at += consumed,
                Ok(Next::Incomplete { .. }) => break,
                Err(violation) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, violation.to_string()));
                }
            }
        }
        self.plain = plain;
        self.plain.drain(..at);
        self.begin_what_may(thread, now);
        self.send(thread)
    }

    /// The handshake is done: sign in, or take up what is owed.
    pub(crate) fn opened(&mut self, thread: &mut Thread) -> io::Result<()> {
        let now = thread.run.now();
        if thread.run.config.sign_in {
            let step = Step::SigningIn;
            self.start(thread, step, now, now, 0, false);
        } else {
            self.get_ready(thread, now);
        }
        self.send(thread)
    }

    /// The connection is gone. Whatever was asked on it is in doubt and is reversed on the next.
    pub(crate) fn lost(&mut self, thread: &mut Thread) {
        if core::mem::take(&mut self.ready) {
            thread.tally.connected -= 1;
        }
        self.wire = None;
        self.plain.clear();
        self.out.clear();
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots[at] else { continue };
            match slot.step {
                Step::Asked => self.unanswered(thread, at, slot, thread.run.now()),
                Step::Repeated | Step::SigningIn => self.finish(thread, at, slot.step),
                Step::Reversing => {}
            }
        }
        self.out.clear();
        thread.publish();
    }

    /// Reverses what is overdue. An error: the sign-in is.
    pub(crate) fn sweep(&mut self, thread: &mut Thread, now: u64) -> io::Result<()> {
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots[at].filter(|slot| slot.deadline <= now) else { continue };
            match slot.step {
                Step::Asked => self.unanswered(thread, at, slot, now),
                Step::Repeated => self.finish(thread, at, slot.step),
                Step::Reversing if self.ready => self.reverse(thread, at, slot, now),
                Step::Reversing => {}
                Step::SigningIn => return Err(io::Error::new(io::ErrorKind::TimedOut, "sign-in unanswered")),
            }
        }
        self.send(thread)
    }

    /// Begins what is due and fits, and sends it.
    pub(crate) fn pump(&mut self, thread: &mut Thread, now: u64) -> io::Result<()> {
        self.begin_what_may(thread, now);
        self.send(thread)
    }

    /// At the very end: what never got an answer counts as long as it has waited.
    pub(crate) fn close(&mut self, thread: &mut Thread, now: u64) {
        let asked = self.slots.iter().flatten().filter(|slot| slot.step == Step::Asked);
        for slot in asked {
            thread.tally.timeouts += 1;
            thread.latency(slot.due, now);
        }
        thread.unsent += self.due.len() as u64;
        for due in core::mem::take(&mut self.due) {
            thread.latency(due, now);
        }
    }

    fn begin_what_may(&mut self, thread: &mut Thread, now: u64) {
        let most = thread.run.plan.load.in_flight();
        let closed = matches!(thread.run.plan.load, crate::Load::Closed { .. });
        if !self.ready || self.outstanding >= most || (!closed && self.due.is_empty()) || !thread.run.loads()
        {
            return;
        }
        while self.outstanding < most {
            let due = if closed { now } else { self.due.front().copied().unwrap_or(u64::MAX) };
            if due == u64::MAX || !thread.may_begin() {
                return;
            }
            self.due.pop_front();
            let choice = thread.run.draw.next(&mut thread.chance);
            self.start(thread, Step::Asked, due, now, choice.amount, choice.balance);
            thread.tally.begun += 1;
        }
    }

    fn start(&mut self, thread: &mut Thread, step: Step, due: u64, now: u64, amount: u32, balance: bool) {
        let at = self.next_stan(thread);
        let stamp = thread.stamp(now);
        let cards = &thread.run.cards;
        let fill = Fill {
            stan: self.stan,
            amount,
            card: cards[thread.chance.below(cards.len() as u32) as usize],
            terminal: self.terminal,
            transmission: stamp.transmission,
            batch: self.batch,
        };
        let line = if step == Step::Asked { thread.write_line(fill, stamp, balance) } else { usize::MAX };
        let deadline = now + thread.timeout;
        let slot = Slot { fill, step, balance, due, deadline, line, code: [0; 2], rrn: [0; 12] };
        self.slots[at] = Some(slot);
        if step == Step::Asked {
            self.outstanding += 1;
            thread.tally.in_flight += 1;
        }
        let templates = &thread.run.templates;
        let template = match (step, balance) {
            (Step::SigningIn, _) => &templates.sign_in,
            (_, true) => &templates.balance,
            (_, false) => &templates.purchase,
        };
        template.write(&fill, &mut self.out);
        thread.tally.sent += 1;
    }

    /// The next STAN whose slot is free; half of the slots always are.
    fn next_stan(&mut self, thread: &Thread) -> usize {
        loop {
            self.stan += 1;
            if self.stan > STAN_MAX {
                self.stan = 1;
                self.terminal = terminal_after(self.terminal, thread.run.config.connections);
            }
            let at = self.stan as usize & (self.slots.len() - 1);
            if self.slots[at].is_none() {
                return at;
            }
        }
    }

    fn understand(&mut self, thread: &mut Thread, body: &[u8], now: u64) -> io::Result<()> {
        let run = thread.run.clone();
        if decode(&run.dialect, body, &mut thread.index).is_err() {
            thread.tally.violations += 1;
            return Ok(());
        }
        let class = thread.index.mti().class_digit();
        let view = View::new(&run.dialect, body, &thread.index);
        let stan = view.number(11).unwrap_or(0) as u32;
        let at = stan as usize & (self.slots.len() - 1);
        let Some(slot) = self.slots[at].filter(|slot| slot.fill.stan == stan) else {
            thread.tally.late += 1;
            return Ok(());
        };
        let code = view.text::<4>(39);
        let code = code.and_then(|text| text.as_bytes().first_chunk::<2>().copied()).unwrap_or(*b"??");
        match (slot.step, class) {
            (Step::Asked, 2) => {
                let rrn = view.text::<12>(37);
                let rrn = rrn.and_then(|text| text.as_bytes().try_into().ok()).unwrap_or([0; 12]);
                let amount = view.number(4).map(|amount| amount as u32);
                self.answered(thread, at, Slot { code, rrn, ..slot }, amount, now);
            }
            (Step::Repeated, 2) => {
                let rrn = view.text::<12>(37);
                let same = code == slot.code && rrn.is_none_or(|rrn| rrn.as_bytes() == slot.rrn);
                *(if same {
                    &mut thread.tally.repeats_agreed
                } else {
                    &mut thread.tally.repeats_contradicted
                }) += 1;
                self.finish(thread, at, slot.step);
            }
            (Step::Reversing, 4) => self.reversal_answered(thread, at, slot, code),
            (Step::SigningIn, 8) if code == *b"00" => {
                let said = answer(&run.dialect, body, &thread.index);
                self.batch = said.ok().and_then(|said| said.batch).unwrap_or(self.batch);
                self.finish(thread, at, slot.step);
                self.get_ready(thread, now);
            }
            (Step::SigningIn, 8) => {
                let code = String::from_utf8_lossy(&code).into_owned();
                return Err(io::Error::other(format!("sign-in refused with {code}")));
            }
            _ => thread.tally.late += 1,
        }
        Ok(())
    }

    /// The first answer to a transaction, in time.
    fn answered(&mut self, thread: &mut Thread, at: usize, slot: Slot, amount: Option<u32>, now: u64) {
        let approves = thread.approves(slot.code);
        thread.answered(slot.due, now, slot.code, approves);
        let state = match (slot.balance, approves) {
            (true, _) => State::Asked,
            (false, true) => State::Approved,
            (false, false) => State::Declined,
        };
        thread.line(slot.line, |line| {
            (line.state, line.code, line.rrn) = (state, slot.code, slot.rrn);
            if let Some(amount) = amount.filter(|_| state == State::Approved) {
                line.amount = amount;
            }
        });
        let luck = thread.lot();
        if state == State::Approved && luck < thread.run.draw.reversals {
            self.reverse(thread, at, slot, now);
        } else if !slot.balance && luck >= 1_000 - thread.run.draw.repeats {
            let again = Slot { step: Step::Repeated, deadline: now + thread.timeout, ..slot };
            self.slots[at] = Some(again);
            thread.run.templates.repeat.write(&slot.fill, &mut self.out);
            thread.tally.sent += 1;
        } else {
            self.finish(thread, at, Step::Asked);
        }
    }

    fn unanswered(&mut self, thread: &mut Thread, at: usize, slot: Slot, now: u64) {
        thread.tally.timeouts += 1;
        thread.latency(slot.due, now);
        if slot.balance { self.finish(thread, at, slot.step) } else { self.reverse(thread, at, slot, now) }
    }

    /// Sends the reversal, the first or once more.
    fn reverse(&mut self, thread: &mut Thread, at: usize, slot: Slot, now: u64) {
        thread.line(slot.line, |line| line.state = State::Unknown);
        self.slots[at] = Some(Slot { step: Step::Reversing, deadline: now + thread.timeout, ..slot });
        if self.wire.is_some() {
            thread.run.templates.reversal.write(&slot.fill, &mut self.out);
            thread.tally.sent += 1;
        }
    }

    fn reversal_answered(&mut self, thread: &mut Thread, at: usize, slot: Slot, code: [u8; 2]) {
        match &code {
            b"00" => {
                thread.tally.reversed += 1;
                thread.line(slot.line, |line| line.state = State::Reversed);
            }
            // Nothing is known of it and nothing will be: asking again changes nothing.
            b"12" | b"25" => {}
            // Not now: the terminal asks again when its time is over.
            _ => return,
        }
        self.finish(thread, at, slot.step);
    }

    fn finish(&mut self, thread: &mut Thread, at: usize, step: Step) {
        self.slots[at] = None;
        if step != Step::SigningIn {
            self.outstanding -= 1;
            thread.tally.in_flight -= 1;
        }
    }

    /// Transactions may flow; reversals that are owed go first.
    fn get_ready(&mut self, thread: &mut Thread, now: u64) {
        self.ready = true;
        thread.tally.connected += 1;
        for at in 0..self.slots.len() {
            if let Some(slot) = self.slots[at].filter(|slot| slot.step == Step::Reversing) {
                self.reverse(thread, at, slot, now);
            }
        }
    }

    /// One write for all that was written in this turn.
    fn send(&mut self, thread: &mut Thread) -> io::Result<()> {
        thread.publish();
        let Some(wire) = self.wire.as_mut().filter(|wire| wire.established && !self.out.is_empty()) else {
            return Ok(());
        };
        let sent = wire.send(&self.out);
        self.out.clear();
        if wire.waits() {
            self.wake.notify_one();
        }
        sent
    }
}

impl Thread {
    fn approves(&self, code: [u8; 2]) -> bool {
        code == *b"00"
            || ResponseCode::new(&code)
                .is_some_and(|code| self.run.dialect.verdict(&code) == CodeVerdict::Approves)
    }

    fn write_line(&mut self, fill: Fill, stamp: Stamp, balance: bool) -> usize {
        if !self.run.config.keep_book {
            return usize::MAX;
        }
        let batch = self.book.batch_place(fill.batch);
        self.book.lines.push(Line {
            terminal: fill.terminal,
            stan: fill.stan,
            at: stamp.second as u32,
            amount: fill.amount,
            rrn: [0; 12],
            code: [0; 2],
            state: if balance { State::Asked } else { State::Unknown },
            batch,
        });
        self.book.lines.len() - 1
    }
}

/// The terminal that takes over when one has used all its STANs.
pub(crate) fn terminal_after(terminal: u32, stride: u32) -> u32 {
    (terminal - 1 + stride) % 9_999_999 + 1
}

const STAN_MAX: u32 = 999_999;
