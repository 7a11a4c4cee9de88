//! The number under which an issuer knows a transaction by an advice of ours, where a record has to say it.
//! Never stands in a record of a transaction that no advice tells of; guards: seven bytes, at the end of their record.

use super::Damaged;
use super::intent::read_stan;
use super::wire::{Pen, Reading};
use terms::{Stan, TransmissionTime};

/// Our STAN and DE 7 of an advice (0120, 0220, 0620) and of all its repeats, on the link of the INTENT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advised {
    /// DE 11.
    pub stan: Stan,
    /// DE 7, [`TransmissionTime::NONE`] where the dialect has none.
    pub transmission: TransmissionTime,
}

/// Length in a record.
pub(super) const ADVISED_BYTES: usize = 7;

pub(super) fn write_advised<const N: usize>(advised: Option<Advised>, pen: &mut Pen<N>) {
    if let Some(Advised { stan, transmission }) = advised {
        pen.u24(stan.get());
        pen.u32(transmission.0);
    }
}

pub(super) fn read_advised(reading: &mut Reading<'_>, present: bool) -> Result<Option<Advised>, Damaged> {
    if !present {
        return Ok(None);
    }
    Ok(Some(Advised { stan: read_stan(reading)?, transmission: TransmissionTime(reading.u32()?) }))
}
