//! TOMBSTONE: a reversal came for a transaction that was never seen; should the request still come, it is refused.
//! Never kept for ever (batch end or 24 hours); guards: a reversed purchase that arrives late is not forwarded.

use super::wire::{Pen, Reading};
use super::{Damaged, Record, Serial, TOMBSTONE};
use journal::Kind;
use terms::{Check, OriginalRef, SlotKey};

/// One TOMBSTONE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tombstone {
    /// Number of the 0400 that set it (or of the look-up that ended with it).
    pub serial: Serial,
    /// The transaction that must not happen.
    pub original: OriginalRef,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// `Request::owner()` of the terminal.
    pub owner: u64,
    /// Batch number, 0 if the dialect has none.
    pub batch: u32,
}

impl Record for Tombstone {
    const KIND: Kind = TOMBSTONE;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<43>::new();
        pen.u64(self.serial.0);
        pen.u64(self.original.slot.0);
        pen.u32(self.original.repeat.0);
        pen.u32(self.original.alias.0);
        pen.u8(self.original.class);
        pen.wall(self.wall_ms);
        pen.u64(self.owner);
        pen.u32(self.batch);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(TOMBSTONE, payload);
        let serial = Serial(reading.u64()?);
        let original = super::intent::read_original(&mut reading)?;
        let wall_ms = reading.wall()?;
        let (owner, batch) = (reading.u64()?, reading.u32()?);
        reading.end()?;
        Ok(Self { serial, original, wall_ms, owner, batch })
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.original.slot, self.original.repeat))
    }
}
