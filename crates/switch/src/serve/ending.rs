//! How a worker ends: nothing new, the drain's time, links signed off, and the others told that nothing more comes from here.
//! Never ends while another may still have replies for its connections. Guards: an end has a bound, whoever does not answer.

use super::shared::Phase;
use super::worker::Worker;
use engine::Event;
use std::sync::atomic::Ordering;

/// Links have this long to answer our sign-off.
const SIGN_OFF_MS: u64 = 1_000;

impl Worker {
    pub(super) fn change_phase(&mut self) {
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

    /// Whether this worker has nothing left to do in a process that is over. Signs its links off on the way.
    pub fn is_over(&mut self) -> bool {
        if self.phase == Phase::Running {
            return false;
        }
        self.shared.busy[self.ix.at()].store(self.engine.in_flight() as u32, Ordering::Release);
        if self.dead {
            self.say_quiet();
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
            Some(since) => {
                if self.is_signed_off() || self.now.tick > since.plus_ms(SIGN_OFF_MS) {
                    self.say_quiet();
                }
                // Others may still have replies for our connections.
                self.shared.all_quiet() || self.now.tick > since.plus_ms(5 * SIGN_OFF_MS)
            }
        }
    }

    fn say_quiet(&mut self) {
        if !self.quiet {
            self.quiet = true;
            self.shared.add_quiet();
        }
    }
}
