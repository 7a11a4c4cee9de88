//! Where the fields of one message are: offsets into its bytes, nothing else. Reused from message to message.
//! Never owns or copies content; guards: a field that [`Index::has`] was checked against its dialect.

use terms::Mti;

/// Offsets of the fields of one message. 2 KB, no heap; [`crate::decode`] fills it anew each time.
#[derive(Clone, Debug)]
pub struct Index {
    mti: Mti,
    /// Field 1 is the highest bit of the first word.
    present: [u64; 3],
    /// Bytes of MTI and bitmaps.
    head: u16,
    /// Bytes of the message.
    size: u16,
    /// By field number; a whole byte's worth, so that no number needs a check.
    entries: [Entry; 256],
}

/// One field of one message in one word: written and read whole, so that no load waits for four narrow stores.
/// From the low end: first byte of the length prefix (of the content, if there is none), first byte of the content, one
/// past the last byte, units of content (digits, characters or bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    /// All four are at most 65,535.
    #[inline(always)]
    pub(crate) const fn new(start: usize, content: usize, end: usize, units: usize) -> Self {
        Self(start as u64 | (content as u64) << 16 | (end as u64) << 32 | (units as u64) << 48)
    }

    /// The same entry in a message where everything stands `by` bytes further on; the sums must stay below 65,536.
    #[inline(always)]
    pub(crate) const fn moved(self, by: usize) -> Self {
        Self(self.0 + by as u64 * 0x0000_0001_0001_0001)
    }

    #[inline(always)]
    pub(crate) const fn start(self) -> usize {
        self.0 as usize & 0xFFFF
    }

    #[inline(always)]
    pub(crate) const fn content(self) -> usize {
        (self.0 >> 16) as usize & 0xFFFF
    }

    #[inline(always)]
    pub(crate) const fn end(self) -> usize {
        (self.0 >> 32) as usize & 0xFFFF
    }

    #[inline(always)]
    pub(crate) const fn units(self) -> usize {
        (self.0 >> 48) as usize
    }
}

impl Index {
    /// An index of no message.
    pub fn new() -> Self {
        Self { mti: NO_MTI, present: [0; 3], head: 0, size: 0, entries: [Entry::new(0, 0, 0, 0); 256] }
    }

    /// The message type as it came.
    #[inline]
    pub fn mti(&self) -> Mti {
        self.mti
    }

    /// Whether field `n` (2..=192) is there.
    #[inline]
    pub fn has(&self, n: u8) -> bool {
        let (word, bit) = place(n);
        self.present.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// The content bytes of field `n` as they are on the wire, without the length prefix.
    #[inline]
    pub fn raw<'a>(&self, n: u8, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let entry = self.entry(n)?;
        bytes.get(entry.content()..entry.end())
    }

    /// The bytes of field `n` with its length prefix: what a splice moves.
    #[inline]
    pub fn whole<'a>(&self, n: u8, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let entry = self.entry(n)?;
        bytes.get(entry.start()..entry.end())
    }

    /// Digits, characters or bytes in field `n`: an odd number of packed digits is not their bytes times two.
    pub fn units(&self, n: u8) -> Option<usize> {
        self.entry(n).map(|entry| entry.units())
    }

    /// Offset of the content of field `n`.
    pub fn offset(&self, n: u8) -> Option<usize> {
        self.entry(n).map(|entry| entry.content())
    }

    /// The fields that are there, ascending, bitmaps left out.
    pub fn fields(&self) -> impl Iterator<Item = u8> + use<> {
        Bits::new(self.present)
    }

    /// Bytes of the message that was decoded.
    pub fn size(&self) -> usize {
        usize::from(self.size)
    }

    #[inline]
    pub(crate) fn entry(&self, n: u8) -> Option<Entry> {
        self.has(n).then(|| self.entries[usize::from(n)])
    }

    /// Where field `n`, which is there, begins.
    #[inline]
    pub(crate) fn start(&self, n: u8) -> usize {
        self.entries[usize::from(n)].start()
    }

    #[inline]
    pub(crate) fn slot(&mut self, n: u8) -> &mut Entry {
        &mut self.entries[usize::from(n)]
    }

    #[inline]
    pub(crate) fn present(&self) -> [u64; 3] {
        self.present
    }

    #[inline]
    pub(crate) fn head(&self) -> usize {
        usize::from(self.head)
    }

    /// Starts a message whose head has been read.
    #[inline]
    pub(crate) fn begin(&mut self, mti: Mti, present: [u64; 3], head: usize, size: usize) {
        (self.mti, self.present, self.head, self.size) = (mti, present, head as u16, size as u16);
    }

    /// Forgets field `n` and all after it: decoding stopped there.
    #[cold]
    pub(crate) fn keep_below(&mut self, n: u8) {
        let (word, bit) = place(n);
        for (at, bits) in self.present.iter_mut().enumerate() {
            *bits &= match at.cmp(&word) {
                core::cmp::Ordering::Less => u64::MAX,
                core::cmp::Ordering::Equal => !(bit | (bit - 1)),
                core::cmp::Ordering::Greater => 0,
            };
        }
    }

    /// Forgets field `n` alone.
    pub(crate) fn forget(&mut self, n: u8) {
        let (word, bit) = place(n);
        self.present[word] &= !bit;
    }

    /// Where field `n` is or would begin.
    #[inline]
    pub(crate) fn gap(&self, n: u8) -> usize {
        match next_from(&self.present, n) {
            Some(next) => self.entries[usize::from(next)].start(),
            None => self.size(),
        }
    }
}

/// Before anything was read.
pub(crate) const NO_MTI: Mti = Mti::of(0);

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

/// The word and the bit of field `n`, 1..=192.
#[inline]
pub(crate) const fn place(n: u8) -> (usize, u64) {
    let at = n.wrapping_sub(1) as usize;
    (at / 64, 1 << (63 - at % 64))
}

/// The lowest field of `present` that is at least `n`.
#[inline]
fn next_from(present: &[u64; 3], n: u8) -> Option<u8> {
    let (word, bit) = place(n);
    let mut bits = present.get(word)? & (bit | (bit - 1));
    let mut word = word;
    while bits == 0 {
        word += 1;
        bits = *present.get(word)?;
    }
    Some((word * 64) as u8 + bits.leading_zeros() as u8 + 1)
}

/// Field numbers of a bitmap, ascending.
pub(crate) struct Bits {
    words: [u64; 3],
    word: usize,
}

impl Bits {
    #[inline]
    pub(crate) fn new(words: [u64; 3]) -> Self {
        Self { words, word: 0 }
    }
}

impl Iterator for Bits {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        while self.word < 3 {
            let bits = self.words[self.word];
            if bits != 0 {
                let zeros = bits.leading_zeros();
                self.words[self.word] = bits & !(1 << 63 >> zeros);
                return Some((self.word * 64) as u8 + zeros as u8 + 1);
            }
            self.word += 1;
        }
        None
    }
}
