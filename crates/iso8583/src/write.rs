//! Fields to bytes, in ascending order, the bitmap patched at the end.
//! Never allocates but for the growth of the output. Guards: what it writes decodes again to the same content.

use crate::decode::SIZE_MAX;
use crate::dialect::{Coding, Dialect};
use crate::digits::{
    are_ascii_digits, are_printable, digits_of, hex_pair, is_track_char, pack, write_ascii, write_packed,
};
use crate::error::{EncodeError, EncodeWhy};
use crate::index::{Index, place};
use crate::spec::{Field, Prefix, Shape};
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
    last: u8,
    failed: Option<EncodeError>,
}

/// What a field is to contain.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A number, filled with zeros to a fixed size; shortest form where the length is variable.
    Number(u64),
    /// Canonical content: ASCII characters, or bytes for a binary field.
    Content(&'a [u8]),
    /// The whole field as it is on the wire of this dialect, length prefix included.
    Whole(&'a [u8]),
}

impl<'a> Writer<'a> {
    /// Begins a message behind whatever `out` holds already.
    #[inline]
    pub fn new(dialect: &'a Dialect, mti: Mti, out: &'a mut BytesMut) -> Self {
        Self::with_levels(dialect, mti, out, 1)
    }

    /// As [`Writer::new`] where the number of bitmaps is known.
    #[inline]
    pub(crate) fn with_levels(dialect: &'a Dialect, mti: Mti, out: &'a mut BytesMut, levels: usize) -> Self {
        let start = out.len();
        let mut writer =
            Self { dialect, out, start, at: start, present: [0; 3], levels, last: 1, failed: None };
        writer.put_mti(mti);
        writer.at += dialect.bitmap_coding().bitmap_len() * levels;
        writer.grow_to(writer.at);
        writer
    }

    /// Field `n` as a number.
    pub fn number(&mut self, n: u8, value: u64) -> &mut Self {
        self.place(n, Value::Number(value))
    }

    /// Field `n` as characters (ASCII; the dialect's encoding is applied).
    pub fn text(&mut self, n: u8, value: &[u8]) -> &mut Self {
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

    /// Writes one field; the first error stays. Inlined once for each kind of value, which then needs no asking.
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
        if spec.shape == Shape::Unknown {
            return Err(EncodeWhy::Unknown);
        }
        if n <= self.last {
            return Err(EncodeWhy::OutOfOrder);
        }
        let (word, bit) = place(n);
        if word >= self.levels {
            self.raise(word + 1);
        }
        let len = measure(spec, value)?;
        if self.at + len.total() - self.start > SIZE_MAX {
            return Err(EncodeWhy::MessageTooLong);
        }
        self.grow_to(self.at + len.total());
        fill(spec, value, len, &mut self.out[self.at..self.at + len.total()])?;
        self.at += len.total();
        self.present[word] |= bit;
        self.last = n;
        Ok(())
    }

    /// Moves what was written to make room for one more bitmap.
    #[cold]
    fn raise(&mut self, levels: usize) {
        let one = self.dialect.bitmap_coding().bitmap_len();
        let head = self.start + self.dialect.mti_coding().mti_len();
        let (old, more) = (head + one * self.levels, one * (levels - self.levels));
        self.grow_to(self.at + more);
        self.out.copy_within(old..self.at, old + more);
        self.at += more;
        self.levels = levels;
    }

    #[inline]
    fn put_mti(&mut self, mti: Mti) {
        let coding = self.dialect.mti_coding();
        self.grow_to(self.at + coding.mti_len());
        put_mti(coding, mti, &mut self.out[self.at..self.at + coding.mti_len()]);
        self.at += coding.mti_len();
    }

    /// The buffer is filled ahead in steps, so that a field costs one comparison.
    #[inline(always)]
    fn grow_to(&mut self, end: usize) {
        if end > self.out.len() {
            self.lengthen(end);
        }
    }

    #[cold]
    fn lengthen(&mut self, end: usize) {
        self.out.resize(end + STEP, 0);
    }
}

const STEP: usize = 256;

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

/// Lengths of one field to be written.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    prefix: usize,
    content: usize,
    units: usize,
}

impl Measure {
    #[inline]
    pub(crate) fn total(self) -> usize {
        self.prefix + self.content
    }
}

/// How long a field will be, if its value may be as long as that.
#[inline(always)]
pub(crate) fn measure(spec: &Field, value: Value<'_>) -> Result<Measure, EncodeWhy> {
    let given = match value {
        Value::Whole(bytes) => return Ok(Measure { prefix: 0, content: bytes.len(), units: 0 }),
        Value::Content(content) => spec.units_of(content.len()),
        Value::Number(_) if spec.is_fixed() => usize::from(spec.max),
        Value::Number(number) => digits_of(number).max(usize::from(spec.min)),
    };
    if given > usize::from(spec.max) {
        return Err(EncodeWhy::TooLong(spec.max));
    }
    if spec.is_fixed() {
        let units = usize::from(spec.max);
        let whole = matches!(spec.shape, Shape::AsciiHex | Shape::EbcdicHex) || spec.binary;
        if whole && given != units {
            return Err(EncodeWhy::TooShort(spec.max));
        }
        return Ok(Measure { prefix: 0, content: spec.wire_len(units), units });
    }
    if given < usize::from(spec.min) {
        return Err(EncodeWhy::TooShort(spec.min));
    }
    Ok(Measure { prefix: usize::from(spec.width), content: spec.wire_len(given), units: given })
}

