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
    pub fn new(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { bytes, len: value.len() as u8 })
    }

    /// As [`Text::new`], cutting what is too long: for constants and names from a checked configuration.
    pub fn cut(value: &str) -> Self {
        let bytes = value.as_bytes();
        Self::new(&bytes[..bytes.len().min(N)]).unwrap_or(Self::EMPTY)
    }

    /// The bytes in use.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether the field was absent.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// The text if it is UTF-8, else a question mark.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }

    /// Without trailing spaces: DE 41 and 42 are padded on the wire, not in a configuration.
    pub fn trimmed(&self) -> &[u8] {
        self.as_bytes().trim_ascii_end()
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
