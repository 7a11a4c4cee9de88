//! The simulated world: one queue of moments, one switch, its terminals, issuers, network, disk and clocks.
//!
//! Never asks the machine for time or chance. Guards: what happens next is the earliest moment, and of equal ones the one that
//! was planned first, so that a seed always tells the same story.

use super::bank::Bank;
use super::disk::PageDisk;
use super::dose::{Dose, IssuerDose, WORKERS_MAX};
use super::faults::Fault;
use super::net::Wires;
use super::scene::{self, Ground, ISSUERS};
use super::tally::Tally;
use super::till::{Do, Till, View};
use crate::message::Speech;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use switch::config::Config;
use switch::serve::stepped::{self, Hands, Stepped};
use telemetry::Families;
use terms::{LinkIx, Now, Tick};
use testkit::Chance;

/// Something that happens at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A worker's turn.
    Turn(u16),
    /// The committer has written and synced.
    Commit,
    /// Bytes of a connection arrive at the switch.
    AtSwitch(u32),
    /// Bytes of a connection arrive at the other end.
    AtPeer(u32),
    /// A terminal's time has come.
    Till(u16, u32),
    /// An issuer says what it kept back, by number.
    Says(u32),
    /// A link is dialled.
    Dial(u16),
    /// Something goes wrong.
    Fault(Fault),
}

/// Everything there is.
pub struct World {
    /// Monotonic microseconds.
    pub now_us: u64,
    /// Wall clock less monotonic clock, milliseconds.
    pub offset_ms: i64,
    /// Wall clock at the start: what the peers' clocks go by.
    pub start_ms: i64,
    pub(super) queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    planned: u64,
    pub(super) chance: Chance,
    /// What may go wrong.
    pub dose: Dose,
    pub(super) calm: bool,
    /// The running switch, unless it is down.
    pub host: Option<Stepped>,
    pub(super) config: Config,
    pub(super) families: Arc<Families>,
    pub(super) tokens: Arc<Ground>,
    /// The machine's disk.
    pub disk: PageDisk,
    pub(super) hands: Arc<Hands>,
    pub(super) wires: Wires,
    /// The terminals.
    pub tills: Vec<Till>,
    /// The issuers, as configured.
    pub banks: Vec<Bank>,
    pub(super) turn_at: Vec<u64>,
    pub(super) starts: u32,
    pub(super) commit_at: Option<u64>,
    pub(super) stalled_until: u64,
    /// Kept back by issuers: connection, frame, and whether it comes too late.
    pub(super) kept: Vec<Option<(u32, Vec<u8>, bool)>>,
    /// What happened, counted.
    pub tally: Tally,
    /// What happened, in words; only where somebody wants to read it.
    pub story: Option<Vec<String>>,
    cards: Vec<String>,
    /// Promises that were broken, as seen from outside.
    pub complaints: Vec<String>,
    pub(super) faults_left: u64,
    /// Starts of the switch so far.
    pub(super) life: u32,
    /// The disk is full since then, and nothing else went wrong with process or disk.
    pub(super) only_full_since: Option<u64>,
}

impl World {
    /// The world of a seed, before anything happened.
    pub fn new(seed: u64, dose: Dose, ground: &Arc<Ground>, families: &mut Option<Arc<Families>>) -> Self {
        let mut chance = Chance::of(seed);
        let config = ground.config(&scene::text(&dose, &mut chance));
        let families =
            Arc::clone(families.get_or_insert_with(|| stepped::families(&config).expect("few labels")));
        let speeches = [Speech::unionpay(), Speech::acquirer()];
        let tills = (0..dose.tills)
            .map(|at| {
                let which = usize::from(at % 2);
                let acquirer = ["00010000", "00020000"][which];
                Till::new(at, speeches[which].clone(), acquirer, &dose, chance.branch())
            })
            .collect();
        let banks = ISSUERS.iter().zip(0..).map(|((name, _, dialect), at)| {
            let calm = IssuerDose::calm();
            // Only one of them is moody in half of the seeds: its trouble is not the other's.
            let moods = if at == 1 && seed.is_multiple_of(2) { &calm } else { &dose.issuer };
            Bank::new(name, dialect, moods, seed ^ at)
        });
        let start_ms = *chance.pick(&scene::STARTS) * 1000 + chance.below(600_000) as i64;
        Self {
            now_us: 1,
            offset_ms: start_ms,
            start_ms,
            queue: BinaryHeap::new(),
            planned: 0,
            calm: false,
            host: None,
            disk: PageDisk::new(dose.page_cache),
            tokens: Arc::clone(ground),
            hands: Arc::default(),
            wires: Wires::default(),
            tills,
            banks: banks.collect(),
            turn_at: vec![u64::MAX; usize::from(WORKERS_MAX)],
            starts: 0,
            commit_at: None,
            stalled_until: 0,
            kept: Vec::new(),
            tally: Tally::default(),
            story: None,
            cards: cards(&dose),
            complaints: Vec::new(),
            faults_left: dose.faults_max,
            life: 0,
            only_full_since: None,
            config,
            families,
            chance,
            dose,
        }
    }

    /// Plans an event.
    pub fn plan(&mut self, after_us: u64, event: Event) {
        self.plan_at(self.now_us + after_us, event);
    }

    pub(super) fn plan_at(&mut self, at_us: u64, event: Event) {
        self.planned += 1;
        self.queue.push(Reverse((at_us.max(self.now_us), self.planned, event)));
    }

