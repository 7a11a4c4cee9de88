//! The message type indicator of ISO 8583:1987, as two BCD bytes: version, class, function, origin.
//! Never interprets a code it does not know: an unknown digit stays what it is.

use core::fmt;

/// Message type indicator as BCD, e.g. `0x0200`. Any four decimal digits are valid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mti(u16);

/// Second digit of the MTI: what the message is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MtiClass {
    /// 01xx
    Authorization,
    /// 02xx
    Financial,
    /// 03xx (UnionPay: batch upload)
    FileAction,
    /// 04xx
    Reversal,
    /// 05xx
    Reconciliation,
    /// 06xx (UnionPay: script results)
    Administrative,
    /// 08xx
    Network,
    /// Any other digit, as it came.
    Other(u8),
}

impl Mti {
    /// `None` unless all four nibbles are decimal digits.
    pub const fn new(bcd: u16) -> Option<Self> {
        let mut nibbles = bcd;
        while nibbles != 0 {
            if nibbles & 0xF > 9 {
                return None;
            }
            nibbles >>= 4;
        }
        Some(Self(bcd))
    }

    /// For constants; digits over 9 are a compile-time panic when used in a `const`.
    pub const fn of(bcd: u16) -> Self {
        match Self::new(bcd) {
            Some(mti) => mti,
            None => panic!("an MTI has decimal digits only"),
        }
    }

    /// From four ASCII digits.
    pub fn from_ascii(digits: [u8; 4]) -> Option<Self> {
        let mut bcd = 0_u16;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            bcd = bcd << 4 | u16::from(digit - b'0');
        }
        Some(Self(bcd))
    }

    /// The BCD value, e.g. `0x0210`.
    pub const fn bcd(self) -> u16 {
        self.0
    }

    /// Four ASCII digits.
    pub const fn ascii(self) -> [u8; 4] {
        let v = self.0;
        [
            b'0' + (v >> 12) as u8,
            b'0' + (v >> 8 & 15) as u8,
            b'0' + (v >> 4 & 15) as u8,
            b'0' + (v & 15) as u8,
        ]
    }

    /// Second digit.
    pub const fn class(self) -> MtiClass {
        match (self.0 >> 8) & 0xF {
            1 => MtiClass::Authorization,
            2 => MtiClass::Financial,
            3 => MtiClass::FileAction,
            4 => MtiClass::Reversal,
            5 => MtiClass::Reconciliation,
            6 => MtiClass::Administrative,
            8 => MtiClass::Network,
            other => MtiClass::Other(other as u8),
        }
    }

    /// The second digit itself: the "MTI class" part of keys.
    pub const fn class_digit(self) -> u8 {
        (self.0 >> 8 & 0xF) as u8
    }

    /// Third digit even: a request, advice or notification rather than an answer.
    pub const fn is_request(self) -> bool {
        (self.0 >> 4) & 1 == 0
    }

    /// Third digit 2 (advice): the sender has already acted.
    pub const fn is_advice(self) -> bool {
        (self.0 >> 4) & 0xF == 2
    }

    /// Fourth digit odd: a repeat (0201, 0401, 0421).
    pub const fn is_repeat(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same message marked as a repeat.
    pub const fn repeated(self) -> Self {
        Self(self.0 | 1)
    }

    /// The answer's MTI: third digit one up, never a repeat (0201 → 0210, 0420 → 0430).
    pub const fn answer(self) -> Self {
        Self((self.0 | 0x10) & 0xFFF0)
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_repeats() {
        for (request, answer) in [
            (0x0200, 0x0210),
            (0x0201, 0x0210),
            (0x0100, 0x0110),
            (0x0420, 0x0430),
            (0x0401, 0x0410),
            (0x0800, 0x0810),
        ] {
            assert_eq!(Mti::of(request).answer(), Mti::of(answer));
            assert!(Mti::of(request).is_request() && !Mti::of(answer).is_request());
        }
        assert!(Mti::new(0x0A00).is_none() && Mti::from_ascii(*b"02x0").is_none());
        assert_eq!(Mti::from_ascii(*b"0421"), Some(Mti::of(0x0420).repeated()));
        assert_eq!(Mti::of(0x0430).ascii(), *b"0430");
    }
}
