//! One pending message in thirty-two bytes, and the slab of them.
//! Never allocates after it was made. Guards: an entry is in the wheel exactly while its state has a deadline.

use crate::gear::{Node, Nodes};
use terms::{Stan, TransmissionTime};

/// Where a pending message stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum State {
    /// Nothing here.
    Empty = 0,
    /// A permit was given, nothing was sent.
    Permitted = 1,
    /// Sent; somebody waits. Due: the deadline.
    Sent = 2,
    /// Nobody waits; an answer still matches. Due: when it no longer does.
    Late = 3,
    /// Answered. The STAN may be used again at once; until it is, a second answer still matches. Not in the wheel.
    Answered = 4,
}

/// STAN, class and state share one word, so that two entries fill one cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) node: Node,
    pub(super) ticket: u64,
    pub(super) transmission: TransmissionTime,
    tag: u32,
}

const STAN_BITS: u32 = 20;
const CLASS_BITS: u32 = 4;

const _: () = assert!(Stan::COUNT < 1 << STAN_BITS, "a STAN must fit its bits");
const _: () = assert!(size_of::<Entry>() == 32, "two entries must fill one cache line");

impl Entry {
    pub(super) const EMPTY: Self =
        Self { node: Node::IDLE, ticket: 0, transmission: TransmissionTime::NONE, tag: 0 };

    pub(super) const fn new(stan: Stan, class: u8, transmission: TransmissionTime) -> Self {
        let tag =
            stan.get() | (class as u32) << STAN_BITS | (State::Permitted as u32) << (STAN_BITS + CLASS_BITS);
        Self { transmission, tag, ..Self::EMPTY }
    }

    pub(super) const fn state(&self) -> State {
        match self.tag >> (STAN_BITS + CLASS_BITS) {
            0 => State::Empty,
            1 => State::Permitted,
            2 => State::Sent,
            3 => State::Late,
            _ => State::Answered,
        }
    }

    pub(super) const fn set_state(&mut self, state: State) {
        let low = self.tag & ((1 << (STAN_BITS + CLASS_BITS)) - 1);
        self.tag = low | (state as u32) << (STAN_BITS + CLASS_BITS);
    }

    /// Second digit of the MTI; 0: not said.
    pub(super) const fn class(&self) -> u8 {
        (self.tag >> STAN_BITS) as u8 & ((1 << CLASS_BITS) - 1)
    }

    pub(super) const fn set_class(&mut self, class: u8) {
        let mask = ((1 << CLASS_BITS) - 1) << STAN_BITS;
        self.tag = self.tag & !mask | (class as u32) << STAN_BITS & mask;
    }

    /// The STAN. Only for an entry that is not empty.
    pub(super) fn stan(&self) -> Stan {
        let stan = Stan::new(self.tag & ((1 << STAN_BITS) - 1));
        stan.expect("an entry that is not empty has a STAN")
    }

    /// Whether it holds something under `stan`.
    pub(super) const fn is_of(&self, stan: Stan) -> bool {
        self.tag & ((1 << STAN_BITS) - 1) == stan.get() && !matches!(self.state(), State::Empty)
    }

    /// As [`Entry::is_of`], and it was put on the wire.
    pub(super) const fn was_sent(&self, stan: Stan) -> bool {
        self.is_of(stan) && !matches!(self.state(), State::Permitted)
    }
}

/// All entries of one desk: purchases first, reversals behind them.
pub(super) struct Entries(pub(super) Box<[Entry]>);

impl Nodes for Entries {
    fn node(&mut self, at: u32) -> &mut Node {
        &mut self.0[at as usize].node
    }
}
