//! The look-up itself: from a number of twelve digits to its range with one visit to memory.
//!
//! Never knows what a range is, only its code. Guards: the answer is that of the last stretch that begins at or before
//! the number, however the stretches are spread.
//!
//! A stretch is one word: its first number in the high 40 bits (twelve digits need no more), a code in the low 24. The
//! numbers are cut into regions by their high bits, a region into lines by the count of its stretches, so that a line of
//! 64 bytes, one visit, holds those that matter for its numbers: the last to begin before it and all that begin within.
//! The regions stay in the first cache. A look-up in one sorted array with an index over it visits two or more.

/// First number and code.
pub type Stretch = (u64, u32);

/// All stretches, ready to be asked.
#[derive(Debug)]
pub struct Lines {
    regions: Box<[Region]>,
    lines: Box<[Line]>,
    /// Words of the lines that are too small for theirs.
    crowd: Box<[u64]>,
}

/// Where a region's lines begin and how many there are.
#[derive(Clone, Copy, Debug)]
struct Region {
    first: u32,
    count: u32,
}

/// Words in order, the rest filled with [`BEYOND`]. Where they do not fit: [`BEYOND`] with the first's place in the crowd,
/// and with their count.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; LINE]);

impl Lines {
    /// From stretches in ascending order, the first at number 0; at most [`STRETCHES_MAX`], codes below 2^24.
    pub fn new(stretches: &[Stretch]) -> Self {
        let words: Vec<u64> =
            stretches.iter().map(|(start, code)| start << CODE | u64::from(*code)).collect();
        let (mut regions, mut lines, mut crowd) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = 0;
        for region in 0..REGIONS {
            let begin = next;
            next += before(&words[begin..], (region + 1) << LOW);
            let count = ((next - begin) as u64).div_ceil(PER_LINE).max(1);
            regions.push(Region { first: lines.len() as u32, count: count as u32 });
            // The first number of each line, by the same division as in `find`.
            let start = |line: u64| (region << LOW) + (line << LOW).div_ceil(count);
            let mut from = begin;
            for line in 0..count {
                let to = from + before(&words[from..next], start(line + 1));
                // Some stretch covers the line's first number: one that begins there, or else the one before.
                let covered = words.get(from).is_some_and(|word| word >> CODE == start(line));
                lines.push(Line::new(&words[from - usize::from(!covered)..to], &mut crowd));
                from = to;
            }
        }
        Self { regions: regions.into(), lines: lines.into(), crowd: crowd.into() }
    }

    /// The code of the last stretch that begins at or before `number` (below 10^12).
    pub fn find(&self, number: u64) -> u32 {
        let region = self.regions[(number >> LOW) as usize];
        let within = ((number & ((1 << LOW) - 1)) * u64::from(region.count)) >> LOW;
        let line = &self.lines[region.first as usize + within as usize];
        let probe = number << CODE | CODES;
        match line.0.iter().map(|word| usize::from(*word <= probe)).sum::<usize>() {
            0 => self.find_in_crowd(line, probe),
            begun => (line.0[begun - 1] & CODES) as u32,
        }
    }

    #[cold]
    fn find_in_crowd(&self, line: &Line, probe: u64) -> u32 {
        let (from, count) = ((line.0[0] & CODES) as usize, (line.0[1] & CODES) as usize);
        let words = &self.crowd[from..from + count];
        (words[words.partition_point(|word| *word <= probe) - 1] & CODES) as u32
    }
}

/// How many of `words` begin before `number`.
fn before(words: &[u64], number: u64) -> usize {
    words.partition_point(|word| word >> CODE < number)
}

impl Line {
    fn new(words: &[u64], crowd: &mut Vec<u64>) -> Self {
        let mut line = Self([BEYOND | CODES; LINE]);
        if let Some(own) = line.0.get_mut(..words.len()) {
            own.copy_from_slice(words);
        } else {
            line.0[0] = BEYOND | crowd.len() as u64;
            line.0[1] = BEYOND | words.len() as u64;
            crowd.extend_from_slice(words);
        }
        line
    }
}

const CODE: u32 = 24;
const CODES: u64 = (1 << CODE) - 1;
/// Above every number of twelve digits, so that a look-up never counts it.
const BEYOND: u64 = !CODES;
const NUMBER: u32 = u64::BITS - CODE;
const _: () = assert!(1_000_000_000_000 < BEYOND >> CODE, "twelve digits fit beside a code, with room above");
/// Regions are told by the ten high bits: 8 KiB of them.
const REGIONS: u64 = 1 << 10;
const LOW: u32 = NUMBER - 10;
const LINE: usize = 8;
/// How many stretches begin in a line on average: at 4, of evenly spread ones a line in twenty is too small, and half a
/// million ranges are 16 MB. 3 and 5 measured no better.
const PER_LINE: u64 = 4;
/// Their places are told in 24 bits, and a crowd repeats one stretch a line.
pub const STRETCHES_MAX: usize = 1 << 23;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each stretch is asked for at its first number, the ones about it, and its middle.
    fn check(stretches: &[Stretch]) {
        let lines = Lines::new(stretches);
        let plain = |number| {
            let begun = stretches.partition_point(|(start, _)| *start <= number);
            stretches[begun - 1].1
        };
        for (position, (start, _)) in stretches.iter().enumerate() {
            let next = stretches.get(position + 1).map_or(999_999_999_999, |(next, _)| *next);
            for number in [start.saturating_sub(1), *start, start + 1, start.midpoint(next), next - 1] {
                assert_eq!(lines.find(number), plain(number), "{number:012}");
            }
        }
    }

    fn every(step: u64, from: u64, count: u64) -> impl Iterator<Item = Stretch> {
        (0..count).map(move |at| (from + at * step, (at * 7 % 1000) as u32))
    }

    #[test]
    fn a_line_answers_as_a_search_of_all() {
        check(&[(0, 0)]);
        check(&[(0, 0), (999_999_999_998, 5)]);
        check(&every(100_000_000, 0, 10_000).collect::<Vec<_>>());
        check(&every(16_777_259, 0, 50_000).collect::<Vec<_>>());
        check(&every(1 << LOW, 0, 900).collect::<Vec<_>>());
        check(&every((1 << LOW) / 4, 0, 3600).collect::<Vec<_>>());
    }

    #[test]
    fn a_crowd_is_found_in_its_own_place() {
        // Thousands under one BIN, few elsewhere: their region's lines are far too small for some.
        let crowd = every(1, 622_848_000_000, 5000).chain(every(1_000_000, 622_900_000_000, 90));
        let all: Vec<_> = [(0, 9), (400_000_000_000, 8)].into_iter().chain(crowd).collect();
        assert!(!Lines::new(&all).crowd.is_empty());
        check(&all);
        assert_eq!(size_of::<Line>(), 64);
    }
}
