//! One worker: one shard of the engine, its connections and links, its lane into the journal.
//!
//! A *turn* takes everything that is ready and passes it on together: committed frames, letters, answers, requests, due
//! timers; then one submit, one write per link, one write per connection, one letter per other worker.
//! Never blocks and never awaits inside a turn; guards: whatever the engine asks for is done in the turn that asked.

mod door;

use super::HOUSEKEEPING;
use super::breakers::Breakers;
use super::capture::Capture;
use super::clock::Clock;
use super::complaints::Complaints;
use super::cutovers::Cutovers;
use super::days::Institution;
use super::effects::AtHand;
use super::issuer::Port;
use super::mail::{Answered, Inbound, LetterBox, Mail};
use super::malformed::Malformed;
use super::meter::{Levels, Meter};
use super::recants::Number;
use super::records::Records;
use super::shared::{Phase, Shared};
use super::socket::Scratch;
use super::terminal::Terminals;
use super::wire::Wires;
use bytes::BytesMut;
use engine::record::UnmatchedReason;
use engine::{
    Context, Disposition, Effects, Engine, Event, Frames, IssuerAsk, Snapshot, Timer, TxnId, Verdict,
};
use iso8583::Index;
use journal::{Class, Commit, Frame, Lane, Reader};
use link::{Desk, TerminalConfig, Wheel};
use routing::Chooser;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use terms::batch::BatchSays;
use terms::{Answer, BusinessDay, CardToken, IssuerIx, LinkIx, Now, Pan, Request, Tick, WorkerIx};
use zeroize::Zeroize;

/// Requests that one turn admits; the rest waits for the next one, so that answers and timers are not held up.
pub const TURN_MAX: usize = 512;

/// Everything one worker owns.
pub struct Worker {
    pub(super) ix: WorkerIx,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// The clocks as read at the start of the turn under way.
    pub(super) now: Now,
    /// When to look again at what no event brings.
    pub(super) next_sweep: Tick,
    /// The configuration this turn runs under.
    pub(super) snapshot: Arc<Snapshot>,
    /// This worker's letter box; its bell starts turns.
    pub(super) letters: LetterBox,
    pub(super) terminals: Terminals,
    /// By `ListenerIx`.
    pub(super) terminal_configs: Vec<Arc<TerminalConfig>>,
    /// Sockets of the links this worker owns, by `LinkIx`.
    pub(super) ports: Vec<Option<Port>>,
    /// This worker's pending tables, by `LinkIx`: on every link, whoever owns its socket.
    pub(super) desks: Vec<Desk>,
    /// Choice among links, by `IssuerIx`.
    pub(super) choosers: Vec<Chooser>,
    /// Which issuers are asked at all.
    pub(super) breakers: Breakers,
    /// Links that are up and signed on, as this worker has been told.
    pub(super) up: Vec<bool>,
    /// Store-and-forward slots taken, by `IssuerIx`.
    pub(super) slots_taken: Vec<u32>,
    /// And how many this worker may take.
    pub(super) slots_share: Vec<u32>,
    /// Owed by this worker beyond this, nothing new is admitted.
    pub(super) high_water: Vec<u32>,
    pub(super) engine: Engine,
    /// Records of the turn under way.
    pub(super) frames: Frames,
    /// Frames that came back, to be filled again.
    pub(super) spare: Vec<Frame>,
    /// Effects of the event under way.
    pub(super) effects: Effects,
    /// Wire bytes of transactions under way.
    pub(super) wires: Wires,
    /// Timers of the engine.
    pub(super) wheel: Wheel<(u64, Timer)>,
    /// Requests read and not yet admitted, and their bytes.
    pub(super) inbound: VecDeque<Inbound>,
    pub(super) arena: Vec<u8>,
    /// Messages read, refused by decoding, and not yet told so.
    pub(super) malformed: Vec<Malformed>,
    /// Answers read and not yet settled, and their bytes.
    pub(super) answered: Vec<Answered>,
    pub(super) answer_arena: Vec<u8>,
    /// Answers that lack a part of the link key.
    pub(super) odd: Vec<(LinkIx, Answer, Verdict, UnmatchedReason)>,
    /// Issuers' own reversals since the last turn.
    pub(super) recants: Vec<(IssuerAsk, Request, Number)>,
    /// Links of ours that came up or went down since the last turn.
    pub(super) link_news: Vec<(LinkIx, bool)>,
    /// Replies of ours whose fate is known since the last turn.
    pub(super) told_later: Vec<(u64, bool)>,
    /// Letters being written, by worker.
    pub(super) outbox: Vec<Mail>,
    /// Letters read, to be written again.
    pub(super) spare_mail: Vec<Mail>,
    /// Links of ours with something to send.
    pub(super) dirty_ports: Vec<LinkIx>,
    pub(super) meter: Meter,
    pub(super) capture: Option<Capture>,
    /// What the log is told about peers.
    pub(super) complaints: Complaints,
    /// Scratch index for decoding what is at hand.
    pub(super) index: Index,
    /// Scratch index for an answer beside its request.
    pub(super) answer_index: Index,
    /// Scratch for building one message.
    pub(super) body: BytesMut,
    /// Scratch for making card tokens.
    pub(super) pans: Vec<Pan>,
    pub(super) tokens: Vec<CardToken>,
    /// Scratch for delivered tickets.
    pub(super) taken: Vec<u64>,
    /// Shared socket buffers.
    pub(super) scratch: Scratch,
    /// Current business day per institution, and when its cutover comes.
    pub(super) days: Vec<BusinessDay>,
    pub(super) institutions: Vec<Institution>,
    /// What issuers tell of their own.
    pub(super) cutovers: Cutovers,
    /// Scratch for due and lost tickets.
    pub(super) due: Vec<(u64, bool)>,
    pub(super) lane: Lane,
    pub(super) reader: Reader,
    pub(super) records: Records,
    pub(super) phase: Phase,
    /// When the links were signed off.
    pub(super) signed_off: Option<Tick>,
    /// Told the others that nothing more comes from here.
    pub(super) quiet: bool,
    /// The journal is dead: nothing is acknowledged any more.
    pub(super) dead: bool,
}

