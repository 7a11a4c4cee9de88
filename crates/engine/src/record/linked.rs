//! LINKED: what an operation (void, completion, refund ...) did to the earlier transaction that it names.
//!
//! Never says where the operation itself stands (its own records do). Guards: the newest LINKED under an original's slot
//! tells how much of it is left, so that nothing is given back twice however long ago the original was settled.

use super::advised::{ADVISED_BYTES, Advised, read_advised, write_advised};
use super::outcome::Told;
use super::owed::{Charges, read_charges, write_charges};
use super::wire::{Pen, Reading, flag};
use super::{Damaged, LINKED, Record, Serial};
use journal::{Kind, Lsn};
use terms::{ApprovalCode, Check, Minor, SlotKey};

/// What became of an original.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Drawn {
    /// Sum of what approved refunds or completions have taken of it.
    pub taken: Minor,
    /// A void or cancellation was approved: nothing is left.
    pub voided: bool,
    /// A completion was approved: the hold is used up.
    pub completed: bool,
}

impl Drawn {
    /// Nothing was done to it.
    pub const UNTOUCHED: Self = Self { taken: 0, voided: false, completed: false };

    const VOIDED: u8 = 1;
    const COMPLETED: u8 = 2;

    fn bits(self) -> u8 {
        flag(self.voided, Self::VOIDED) | flag(self.completed, Self::COMPLETED)
    }
}

/// One LINKED. The original is approved, and stays so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Of the original.
    pub serial: Serial,
    /// Where the original lives.
    pub slot: SlotKey,
    /// Its repeat check.
    pub repeat: Check,
    /// Position of its INTENT.
    pub intent_lsn: Lsn,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// The operation was taken back: what it had given back is charged again.
    pub taken_back: bool,
    /// How the original stands from now on.
    pub drawn: Drawn,
    /// What the original's terminal was told, for repeats.
    pub told: Told,
    /// The original's DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// The original's approved amount where it differs from the one asked for.
    pub approved_amount: Option<Minor>,
    /// Number of the operation.
    pub operation: Serial,
    /// What the operation gives back to the ceilings, or with `taken_back` charges again.
    pub charges: Charges,
    /// The number of the advice by which the issuer knows the original, if it was one.
    pub advised: Option<Advised>,
}

const TAKEN_BACK: u8 = 1;
const HAS_APPROVAL_CODE: u8 = 2;
const HAS_AMOUNT: u8 = 4;
const HAS_ADVISED: u8 = 8;
const LINKED_BYTES_MAX: usize = 67 + 4 * 24 + ADVISED_BYTES;

impl Record for Linked {
    const KIND: Kind = LINKED;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<LINKED_BYTES_MAX>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.u8(self.flags());
        pen.u8(self.drawn.bits());
        self.told.write(&mut pen);
        pen.array(self.approval_code.map_or([0; 6], |code| code.0));
        pen.amount(self.approved_amount.unwrap_or(0));
        pen.u64(self.operation.0);
        pen.amount(self.drawn.taken);
        write_charges(&self.charges, &mut pen);
        write_advised(self.advised, &mut pen);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(LINKED, payload);
        let serial = Serial(reading.u64()?);
        let (slot, repeat) = (SlotKey(reading.u64()?), Check(reading.u32()?));
        let (intent_lsn, wall_ms) = (reading.lsn()?, reading.wall()?);
        let (flags, bits) = (reading.u8()?, reading.u8()?);
        let told = Told::read(&mut reading)?;
        let approval_code = reading.array().map(ApprovalCode)?;
        let amount = reading.amount()?;
        let operation = Serial(reading.u64()?);
        let taken = reading.amount()?;
        let charges = read_charges(&mut reading)?;
        let advised = read_advised(&mut reading, flags & HAS_ADVISED != 0)?;
        reading.end()?;
        let (voided, completed) = (bits & Drawn::VOIDED != 0, bits & Drawn::COMPLETED != 0);
        Ok(Self {
            serial,
            slot,
            repeat,
            intent_lsn,
            wall_ms,
            taken_back: flags & TAKEN_BACK != 0,
            drawn: Drawn { taken, voided, completed },
            told,
            approval_code: (flags & HAS_APPROVAL_CODE != 0).then_some(approval_code),
            approved_amount: (flags & HAS_AMOUNT != 0).then_some(amount),
            operation,
            charges,
            advised,
        })
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        Some(self.intent_lsn)
    }
}

impl Linked {
    fn flags(&self) -> u8 {
        flag(self.taken_back, TAKEN_BACK)
            | flag(self.approval_code.is_some(), HAS_APPROVAL_CODE)
            | flag(self.approved_amount.is_some(), HAS_AMOUNT)
            | flag(self.advised.is_some(), HAS_ADVISED)
    }
}
