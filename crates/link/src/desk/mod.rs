//! What one worker has under way on one link: STANs, window, deadlines, and whose answer an answer is.
//! Never reads a clock, never allocates after it was made (lists of tickets are the caller's), never sees a field but the
//! link key. Guards: a STAN is not used again while somebody waits for its answer, what is in flight never passes the
//! window, and each message sent ends exactly once: in time, expired, retired or lost.

mod chains;
mod entry;
mod places;
mod reversals;
mod stans;

use crate::gear::{GRANULE_US, Gear, due_granule};
use crate::reason::{Match, Reason};
use chains::Chains;
use entry::{Entries, Entry, State};
use places::Places;
use stans::Stans;
use terms::{Now, Stan, Tick, TransmissionTime};

/// Purchases one worker may have in flight on one link. Above this the link refuses at once.
pub const WINDOW_MAX: u32 = 65_536;
const _: () = assert!(WINDOW_MAX < Stan::COUNT, "an outbound STAN must not repeat while in flight");

/// How a desk is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeskConfig {
    /// Which worker; its STANs are those with `stan % workers == worker`.
    pub worker: u16,
    /// How many workers share the link's STANs.
    pub workers: u16,
    /// This worker's share of the link's window, 1..=[`WINDOW_MAX`].
    pub window: u32,
    /// The dialect has DE 7: it is part of the link key.
    pub has_transmission: bool,
    /// Without DE 7: milliseconds a STAN is out of use after it was taken, twice the issuer's time-out. With DE 7 the
    /// number may come round after the second that DE 7 can tell apart.
    pub rest_ms: u64,
    /// Milliseconds after its deadline during which an answer is still matched, as [`Match::Late`].
    pub late_ms: u64,
}

/// Pending table of one worker on one link.
///
/// A message's life: [`Desk::permit`] takes a place in the window and a STAN, [`Desk::sent`] starts its deadline,
/// [`Desk::matches`] finds it when its answer comes. Reversals have their own small window, so that purchases cannot
/// starve them: [`Desk::open_reversal`].
pub struct Desk {
    config: DeskConfig,
    stans: Stans,
    places: Places,
    entries: Entries,
    gear: Gear,
    in_flight: u32,
    /// Where the entries of reversals begin.
    base: u32,
    chains: Chains,
    reversals_in_flight: u32,
    /// Where the next look for a late reversal to give up starts.
    hand: u32,
}

impl DeskConfig {
    /// Reversals this worker may have under way beside its window: a quarter of it.
    pub const fn reversal_window(&self) -> u32 {
        let quarter = self.window / 4;
        if quarter == 0 { 1 } else { quarter }
    }

    /// Twice the window, so that half of the places are free however many are in flight, and no less than one word.
    fn capacity(&self) -> u32 {
        (self.window * 2).next_power_of_two().max(64)
    }

    /// Memory a desk of this layout takes for good, in bytes.
    pub fn memory(&self) -> usize {
        let entries = self.capacity() + self.reversal_window() * reversals::ROOM;
        entries as usize * size_of::<Entry>() + size_of::<Desk>()
    }

    /// DE 7 tells seconds apart, so with it a number may come round when the next second has begun.
    const fn rest_us(&self) -> u64 {
        if self.has_transmission { 1_000_000 } else { self.rest_ms.saturating_mul(1_000) }
    }
}

/// The worker whose desk knows `stan`: who the owner of the socket hands an answer to.
pub const fn worker_of(stan: Stan, workers: u16) -> u16 {
    (stan.get() % workers as u32) as u16
}

impl Desk {
    /// An empty desk; all its memory is taken here.
    ///
    /// # Panics
    /// If the configuration is not a checked one: no such worker, or a window of 0, over [`WINDOW_MAX`] or not below the
    /// number of STANs this worker has.
    pub fn new(config: DeskConfig) -> Self {
        let stans = Stans::new(config.worker, config.workers, config.rest_us());
        let window = config.window;
        assert!((1..=WINDOW_MAX).contains(&window), "a window of {window} is not in 1..={WINDOW_MAX}");
        assert!(window < stans.count(), "a window of {window} needs more STANs than {}", stans.count());
        let (base, reversals) = (config.capacity(), config.reversal_window() * reversals::ROOM);
        Self {
            stans,
            places: Places::new(base),
            entries: Entries(vec![Entry::EMPTY; (base + reversals) as usize].into_boxed_slice()),
            gear: Gear::new(),
            in_flight: 0,
            base,
            chains: Chains::new(reversals),
            reversals_in_flight: 0,
            hand: 0,
            config,
        }
    }

    /// To be called once, before the first permit, with a number that goes up by one at every start of the process: STANs
    /// that the process before used under the same DE 7 (a restart may take less than a second), or within their rest,
    /// are not used again.
    pub fn begin(&mut self, epoch: u32) {
        self.stans.begin(epoch);
    }