impl Worker {
    /// Takes everything that is ready and passes it on. Returns whether more is waiting.
    fn turn(&mut self) -> bool {
        self.now = self.clock.now();
        self.take_version();
        self.roll_days();
        self.change_phase();
        self.take_commits();
        self.take_told();
        self.take_letters();
        self.take_cutovers();
        self.settle_answers();
        self.take_recants();
        self.take_link_news();
        self.refuse_malformed();
        self.admit_requests();
        self.take_due();
        self.report_silence();
        self.submit();
        // Counted before it is told: whoever has an answer finds it in the metrics.
        self.meter.flush();
        self.flush_ports();
        self.flush_terminals();
        self.take_told();
        self.post_letters();
        !self.inbound.is_empty() || !self.frames.is_empty()
    }

    /// A turn, and a look at what no event brings when it is time for one. Returns whether more is waiting.
    pub fn pass(&mut self) -> bool {
        let more = self.turn();
        if self.now.tick >= self.next_sweep {
            self.housekeep();
            self.next_sweep = self.now.tick.plus_ms(HOUSEKEEPING.as_millis() as u64);
        }
        more
    }

    /// What no event brings; several times a second.
    fn housekeep(&mut self) {
        self.sweep_terminals();
        self.sweep_ports();
        self.probe_issuers();
        self.flush_ports();
        self.show_levels();
        self.journal_days_again();
        self.letters.bell().notify_one();
    }

    fn show_levels(&mut self) {
        for at in 0..self.shared.config.issuers.len() {
            let issuer = IssuerIx(at as u16);
            let links = &self.shared.config.issuers[at].links;
            let levels = Levels {
                in_flight: links.iter().map(|link| i64::from(self.desks[link.at()].in_flight())).sum(),
                owed: self.engine.owed(issuer) as i64,
                quarantined: self.engine.quarantined(issuer) as i64,
            };
            self.meter.levels(issuer, levels);
        }
    }

    /// Hands one event to the engine and does what it asks for.
    pub fn handle(&mut self, event: Event<'_>, at_hand: Option<&AtHand<'_>>) -> Disposition {
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        let disposition = self.engine.handle(&context, event, &mut self.frames, &mut self.effects);
        self.run_effects(at_hand);
        disposition
    }

    /// Committed frames: what they hold is durable now.
    fn take_commits(&mut self) {
        while let Some(commit) = self.lane.take() {
            match commit {
                Commit::Durable(committed) => {
                    let took = self.now.tick.since(Tick(committed.stamped()));
                    for (token, kind, lsn) in committed.tokens() {
                        self.meter.latency(telemetry::Stage::Journal, took);
                        match kind {
                            engine::record::DAY => self.day_durable(token),
                            _ => drop(self.handle(Event::Durable { token, lsn }, None)),
                        }
                    }
                    self.spare.push(committed.into_frame());
                }
                Commit::Full(mut frame) => {
                    for (token, kind) in frame.tokens() {
                        match kind {
                            engine::record::DAY => self.cutovers.unwritten(token),
                            _ => drop(self.handle(Event::NotWritten { token }, None)),
                        }
                    }
                    frame.clear();
                    self.spare.push(frame);
                }
                Commit::Failed(frame) => self.give_up(&frame),
            }
        }
    }

    /// The sync failed: 96 for what was never sent, silence for the rest, and out (stations 7 and 10 of the corridor).
    fn give_up(&mut self, frame: &Frame) {
        if !self.dead {
            tracing::error!("the journal failed: acknowledging nothing more");
        }
        self.dead = true;
        for (token, kind) in frame.tokens() {
            if kind == engine::record::INTENT {
                self.handle(Event::NotWritten { token }, None);
            }
        }
        self.shared.fail();
    }

