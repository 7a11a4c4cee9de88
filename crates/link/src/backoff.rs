//! How long to wait before a lost link is connected again: doubling, bounded, jittered.
//! Never draws chance of its own: the seed is an argument, so the same seed waits the same times. Guards: no wait is below
//! half the first or above the longest.

/// The waits of one link, in milliseconds.
#[derive(Clone, Debug)]
pub struct Backoff {
    first_ms: u64,
    max_ms: u64,
    attempt: u32,
    chance: u64,
}

impl Backoff {
    /// Starts at `first_ms` (at least 1) and doubles up to `max_ms` (at least `first_ms`). Links get different seeds, or
    /// they come back together.
    pub fn new(first_ms: u64, max_ms: u64, seed: u64) -> Self {
        let first_ms = first_ms.max(1);
        Self { first_ms, max_ms: max_ms.max(first_ms), attempt: 0, chance: seed }
    }

    /// The wait after one more failure: between half of the doubled time and all of it, so that links that were lost
    /// together spread out while the order of magnitude stays.
    pub fn next_ms(&mut self) -> u64 {
        let whole = self.ceiling_ms();
        self.attempt = self.attempt.saturating_add(1);
        let least = whole.div_ceil(2);
        least + self.draw() % (whole - least + 1)
    }

    /// The longest that the next wait can be.
    pub fn ceiling_ms(&self) -> u64 {
        let doubled = self.first_ms.checked_shl(self.attempt.min(SHIFT_MAX)).unwrap_or(u64::MAX);
        let overflows = self.first_ms.leading_zeros() < self.attempt.min(SHIFT_MAX);
        if overflows { self.max_ms } else { doubled.min(self.max_ms) }
    }

    /// It held: the next wait is a first one again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// splitmix64: enough to keep links apart, and the same in every build.
    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.chance ^ self.chance >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

/// Doubling more often than this says nothing new: every bound is below 2^63 ms.
const SHIFT_MAX: u32 = 63;
