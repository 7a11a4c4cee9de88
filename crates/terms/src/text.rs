//! Short inline text of at most `N` bytes: identities such as DE 32, 41, 42.
//! Never allocates; never holds a card number. Guards: the length is at most `N`, the rest is zero.

use core::fmt;

/// Up to `N` bytes (`N` ≤ 255), as they came on the wire after decoding (ASCII as a rule).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Text<N> {
    /// The empty text: "the field was absent".
    pub const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// `None` if `value` is longer than `N`.
    #[inline]
    pub fn new(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        copy_short(value, bytes.get_mut(..value.len())?);
        Some(Self { bytes, len: value.len() as u8 })
    }

    /// As [`Text::new`], cutting what is too long: for constants and names from a checked configuration.
    pub fn cut(value: &str) -> Self {
        let bytes = value.as_bytes();
        Self::new(&bytes[..bytes.len().min(N)]).unwrap_or(Self::EMPTY)
    }

    /// The bytes in use.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether the field was absent.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// The text if it is UTF-8, else a question mark.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }

    /// Without trailing spaces: DE 41 and 42 are padded on the wire, not in a configuration.
    #[inline]
    pub fn trimmed(&self) -> &[u8] {
        self.as_bytes().trim_ascii_end()
    }
}

/// Copies `from` to a place of the same length, up to 32 bytes without a call: by two moves of fixed length that overlap.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn copy_short(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len());
    match from.len() {
        0 => {}
        1 => to[0] = from[0],
        2..=3 => ends::<2>(from, to),
        4..=7 => ends::<4>(from, to),
        8..=16 => ends::<8>(from, to),
        17..=32 => ends::<16>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// The first and the last `N` bytes, which are all if there are `N` to `2 N`.
#[inline(always)]
fn ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        let (first, last) = (*first, *last);
        to.first_chunk_mut().into_iter().for_each(|slot| *slot = first);
        to.last_chunk_mut().into_iter().for_each(|slot| *slot = last);
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole() {
        let from: Vec<u8> = (1..=60).collect();
        for len in 0..=from.len() {
            let mut to = [0; 60];
            copy_short(&from[..len], &mut to[..len]);
            assert_eq!((&to[..len], &to[len..]), (&from[..len], &[0; 60][len..]), "{len} bytes");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_none() {
        assert_eq!(Text::<4>::new(b"12345"), None);
        assert_eq!(Text::<4>::new(b"1234").map(|text| text.len()), Some(4));
    }
}