/// Writes prefix and content into exactly the room that [`measure`] asked for.
#[inline(always)]
pub(crate) fn fill(spec: &Field, value: Value<'_>, len: Measure, out: &mut [u8]) -> Result<(), EncodeWhy> {
    if let Value::Whole(bytes) = value {
        out.copy_from_slice(bytes);
        return Ok(());
    }
    let (prefix, content) = out.split_at_mut(len.prefix);
    if !prefix.is_empty() {
        put_length(spec, len.units, prefix);
    }
    let good = match value {
        Value::Number(number) => put_number(spec, number, len.units, content),
        Value::Content(text) if text.len() == spec.content_len(len.units) => put_content(spec, text, content),
        Value::Content(text) => put_short(spec, text, len.units, content),
        Value::Whole(_) => true,
    };
    if good { Ok(()) } else { Err(EncodeWhy::WrongType) }
}

#[inline(always)]
fn put_length(spec: &Field, units: usize, out: &mut [u8]) {
    let value = units >> spec.scale;
    match spec.prefix {
        Prefix::Fixed => {}
        Prefix::Ascii => _ = write_ascii(value as u64, out),
        Prefix::Bcd => _ = write_packed(value as u64, out.len() * 2, false, 0, out),
        Prefix::Ebcdic => {
            _ = write_ascii(value as u64, out);
            out.iter_mut().for_each(|digit| *digit += 0xC0);
        }
        Prefix::Binary => {
            for (place, slot) in out.iter_mut().rev().enumerate() {
                *slot = (value >> (8 * place)) as u8;
            }
        }
    }
}

#[inline(always)]
fn put_number(spec: &Field, number: u64, units: usize, out: &mut [u8]) -> bool {
    match spec.shape {
        Shape::Bcd => write_packed(number, units, spec.left, spec.pad, out),
        Shape::AsciiDigits | Shape::AsciiText => write_ascii(number, out),
        Shape::EbcdicDigits | Shape::EbcdicText => {
            let fits = write_ascii(number, out);
            out.iter_mut().for_each(|digit| *digit += 0xC0);
            fits
        }
        _ => false,
    }
}

/// Canonical content that fills its units exactly.
#[inline(always)]
fn put_content(spec: &Field, text: &[u8], out: &mut [u8]) -> bool {
    match spec.shape {
        Shape::AsciiText => {
            out.copy_from_slice(text);
            are_printable(text)
        }
        Shape::AsciiDigits => {
            out.copy_from_slice(text);
            are_ascii_digits(text)
        }
        Shape::Bytes => {
            out.copy_from_slice(text);
            true
        }
        Shape::Bcd => pack(text, spec.left, spec.pad, false, out),
        Shape::BcdTrack => pack(text, spec.left, spec.pad, true, out),
        _ => put_rare(spec, text, out),
    }
}

fn put_rare(spec: &Field, text: &[u8], out: &mut [u8]) -> bool {
    let signed = |text: &[u8]| matches!(text, [b'C' | b'D', rest @ ..] if are_ascii_digits(rest));
    let good = match spec.shape {
        Shape::AsciiTrack | Shape::EbcdicTrack => text.iter().all(|byte| is_track_char(*byte)),
        Shape::AsciiSigned | Shape::EbcdicSigned => signed(text),
        Shape::EbcdicDigits => are_ascii_digits(text),
        Shape::EbcdicText => are_printable(text),
        _ => true,
    };
    match spec.shape {
        Shape::AsciiHex | Shape::EbcdicHex => {
            for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(text) {
                *pair = hex_pair(*byte);
            }
        }
        _ => out.copy_from_slice(text),
    }
    if matches!(
        spec.shape,
        Shape::EbcdicTrack
            | Shape::EbcdicHex
            | Shape::EbcdicSigned
            | Shape::EbcdicText
            | Shape::EbcdicDigits
            | Shape::EbcdicAny
    ) {
        let table = spec.page.of_latin();
        out.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
    }
    good
}

/// Content shorter than a fixed field: filled on the side that the dialect says.
#[cold]
fn put_short(spec: &Field, text: &[u8], units: usize, out: &mut [u8]) -> bool {
    let mut full = [0_u8; crate::view::CONTENT_MAX];
    let Some(full) = full.get_mut(..units) else { return false };
    let digits = matches!(spec.shape, Shape::Bcd | Shape::AsciiDigits | Shape::EbcdicDigits);
    full.fill(if digits { b'0' } else { b' ' });
    // Numbers are filled with zeros in front, whatever side an odd nibble is on.
    let from = if digits || !spec.left { units - text.len() } else { 0 };
    full[from..from + text.len()].copy_from_slice(text);
    put_content(spec, full, out)
}
