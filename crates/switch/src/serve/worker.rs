//! One worker: one shard of the engine, its connections and links, its lane into the journal.
//!
//! A *turn* takes everything that is ready and passes it on together: committed frames, letters, answers, requests, due
//! timers; then one submit, one write per link, one write per connection, one letter per other worker.
//! Never blocks and never awaits inside a turn; guards: whatever the engine asks for is done in the turn that asked.

use super::clock::Clock;
use super::effects::AtHand;
use super::issuer::Port;
use super::mail::{Answered, Inbound, LetterBox, Mail};
use super::meter::Meter;
use super::records::Records;
use super::shared::{Phase, Shared};
use super::socket::Scratch;
use super::terminal::Terminals;
use super::wire::Wires;
use bytes::BytesMut;
use engine::record::{Config as Names, Day, Record, UnmatchedReason};
use engine::{Context, Disposition, Effects, Engine, Event, Frames, Snapshot, Timer, TxnId, Verdict};
use framing::FrameLimits;
use iso8583::{CanonDefaults, Index};
use journal::{Class, Commit, Frame, Lane, Reader};
use link::{Desk, DeskConfig, TerminalConfig, Wheel};
use routing::{Chooser, LinkChoice};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use terms::{Answer, BusinessDay, CardToken, IssuerIx, LinkIx, Now, Pan, Tick, WorkerIx};
use zeroize::Zeroize;

/// Requests that one turn admits; the rest waits for the next one, so that answers and timers are not held up.
pub const TURN_MAX: usize = 512;

/// What a worker is made of; `Send`, unlike the worker.
pub struct Parts {
    /// Which one.
    pub ix: WorkerIx,
    /// What all workers share.
    pub shared: Arc<Shared>,
    /// The process's clocks.
    pub clock: Clock,
    /// Its shard, with what a restart found.
    pub engine: Engine,
    /// Its way into the journal.
    pub lane: Lane,
    /// And back out.
    pub reader: Reader,
    /// Its counters.
    pub meter: Meter,
}

/// Everything one worker owns.
pub struct Worker {
    pub(super) ix: WorkerIx,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// The clocks as read at the start of the turn under way.
    pub(super) now: Now,
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
    /// Links that are up and signed on, as this worker has been told.
    pub(super) up: Vec<bool>,
    /// Store-and-forward slots taken, by `IssuerIx`.
    pub(super) slots_taken: Vec<u32>,
    /// And how many this worker may take.
    pub(super) slots_share: Vec<u32>,
    pub(super) engine: Engine,
    /// Records of the turn under way.
    pub(super) frames: Frames,
    /// Frames that came back, to be filled again.
    spare: Vec<Frame>,
    /// Effects of the event under way.
    pub(super) effects: Effects,
    /// Wire bytes of transactions under way.
    pub(super) wires: Wires,
    /// Timers of the engine.
    pub(super) wheel: Wheel<(u64, Timer)>,
    /// Requests read and not yet admitted, and their bytes.
    pub(super) inbound: Vec<Inbound>,
    pub(super) arena: Vec<u8>,
    /// Answers read and not yet settled, and their bytes.
    pub(super) answered: Vec<Answered>,
    pub(super) answer_arena: Vec<u8>,
    /// Answers that lack a part of the link key.
    pub(super) odd: Vec<(LinkIx, Answer, Verdict, UnmatchedReason)>,
    /// Links of ours that came up or went down since the last turn.
    pub(super) link_news: Vec<(LinkIx, bool)>,
    /// Replies of ours whose fate is known since the last turn.
    pub(super) told_later: Vec<(u64, bool)>,
    /// Letters being written, by worker.
    pub(super) outbox: Vec<Mail>,
    /// Links of ours with something to send.
    pub(super) dirty_ports: Vec<LinkIx>,
    pub(super) meter: Meter,
    /// Scratch index for decoding what is at hand.
    pub(super) index: Index,
    /// Scratch index for an answer beside its request.
    pub(super) answer_index: Index,
    /// Scratch for building one message.
    pub(super) body: BytesMut,
    /// Scratch for making card tokens.
    pans: Vec<Pan>,
    tokens: Vec<CardToken>,
    /// Scratch for delivered tickets.
    pub(super) taken: Vec<u64>,
    /// Shared socket buffers.
    pub(super) scratch: Scratch,
    /// Current business day per calendar, and when its cutover comes (wall milliseconds).
    pub(super) days: Vec<BusinessDay>,
    cutovers: Vec<i64>,
    /// Scratch for due and lost tickets.
    due: Vec<(u64, bool)>,
    lane: Lane,
    pub(super) reader: Reader,
    pub(super) records: Records,
    phase: Phase,
    /// When the links were signed off.
    signed_off: Option<Tick>,
    /// The journal is dead: nothing is acknowledged any more.
    dead: bool,
}

