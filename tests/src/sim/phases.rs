//! The two phases of a run: first everything may go wrong, then nothing does and all that is owed must drain.
//! Never waits without a bound. Guards: what does not end is said, with who still waits.

use super::world::{Event, World};

/// Simulated time that the safety phase may take.
const SAFETY_US: u64 = 600_000_000;
/// Simulated time within which everything owed must have drained once nothing goes wrong any more.
const LIVENESS_US: u64 = 600_000_000;
/// Time over which faults are planned: what a run of sales takes, more or less.
const FAULTS_US: u64 = 20_000_000;
/// From one day's beginning to the next.
const DAY_US: u64 = 86_400_000_000;
/// Answers that issuers kept back are out after this.
const QUIET_US: u64 = 8_000_000;

impl World {
    /// The switch starts, customers come.
    pub fn begin(&mut self) {
        self.start();
        for till in 0..self.tills.len() as u16 {
            let first = self.chance.below(1_000_000);
            self.plan(first, Event::Till(till, 0));
        }
        self.plan_faults(FAULTS_US);
    }

    /// Business days on which everything may go wrong.
    pub fn safety(&mut self) {
        for day in 1..self.dose.days {
            let morning = self.now_us;
            self.day();
            self.night(morning);
            self.tell(|| format!("day {day} is over"));
            for till in 0..self.tills.len() as u16 {
                self.with_till(till, |till, view| till.open_again(view));
            }
            self.plan_faults(FAULTS_US);
        }
        let morning = self.now_us;
        self.day();
        if self.dose.days > 1 {
            self.night(morning);
        }
    }

    /// Nothing happens until the next day: what was due meanwhile is late.
    fn night(&mut self, morning: u64) {
        self.now_us = self.now_us.max(morning + DAY_US);
    }

    fn day(&mut self) {
        let mut frozen = 0;
        let mut until = self.now_us + SAFETY_US;
        while !self.tills.iter().all(|till| till.is_done()) && self.now_us < until {
            let before = self.now_us;
            if !self.step() {
                break;
            }
            // A freeze is no time in which anybody could have sold.
            if self.now_us - before > SAFETY_US {
                frozen += self.now_us - before;
                until += self.now_us - before;
            }
        }
        self.tell(|| format!("safety ends, {} h of it frozen", frozen / 3_600_000_000));
    }

    /// Nothing goes wrong any more: all that is owed must drain.
    pub fn liveness(&mut self) {
        self.calm_down();
        let until = self.now_us + LIVENESS_US;
        let (mut quiet_since, mut signed_on_again) = (None, false);
        while self.now_us < until {
            if !self.step() {
                break;
            }
            let busy = self.host.as_ref().is_none_or(|host| host.unfinished() > 0)
                || self.tills.iter().any(|till| !till.is_idle())
                || self.banks.iter().any(|bank| bank.issuer.recanting() > 0);
            match quiet_since {
                _ if busy => quiet_since = None,
                None => quiet_since = Some(self.now_us),
                Some(since) if self.now_us > since + QUIET_US => {
                    if signed_on_again || !self.has_parked() {
                        return;
                    }
                    // What an issuer refused too often while things went wrong is offered when it signs on.
                    (quiet_since, signed_on_again) = (None, true);
                    self.link_wires().into_iter().for_each(|number| self.break_wire(number));
                    self.attend();
                }
                Some(_) => {}
            }
        }
        self.not_drained();
    }

    fn calm_down(&mut self) {
        self.tell(|| "nothing goes wrong any more".into());
        self.calm = true;
        self.stalled_until = 0;
        self.disk.leave_room(None);
        self.disk.heal();
        self.tills.iter_mut().for_each(|till| till.closed = true);
        self.banks.iter_mut().for_each(|bank| bank.calm_down());
        self.heal_wires();
        self.start();
    }

    fn has_parked(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.parked(self.banks.len() as u16) > 0)
    }

    fn heal_wires(&mut self) {
        for number in self.sick_wires() {
            self.break_wire(number);
        }
        self.attend();
    }

    fn not_drained(&mut self) {
        let waiting = self.host.as_ref().map_or(0, |host| host.unfinished());
        let postures: Vec<String> =
            self.tills.iter().filter(|till| !till.is_idle()).map(|till| till.posture()).collect();
        let recanting: usize = self.banks.iter().map(|bank| bank.issuer.recanting()).sum();
        self.complaints.push(format!(
            "not drained in time: {waiting} transactions, {recanting} of issuers' own reversals, {postures:?}"
        ));
    }
}
