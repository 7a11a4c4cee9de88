//! The two frames of a turn: what may be refused when the disk is full, and what is owed.
//! Never decides when to submit; guards: what closes or opens an obligation is always in `owed`.

use journal::Frame;

/// The shell submits `normal` as [`journal::Class::Normal`] and then `owed` as [`journal::Class::Owed`], in this order and
/// both in the turn in which they were filled, so that the records of one transaction keep their order.
#[derive(Default)]
pub struct Frames {
    /// INTENT, REFUSED, LATE, UNMATCHED, UNDELIVERED: news. On a full disk it comes back as `NotWritten`.
    pub normal: Frame,
    /// OUTCOME, OBLIGATION, ACK, TOMBSTONE, PARKED: what the switch owes somebody, served from the journal's reserve.
    pub owed: Frame,
}

impl Frames {
    /// Two empty frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing was appended in this turn.
    pub fn is_empty(&self) -> bool {
        self.normal.is_empty() && self.owed.is_empty()
    }

    /// Forgets both contents, keeps the buffers.
    pub fn clear(&mut self) {
        self.normal.clear();
        self.owed.clear();
    }
}
