//! A shell of memory around one engine: does what effects ask for, and watches the wall.
//!
//! Guards in every run: no forward before a durable INTENT, no approval before a durable OUTCOME, one OUTCOME per INTENT,
//! one release per reservation, one end per store-and-forward slot, wire bytes for every answer, one count per record.

mod commits;
mod deeds;
mod looks;

use crate::builders;
use crate::desk::{self, Desk, LEDGER};
use engine::effect::{Note, ReversalReason, Tally};
use engine::record::{
    ACK, Advised, INTENT, Intent, LINKED, Linked, OUTCOME, Outcome, PARKED, REFUSED, Record, Serial,
    TOMBSTONE,
};
use engine::{
    Config, Context, Disposition, Effect, Effects, Engine, Entry, Event, Fetched, Frames, Ledger,
    ListenerTerms, Origin, Permit, ShardState, Snapshot, State, Timer, Transaction, TxnId,
};
use journal::testing::FakeDisk;
use journal::{Class, Kind, Lsn};
use limits::{LimitKey, Store};
use std::collections::{BTreeMap, HashMap, HashSet};
use terms::batch::BatchSays;
use terms::{
    Answer, BusinessDay, InternalCause, IssuerIx, LinkIx, ListenerIx, Minor, Mti, Now, Request, ResponseCode,
    Rrn, SlotKey, Stan, Tick,
};

/// One answer that left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    pub connection: u32,
    pub reply: engine::Reply,
    /// The terminal has it.
    pub delivered: bool,
}

/// One message that went to an issuer.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub txn: TxnId,
    pub serial: Serial,
    pub rrn: Rrn,
    pub request: Request,
    /// It is about what is owed: a reversal, or with `advice` an advice.
    pub reversal: bool,
    pub repeat: bool,
    pub advice: bool,
    /// STAN and DE 7 of the message, or of what it reverses.
    pub number: Advised,
    /// Message type, or of what it reverses.
    pub mti: Mti,
    /// Why it is reversed, as DE 39 is made from.
    pub why: (ReversalReason, Option<ResponseCode>),
}

/// What the journal's index says to [`Effect::Find`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Archive {
    /// What its index knows.
    Looks,
    RulesOut,
    CannotSay,
}

pub struct World {
    pub engine: Engine,
    pub store: Store,
    pub snapshot: Snapshot,
    pub listener: ListenerTerms,
    pub now: Now,
    pub day: BusinessDay,
    pub frames: Frames,
    pub links: Vec<bool>,
    pub reserve: Result<(), InternalCause>,
    pub archive: Archive,
    /// Everything since the last look.
    pub effects: Vec<Effect>,
    pub records: Vec<Kind>,
    pub said: Vec<Said>,
    pub sent: Vec<Sent>,
    /// What issuers were told about reversals of their own.
    pub told_issuer: Vec<engine::Code>,
    pub notes: Vec<Note>,
    pub tallies: Vec<Tally>,
    pub durable: HashMap<Serial, State>,
    pub undelivered: bool,
    pub report_delivery: bool,
    disk: FakeDisk,
    pub desk: Desk,
    pub connection: u32,
    /// What the next notice of script results carries, and what went to issuers of such.
    pub chip: Vec<u8>,
    pub carried: Vec<Vec<u8>>,
    timers: BTreeMap<(Tick, u64), (TxnId, Timer)>,
    sequence: u64,
    stans: u32,
    wires: HashSet<TxnId>,
    /// Store-and-forward slots taken.
    pub slots: usize,
    released: HashSet<Serial>,
    counted: usize,
    countable: usize,
    recounts: bool,
    /// Effects being done inside of effects.
    depth: u32,
}

impl World {
    pub fn new(ceiling: Minor) -> Self {
        let disk = FakeDisk::new();
        let (desk, ledger) = desk::open(&disk);
        Self::of(ceiling, disk, desk, ledger, Now::at(Tick(1_000_000), 1_700_000_000_000))
    }

    fn of(ceiling: Minor, disk: FakeDisk, desk: Desk, ledger: Ledger, now: Now) -> Self {
        let fetch = |lsn| {
            let (_, payload, secret) = desk.read(lsn);
            Intent::read(&payload, &secret).ok()
        };
        let parts = ledger.into_parts(1, fetch).expect("every open intent can be read");
        let store = Store::new(1_000);
        for spent in &parts.spent {
            store.restore(spent.key, spent.day, spent.amount, spent.count).unwrap();
        }
        let state = parts.shards.into_iter().next().unwrap();
        let mut world = Self::around(ceiling, disk, desk, state, now, store);
        world.recover();
        world
    }

    fn around(ceiling: Minor, disk: FakeDisk, desk: Desk, state: ShardState, now: Now, store: Store) -> Self {
        let config = Config { epoch: desk.epoch(), max_live: 4_096, ..Config::default() };
        let durable = state.index.iter().count();
        assert!(durable <= LEDGER.index_entries);
        Self {
            engine: Engine::new(config, state),
            store,
            snapshot: builders::snapshot(ceiling),
            listener: builders::listener(),
            now,
            day: BusinessDay(9_000),
            frames: Frames::new(),
            // After a restart links have to come up first.
            links: vec![desk.epoch() == 1; 3],
            reserve: Ok(()),
            archive: Archive::CannotSay,
            effects: Vec::new(),
            records: Vec::new(),
            said: Vec::new(),
            sent: Vec::new(),
            told_issuer: Vec::new(),
            notes: Vec::new(),
            tallies: Vec::new(),
            durable: HashMap::new(),
            undelivered: false,
            report_delivery: true,
            disk,
            desk,
            connection: 0,
            chip: Vec::new(),
            carried: Vec::new(),
            timers: BTreeMap::new(),
            sequence: 0,
            stans: 0,
            wires: HashSet::new(),
            slots: 0,
            released: HashSet::new(),
            counted: 0,
            countable: 0,
            recounts: false,
            depth: 0,
        }
    }

