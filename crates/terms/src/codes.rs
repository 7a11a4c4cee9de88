//! Codes we do not own: response codes (DE 39) and approval codes (DE 38). They stay open: what came is what goes back.

use crate::Text;
use core::fmt;

/// Response code, one to four bytes as on the wire (two in every dialect shipped).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct ResponseCode(Text<4>);

impl ResponseCode {
    /// `None` if empty or over four bytes.
    #[inline]
    pub fn new(code: &[u8]) -> Option<Self> {
        if code.is_empty() { None } else { Text::new(code).map(Self) }
    }

    /// A two-byte code, for constants.
    pub fn of(code: &str) -> Self {
        Self(Text::cut(code))
    }

    /// 00.
    pub fn approved() -> Self {
        Self::of("00")
    }

    /// The bytes on the wire; empty if there was none.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Authorization identification response (DE 38, an 6), as the issuer gave it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ApprovalCode(pub [u8; 6]);

/// Issuer authentication data: the issuer's cryptogram for the chip that asked (EMV tag 91 in DE 55, 8 to 16 bytes). Without
/// it the chip declines what the issuer approved, so an approval that is told again tells it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arpc {
    bytes: [u8; 16],
    len: u8,
}

impl Arpc {
    /// Bytes at most.
    pub const MAX: usize = 16;

    /// From the value of the tag; `None` unless it has 8 to 16 bytes.
    pub fn new(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        (value.len() >= 8).then_some(Self { bytes, len: value.len() as u8 })
    }

    /// The value of the tag.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Arpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arpc({} bytes)", self.len)
    }
}