    /// Another time-out of the issuer: how long STANs taken from now on rest, how long answers that are late match.
    pub fn change_times(&mut self, rest_ms: u64, late_ms: u64) {
        (self.config.rest_ms, self.config.late_ms) = (rest_ms, late_ms);
        self.stans.rest(self.config.rest_us());
    }

    /// Takes a place in the window, with the STAN and DE 7 to send under ([`TransmissionTime::NONE`] where the dialect
    /// has none). `None`: the window is full, or the next STAN still rests; nothing is held then.
    pub fn permit(&mut self, now: &Now) -> Option<(Stan, TransmissionTime)> {
        if self.in_flight == self.config.window {
            return None;
        }
        let rank = self.places.find(self.stans.course())?;
        let stan = self.stans.take(rank, now.tick)?;
        let transmission = self.transmission(now.transmission);
        let place = self.places.of(rank);
        self.gear.unlink(&mut self.entries, place);
        self.places.set_late(place, false);
        self.places.set_held(place, true);
        self.entries.0[place as usize] = Entry::new(stan, 0, transmission);
        self.in_flight += 1;
        Some((stan, transmission))
    }

    /// A STAN and DE 7 without a place in the window: for an advice, which is sent when its turn comes and bears them as
    /// often as it is repeated. `None`: the next STAN still rests.
    pub fn number(&mut self, now: &Now) -> Option<(Stan, TransmissionTime)> {
        let stan = self.next_for_reversal(now)?;
        Some((stan, self.transmission(now.transmission)))
    }

    /// Nothing was sent under this permit: its place in the window is free and no answer to it is known. No effect on a
    /// STAN that is not in flight (it was lost, retired or answered meanwhile).
    pub fn give_back(&mut self, stan: Stan) {
        let Some(place) = self.purchase(stan) else { return };
        if !matches!(self.state(place), State::Permitted | State::Sent) {
            return;
        }
        self.gear.unlink(&mut self.entries, place);
        self.entries.0[place as usize] = Entry::EMPTY;
        self.leave_window(place);
    }

    /// The request was handed to the link; an answer of any class but 4 is its answer. Prefer [`Desk::sent_as`].
    ///
    /// # Panics
    /// If no permit is held under `stan`, or it was sent already: our own mistake.
    pub fn sent(&mut self, stan: Stan, ticket: u64, deadline: Tick) {
        self.sent_as(0, stan, ticket, deadline);
    }

    /// As [`Desk::sent`], and only answers of MTI class `class` (1 for 0100, 2 for 0200) are its answers.
    ///
    /// # Panics
    /// As [`Desk::sent`].
    pub fn sent_as(&mut self, class: u8, stan: Stan, ticket: u64, deadline: Tick) {
        let place = self.purchase(stan).filter(|place| self.state(*place) == State::Permitted);
        let place = place.unwrap_or_else(|| panic!("STAN {stan} was sent without a permit"));
        let entry = &mut self.entries.0[place as usize];
        entry.ticket = ticket;
        entry.set_class(class);
        entry.set_state(State::Sent);
        self.gear.link(&mut self.entries, place, due_granule(deadline));
    }

    /// Whose answer this is, by the link key: MTI class (second digit of its MTI), STAN and, where the dialect has it,
    /// DE 7. An answer in time ends the message; whatever else comes under the same key is late.
    pub fn matches(&mut self, class: u8, stan: Stan, transmission: TransmissionTime) -> Match {
        if self.config.has_transmission && transmission == TransmissionTime::NONE {
            return Match::Unmatched(Reason::NoTransmission);
        }
        if class == REVERSAL_CLASS {
            return self.matches_reversal(stan, transmission);
        }
        let Some(place) = self.purchase(stan).filter(|place| self.entries.0[*place as usize].was_sent(stan))
        else {
            let reversal = self.reversals_of(stan).next().is_some();
            return Match::Unmatched(if reversal { Reason::OtherClass } else { Reason::UnknownStan });
        };
        let entry = &self.entries.0[place as usize];
        if class == NETWORK_CLASS || entry.class() != 0 && entry.class() != class {
            return Match::Unmatched(Reason::OtherClass);
        }
        if entry.transmission != self.transmission(transmission) {
            return Match::Unmatched(Reason::OtherTransmission);
        }
        self.answered(place)
    }

    /// As [`Desk::matches`], for an answer whose MTI says that it is to an advice (0130, 0230, 0630): what was sent by
    /// [`Desk::open_advice`] comes first.
    pub fn matches_advice(&mut self, class: u8, stan: Stan, transmission: TransmissionTime) -> Match {
        match self.owed(class, stan, self.transmission(transmission)) {
            Some(place) => match self.answered(place) {
                Match::InTime { ticket } | Match::Late { ticket } => Match::Advised { ticket },
                unmatched @ (Match::Advised { .. } | Match::Unmatched(_)) => unmatched,
            },
            None => self.matches(class, stan, transmission),
        }
    }

