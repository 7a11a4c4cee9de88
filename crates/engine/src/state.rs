//! Where a transaction stands, as the state table of the design names it.
//! Never decides a transition (that is the table's); guards: the numbers are stable, records and the index carry them.

use core::fmt;

/// State of a transaction. The numbers are part of the record format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Journaled and under way to the issuer; no final outcome yet.
    Intent = 1,
    /// The issuer approved; the terminal was told so or is about to be.
    Approved = 2,
    /// Final: nothing happened at the issuer, nothing is held.
    Declined = 3,
    /// A reversal is owed to the issuer until it acknowledges it; the hold stays.
    Reversing = 4,
    /// The issuer acknowledged the reversal; the hold is released.
    Reversed = 5,
    /// A reversal came for a transaction that was never seen: the request must never be forwarded.
    Tombstone = 6,
    /// Approved here in the issuer's stead; a 0220 is owed.
    StipApproved = 7,
    /// The issuer refused the reversal several times; people must look. The hold stays until its day ends.
    Quarantined = 8,
}

impl State {
    /// Every state, in order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Intent,
        Self::Approved,
        Self::Declined,
        Self::Reversing,
        Self::Reversed,
        Self::Tombstone,
        Self::StipApproved,
        Self::Quarantined,
    ];

    /// The number in records and in the index, 1..=8.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The state of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The name people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Reversing => "reversing",
            Self::Reversed => "reversed",
            Self::Tombstone => "tombstone",
            Self::StipApproved => "stip-approved",
            Self::Quarantined => "quarantined",
        }
    }

    /// Something is still under way or owed: memory of it must not be dropped.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Intent | Self::Reversing | Self::StipApproved | Self::Quarantined => true,
            Self::Approved | Self::Declined | Self::Reversed | Self::Tombstone => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_stable() {
        let numbers = State::ALL.map(State::number);
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(state));
        }
        assert_eq!((State::from_number(0), State::from_number(9)), (None, None));
    }
}