/// Token of records that nobody waits for.
const NOBODY: u64 = 0;

/// Links have this long to answer our sign-off.
const SIGN_OFF_MS: u64 = 1_000;

impl Worker {
    /// Puts the parts together. Everything is sized by the configuration here, nothing grows past it later.
    pub fn new(parts: Parts) -> Self {
        let Parts { ix, shared, clock, engine, lane, reader, meter } = parts;
        let (config, now) = (&shared.config, clock.now());
        let (workers, links) = (config.workers, config.links.len());
        let ports = (0..links)
            .map(|at| (at % workers == ix.at()).then(|| super::start::port(config, LinkIx(at as u16))));
        let calendars = config.calendars.iter().map(|calendar| &calendar.calendar);
        Self {
            ix,
            clock,
            now,
            snapshot: shared.snapshot(),
            letters: shared.letters[ix.at()].clone(),
            terminals: Terminals::default(),
            terminal_configs: (0..config.listeners.len()).map(|at| terminal_config(&shared, at)).collect(),
            ports: ports.collect(),
            desks: (0..links).map(|at| desk(&shared, ix, at)).collect(),
            choosers: (0..config.issuers.len()).map(|at| chooser(&shared, at)).collect(),
            up: vec![false; links],
            slots_taken: vec![0; config.issuers.len()],
            slots_share: config
                .issuers
                .iter()
                .map(|issuer| issuer.saf_max.div_ceil(workers as u32))
                .collect(),
            engine,
            frames: Frames::new(),
            spare: Vec::new(),
            effects: Effects::new(),
            wires: Wires::default(),
            wheel: Wheel::new(),
            inbound: Vec::new(),
            arena: Vec::new(),
            answered: Vec::new(),
            answer_arena: Vec::new(),
            odd: Vec::new(),
            link_news: Vec::new(),
            told_later: Vec::new(),
            outbox: (0..workers).map(|_| Mail::default()).collect(),
            dirty_ports: Vec::new(),
            meter,
            index: Index::new(),
            answer_index: Index::new(),
            body: BytesMut::new(),
            pans: Vec::new(),
            tokens: Vec::new(),
            taken: Vec::new(),
            scratch: Scratch::new(),
            days: calendars.clone().map(|calendar| calendar.day_at(now.wall_ms)).collect(),
            cutovers: calendars.map(|calendar| calendar.next_cutover_after(now.wall_ms)).collect(),
            due: Vec::new(),
            lane,
            reader,
            records: Records::default(),
            phase: Phase::Running,
            signed_off: None,
            dead: false,
            shared,
        }
    }

    /// Takes everything that is ready and passes it on. Returns whether more is waiting.
    pub fn turn(&mut self) -> bool {
        self.now = self.clock.now();
        self.snapshot = self.shared.snapshot();
        self.roll_days();
        self.change_phase();
        self.take_commits();
        self.take_told();
        self.take_letters();
        self.settle_answers();
        self.take_link_news();
        self.admit_requests();
        self.take_due();
        self.submit();
        self.flush_ports();
        self.flush_terminals();
        self.take_told();
        self.post_letters();
        self.meter.flush();
        !self.inbound.is_empty() || !self.frames.is_empty()
    }

    /// What no event brings; several times a second.
    pub fn housekeep(&mut self) {
        self.sweep_terminals();
        self.sweep_ports();
        self.flush_ports();
        self.show_levels();
        self.letters.bell().notify_one();
    }

