//! Fields to bytes, in ascending order, the bitmap patched at the end.
//! Never allocates but for the growth of the output. Guards: what it writes decodes again to the same content.

use crate::decode::SIZE_MAX;
use crate::dialect::{Coding, Dialect};
use crate::digits::hex_pair;
use crate::error::{EncodeError, EncodeWhy};
use crate::fill::{Value, fill, fill_usual, measure};
use crate::index::{Index, place};
use crate::number::{QUICK, quick_characters, quick_packed};
use crate::spec::{Field, Shape};
use bytes::BytesMut;
use terms::Mti;

/// Appends one message to a buffer. Fields must come in ascending order.
///
/// Errors are kept and told by [`Writer::finish`], so that a message is written as one list of fields.
pub struct Writer<'a> {
    dialect: &'a Dialect,
    out: &'a mut BytesMut,
    /// Where the message begins in `out`.
    start: usize,
    /// Where the next field goes.
    at: usize,
    present: [u64; 3],
    levels: usize,
    /// The highest field that the bitmaps have.
    top: u8,
    /// The field before; 255 after a failure, so that nothing follows.
    last: u8,
    failed: Option<EncodeError>,
}

impl<'a> Writer<'a> {
    /// Begins a message behind whatever `out` holds already.
    #[inline]
    pub fn new(dialect: &'a Dialect, mti: Mti, out: &'a mut BytesMut) -> Self {
        Self::over(dialect, mti, out, 1, &[])
    }

    /// As [`Writer::new`] where the number of bitmaps is known. The room behind them begins as a copy of `src`.
    #[inline]
    pub(crate) fn over(
        dialect: &'a Dialect,
        mti: Mti,
        out: &'a mut BytesMut,
        levels: usize,
        src: &[u8],
    ) -> Self {
        let start = out.len();
        out.extend_from_slice(src);
        let (present, top) = ([0; 3], levels as u8 * 64);
        let mut writer = Self { dialect, out, start, at: start, present, levels, top, last: 1, failed: None };
        writer.put_mti(mti);
        writer.at += dialect.bitmap_coding().bitmap_len() * levels;
        writer.grow_to(writer.at);
        writer
    }

