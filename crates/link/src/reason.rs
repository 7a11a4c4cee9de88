//! What became of an answer: whose it is, or why it is nobody's. Never holds a field's value.

use core::fmt;

/// Whose answer it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// Somebody waits for it; the place in the window is free again.
    InTime {
        /// As given when it was sent.
        ticket: u64,
    },
    /// Nobody waits any more: its deadline passed, its link was lost, it was retired, or it was answered before.
    Late {
        /// As given when it was sent. The transaction may be long settled.
        ticket: u64,
    },
    /// It answers an advice, in time or late.
    Advised {
        /// As given when it was sent last.
        ticket: u64,
    },
    /// Nobody's.
    Unmatched(Reason),
}

/// Why an answer matches nothing. Ordered as the checks are: the first that fails is the one told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Reason {
    /// DE 11 is not there.
    NoStan = 0,
    /// DE 7 is not there, though the dialect's link key names it.
    NoTransmission = 1,
    /// DE 41 is not there, though the dialect's link key names it.
    NoTerminal = 2,
    /// No message under this STAN is or was lately under way.
    UnknownStan = 3,
    /// The message under this STAN is of another class: the answer's MTI is wrong.
    OtherClass = 4,
    /// The message under this STAN had another DE 7: the answer to an earlier use of the number.
    OtherTransmission = 5,
}

impl Reason {
    /// Every reason, in order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::NoStan,
        Self::NoTransmission,
        Self::NoTerminal,
        Self::UnknownStan,
        Self::OtherClass,
        Self::OtherTransmission,
    ];

    /// What people are told.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoStan => "no DE 11",
            Self::NoTransmission => "no DE 7",
            Self::NoTerminal => "no DE 41",
            Self::UnknownStan => "unknown STAN",
            Self::OtherClass => "other MTI class",
            Self::OtherTransmission => "other DE 7",
        }
    }

    /// What records carry: stable within one format version.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The reason of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