    /// Notes down what happens, if somebody reads it.
    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>14.6} s  {}", self.now_us as f64 / 1e6, what()));
        }
    }

    /// The wall clock of the switch.
    pub fn wall_ms(&self) -> i64 {
        self.offset_ms + (self.now_us / 1000) as i64
    }

    /// The right time: what peers' clocks show.
    pub fn right_ms(&self) -> i64 {
        self.start_ms + (self.now_us / 1000) as i64
    }

    pub(super) fn set_hands(&self) {
        self.hands.set(Tick(self.now_us), self.wall_ms());
    }

    /// Lets the next event happen; `false` if there is none.
    pub fn step(&mut self) -> bool {
        let Some(Reverse((at, _, event))) = self.queue.pop() else { return false };
        self.now_us = self.now_us.max(at);
        self.set_hands();
        self.happen(at, event);
        self.attend();
        true
    }

    fn happen(&mut self, at: u64, event: Event) {
        match event {
            Event::Turn(worker) => self.turn(at, worker),
            Event::Commit => self.commit(at),
            Event::AtSwitch(line) => self.at_switch(line),
            Event::AtPeer(line) => self.at_peer(line),
            Event::Till(till, token) => self.with_till(till, |till, view| till.wake(token, view)),
            Event::Says(number) => self.says(number),
            Event::Dial(link) => self.dial(LinkIx(link)),
            Event::Fault(fault) => self.go_wrong(fault),
        }
    }

    fn turn(&mut self, at: u64, worker: u16) {
        let Some(host) = &mut self.host else { return };
        // Planned more than once: the earliest counted.
        if self.turn_at[usize::from(worker)] != at {
            return;
        }
        self.turn_at[usize::from(worker)] = u64::MAX;
        let more = host.turn(worker);
        let due = if more { self.now_us } else { host.next_due(worker).0 };
        if host.failed() {
            return self.journal_failed();
        }
        self.plan_turn(worker, due);
        if self.commit_at.is_none() {
            let (from, to) = self.dose.sync_us;
            let took = self.chance.between(from, to);
            let at = (self.now_us + took).max(self.stalled_until);
            self.commit_at = Some(at);
            self.plan_at(at, Event::Commit);
        }
    }

    pub(super) fn plan_turn(&mut self, worker: u16, at_us: u64) {
        let at = at_us.max(self.now_us);
        if at < self.turn_at[usize::from(worker)] {
            self.turn_at[usize::from(worker)] = at;
            self.plan_at(at, Event::Turn(worker));
        }
    }

    fn commit(&mut self, at: u64) {
        if self.commit_at != Some(at) {
            return;
        }
        self.commit_at = None;
        let Some(host) = &mut self.host else { return };
        host.commit();
        if self.disk.is_off() {
            self.machine_down();
        }
    }

    /// What the switch did: bytes it wrote, bells that rang, connections that called.
    pub(super) fn attend(&mut self) {
        loop {
            self.collect();
            let Some(host) = &mut self.host else { return };
            let calls = host.calls();
            if calls.is_empty() {
                break;
            }
            calls.into_iter().for_each(|line| self.poll(line));
        }
        for worker in 0..self.dose.workers {
            if self.host.as_mut().is_some_and(|host| host.rung(worker)) {
                let soon = self.now_us + self.chance.below(60);
                self.plan_turn(worker, soon);
            }
        }
    }

    pub(super) fn with_till(&mut self, number: u16, act: impl FnOnce(&mut Till, &mut View<'_>)) {
        let wall_ms = self.right_ms();
        let till = &mut self.tills[usize::from(number)];
        let mut view = View {
            wall_ms,
            cards: &self.cards,
            tally: &mut self.tally,
            now_us: self.now_us,
            life: self.life,
            only_full_since: self.only_full_since,
            wants: Vec::new(),
            heard: self.story.is_some().then(Vec::new),
        };
        act(till, &mut view);
        let View { wants, heard, .. } = view;
        heard.into_iter().flatten().for_each(|what| self.tell(|| what));
        if self.story.is_some() && wants.iter().any(|want| matches!(want, Do::Say(_))) {
            let posture = self.tills[usize::from(number)].posture();
            self.tell(|| posture);
        }
        for want in wants {
            match want {
                Do::Say(bytes) => self.till_says(number, bytes),
                Do::Reconnect => self.till_connects(number),
                Do::HangUp => self.till_hangs_up(number),
                Do::Wake(after, token) => self.plan(after, Event::Till(number, token)),
            }
        }
    }

    pub(super) fn now(&self) -> Now {
        Now::at(Tick(self.now_us), self.right_ms())
    }

    /// Whether a fault may still happen; counts it.
    pub(super) fn may_go_wrong(&mut self, kind: &'static str) -> bool {
        if self.calm || self.faults_left == 0 {
            return false;
        }
        self.faults_left -= 1;
        self.tally.fault(kind);
        true
    }
}

/// Cards of both issuers; one card where the seed wants everything on one.
fn cards(dose: &Dose) -> Vec<String> {
    let many = if dose.hot_card { 1 } else { 24 };
    let of = |prefix: &str| (0..many).map(|at| format!("{prefix}00000000{at:02}")).collect::<Vec<_>>();
    ISSUERS.iter().flat_map(|(_, prefix, _)| of(prefix)).collect()
}