    /// Many fields, in ascending order.
    pub fn fields(&mut self, fields: &[(u8, Value<'_>)]) -> &mut Self {
        for (n, value) in fields {
            self.put(*n, *value);
        }
        self
    }

    /// Field `n` as a number.
    pub fn number(&mut self, n: u8, value: u64) -> &mut Self {
        let Some(len) = self.quick_number(n, value) else { return self.slow_number(n, value) };
        self.wrote(n, len);
        self
    }

    /// Field `n` as characters (ASCII; the dialect's encoding is applied).
    pub fn text(&mut self, n: u8, value: &[u8]) -> &mut Self {
        let Some(len) = self.quick_text(n, value) else { return self.slow_text(n, value) };
        self.wrote(n, len);
        self
    }

    /// A number of at most 16 digits in a fixed field: stored in whole words, of which the next field overwrites the
    /// rest. Its length; `None` for any other.
    #[inline(always)]
    fn quick_number(&mut self, n: u8, value: u64) -> Option<usize> {
        let spec = self.dialect.field(n);
        if !spec.is_fixed() || !self.follows(n, spec) {
            return None;
        }
        let room = self.out.get_mut(self.at..)?.first_chunk_mut()?;
        let units = usize::from(spec.max);
        match spec.shape {
            Shape::Bcd => quick_packed(value, units, spec.left, spec.pad, room),
            Shape::AsciiDigits | Shape::AsciiText => quick_characters(value, units, b'0', room),
            Shape::EbcdicDigits | Shape::EbcdicText => quick_characters(value, units, 0xF0, room),
            _ => None,
        }
    }

    /// Content of the usual types that is as long as its field may be.
    #[inline(always)]
    fn quick_text(&mut self, n: u8, text: &[u8]) -> Option<usize> {
        let spec = self.dialect.field(n);
        let units = text.len();
        if !self.follows(n, spec) || units < usize::from(spec.min) || units > usize::from(spec.max) {
            return None;
        }
        let prefix = usize::from(spec.width);
        let len = prefix + spec.wire_len(units);
        let out = self.out.get_mut(self.at..)?.get_mut(..len)?;
        let (prefix, content) = out.split_at_mut_checked(prefix)?;
        fill_usual(spec, text, prefix, content).then_some(len)
    }

    /// Any other number, or the room is full (this makes more), or something is wrong.
    #[inline(never)]
    fn slow_number(&mut self, n: u8, value: u64) -> &mut Self {
        self.grow_to(self.at + QUICK);
        self.place(n, Value::Number(value))
    }

    /// Likewise of text.
    #[inline(never)]
    fn slow_text(&mut self, n: u8, value: &[u8]) -> &mut Self {
        self.place(n, Value::Content(value))
    }

    /// Field `n` as bytes.
    #[inline]
    pub fn binary(&mut self, n: u8, value: &[u8]) -> &mut Self {
        self.text(n, value)
    }

    /// Field `n` as it stands in another message of the same dialect; nothing if it is not there.
    #[inline]
    pub fn copy(&mut self, n: u8, src: &[u8], index: &Index) -> &mut Self {
        match index.whole(n, src) {
            Some(whole) => self.whole(n, whole),
            None => self,
        }
    }

    fn whole(&mut self, n: u8, bytes: &[u8]) -> &mut Self {
        self.place(n, Value::Whole(bytes))
    }

    /// One field of any kind.
    #[inline]
    pub(crate) fn put(&mut self, n: u8, value: Value<'_>) -> &mut Self {
        match value {
            Value::Number(number) => self.number(n, number),
            Value::Content(content) => self.text(n, content),
            Value::Whole(bytes) => self.whole(n, bytes),
        }
    }

    /// Writes one field; the first error stays.
    #[inline(always)]
    fn place(&mut self, n: u8, value: Value<'_>) -> &mut Self {
        if self.failed.is_none()
            && let Err(why) = self.try_put(n, value)
        {
            self.fail(n, why);
        }
        self
    }

    /// Keeps an error that was found outside.
    #[cold]
    pub(crate) fn fail(&mut self, n: u8, why: EncodeWhy) {
        self.failed.get_or_insert(EncodeError { field: n, why });
        self.last = u8::MAX;
    }

    /// Where the next field goes, as an offset into the message.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.at - self.start
    }

    /// Fields that stand behind the last one already, because the room began as a copy of them.
    #[inline]
    pub(crate) fn keep(&mut self, len: usize) {
        self.at += len;
    }

    /// Puts another value where a fixed field stands: `at` bytes into the message, before the next field.
    #[inline]
    pub(crate) fn overwrite(&mut self, n: u8, at: usize, value: Value<'_>) {
        if let Err(why) = self.try_overwrite(n, self.start + at, value) {
            self.fail(n, why);
        }
    }

    #[inline(always)]
    fn try_overwrite(&mut self, n: u8, at: usize, value: Value<'_>) -> Result<(), EncodeWhy> {
        let spec = self.dialect.field(n);
        let len = measure(spec, value)?;
        fill(spec, value, len, &mut self.out[at..at + len.total()])
    }

    /// Copies fields as they are; the caller answers for their order and tells them to [`Writer::also`].
    #[inline]
    pub(crate) fn run(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = self.at + bytes.len();
        self.grow_to(end);
        self.out[self.at..end].copy_from_slice(bytes);
        self.at = end;
    }

    /// Marks fields as written.
    #[inline]
    pub(crate) fn also(&mut self, fields: [u64; 3]) {
        for (word, bits) in self.present.iter_mut().enumerate() {
            *bits |= fields[word];
        }
    }

    /// Patches the bitmaps in and returns the bytes written.
    ///
    /// # Errors
    /// The first field that could not be written; `out` is then as it was before.
    #[inline]
    pub fn finish(&mut self) -> Result<usize, EncodeError> {
        if let Some(error) = self.failed {
            self.out.truncate(self.start);
            return Err(error);
        }
        let head = self.start + self.dialect.mti_coding().mti_len();
        put_bitmaps(self.dialect, self.present, self.levels, &mut self.out[head..self.at]);
        self.out.truncate(self.at);
        Ok(self.at - self.start)
    }

    #[inline(always)]
    fn try_put(&mut self, n: u8, value: Value<'_>) -> Result<(), EncodeWhy> {
        let spec = self.dialect.field(n);
        if !self.follows(n, spec) {
            self.make_follow(n, spec)?;
        }
        let len = measure(spec, value)?;
        let end = self.at + len.total();
        if !self.grow_to(end) {
            return Err(EncodeWhy::MessageTooLong);
        }
        fill(spec, value, len, &mut self.out[self.at..end])?;
        self.wrote(n, len.total());
        Ok(())
    }

    /// Whether field `n` may be written just so.
    #[inline(always)]
    fn follows(&self, n: u8, spec: &Field) -> bool {
        n > self.last && n <= self.top && spec.shape != Shape::Unknown
    }

    #[inline(always)]
    fn wrote(&mut self, n: u8, len: usize) {
        let (word, bit) = place(n);
        if let Some(bits) = self.present.get_mut(word) {
            *bits |= bit;
        }
        (self.at, self.last) = (self.at + len, n);
    }

    /// Makes room for one more bitmap if that is all that is missing.
    #[cold]
    fn make_follow(&mut self, n: u8, spec: &Field) -> Result<(), EncodeWhy> {
        if spec.shape == Shape::Unknown {
            return Err(EncodeWhy::Unknown);
        }
        if n <= self.last {
            return Err(EncodeWhy::OutOfOrder);
        }
        self.raise(place(n).0 + 1);
        Ok(())
    }

    /// Moves what was written to make room for one more bitmap.
    fn raise(&mut self, levels: usize) {
        let one = self.dialect.bitmap_coding().bitmap_len();
        let head = self.start + self.dialect.mti_coding().mti_len();
        let (old, more) = (head + one * self.levels, one * (levels - self.levels));
        self.grow_to(self.at + more);
        self.out.copy_within(old..self.at, old + more);
        self.at += more;
        (self.levels, self.top) = (levels, levels as u8 * 64);
    }

    #[inline]
    fn put_mti(&mut self, mti: Mti) {
        let coding = self.dialect.mti_coding();
        self.grow_to(self.at + coding.mti_len());
        put_mti(coding, mti, &mut self.out[self.at..self.at + coding.mti_len()]);
        self.at += coding.mti_len();
    }

    /// The buffer is filled ahead in steps, so that a field costs one comparison. `false`: the message gets too long.
    #[inline(always)]
    fn grow_to(&mut self, end: usize) -> bool {
        end <= self.out.len() || self.lengthen(end)
    }

    #[cold]
    fn lengthen(&mut self, end: usize) -> bool {
        let most = self.start + SIZE_MAX;
        if end <= most {
            self.out.resize((end + STEP).min(most), 0);
        }
        end <= most
    }
}

const STEP: usize = 512;

/// Writes a message type.
#[inline]
pub(crate) fn put_mti(coding: Coding, mti: Mti, out: &mut [u8]) {
    match coding {
        Coding::Binary => out.copy_from_slice(&mti.bcd().to_be_bytes()),
        Coding::Ascii => out.copy_from_slice(&mti.ascii()),
        Coding::Ebcdic => out.copy_from_slice(&mti.ascii().map(|digit| digit + 0xC0)),
    }
}

/// Writes `levels` bitmaps, with the bits that say another follows.
#[inline]
pub(crate) fn put_bitmaps(dialect: &Dialect, present: [u64; 3], levels: usize, out: &mut [u8]) {
    let coding = dialect.bitmap_coding();
    let mut rest = out;
    for (level, word) in present.iter().enumerate().take(levels) {
        let Some((slot, more)) = rest.split_at_mut_checked(coding.bitmap_len()) else { return };
        rest = more;
        let word = word | if level + 1 < levels { 1 << 63 } else { 0 };
        if let Coding::Binary = coding {
            slot.copy_from_slice(&word.to_be_bytes());
            continue;
        }
        for (pair, byte) in slot.as_chunks_mut::<2>().0.iter_mut().zip(word.to_be_bytes()) {
            *pair = hex_pair(byte);
            if let Coding::Ebcdic = coding {
                *pair = pair.map(|digit| crate::ebcdic::Page::Cp037.of_latin()[usize::from(digit)]);
            }
        }
    }
}
