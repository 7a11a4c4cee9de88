//! Numbers that look random and are the same for the same seed (splitmix64).
//! Never asks the operating system; guards: a run with moods by rate can be repeated.

/// State of the generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True `per_million` times in a million.
    pub(crate) const fn hits(&mut self, per_million: u32) -> bool {
        self.next() % 1_000_000 < per_million as u64
    }
}
