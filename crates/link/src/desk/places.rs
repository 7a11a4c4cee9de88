//! Which places of the slab may be taken: two bits a place, so that looking for one reads words instead of entries.
//! Never looks at an entry. Guards: a held place is never given twice.

/// Held (somebody waits) and late (an answer may still come) by place.
pub(super) struct Places {
    held: Box<[u64]>,
    late: Box<[u64]>,
    mask: u32,
}

/// How many places to look at for one that no late answer needs before such a one is given up.
const PATIENCE: u32 = 1_024;

impl Places {
    /// `capacity`: a power of two, at least 64.
    pub(super) fn new(capacity: u32) -> Self {
        assert!(capacity.is_power_of_two() && capacity >= 64, "places come in words of 64, in powers of two");
        let words = vec![0; capacity as usize / 64].into_boxed_slice();
        Self { held: words.clone(), late: words, mask: capacity - 1 }
    }

    /// Where the entry of `rank` lives.
    pub(super) const fn of(&self, rank: u32) -> u32 {
        rank & self.mask
    }

    pub(super) fn set_held(&mut self, place: u32, held: bool) {
        set(&mut self.held, place, held);
    }

    pub(super) fn set_late(&mut self, place: u32, late: bool) {
        set(&mut self.late, place, late);
    }

    /// The first rank of `course` whose place is not held; preferably, within reason, one that is not late either.
    pub(super) fn find(&self, course: [(u32, u32); 2]) -> Option<u32> {
        let near = course.map(|(from, to)| (from, to.min(from + PATIENCE)));
        let spared = near.into_iter().find_map(|range| self.search(range, true));
        spared.or_else(|| course.into_iter().find_map(|range| self.search(range, false)))
    }

    /// Every held place, in order.
    pub(super) fn held(&self) -> impl Iterator<Item = u32> + '_ {
        (0..=self.mask).step_by(64).flat_map(|start| {
            let word = self.held[start as usize / 64];
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| start + bit)
        })
    }

    fn search(&self, (from, to): (u32, u32), spare_late: bool) -> Option<u32> {
        let mut rank = from;
        while rank <= to {
            let (word, bit) = ((self.of(rank) / 64) as usize, rank % 64);
            let late = if spare_late { self.late[word] } else { 0 };
            let free = !(self.held[word] | late) >> bit;
            if free != 0 {
                let found = rank + free.trailing_zeros();
                return (found <= to).then_some(found);
            }
            rank += 64 - bit;
        }
        None
    }
}

fn set(words: &mut [u64], place: u32, on: bool) {
    let (word, bit) = (place as usize / 64, 1 << (place % 64));
    if on {
        words[word] |= bit;
    } else {
        words[word] &= !bit;
    }
}
