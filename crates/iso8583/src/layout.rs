//! Where the fields of all messages with one bitmap are: worked out the first time the bitmap comes, used ever after.
//!
//! Fixed fields that stand side by side become one *run*: their places are known relative to its start, and neighbours of
//! one type are checked in one pass. Only fields with a length of their own are looked at one by one.
//! Never grows past [`SLOTS`] bitmaps (a peer that invents more pays with the slow way, nobody else does); guards: what a
//! layout accepts, field-by-field decoding accepts, with the same places.

use crate::Dialect;
use crate::decode::{extent, field, holds};
use crate::digits::{are_ascii_digits, are_ebcdic_digits, are_packed_digits, are_printable};
use crate::index::{Bits, Entry, Index};
use crate::spec::{Field, Prefix, Shape};
use std::sync::OnceLock;

/// Bitmaps remembered per dialect; a terminal fleet uses a few dozen.
const SLOTS: usize = 256;
/// Slots looked at for one bitmap.
const WAYS: usize = 4;

/// The layouts met so far. Filled, never emptied.
pub(crate) struct Layouts {
    slots: Box<[OnceLock<Layout>; SLOTS]>,
}

/// Places and checks of the messages with one bitmap.
pub(crate) struct Layout {
    present: [u64; 3],
    pieces: Box<[Piece]>,
    fixed: Box<[Fixed]>,
    checks: Box<[Check]>,
}

/// A run of fixed fields and the field of variable length behind it.
#[derive(Clone, Copy, Default)]
struct Piece {
    /// Bytes of the run.
    len: u16,
    /// End of its part of `fixed`; it begins where the piece before ended.
    fixed: u16,
    /// Likewise of `checks`.
    checks: u16,
    /// Field of variable length behind the run; 0 at the end of the message.
    then: u8,
}

/// One field of a run: its place relative to the run's start.
#[derive(Clone, Copy)]
struct Fixed {
    n: u8,
    place: Entry,
}

/// What part of a run must be.
#[derive(Clone, Copy)]
struct Check {
    at: u16,
    len: u16,
    must: Must,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Digits,
    Text,
    EbcdicDigits,
    Packed,
    /// The high nibble is this.
    High(u8),
    /// The low nibble is this.
    Low(u8),
    /// What this field alone asks for.
    Be(u8),
}

impl Layouts {
    pub(crate) fn new() -> Self {
        Self { slots: Box::new([const { OnceLock::new() }; SLOTS]) }
    }

    /// The layout of messages with this bitmap; `None` if it is one too many, or has a field that the dialect lacks.
    #[inline]
    pub(crate) fn find(&self, dialect: &Dialect, present: &[u64; 3]) -> Option<&Layout> {
        let start = spread(present);
        for step in 0..WAYS {
            let slot = &self.slots[(start + step) % SLOTS];
            match slot.get() {
                Some(layout) if layout.present == *present => return Some(layout),
                Some(_) => {}
                None => return learn(slot, dialect, present),
            }
        }
        None
    }
}

#[cold]
fn learn<'a>(slot: &'a OnceLock<Layout>, dialect: &Dialect, present: &[u64; 3]) -> Option<&'a Layout> {
    if Bits::new(*present).any(|n| !dialect.has_field(n)) {
        return None;
    }
    let layout = slot.get_or_init(|| Layout::new(dialect, *present));
    // Another thread may have been first, with another bitmap.
    (layout.present == *present).then_some(layout)
}

/// Bitmaps differ in few bits: a multiplication carries each of them to the top.
#[inline]
fn spread(present: &[u64; 3]) -> usize {
    let word = present[0] ^ present[1].rotate_left(23) ^ present[2].rotate_left(41);
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % SLOTS
}

impl Layout {
    fn new(dialect: &Dialect, present: [u64; 3]) -> Self {
        let mut maker = Maker::default();
        for n in Bits::new(present) {
            let spec = dialect.field(n);
            if spec.prefix == Prefix::Fixed { maker.fixed(n, spec) } else { maker.variable(n) }
        }
        maker.variable(0);
        Self {
            present,
            pieces: maker.pieces.into_boxed_slice(),
            fixed: maker.fixed.into_boxed_slice(),
            checks: maker.checks.into_boxed_slice(),
        }
    }

    /// Fills `index` from the fields that begin at `at`, and returns where they end; with `CHECK`, content is checked.
    /// `None`: something is wrong; field-by-field decoding finds out what.
    #[inline]
    pub(crate) fn walk<const CHECK: bool>(
        &self,
        dialect: &Dialect,
        bytes: &[u8],
        mut at: usize,
        index: &mut Index,
    ) -> Option<usize> {
        let (mut fixed, mut checks) = (&*self.fixed, &*self.checks);
        let (mut fields_before, mut checks_before) = (0, 0);
        for piece in &self.pieces {
            let run = bytes.get(at..at + usize::from(piece.len))?;
            let (here, rest) = fixed.split_at_checked(usize::from(piece.fixed - fields_before))?;
            (fixed, fields_before) = (rest, piece.fixed);
            let (due, rest) = checks.split_at_checked(usize::from(piece.checks - checks_before))?;
            (checks, checks_before) = (rest, piece.checks);
            if CHECK && !due.iter().all(|check| check.holds(dialect, run)) {
                return None;
            }
            for field in here {
                *index.slot(field.n) = field.place.moved(at);
            }
            at += run.len();
            if piece.then != 0 {
                let spec = dialect.field(piece.then);
                let entry = if CHECK { field(spec, bytes, at)? } else { extent(spec, bytes, at)? };
                at = entry.end();
                *index.slot(piece.then) = entry;
            }
        }
        Some(at)
    }
}