    /// The process dies and comes back: what was not committed is gone.
    pub fn restart(self, ceiling: Minor) -> Self {
        let Self { disk, desk, now, connection, .. } = self;
        drop(desk);
        let (desk, ledger) = desk::open(&disk);
        Self { connection, ..Self::of(ceiling, disk, desk, ledger, now) }
    }

    /// The ledger that a restart would begin with.
    pub fn ledger(&self) -> Ledger {
        desk::open(&self.disk.after(journal::testing::Crash::DropAll)).1
    }

    fn recover(&mut self) {
        let mut effects = Effects::new();
        let Self { engine, snapshot, now, day, frames, .. } = self;
        let days = [*day];
        engine.recover(&Context { now: *now, snapshot, days: &days }, frames, &mut effects);
        self.records = self.appended().into_iter().map(|(_, kind)| kind).collect();
        self.perform(effects, None);
        self.commit();
    }

    /// A request on a new connection.
    pub fn ask(&mut self, request: &Request) -> Disposition {
        self.connection += 1;
        let origin =
            Origin { connection: self.connection, generation: 0, worker: 0, listener: ListenerIx(0) };
        let listener = self.listener.clone();
        self.event(Event::Request { request, origin, listener: &listener })
    }

    /// The end of a batch, on a new connection.
    pub fn say(&mut self, request: &Request, says: &BatchSays) -> Disposition {
        self.connection += 1;
        let origin =
            Origin { connection: self.connection, generation: 0, worker: 0, listener: ListenerIx(0) };
        let listener = self.listener.clone();
        self.event(Event::Batch { request, says, origin, listener: &listener })
    }

    pub fn event(&mut self, event: Event) -> Disposition {
        // What an effect of an earlier event brings about comes before that event's other effects are done.
        let mut effects = Effects::new();
        let done = self.depth == 0;
        effects.extend((!done).then_some(Effect::Note(Note::Duplicate)));
        let disposition = self.handle(event, &mut effects);
        effects.drain(..usize::from(!done));
        if let Disposition::Kept(txn) = disposition {
            assert!(self.wires.insert(txn), "{txn:?} kept twice");
        }
        self.perform(effects, Some(disposition));
        disposition
    }

    fn handle(&mut self, event: Event, effects: &mut Effects) -> Disposition {
        let before: Vec<_> = self.appended();
        let Self { engine, snapshot, now, day, frames, .. } = self;
        let days = [*day];
        let disposition =
            engine.handle(&Context { now: *now, snapshot, days: &days }, event, frames, effects);
        let after = self.appended();
        // New records of each frame, in the order of the frames.
        let (normal, owed) = (self.frames.normal.records() as usize, self.frames.owed.records() as usize);
        let old_normal = before.iter().filter(|(frame, _)| *frame == 0).count();
        let old_owed = before.len() - old_normal;
        self.records.extend(after[old_normal..normal].iter().map(|(_, kind)| *kind));
        self.records.extend(after[normal + old_owed..normal + owed].iter().map(|(_, kind)| *kind));
        disposition
    }

    fn appended(&self) -> Vec<(u8, Kind)> {
        let normal = self.frames.normal.tokens().map(|(_, kind)| (0, kind));
        normal.chain(self.frames.owed.tokens().map(|(_, kind)| (1, kind))).collect()
    }

    fn perform(&mut self, effects: Effects, of: Option<Disposition>) {
        self.depth += 1;
        for effect in effects {
            self.effects.push(effect);
            self.do_one(effect, of);
        }
        self.depth -= 1;
    }

    /// Time goes on; what is due fires, in order, each followed by a commit.
    pub fn advance(&mut self, ms: u64) {
        let until = self.now.tick.plus_ms(ms);
        while let Some((&(at, sequence), &(txn, timer))) = self.timers.first_key_value() {
            if at > until {
                break;
            }
            self.timers.remove(&(at, sequence));
            self.clock(at.max(self.now.tick));
            self.event(Event::Expired { txn, timer });
            self.commit();
        }
        self.clock(until);
    }

    fn clock(&mut self, tick: Tick) {
        let passed = tick.since(self.now.tick) / 1_000;
        self.now = Now::at(tick, self.now.wall_ms + passed as i64);
    }

    /// The issuer answers a message that it got.
    pub fn issuer_says(&mut self, sent: &Sent, answer: &Answer, verdict: engine::Verdict) {
        self.disarm(sent.txn, if sent.reversal { Timer::Reversal } else { Timer::Issuer });
        match sent.reversal {
            true if sent.advice => self.event(Event::AdviceAnswer { txn: sent.txn, answer, verdict }),
            true => self.event(Event::ReversalAnswer { txn: sent.txn, answer }),
            false => self.event(Event::Answer { txn: sent.txn, answer, verdict }),
        };
    }

    fn disarm(&mut self, txn: TxnId, timer: Timer) {
        self.timers.retain(|_, armed| *armed != (txn, timer));
    }

    /// The issuer's own 0420 of what it was asked for, over `link`; what it is told is in `told_issuer`.
    pub fn issuer_reverses(&mut self, link: u16, reversal: &Request, slots: &[SlotKey]) {
        let asked = engine::IssuerAsk { link: LinkIx(link), ask: 7 };
        self.event(Event::IssuerReversal { asked, reversal, slots });
    }
}
