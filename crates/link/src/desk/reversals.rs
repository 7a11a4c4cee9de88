//! Reversals and advices under way: a window of their own, under our own or the original's STAN.
//! Never takes a purchase's place in the window. Guards: two of them that an acknowledgement could not tell apart are
//! never under way together.

use super::entry::{Entry, State};
use super::{Desk, REVERSAL_CLASS};
use crate::gear::due_granule;
use crate::reason::{Match, Reason};
use terms::{Now, Stan, Tick, TransmissionTime};

/// Places per reversal of the window: the others remember those whose acknowledgement is late.
pub(super) const ROOM: u32 = 4;

impl Desk {
    /// Enters a reversal that is about to be sent. `stan` is the original's where the dialect's reversal form says so, or
    /// that of the 0420 which this 0421 repeats; `None` takes the next of our own. Returns the STAN to send under.
    /// `None`: the window of reversals is full, the next STAN still rests, or another one that could not be told apart
    /// is under way; nothing is held then, try again later.
    pub fn open_reversal(
        &mut self,
        stan: Option<Stan>,
        transmission: TransmissionTime,
        ticket: u64,
        deadline: Tick,
        now: &Now,
    ) -> Option<Stan> {
        let transmission = self.transmission(transmission);
        if let Some(same) = stan.and_then(|stan| self.owed(REVERSAL_CLASS, stan, transmission)) {
            return self.open_again(same, ticket, deadline);
        }
        if self.reversals_in_flight == self.config.reversal_window() {
            return None;
        }
        let stan = match stan {
            Some(stan) => stan,
            None => self.next_for_reversal(now)?,
        };
        self.enter(Entry::new(stan, REVERSAL_CLASS, transmission), stan, ticket, deadline);
        Some(stan)
    }

    /// Enters an advice of MTI class `class`, first or repeated, under the number that [`Desk::number`] gave it. `false`: as
    /// `None` of [`Desk::open_reversal`].
    pub fn open_advice(
        &mut self,
        class: u8,
        (stan, transmission): (Stan, TransmissionTime),
        ticket: u64,
        deadline: Tick,
    ) -> bool {
        let transmission = self.transmission(transmission);
        if let Some(same) = self.owed(class, stan, transmission) {
            return self.open_again(same, ticket, deadline).is_some();
        }
        let room = self.reversals_in_flight < self.config.reversal_window();
        if room {
            self.enter(Entry::new(stan, class, transmission), stan, ticket, deadline);
        }
        room
    }

    fn enter(&mut self, entry: Entry, stan: Stan, ticket: u64, deadline: Tick) {
        let place = self.reversal_place(stan);
        self.entries.0[place as usize] = entry;
        self.reversals_in_flight += 1;
        self.start(place, ticket, deadline);
    }

    /// Reversals under way.
    pub const fn reversals_in_flight(&self) -> u32 {
        self.reversals_in_flight
    }

    pub(super) fn matches_reversal(&mut self, stan: Stan, transmission: TransmissionTime) -> Match {
        match self.owed(REVERSAL_CLASS, stan, self.transmission(transmission)) {
            Some(place) => self.answered(place),
            None => Match::Unmatched(self.why_no_reversal(stan)),
        }
    }

    /// Places of the reversals under `stan`.
    pub(super) fn reversals_of(&self, stan: Stan) -> impl Iterator<Item = u32> + '_ {
        let places = self.chains.walk(self.stans.rank(stan)).map(|at| at + self.base);
        places.filter(move |place| self.entries.0[*place as usize].is_of(stan))
    }

    /// From any state outside the window and the wheel.
    pub(super) fn forget_reversal(&mut self, place: u32) {
        let stan = self.entries.0[place as usize].stan();
        self.chains.leave(self.stans.rank(stan), place - self.base);
        self.entries.0[place as usize] = Entry::EMPTY;
    }

    /// What is or was under way beside the window under this key.
    pub(super) fn owed(&self, class: u8, stan: Stan, transmission: TransmissionTime) -> Option<u32> {
        self.reversals_of(stan).find(|place| {
            let entry = &self.entries.0[*place as usize];
            entry.transmission == transmission && entry.class() == class
        })
    }

    fn why_no_reversal(&self, stan: Stan) -> Reason {
        if self.reversals_of(stan).any(|place| self.entries.0[place as usize].class() == REVERSAL_CLASS) {
            return Reason::OtherTransmission;
        }
        let purchase = self.purchase(stan).is_some_and(|place| self.entries.0[place as usize].was_sent(stan));
        if purchase { Reason::OtherClass } else { Reason::UnknownStan }
    }

    /// The same link key again: the repeat of a reversal, or a number that comes round after its last use was settled.
    fn open_again(&mut self, place: u32, ticket: u64, deadline: Tick) -> Option<Stan> {
        let Entry { ticket: before, .. } = self.entries.0[place as usize];
        if self.state(place) == State::Sent {
            if before != ticket {
                return None;
            }
        } else if self.reversals_in_flight == self.config.reversal_window() {
            return None;
        } else {
            self.reversals_in_flight += 1;
        }
        self.gear.unlink(&mut self.entries, place);
        self.start(place, ticket, deadline);
        Some(self.entries.0[place as usize].stan())
    }

    fn start(&mut self, place: u32, ticket: u64, deadline: Tick) {
        let entry = &mut self.entries.0[place as usize];
        entry.ticket = ticket;
        entry.set_state(State::Sent);
        self.gear.link(&mut self.entries, place, due_granule(deadline));
    }

    /// The next STAN under which no reversal is known. There are fewer of those than STANs, and they are passed over
    /// once a lap, so this ends soon.
    pub(super) fn next_for_reversal(&mut self, now: &Now) -> Option<Stan> {
        for _ in 0..=self.config.reversal_window() * ROOM {
            let rank = self.places.find(self.stans.course())?;
            let stan = self.stans.take(rank, now.tick)?;
            if self.reversals_of(stan).next().is_none() {
                return Some(stan);
            }
        }
        None
    }

    /// A place in the chain of `stan`; if all are taken, that of a reversal nobody waits for.
    fn reversal_place(&mut self, stan: Stan) -> u32 {
        let rank = self.stans.rank(stan);
        if let Some(at) = self.chains.take(rank) {
            return at + self.base;
        }
        self.give_up_late_reversal();
        let at = self.chains.take(rank);
        at.expect("a place was given up just now") + self.base
    }

    /// At most one place in [`ROOM`] is under way, so the hand finds another within a few steps as a rule.
    fn give_up_late_reversal(&mut self) {
        let places = self.entries.0.len() as u32 - self.base;
        for _ in 0..places {
            let place = self.base + self.hand;
            self.hand = (self.hand + 1) % places;
            if self.state(place) != State::Sent {
                self.gear.unlink(&mut self.entries, place);
                return self.forget_reversal(place);
            }
        }
        unreachable!("more reversals are under way than their window allows");
    }
}
