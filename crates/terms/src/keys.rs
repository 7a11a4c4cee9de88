//! Keys: is this the same request, which original does it mean?
//!
//! A transaction lives in the duplicate index under a coarse *slot* key (terminal, STAN and what else the dialect's keys
//! share) and is told from its neighbours there by small *checks*. So a repeat and a reversal, whose messages carry
//! different fields, reach the same entry with one look-up.
//! Never holds a field's text; guards: the same fields give the same key in every build (xxh3, fixed seed).

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Coarse key of a transaction: hash of the fields that its repeat, its reversal and its answer have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default)]
pub struct SlotKey(pub u64);

/// Fine key: hash of the fields that only some references carry; [`Check::ANY`] matches everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Check(pub u32);

impl Check {
    /// The reference does not say.
    pub const ANY: Self = Self(0);

    /// Equal, or one side does not say.
    pub fn agrees(self, other: Self) -> bool {
        self == other || self == Self::ANY || other == Self::ANY
    }
}

/// Which original a reversal, void, completion or refund means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OriginalRef {
    /// Where the original lives.
    pub slot: SlotKey,
    /// Compared with the original's repeat check (same fields as a repeat has).
    pub repeat: Check,
    /// Compared with the original's alias check (DE 7 of an original named by DE 90).
    pub alias: Check,
    /// Second digit of the original's MTI if the message says it, else 0.
    pub class: u8,
}

/// Collects the parts of a key on the stack. Parts are length-prefixed, so ("1","23") differs from ("12","3").
pub struct KeyHasher {
    buffer: [u8; Self::CAPACITY],
    len: usize,
    folded: u64,
}

impl KeyHasher {
    const CAPACITY: usize = 120;

    /// `domain` keeps keys of different meaning apart (a slot from a check, one dialect's rule from another's).
    pub fn new(domain: u64) -> Self {
        Self { buffer: [0; Self::CAPACITY], len: 0, folded: domain }
    }

    /// Adds one part.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) {
        let end = self.len + 1 + bytes.len();
        if end > Self::CAPACITY {
            return self.fold_part(bytes);
        }
        self.buffer[self.len] = bytes.len() as u8;
        self.buffer[self.len + 1..end].copy_from_slice(bytes);
        self.len = end;
    }

    /// A part that does not fit beside those before: they are folded into the seed, in as many steps as it takes.
    #[cold]
    fn fold_part(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let (chunk, after) = rest.split_at(rest.len().min(Self::CAPACITY - 1));
            if self.len + 1 + chunk.len() > Self::CAPACITY {
                self.folded = xxh3_64_with_seed(&self.buffer[..self.len], self.folded);
                self.len = 0;
            }
            self.buffer[self.len] = chunk.len() as u8;
            self.buffer[self.len + 1..self.len + 1 + chunk.len()].copy_from_slice(chunk);
            self.len += 1 + chunk.len();
            rest = after;
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Adds a number as eight bytes.
    pub fn number(&mut self, value: u64) {
        self.part(&value.to_le_bytes());
    }

    /// The hash of all parts; never 0, so that 0 can mean "empty".
    pub fn finish(&self) -> u64 {
        xxh3_64_with_seed(&self.buffer[..self.len], self.folded).max(1)
    }

    /// As a slot key.
    pub fn slot(&self) -> SlotKey {
        SlotKey(self.finish())
    }

    /// As a check; never [`Check::ANY`].
    pub fn check(&self) -> Check {
        Check(((self.finish() >> 32) as u32).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(parts: &[&[u8]]) -> u64 {
        let mut hasher = KeyHasher::new(1);
        parts.iter().for_each(|part| hasher.part(part));
        hasher.finish()
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(&[b"1", b"23"]), hash(&[b"12", b"3"]));
        assert_ne!(hash(&[b"", b"1"]), hash(&[b"1", b""]));
        assert_ne!(hash(&[&[7; 300]]), hash(&[&[7; 299]]));
        assert_eq!(hash(&[&[7; 300], b"x"]), hash(&[&[7; 300], b"x"]));
    }

    #[test]
    fn a_check_that_does_not_say_agrees_with_all() {
        assert!(Check(5).agrees(Check::ANY) && Check::ANY.agrees(Check(9)) && !Check(5).agrees(Check(9)));
    }
}
