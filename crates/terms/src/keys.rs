//! Keys: is this the same request, which original does it mean?
//!
//! A transaction lives in the duplicate index under a coarse *slot* key (terminal, STAN and what else the dialect's keys
//! share) and is told from its neighbours there by small *checks*. So a repeat and a reversal, whose messages carry
//! different fields, reach the same entry with one look-up.
//! Never holds a field's text; guards: the same fields give the same key in every build and in every version.

use crate::text::copy_short;

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

/// Hashes the parts of a key, word by word: each word is mixed in by one multiplication whose halves are put together.
/// Parts end with their length, so ("1","23") differs from ("12","3"). A number counts as a word, not as a part: what is
/// hashed with one domain must have the same order of numbers and parts each time.
pub struct KeyHasher {
    state: u64,
}

impl KeyHasher {
    /// `domain` keeps keys of different meaning apart (a slot from a check, one dialect's rule from another's).
    #[inline]
    pub fn new(domain: u64) -> Self {
        let mut hasher = Self { state: START };
        hasher.number(domain);
        hasher
    }

    /// Adds one part.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        // At most seven bytes are left: the length goes where the eighth would be.
        let mut last = [0; 8];
        copy_short(rest, &mut last[..rest.len()]);
        self.number(u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_right(8));
    }

    /// Adds a number.
    #[inline]
    pub fn number(&mut self, value: u64) {
        self.state = fold(self.state ^ value, MIX);
    }

    /// The hash of all parts; never 0, so that 0 can mean "empty".
    #[inline]
    pub fn finish(&self) -> u64 {
        fold(self.state, END).max(1)
    }

    /// As a slot key.
    #[inline]
    pub fn slot(&self) -> SlotKey {
        SlotKey(self.finish())
    }

    /// As a check; never [`Check::ANY`].
    #[inline]
    pub fn check(&self) -> Check {
        Check(((self.finish() >> 32) as u32).max(1))
    }
}

/// Both halves of the product: every bit of the word reaches every bit of the result.
#[inline(always)]
fn fold(word: u64, by: u64) -> u64 {
    let product = u128::from(word) * u128::from(by);
    product as u64 ^ (product >> 64) as u64
}

// The fraction of pi, 64 bits each, made odd.
const START: u64 = 0x243F_6A88_85A3_08D3;
const MIX: u64 = 0x1319_8A2E_0370_7345;
const END: u64 = 0xA409_3822_299F_31D1;

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

    /// Keys are kept in journals: a hash that changes makes every record of yesterday a stranger.
    #[test]
    fn keys_are_the_same_in_every_version() {
        assert_eq!(hash(&[]), PINNED[0]);
        assert_eq!(hash(&[b"4812345", b"10000019", b"850100082410002"]), PINNED[1]);
    }

    const PINNED: [u64; 2] = [16_487_755_221_998_266_451, 561_014_163_969_285_214];

    #[test]
    fn neighbours_share_no_key_and_no_check() {
        let mut checks = std::collections::HashSet::new();
        let mut slots = std::collections::HashSet::new();
        let mut ones = [0_u32; 64];
        for terminal in 0..200 {
            for stan in 1..=500 {
                let mut hasher = KeyHasher::new(0x51);
                hasher.part(format!("T{terminal:07}").as_bytes());
                hasher.number(stan);
                slots.insert(hasher.slot());
                checks.insert(hasher.check());
                ones.iter_mut()
                    .enumerate()
                    .for_each(|(bit, ones)| *ones += (hasher.finish() >> bit & 1) as u32);
            }
        }
        assert_eq!(slots.len(), 100_000);
        // 32 bits: chance alone makes 100,000 of them meet about once.
        assert!(checks.len() > 99_990, "{} checks", checks.len());
        // Each bit is set in half of them; four hundredths are twelve standard deviations.
        assert!(ones.iter().all(|ones| (48_000..52_000).contains(ones)), "{ones:?}");
    }

    #[test]
    fn one_changed_bit_changes_half_of_the_hash() {
        let plain = hash(&[b"4812345", b"10000019"]);
        for bit in 0..120 {
            let mut parts = *b"481234510000019";
            parts[bit / 8] ^= 1 << (bit % 8);
            let changed = (hash(&[&parts[..7], &parts[7..]]) ^ plain).count_ones();
            assert!((12..=52).contains(&changed), "{changed} bits differ for bit {bit}");
        }
    }

    #[test]
    fn a_check_that_does_not_say_agrees_with_all() {
        assert!(Check(5).agrees(Check::ANY) && Check::ANY.agrees(Check(9)) && !Check(5).agrees(Check(9)));
    }
}
