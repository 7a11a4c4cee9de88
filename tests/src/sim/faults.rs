//! What goes wrong with process, machine, disk and clocks, and how the switch comes back.
//!
//! Never reaches into the switch: it is dropped, and opened again on what the disk kept. Guards: however often it dies, also
//! while it recovers, it comes back.

use super::disk::Survives;
use super::dose::WORKERS_MAX;
use super::net::Peer;
use super::world::{Event, World};
use journal::testing::ToySeal;
use std::sync::Arc;
use switch::serve::stepped::{self, Stepped};

/// What can go wrong besides the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// The process dies; the page cache stays.
    Kill,
    /// The machine dies at once.
    Crash,
    /// The machine dies at one of the disk operations to come.
    CrashAtOperation,
    /// A sync to come fails.
    FailedSync,
    /// No room on the disk.
    DiskFull,
    /// There is room again.
    DiskFreed,
    /// The disk does not answer for a while.
    DiskStall,
    /// The wall clock steps.
    WallStep,
    /// Nothing runs for hours: everything that was due is late.
    Freeze,
    /// A link swallows everything.
    Blackhole,
    /// Another process tries the same journal.
    SecondStart,
    /// An orderly stop and start.
    Drain,
    /// The switch is started.
    Start,
}

impl World {
    /// Plans the faults of the dose over the time that the sales take.
    pub fn plan_faults(&mut self, span_us: u64) {
        let dose = &self.dose;
        let planned = [
            (Fault::Kill, dose.process_kills),
            (Fault::Crash, dose.machine_crashes.div_ceil(2)),
            (Fault::CrashAtOperation, dose.machine_crashes / 2 + dose.machine_crashes % 2),
            (Fault::FailedSync, dose.failed_syncs),
            (Fault::DiskFull, dose.disk_full),
            (Fault::DiskStall, dose.disk_stall),
            (Fault::WallStep, dose.wall_steps),
            (Fault::Freeze, dose.freezes),
            (Fault::Blackhole, dose.blackhole),
            (Fault::SecondStart, dose.second_starts),
            (Fault::Drain, dose.drains),
        ];
        for (fault, times) in planned {
            for _ in 0..times {
                let after = self.chance.below(span_us);
                self.plan(after, Event::Fault(fault));
            }
        }
    }

    pub(super) fn go_wrong(&mut self, fault: Fault) {
        match fault {
            Fault::Start => return self.start(),
            Fault::DiskFreed => {
                self.only_full_since = None;
                return self.disk.leave_room(None);
            }
            _ => {}
        }
        if self.host.is_none() || !self.may_go_wrong(name(fault)) {
            return;
        }
        self.tell(|| format!("{fault:?}"));
        match fault {
            Fault::Kill => {
                self.tally.row(40);
                self.die();
                self.disk.process_died();
            }
            Fault::Crash => {
                self.tally.row(39);
                self.machine_down();
            }
            Fault::CrashAtOperation => {
                let after = self.chance.below(40);
                self.disk.power_off_after(after);
            }
            Fault::FailedSync => {
                let after = self.chance.below(20);
                self.disk.fail_sync_after(after);
            }
            Fault::DiskFull => {
                self.tally.row(46);
                let room = self.chance.below(20_000);
                self.disk.leave_room(Some(room));
                self.only_full_since = Some(self.now_us);
                let for_us = self.chance.between(1_000_000, 20_000_000);
                self.plan(for_us, Event::Fault(Fault::DiskFreed));
            }
            Fault::DiskStall => {
                self.tally.row(47);
                self.stalled_until = self.now_us + self.chance.between(500_000, 10_000_000);
            }
            Fault::WallStep => {
                self.tally.row(51);
                // A day off at most: counters remember a few days, and no clock that is looked after is off by more.
                let to = self.start_ms + self.chance.below(172_800_000) as i64 - 86_400_000;
                // A tombstone lasts a day: not so far forward that one goes while its terminal still asks.
                self.offset_ms = to.min(self.offset_ms + 82_800_000);
            }
            Fault::Freeze => {
                let hours = self.chance.between(1, 16);
                self.now_us += hours * 3_600_000_000;
            }
            Fault::Blackhole => {
                self.tally.row(7);
                let links = self.wires.open(|peer| matches!(peer, Peer::Bank(..)));
                if !links.is_empty() {
                    let link = *self.chance.pick(&links);
                    self.swallow(link);
                }
            }
            Fault::SecondStart => self.second_start(),
            Fault::Drain => self.drain(),
            Fault::Start | Fault::DiskFreed => {}
        }
    }