    fn settle_answers(&mut self) {
        let mut answered = std::mem::take(&mut self.answered);
        let arena = std::mem::take(&mut self.answer_arena);
        let workers = self.outbox.len() as u16;
        for one in answered.drain(..) {
            let body = &arena[one.body.clone()];
            let owner = link::worker_of(one.answer.stan, workers);
            if owner == self.ix.0 {
                self.settle(&one, body);
            } else {
                let mail = &mut self.outbox[usize::from(owner)];
                let body = mail.enclose(body);
                mail.answers.push(Answered { body, ..one });
            }
        }
        (self.answered, self.answer_arena) = (answered, arena);
        self.answer_arena.clear();
        for (link, answer, verdict, reason) in std::mem::take(&mut self.odd) {
            self.unmatched(link, &answer, verdict, reason);
        }
    }

    fn take_link_news(&mut self) {
        for (link, up) in std::mem::take(&mut self.link_news) {
            self.link_changed(link, up);
        }
    }

    /// What became of replies, as far as it is known by now.
    fn take_told(&mut self) {
        let mut told = std::mem::take(&mut self.told_later);
        for (ticket, delivered) in told.drain(..) {
            self.told(ticket, delivered);
        }
        // What the engine asked for meanwhile may have been told as well: that is for the next time.
        told.append(&mut self.told_later);
        self.told_later = told;
    }

    fn take_letters(&mut self) {
        while let Some(mut mail) = self.letters.take() {
            for one in &mail.answers {
                self.settle(one, &mail.arena[one.body.clone()]);
            }
            for (link, up) in &mail.links {
                self.link_changed(*link, *up);
            }
            for (issuer, day) in &mail.days {
                self.begin_day(*issuer, *day);
            }
            for asked in &mail.cutovers {
                self.cut_over(*asked);
            }
            for (asked, request, slot) in &mail.recants {
                self.recant(*asked, request, *slot);
            }
            for (link, ask, code) in &mail.recanted {
                self.answer_recant(*link, *ask, *code);
            }
            for letter in &mail.letters {
                self.handle(Event::Letter { letter }, None);
            }
            for word in &mail.words {
                self.hear(*word);
            }
            for one in &mail.requests {
                self.admit(one, &mail.arena[one.body.clone()]);
            }
            for one in &mail.forwards {
                self.carry(one, &mail.arena[one.body.clone()]);
            }
            for one in &mail.replies {
                self.deliver(one.origin, one.envelope, one.ticket, &mail.arena[one.body.clone()]);
            }
            for (ticket, reversal) in &mail.unsent {
                self.unsent(*ticket, *reversal);
            }
            for origin in &mail.forgone {
                self.forgo(*origin);
            }
            for (ticket, delivered) in &mail.delivered {
                self.told(*ticket, *delivered);
            }
            if self.spare_mail.len() < self.outbox.len() {
                mail.clear();
                self.spare_mail.push(mail);
            }
        }
    }

    /// Deadlines of links and timers of the engine.
    fn take_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        for link in 0..self.desks.len() {
            due.clear();
            self.desks[link].expire(self.now.tick, &mut due);
            for (ticket, reversal) in &due {
                let timer = if *reversal { Timer::Reversal } else { Timer::Issuer };
                self.handle(Event::Expired { txn: TxnId::from_ticket(*ticket), timer }, None);
            }
        }
        due.clear();
        self.due = due;
        while let Some((ticket, timer)) = self.wheel.pop(self.now.tick) {
            self.handle(Event::Expired { txn: TxnId::from_ticket(ticket), timer }, None);
        }
    }

    /// One submit for everything this turn wrote; what is owed may use the reserve of a full disk.
    pub(super) fn submit(&mut self) {
        if self.dead {
            return self.frames.clear();
        }
        let now = self.clock.tick().0;
        if !self.frames.normal.is_empty() {
            self.frames.normal.stamp(now);
            let empty = self.spare.pop().unwrap_or_default();
            self.lane.submit(std::mem::replace(&mut self.frames.normal, empty), Class::Normal);
        }
        if !self.frames.owed.is_empty() {
            self.frames.owed.stamp(now);
            let empty = self.spare.pop().unwrap_or_default();
            self.lane.submit(std::mem::replace(&mut self.frames.owed, empty), Class::Owed);
        }
    }

    fn post_letters(&mut self) {
        for worker in 0..self.outbox.len() {
            if !self.outbox[worker].is_empty() {
                let empty = self.spare_mail.pop().unwrap_or_default();
                let mail = std::mem::replace(&mut self.outbox[worker], empty);
                self.shared.letters[worker].post(mail);
            }
        }
    }

    /// The next moment at which a turn is due without anything arriving.
    pub fn next_due(&self) -> Tick {
        let desks = self.desks.iter().filter_map(Desk::next_deadline);
        desks.chain(self.wheel.next()).fold(self.next_sweep, Tick::min)
    }
}