    fn show_levels(&mut self) {
        for at in 0..self.shared.config.issuers.len() {
            let issuer = IssuerIx(at as u16);
            let links = &self.shared.config.issuers[at].links;
            let in_flight = links.iter().map(|link| self.desks[link.at()].in_flight()).sum();
            self.meter.levels(issuer, in_flight, self.engine.owed(issuer) as u32);
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
                    for (token, _, lsn) in committed.tokens() {
                        self.handle(Event::Durable { token, lsn }, None);
                    }
                    self.spare.push(committed.into_frame());
                }
                Commit::Full(mut frame) => {
                    for (token, _) in frame.tokens() {
                        self.handle(Event::NotWritten { token }, None);
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

    /// Tokens for all, then a look that warms the index for all, then one after the other (`facts`: prefetch pays).
    fn admit_requests(&mut self) {
        let ready = self.inbound.len().min(TURN_MAX);
        let mut inbound = std::mem::take(&mut self.inbound);
        let arena = std::mem::take(&mut self.arena);
        self.make_tokens(&mut inbound[..ready]);
        for one in inbound.drain(..ready) {
            let owner = self.owner(&one);
            if owner == self.ix {
                self.admit(&one, &arena[one.body.clone()]);
            } else {
                let mail = &mut self.outbox[owner.at()];
                let body = mail.enclose(&arena[one.body.clone()]);
                mail.requests.push(Inbound { body, ..one });
            }
        }
        self.arena = arena;
        if inbound.is_empty() {
            self.arena.clear();
        }
        self.inbound = inbound;
    }

    /// One pass of the cipher over all cards of the turn: a fifth of the price of one at a time.
    fn make_tokens(&mut self, inbound: &mut [Inbound]) {
        self.pans.clear();
        self.pans.extend(inbound.iter().filter_map(|one| one.request.pan));
        self.tokens.clear();
        self.tokens.resize(self.pans.len(), CardToken::NONE);
        self.shared.tokenizer.tokens(&self.pans, &mut self.tokens);
        let mut tokens = self.tokens.iter();
        for one in inbound {
            if one.request.pan.is_some() {
                one.request.token = tokens.next().copied().unwrap_or(CardToken::NONE);
            }
            self.engine.touch(one.request.slot);
        }
        // Cleared, not kept for the next turn: no card number outlives its use.
        self.pans.zeroize();
    }

    /// Admits one request whose transaction is ours, and keeps its bytes as long as it lives.
    fn admit(&mut self, one: &Inbound, body: &[u8]) {
        let listener = &self.shared.config.listeners[one.origin.listener.at()].terms;
        let event = Event::Request { request: &one.request, origin: one.origin, listener };
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        let disposition = self.engine.handle(&context, event, &mut self.frames, &mut self.effects);
        let at_hand = AtHand { body, envelope: one.envelope, origin: one.origin, answered: Cell::new(false) };
        match disposition {
            Disposition::Kept(txn) => self.wires.keep(txn, &at_hand, self.now.tick),
            Disposition::Joined(txn) => {
                if let Some(left) = self.wires.join(txn, &at_hand) {
                    self.forgo(left);
                }
            }
            Disposition::Done => {}
        }
        self.run_effects(Some(&at_hand));
        if disposition == Disposition::Done && !at_hand.answered.get() {
            self.forgo(one.origin);
        }
    }

    fn owner(&self, one: &Inbound) -> WorkerIx {
        match self.outbox.len() {
            1 => self.ix,
            workers => WorkerIx(engine::shard_of(one.request.owner(), workers) as u16),
        }
    }

    fn take_letters(&mut self) {
        while let Some(mail) = self.letters.take() {
            for one in &mail.answers {
                self.settle(one, &mail.arena[one.body.clone()]);
            }
            for (link, up) in &mail.links {
                self.link_changed(*link, *up);
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

    fn roll_days(&mut self) {
        for calendar in 0..self.cutovers.len() {
            if self.now.wall_ms >= self.cutovers[calendar] {
                let shape = &self.shared.config.calendars[calendar].calendar;
                self.days[calendar] = shape.day_at(self.now.wall_ms);
                self.cutovers[calendar] = shape.next_cutover_after(self.now.wall_ms);
                self.journal_day(calendar);
            }
        }
    }

    /// Business days are journaled, once for all workers.
    pub(super) fn journal_day(&mut self, calendar: usize) {
        if self.ix.0 == 0 {
            let id = self.shared.config.calendars[calendar].id;
            let day = Day { wall_ms: self.now.wall_ms, calendar: id, day: self.days[calendar] };
            day.append_to(&mut self.frames.owed, NOBODY);
        }
    }

    /// The names behind the stable numbers of records, before the first record that uses them.
    pub(super) fn journal_names(&mut self) {
        if self.ix.0 != 0 {
            return;
        }
        let config = &self.shared.config;
        let issuers = config.issuers.iter().map(|issuer| ("issuer", issuer.id, &issuer.name));
        let links = config.links.iter().map(|link| ("link", link.id, &link.full_name));
        let calendars = config.calendars.iter().map(|calendar| ("calendar", calendar.id, &calendar.name));
        let lines =
            issuers.chain(links).chain(calendars).map(|(kind, id, name)| format!("{kind} {id:08x} {name}\n"));
        let mut names = String::new();
        let mut records = Vec::new();
        for line in lines {
            if names.len() + line.len() > Names::NAMES_MAX {
                records.push(std::mem::take(&mut names));
            }
            names += &line;
        }
        records.push(names);
        let hash = config.source.hash();
        let hash = u64::from_le_bytes(hash[..8].try_into().unwrap_or_default());
        let (wall_ms, version) = (self.now.wall_ms, self.snapshot.version);
        for names in &records {
            Names { wall_ms, version, hash, names }.append(&mut self.frames.owed, NOBODY);
        }
        (0..self.days.len()).for_each(|calendar| self.journal_day(calendar));
    }

    fn change_phase(&mut self) {
        let phase = self.shared.phase();
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        match phase {
            Phase::Running => {}
            Phase::Draining => {
                self.handle(Event::Drain, None);
            }
            Phase::Over => {
                self.handle(Event::DrainOver, None);
            }
        }
    }

    /// One submit for everything this turn wrote; what is owed may use the reserve of a full disk.
    pub(super) fn submit(&mut self) {
        if self.dead {
            return self.frames.clear();
        }
        if !self.frames.normal.is_empty() {
            let empty = self.spare.pop().unwrap_or_default();
            self.lane.submit(std::mem::replace(&mut self.frames.normal, empty), Class::Normal);
        }
        if !self.frames.owed.is_empty() {
            let empty = self.spare.pop().unwrap_or_default();
            self.lane.submit(std::mem::replace(&mut self.frames.owed, empty), Class::Owed);
        }
    }

    fn post_letters(&mut self) {
        for worker in 0..self.outbox.len() {
            if !self.outbox[worker].is_empty() {
                let mail = std::mem::take(&mut self.outbox[worker]);
                self.shared.letters[worker].post(Box::new(mail));
            }
        }
    }

    /// A link came up or went down: what was under way on it is lost, what is owed may go.
    pub fn link_changed(&mut self, link: LinkIx, up: bool) {
        if self.up[link.at()] == up {
            return;
        }
        self.up[link.at()] = up;
        if !up {
            let mut lost = std::mem::take(&mut self.due);
            self.desks[link.at()].lost(&mut lost);
            for (ticket, reversal) in lost.drain(..) {
                self.handle(Event::LinkLost { txn: TxnId::from_ticket(ticket), reversal }, None);
            }
            self.due = lost;
        }
        self.handle(Event::LinkChanged { link, up }, None);
    }

    /// The next moment at which a turn is due without anything arriving.
    pub fn next_due(&self) -> Option<Tick> {
        let desks = self.desks.iter().filter_map(Desk::next_deadline).min();
        [desks, self.wheel.next()].into_iter().flatten().min()
    }

    /// Whether this worker has nothing left to do in a process that is over. Signs its links off on the way.
    pub fn is_over(&mut self) -> bool {
        if self.phase == Phase::Running {
            return false;
        }
        self.shared.busy[self.ix.at()].store(self.engine.in_flight() as u32, Ordering::Release);
        if self.dead {
            return true;
        }
        if self.phase != Phase::Over || self.lane.in_flight() > 0 || !self.frames.is_empty() {
            return false;
        }
        match self.signed_off {
            None => {
                self.signed_off = Some(self.now.tick);
                self.sign_off();
                false
            }
            Some(since) => self.is_signed_off() || self.now.tick > since.plus_ms(SIGN_OFF_MS),
        }
    }
}

fn terminal_config(shared: &Shared, at: usize) -> Arc<TerminalConfig> {
    let config = &shared.config.listeners[at];
    let limits = FrameLimits {
        idle_us: config.idle_ms.saturating_mul(1000),
        output_full: config.output_max as usize,
        ..FrameLimits::default()
    };
    Arc::new(TerminalConfig {
        dialect: Arc::clone(&config.dialect),
        framing: config.framing,
        defaults: CanonDefaults { acquirer: config.terms.acquirer },
        limits,
        in_flight_max: config.in_flight_per_connection,
        bad_max: BAD_MAX,
    })
}

/// Messages with a wrong field that one connection is told about before it goes.
const BAD_MAX: u32 = 32;

fn desk(shared: &Shared, ix: WorkerIx, at: usize) -> Desk {
    let link = &shared.config.links[at];
    let issuer = &shared.config.issuers[link.issuer.at()];
    let workers = shared.config.workers as u32;
    Desk::new(DeskConfig {
        worker: ix.0,
        workers: workers as u16,
        window: link.window.div_ceil(workers).clamp(1, link::WINDOW_MAX),
        has_transmission: issuer.dialect.links_by_transmission_time(),
        rest_ms: u64::from(issuer.timeout_ms) * 2,
        late_ms: u64::from(issuer.timeout_ms) * 2,
    })
}

fn chooser(shared: &Shared, at: usize) -> Chooser {
    let issuer = &shared.config.issuers[at];
    let choices: Vec<LinkChoice> = issuer
        .links
        .iter()
        .map(|link| {
            let config = &shared.config.links[link.at()];
            LinkChoice { link: *link, weight: config.weight, backup: config.backup }
        })
        .collect();
    // The configuration was checked: every issuer has links, none twice, none without weight.
    Chooser::new(&choices, issuer.balance)
        .unwrap_or_else(|fault| unreachable!("checked links clash: {fault}"))
}