    /// Nobody waits for this answer any more: the place in the window is free, late answers still match until `late_ms`
    /// after the deadline or until the place is used again. A permit that was not sent is given back. No effect on a
    /// STAN that is not in flight.
    pub fn retire(&mut self, stan: Stan) {
        let Some(place) = self.purchase(stan) else { return };
        match self.state(place) {
            State::Permitted => self.give_back(stan),
            State::Sent => self.turn_late(place),
            State::Empty | State::Late | State::Answered => {}
        }
    }

    /// Adds the ticket of every message whose deadline has passed at `now`, and whether it was a reversal. Their places
    /// in the window are free; late answers match from here on.
    pub fn expire(&mut self, now: Tick, out: &mut Vec<(u64, bool)>) {
        while let Some(place) = self.gear.pop(&mut self.entries, now.0 / GRANULE_US) {
            match self.state(place) {
                State::Sent => {
                    out.push((self.entries.0[place as usize].ticket, place >= self.base));
                    self.turn_late(place);
                }
                State::Late => self.forget(place),
                State::Empty | State::Permitted | State::Answered => {
                    unreachable!("an entry without a deadline was in the wheel")
                }
            }
        }
    }

    /// The link is gone: adds the ticket of everything that was sent and not answered, and whether it was a reversal.
    /// Permits that were not sent stay. Late answers match, should they come over a new connection.
    pub fn lost(&mut self, out: &mut Vec<(u64, bool)>) {
        for place in 0..self.entries.0.len() as u32 {
            if self.state(place) == State::Sent {
                out.push((self.entries.0[place as usize].ticket, place >= self.base));
                self.turn_late(place);
            }
        }
        let permits = self.places.held().count() as u32;
        assert!(
            permits == self.in_flight && self.reversals_in_flight == 0,
            "a lost link left a message behind"
        );
    }

    /// When [`Desk::expire`] is due next: never after the earliest deadline, now and then before it.
    pub fn next_deadline(&self) -> Option<Tick> {
        self.gear.next()
    }

    /// Places of the window that are taken, sent or not; reversals do not count.
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many may be in flight.
    pub const fn window(&self) -> u32 {
        self.config.window
    }

    /// Whether `stan` is one of this worker's.
    pub const fn owns(&self, stan: Stan) -> bool {
        self.stans.owns(stan)
    }

    /// What is compared: nothing where the dialect has no DE 7.
    const fn transmission(&self, given: TransmissionTime) -> TransmissionTime {
        if self.config.has_transmission { given } else { TransmissionTime::NONE }
    }

    /// The place of the purchase under `stan`, in any state but empty.
    fn purchase(&self, stan: Stan) -> Option<u32> {
        let place = self.places.of(self.stans.rank(stan));
        self.entries.0[place as usize].is_of(stan).then_some(place)
    }

    const fn state(&self, place: u32) -> State {
        self.entries.0[place as usize].state()
    }

    /// An answer that fits the entry in every part of the key.
    fn answered(&mut self, place: u32) -> Match {
        let Entry { ticket, node, .. } = self.entries.0[place as usize];
        match self.state(place) {
            State::Sent => {
                self.gear.unlink(&mut self.entries, place);
                self.entries.0[place as usize].set_state(State::Answered);
                self.leave_window(place);
                Match::InTime { ticket }
            }
            State::Late => Match::Late { ticket },
            State::Answered if self.late_until(node.due) > self.gear.elapsed() => Match::Late { ticket },
            State::Answered | State::Empty | State::Permitted => Match::Unmatched(Reason::UnknownStan),
        }
    }

    /// From [`State::Sent`]: nobody waits any more.
    fn turn_late(&mut self, place: u32) {
        self.gear.unlink(&mut self.entries, place);
        let until = self.late_until(self.entries.0[place as usize].node.due);
        self.entries.0[place as usize].set_state(State::Late);
        self.gear.link(&mut self.entries, place, until);
        self.leave_window(place);
        if place < self.base {
            self.places.set_late(place, true);
        }
    }

    /// From [`State::Late`], unlinked: no answer matches any more.
    fn forget(&mut self, place: u32) {
        if place < self.base {
            self.places.set_late(place, false);
            self.entries.0[place as usize] = Entry::EMPTY;
        } else {
            self.forget_reversal(place);
        }
    }

    fn leave_window(&mut self, place: u32) {
        if place < self.base {
            self.places.set_held(place, false);
            self.in_flight -= 1;
        } else {
            self.reversals_in_flight -= 1;
        }
    }

    const fn late_until(&self, due: u64) -> u64 {
        // A granule is a millisecond.
        due.saturating_add(self.config.late_ms)
    }
}

/// Second digit of the MTI of reversals.
const REVERSAL_CLASS: u8 = 4;
/// Second digit of the MTI of network management, which the session answers itself.
const NETWORK_CLASS: u8 = 8;
