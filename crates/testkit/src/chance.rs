//! Chance with a seed.
//! Never from the system without being printed. Guards: a failed run can be played again with `POINTSMAN_SEED`.

/// A small generator (splitmix64): good enough to choose moments and amounts.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From `POINTSMAN_SEED`, else from the clock; prints what it took.
    ///
    /// # Panics
    /// If the variable is no number.
    pub fn seeded() -> Self {
        let drawn = || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            now.as_nanos() as u64
        };
        let seed = std::env::var("POINTSMAN_SEED")
            .map_or_else(|_| drawn(), |seed| seed.parse().expect("POINTSMAN_SEED is a number"));
        println!("POINTSMAN_SEED={seed}");
        Self(seed)
    }

    /// From a number: the same numbers for the same seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Self(seed);
        // Neighbouring seeds should have nothing in common.
        Self(chance.next() ^ seed.rotate_left(32))
    }

    /// Another generator for another thread.
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// Uniform in `0..bound`, `bound` over 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Uniform in `from..=to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// Happens `per_mille` of a thousand times.
    pub fn per_mille(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them.
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// Happens `percent` of a hundred times.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}
