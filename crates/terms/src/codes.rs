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