impl Check {
    #[inline(always)]
    fn holds(&self, dialect: &Dialect, run: &[u8]) -> bool {
        let (from, len) = (usize::from(self.at), usize::from(self.len));
        let Some(content) = run.get(from..from + len) else { return false };
        match self.must {
            Must::Digits => are_ascii_digits(content),
            Must::Text => are_printable(content),
            Must::EbcdicDigits => are_ebcdic_digits(content),
            Must::Packed => are_packed_digits(content),
            Must::High(pad) => content.first().is_some_and(|byte| byte >> 4 == pad),
            Must::Low(pad) => content.first().is_some_and(|byte| byte & 0xF == pad),
            Must::Be(n) => {
                let spec = dialect.field(n);
                holds(spec, run, Entry::new(from, from, from + len, usize::from(spec.max)))
            }
        }
    }
}

/// A layout under way.
#[derive(Default)]
struct Maker {
    pieces: Vec<Piece>,
    fixed: Vec<Fixed>,
    checks: Vec<Check>,
    /// Bytes of the run so far.
    len: u16,
}

impl Maker {
    fn fixed(&mut self, n: u8, spec: &Field) {
        let (at, units) = (self.len, usize::from(spec.max));
        let len = spec.wire_len(units) as u16;
        let (start, end) = (usize::from(at), usize::from(at + len));
        self.fixed.push(Fixed { n, place: Entry::new(start, start, end, units) });
        self.len += len;
        let odd = units % 2 == 1;
        match spec.shape {
            Shape::Bytes | Shape::EbcdicAny => {}
            Shape::AsciiDigits => self.check(at, len, Must::Digits),
            Shape::AsciiText => self.check(at, len, Must::Text),
            Shape::EbcdicDigits => self.check(at, len, Must::EbcdicDigits),
            Shape::Bcd if odd && spec.pad > 9 => self.check(at, len, Must::Be(n)),
            Shape::Bcd => {
                self.check(at, len, Must::Packed);
                if odd && spec.left {
                    self.checks.push(Check { at: at + len - 1, len: 1, must: Must::Low(spec.pad) });
                } else if odd {
                    self.checks.push(Check { at, len: 1, must: Must::High(spec.pad) });
                }
            }
            _ => self.check(at, len, Must::Be(n)),
        }
    }

    /// Adds a check, to the one before it if that asks the same of the bytes just before.
    fn check(&mut self, at: u16, len: u16, must: Must) {
        let first = self.pieces.last().map_or(0, |piece| usize::from(piece.checks));
        let open = self.checks[first..].iter_mut().find(|open| open.must == must && open.at + open.len == at);
        match (open, must) {
            (_, Must::Be(_)) | (None, _) => self.checks.push(Check { at, len, must }),
            (Some(open), _) => open.len += len,
        }
    }

    /// Ends the run at field `then`.
    fn variable(&mut self, then: u8) {
        let (fixed, checks) = (self.fixed.len() as u16, self.checks.len() as u16);
        self.pieces.push(Piece { len: self.len, fixed, checks, then });
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(dialect: &Dialect) -> [u64; 3] {
        crate::dialect::mask(dialect.field_numbers())
    }

    #[test]
    fn every_field_of_a_bitmap_has_its_place() {
        for name in Dialect::builtin_names() {
            let dialect = Dialect::builtin(name).unwrap();
            let present = known(&dialect);
            let layout = Layout::new(&dialect, present);
            let variable = layout.pieces.iter().filter(|piece| piece.then != 0).map(|piece| piece.then);
            let mut all: Vec<u8> = layout.fixed.iter().map(|fixed| fixed.n).chain(variable).collect();
            all.sort_unstable();
            assert_eq!(all, Bits::new(present).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn neighbours_of_one_type_are_one_check() {
        let dialect = Dialect::builtin("iso87-binary").unwrap();
        // Amount, transmission time, STAN, local time and date: packed digits all.
        let layout = Layout::new(&dialect, crate::dialect::mask([4, 7, 11, 12, 13]));
        assert_eq!(layout.checks.len(), 1);
        assert_eq!(layout.checks[0].len, 6 + 5 + 3 + 3 + 2);
    }

    #[test]
    fn too_many_bitmaps_are_refused_not_remembered() {
        let dialect = Dialect::builtin("iso87-ascii").unwrap();
        let layouts = Layouts::new();
        let mut refused = 0;
        for bits in 0..4096_u64 {
            let present = [known(&dialect)[0] & (bits << 40 | 1 << 60), 0, 0];
            refused += u32::from(layouts.find(&dialect, &present).is_none());
        }
        let kept = layouts.slots.iter().filter(|slot| slot.get().is_some()).count();
        assert!(kept <= SLOTS && refused > 0, "{kept} kept, {refused} refused");
    }

    #[test]
    fn a_field_the_dialect_lacks_has_no_layout() {
        let dialect = Dialect::builtin("unionpay-pos").unwrap();
        let absent = (2..=64).find(|n| !dialect.has_field(*n)).unwrap();
        let layouts = Layouts::new();
        assert!(layouts.find(&dialect, &crate::dialect::mask([3, absent])).is_none());
        assert!(layouts.slots.iter().all(|slot| slot.get().is_none()));
    }
}
