//! Little-endian numbers in and out of a payload.
//! Never allocates while writing; never reads past the payload. Guards: a value that does not fit its field is our mistake
//! and stops us, because a shortened amount or position would be believed later.

use super::Damaged;
use journal::{Kind, Lsn};
use terms::{Minor, ResponseCode, Text};

/// `bit` if `set`.
pub(crate) fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// Collects one payload of at most `N` bytes on the stack, so that the frame grows once per record.
/// Inlined throughout: then the offsets of a fixed layout are constants, and writing it is a few moves.
pub(crate) struct Pen<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Pen<N> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// A field of fixed length: one move, where copying a slice would be a call.
    #[inline(always)]
    pub(crate) fn array<const L: usize>(&mut self, value: [u8; L]) {
        let place = self.bytes[self.len..].first_chunk_mut();
        *place.expect("a payload fits its pen") = value;
        self.len += L;
    }

    /// A field of any length.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self, value: u8) {
        self.array([value]);
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self, value: u16) {
        self.array(value.to_le_bytes());
    }

    #[inline(always)]
    pub(crate) fn u24(&mut self, value: u32) {
        assert!(value < 1 << 24, "number {value} does not fit three bytes");
        let [a, b, c, _] = value.to_le_bytes();
        self.array([a, b, c]);
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self, value: u32) {
        self.array(value.to_le_bytes());
    }

    #[inline(always)]
    pub(crate) fn u48(&mut self, value: u64) {
        assert!(value < 1 << 48, "number {value} does not fit six bytes");
        let [a, b, c, d, e, f, _, _] = value.to_le_bytes();
        self.array([a, b, c, d, e, f]);
    }

    #[inline(always)]
    pub(crate) fn u64(&mut self, value: u64) {
        self.array(value.to_le_bytes());
    }

    /// Minor units, 0..2^48.
    #[inline(always)]
    pub(crate) fn amount(&mut self, value: Minor) {
        self.u48(u64::try_from(value).expect("an amount in a record is not negative"));
    }

    /// Milliseconds since 1970; before 1970 is written as 0 (a clock that far off tells nothing).
    #[inline(always)]
    pub(crate) fn wall(&mut self, wall_ms: i64) {
        self.u48(u64::try_from(wall_ms).unwrap_or(0));
    }

    #[inline(always)]
    pub(crate) fn lsn(&mut self, lsn: Lsn) {
        self.u48(lsn.0);
    }

    /// Length and bytes.
    #[inline(always)]
    pub(crate) fn text<const L: usize>(&mut self, text: &Text<L>) {
        self.u8(text.len() as u8);
        self.bytes(text.as_bytes());
    }

    /// Always five bytes: length, then four filled with zeros.
    #[inline(always)]
    pub(crate) fn code(&mut self, code: Option<ResponseCode>) {
        let mut field = [0; 5];
        if let Some(code) = code {
            field[0] = code.as_bytes().len() as u8;
            field[1..1 + code.as_bytes().len()].copy_from_slice(code.as_bytes());
        }
        self.array(field);
    }

    #[inline(always)]
    pub(crate) fn into(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[..self.len]);
    }
}

/// Reads one payload from its beginning.
pub(crate) struct Reading<'a> {
    kind: Kind,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reading<'a> {
    #[inline]
    pub(crate) fn new(kind: Kind, bytes: &'a [u8]) -> Self {
        Self { kind, bytes, at: 0 }
    }

    /// What is wrong here: `expected` names the field or the value that should stand at the position.
    #[inline]
    pub(crate) fn damaged(&self, expected: &'static str) -> Damaged {
        Damaged { kind: self.kind, offset: self.at, expected }
    }

    /// The field's value, or damage.
    #[inline]
    pub(crate) fn expect<T>(&self, value: Option<T>, expected: &'static str) -> Result<T, Damaged> {
        value.ok_or_else(|| self.damaged(expected))
    }

    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Damaged> {
        let bytes = self.bytes.get(self.at..self.at + len).ok_or_else(|| self.damaged("more bytes"))?;
        self.at += len;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn array<const L: usize>(&mut self) -> Result<[u8; L], Damaged> {
        let left = self.bytes.get(self.at..).unwrap_or_default();
        let array = *left.first_chunk().ok_or_else(|| self.damaged("more bytes"))?;
        self.at += L;
        Ok(array)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Damaged> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Damaged> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(crate) fn u24(&mut self) -> Result<u32, Damaged> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(crate) fn u48(&mut self) -> Result<u64, Damaged> {
        let [a, b, c, d, e, f] = self.array()?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Damaged> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(crate) fn amount(&mut self) -> Result<Minor, Damaged> {
        Ok(self.u48()? as Minor)
    }

    #[inline]
    pub(crate) fn wall(&mut self) -> Result<i64, Damaged> {
        Ok(self.u48()? as i64)
    }

    #[inline]
    pub(crate) fn lsn(&mut self) -> Result<Lsn, Damaged> {
        Ok(Lsn(self.u48()?))
    }

    /// Bytes of a length read before.
    #[inline]
    pub(crate) fn sized<const L: usize>(&mut self, len: usize) -> Result<Text<L>, Damaged> {
        let bytes = self.bytes(len)?;
        self.expect(Text::new(bytes), "a shorter text")
    }

    #[inline]
    pub(crate) fn text<const L: usize>(&mut self) -> Result<Text<L>, Damaged> {
        let len = usize::from(self.u8()?);
        self.sized(len)
    }

    #[inline]
    pub(crate) fn code(&mut self) -> Result<Option<ResponseCode>, Damaged> {
        let [len, code @ ..] = self.array::<5>()?;
        let code = self.expect(code.get(..usize::from(len)), "a code of at most four bytes")?;
        Ok(ResponseCode::new(code))
    }

    /// Everything that is left.
    #[inline]
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// The payload must end here.
    #[inline]
    pub(crate) fn end(&self) -> Result<(), Damaged> {
        self.expect((self.at == self.bytes.len()).then_some(()), "the end of the payload")
    }
}
