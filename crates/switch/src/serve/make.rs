//! A worker put together from the configuration: pending tables, turns among links, sessions' settings, empty buffers.
//! Never runs anything. Guards: everything is sized here, nothing grows past it later.

use super::breakers::Breakers;
use super::capture::Capture;
use super::clock::Clock;
use super::complaints::Complaints;
use super::cutovers::Cutovers;
use super::mail::Mail;
use super::meter::Meter;
use super::records::Records;
use super::shared::{Phase, Shared};
use super::socket::Scratch;
use super::terminal::Terminals;
use super::wire::Wires;
use super::worker::Worker;
use crate::config::IssuerConfig;
use bytes::BytesMut;
use engine::{Effects, Engine, Frames};
use framing::FrameLimits;
use iso8583::{CanonDefaults, Index};
use journal::{Lane, Reader};
use link::{Desk, DeskConfig, TerminalConfig, Wheel};
use routing::{Chooser, LinkChoice};
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{BusinessDay, LinkIx, WorkerIx};

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
    /// The journal's count of starts.
    pub epoch: u32,
    /// Its counters.
    pub meter: Meter,
    /// Business days that the journal has, by number.
    pub told_days: Vec<(u32, BusinessDay)>,
}

impl Worker {
    /// Puts the parts together. Everything is sized by the configuration here, nothing grows past it later.
    pub fn new(parts: Parts) -> Self {
        let Parts { ix, shared, clock, engine, lane, reader, epoch, meter, told_days } = parts;
        let (config, now) = (&shared.config, clock.now());
        let (workers, links) = (config.workers, config.links.len());
        let ports = (0..links).map(|at| {
            (at % workers == ix.at()).then(|| super::start::port(config, LinkIx(at as u16), epoch))
        });
        let (days, institutions) = super::days::institutions(config, &now, &told_days);
        Self {
            ix,
            next_sweep: now.tick,
            now,
            clock,
            snapshot: Arc::clone(&shared.version().snapshot),
            letters: shared.letters[ix.at()].clone(),
            terminals: Terminals::default(),
            terminal_configs: (0..config.listeners.len()).map(|at| terminal_config(&shared, at)).collect(),
            ports: ports.collect(),
            desks: (0..links).map(|at| desk(&shared, ix, at, epoch)).collect(),
            choosers: (0..config.issuers.len()).map(|at| chooser(&shared, at)).collect(),
            breakers: Breakers::new(config, ix),
            up: vec![false; links],
            slots_taken: vec![0; config.issuers.len()],
            slots_share: config.issuers.iter().map(|issuer| slots_share(issuer, workers)).collect(),
            high_water: config.issuers.iter().map(|issuer| high_water(issuer, workers)).collect(),
            engine,
            frames: Frames::new(),
            spare: Vec::new(),
            effects: Effects::new(),
            wires: Wires::default(),
            wheel: Wheel::new(),
            inbound: VecDeque::new(),
            arena: Vec::new(),
            malformed: Vec::new(),
            answered: Vec::new(),
            answer_arena: Vec::new(),
            odd: Vec::new(),
            recants: Vec::new(),
            link_news: Vec::new(),
            told_later: Vec::new(),
            outbox: (0..workers).map(|_| Mail::default()).collect(),
            spare_mail: Vec::new(),
            dirty_ports: Vec::new(),
            meter,
            capture: capture(&shared),
            complaints: Complaints::new(config.listeners.len(), links),
            index: Index::new(),
            answer_index: Index::new(),
            body: BytesMut::new(),
            pans: Vec::new(),
            tokens: Vec::new(),
            taken: Vec::new(),
            scratch: Scratch::new(),
            days,
            institutions,
            cutovers: Cutovers::default(),
            due: Vec::new(),
            lane,
            reader,
            records: Records::default(),
            phase: Phase::Running,
            signed_off: None,
            quiet: false,
            dead: false,
            shared,
        }
    }
}

fn capture(shared: &Shared) -> Option<Capture> {
    let settings = shared.config.archive.as_ref()?.messages?;
    Some(Capture::new(shared.captures.as_ref()?, &settings, shared.config.workers))
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

/// Store-and-forward slots of one worker.
pub(super) fn slots_share(issuer: &IssuerConfig, workers: usize) -> u32 {
    issuer.saf_max.div_ceil(workers as u32)
}

/// What may be owed to an issuer by one worker before nothing new is admitted for it.
pub(super) fn high_water(issuer: &IssuerConfig, workers: usize) -> u32 {
    issuer.saf_high_water.div_ceil(workers as u32)
}

/// How long a STAN rests and a late answer still matches.
pub(super) fn rest_ms(issuer: &IssuerConfig) -> u64 {
    u64::from(issuer.timeout_ms) * 2
}

fn desk(shared: &Shared, ix: WorkerIx, at: usize, epoch: u32) -> Desk {
    let link = &shared.config.links[at];
    let issuer = &shared.config.issuers[link.issuer.at()];
    let workers = shared.config.workers as u32;
    // Links of one issuer share out the STANs as workers do: DE 90 names an original whichever link it went over. Still
    // `stan % workers` is the worker.
    let sharers = workers * issuer.links.len() as u32;
    let place = issuer.links.iter().position(|one| one.at() == at).unwrap_or(0) as u16;
    let mut desk = Desk::new(DeskConfig {
        worker: ix.0 + workers as u16 * place,
        workers: sharers as u16,
        window: link.window.div_ceil(workers).clamp(1, window_max(sharers)),
        has_transmission: issuer.dialect.links_by_transmission_time(),
        rest_ms: rest_ms(issuer),
        late_ms: rest_ms(issuer),
    });
    desk.begin(epoch);
    desk
}

/// A window leaves most of a desk's STANs at rest, so that a late answer never meets a new request.
fn window_max(sharers: u32) -> u32 {
    link::WINDOW_MAX.min((terms::Stan::COUNT / sharers / 4).max(1))
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