    /// Opens the switch on what the disk holds; a machine that dies meanwhile is started again.
    pub fn start(&mut self) {
        if self.host.is_some() {
            return;
        }
        self.change_workers();
        self.set_hands();
        let dying = !self.calm
            && self.dose.crash_in_recovery > 0
            && self.tally.faults.contains_key("crash in recovery") == self.chance.percent(50);
        if dying && self.may_go_wrong("crash in recovery") {
            let after = self.chance.below(12);
            self.disk.power_off_after(after);
        }
        match Stepped::open(self.config.clone(), self.ground()) {
            Ok(host) => {
                self.host = Some(host);
                self.life += 1;
                self.turn_at.fill(u64::MAX);
                self.commit_at = None;
                for worker in 0..self.dose.workers {
                    self.plan_turn(worker, self.now_us);
                }
                for link in 0..self.config.links.len() as u16 {
                    self.plan(0, Event::Dial(link));
                }
                self.tell(|| "the switch serves".into());
            }
            Err(_) if self.disk.is_off() => {
                self.tally.row(42);
                self.machine_down();
            }
            Err(fault) if is_disk(&fault) => {
                // No room, or a disk that fails: tried again when somebody has looked after it.
                self.disk.process_died();
                self.plan(2_000_000, Event::Fault(Fault::Start));
            }
            Err(fault) => {
                let text = chain(&fault);
                self.complaints.push(format!("the switch does not start: {text}"));
            }
        }
    }

    /// Shards, numbers and what is owed are dealt out anew.
    fn change_workers(&mut self) {
        if self.starts > 0 && self.dose.changes_workers {
            self.dose.workers = self.dose.workers % WORKERS_MAX + 1;
            self.config.workers = usize::from(self.dose.workers);
        }
        self.starts += 1;
    }

    pub(super) fn ground(&self) -> stepped::Ground {
        stepped::Ground {
            disk: Arc::new(self.disk.clone()),
            seal: Arc::new(ToySeal),
            tokenizer: self.tokens.tokenizer(),
            hands: Arc::clone(&self.hands),
            families: Arc::clone(&self.families),
        }
    }

    /// The process is gone, with everything it had in memory.
    fn die(&mut self) {
        self.host = None;
        self.only_full_since = None;
        self.cut_all();
        self.commit_at = None;
        let down = self.chance.between(1_000, 3_000_000);
        self.plan(down, Event::Fault(Fault::Start));
    }

    pub(super) fn machine_down(&mut self) {
        self.tell(|| "the machine goes down".into());
        self.die();
        let survives = self.dose.survives;
        if survives != Survives::Nothing {
            self.tally.row(43);
        }
        let mut chance = self.chance.branch();
        self.disk.machine_died(survives, &mut chance);
    }

    /// The journal failed: the process says what it may still say, and ends; the machine lives on.
    pub(super) fn journal_failed(&mut self) {
        self.tell(|| "the journal failed".into());
        self.tally.row(45);
        let Some(host) = &mut self.host else { return };
        host.drain();
        host.drain_over();
        for worker in 0..self.dose.workers {
            host.turn(worker);
            host.is_over(worker);
        }
        self.collect();
        self.die();
        self.disk.process_died();
    }

    fn second_start(&mut self) {
        match Stepped::open(self.config.clone(), self.ground()) {
            Ok(_) => self.complaints.push("two switches opened one journal".into()),
            Err(switch::serve::StartFault::Journal(journal::Fault::Held { .. })) => self.tally.row(49),
            // A disk that is full or fails is another matter.
            Err(_) => {}
        }
    }

    /// An orderly stop: nothing new, what is in flight ends, links sign off, the journal closes.
    fn drain(&mut self) {
        self.tally.row(65);
        let Some(host) = &mut self.host else { return };
        self.only_full_since = None;
        host.drain();
        host.drain_over();
        for round in 0..200 {
            self.now_us += 20_000;
            self.set_hands();
            let Some(host) = &mut self.host else { return };
            let mut over = true;
            for worker in 0..self.dose.workers {
                host.turn(worker);
                over &= host.is_over(worker);
            }
            host.commit();
            self.collect();
            if over || round == 199 {
                break;
            }
        }
        if self.disk.is_off() {
            return self.machine_down();
        }
        let Some(host) = self.host.take() else { return };
        if host.failed() || host.close().is_err() {
            self.tally.row(45);
        }
        self.collect();
        self.die();
        self.disk.process_died();
    }
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Kill => "process killed",
        Fault::Crash => "machine crashed",
        Fault::CrashAtOperation => "machine crashed at a disk operation",
        Fault::FailedSync => "failed sync",
        Fault::DiskFull => "disk full",
        Fault::DiskFreed => "disk freed",
        Fault::DiskStall => "disk stall",
        Fault::WallStep => "wall clock step",
        Fault::Freeze => "freeze",
        Fault::Blackhole => "link swallows everything",
        Fault::SecondStart => "second start",
        Fault::Drain => "orderly restart",
        Fault::Start => "start",
    }
}

fn is_disk(fault: &switch::serve::StartFault) -> bool {
    matches!(fault, switch::serve::StartFault::Journal(journal::Fault::Io { .. }))
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}
