//! OUTCOME: how a transaction ended, with what a replay of its answer needs.
//! Never written twice as final for one INTENT (the engine's duty); guards: the payload fits 64 bytes.

use super::advised::{ADVISED_BYTES, Advised, read_advised, write_advised};
use super::wire::{Pen, Reading, flag};
use super::{Damaged, OUTCOME, Record, Serial};
use crate::State;
use crate::effect::ReversalReason;
use journal::{Kind, Lsn};
use terms::{ApprovalCode, Arpc, Check, InternalCause, Minor, ResponseCode, SlotKey};

/// What a terminal was told: our cause, the issuer's code, or both; neither is "nothing yet".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Ours; `None` where the issuer's code was passed on.
    pub cause: Option<InternalCause>,
    /// The issuer's DE 39.
    pub code: Option<ResponseCode>,
}

impl Told {
    /// Nothing was said yet.
    pub const NOTHING: Self = Self { cause: None, code: None };

    /// Our own cause.
    pub const fn ours(cause: InternalCause) -> Self {
        Self { cause: Some(cause), code: None }
    }

    /// Six bytes: cause (255 for none), then the code field.
    pub(super) fn write<const N: usize>(&self, pen: &mut Pen<N>) {
        pen.u8(self.cause.map_or(NONE, InternalCause::number));
        pen.code(self.code);
    }

    pub(super) fn read(reading: &mut Reading<'_>) -> Result<Self, Damaged> {
        let cause = match reading.u8()? {
            NONE => None,
            number => Some(reading.expect(InternalCause::from_number(number), "an internal cause")?),
        };
        Ok(Self { cause, code: reading.code()? })
    }
}

/// Absent, in one-byte fields whose numbers begin at 0.
pub(super) const NONE: u8 = 255;

/// One OUTCOME.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Of the transaction.
    pub serial: Serial,
    /// Where it lives.
    pub slot: SlotKey,
    /// Its repeat check.
    pub repeat: Check,
    /// Position of its INTENT.
    pub intent_lsn: Lsn,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// Approved, Declined, Reversing or StipApproved.
    pub state: State,
    /// What the terminal is told with it.
    pub told: Told,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// Approved amount where it differs from the one asked for.
    pub approved_amount: Option<Minor>,
    /// Why a reversal is owed, with state Reversing; with state StipApproved, why the request that was sent is to be
    /// reversed before the advice goes.
    pub reason: Option<ReversalReason>,
    /// The issuer approved it, whatever became of it here.
    pub approval_seen: bool,
    /// DE 39 of the terminal's reversal that led to state Reversing; not kept where it is longer than three bytes.
    pub terminal_reason: Option<ResponseCode>,
    /// Tag 91 of DE 55, with state Approved.
    pub arpc: Option<Arpc>,
    /// The number of the advice that is owed, with state StipApproved.
    pub advised: Option<Advised>,
}

/// Length of an OUTCOME payload; a cryptogram (its length and bytes) and the number of an advice come behind it.
pub const OUTCOME_BYTES: usize = 56;
const ARPC_BYTES: usize = 1 + Arpc::MAX;
const _: () = assert!(OUTCOME_BYTES + ADVISED_BYTES <= 64);

const APPROVAL_SEEN: u8 = 1;
const HAS_APPROVAL_CODE: u8 = 2;
const HAS_AMOUNT: u8 = 4;
const HAS_ARPC: u8 = 16;
const HAS_ADVISED: u8 = 8;

impl Record for Outcome {
    const KIND: Kind = OUTCOME;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<{ OUTCOME_BYTES + ARPC_BYTES + ADVISED_BYTES }>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.u8(self.state.number());
        pen.u8(self.flags());
        write_reason(self.reason, &mut pen);
        self.told.write(&mut pen);
        pen.array(self.approval_code.map_or([0; 6], |code| code.0));
        pen.amount(self.approved_amount.unwrap_or(0));
        pen.array(short(self.terminal_reason));
        if let Some(arpc) = &self.arpc {
            pen.u8(arpc.as_bytes().len() as u8);
            pen.bytes(arpc.as_bytes());
        }
        write_advised(self.advised, &mut pen);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(OUTCOME, payload);
        let serial = Serial(reading.u64()?);
        let slot = SlotKey(reading.u64()?);
        let repeat = Check(reading.u32()?);
        let intent_lsn = reading.lsn()?;
        let wall_ms = reading.wall()?;
        let state = State::from_number(reading.u8()?);
        let state = reading.expect(state, "a state")?;
        let flags = reading.u8()?;
        let reason = read_reason(&mut reading)?;
        let told = Told::read(&mut reading)?;
        let approval_code = reading.array().map(ApprovalCode)?;
        let amount = reading.amount()?;
        let terminal_reason = read_short(reading.array()?);
        let arpc = if flags & HAS_ARPC == 0 { None } else { Some(read_arpc(&mut reading)?) };
        let advised = read_advised(&mut reading, flags & HAS_ADVISED != 0)?;
        reading.end()?;
        Ok(Self {
            serial,
            slot,
            repeat,
            intent_lsn,
            wall_ms,
            state,
            told,
            approval_code: (flags & HAS_APPROVAL_CODE != 0).then_some(approval_code),
            approved_amount: (flags & HAS_AMOUNT != 0).then_some(amount),
            reason,
            approval_seen: flags & APPROVAL_SEEN != 0,
            terminal_reason,
            arpc,
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

impl Outcome {
    fn flags(&self) -> u8 {
        flag(self.approval_seen, APPROVAL_SEEN)
            | flag(self.approval_code.is_some(), HAS_APPROVAL_CODE)
            | flag(self.approved_amount.is_some(), HAS_AMOUNT)
            | flag(self.arpc.is_some(), HAS_ARPC)
            | flag(self.advised.is_some(), HAS_ADVISED)
    }
}

fn read_arpc(reading: &mut Reading<'_>) -> Result<Arpc, Damaged> {
    let len = reading.u8()?;
    let arpc = Arpc::new(reading.bytes(usize::from(len))?);
    reading.expect(arpc, "a cryptogram of 8 to 16 bytes")
}

/// Three bytes, filled with zeros.
fn short(code: Option<ResponseCode>) -> [u8; 3] {
    let mut bytes = [0; 3];
    if let Some(place) = code.as_ref().map(ResponseCode::as_bytes).filter(|code| code.len() <= bytes.len()) {
        bytes[..place.len()].copy_from_slice(place);
    }
    bytes
}

fn read_short(bytes: [u8; 3]) -> Option<ResponseCode> {
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    ResponseCode::new(&bytes[..len]).filter(|_| len > 0)
}

pub(super) fn write_reason<const N: usize>(reason: Option<ReversalReason>, pen: &mut Pen<N>) {
    pen.u8(reason.map_or(NONE, |reason| reason as u8));
}

pub(super) fn read_reason(reading: &mut Reading<'_>) -> Result<Option<ReversalReason>, Damaged> {
    use ReversalReason as R;
    const REASONS: [ReversalReason; 8] = [
        R::Terminal,
        R::Timeout,
        R::LinkLost,
        R::Undelivered,
        R::BadAnswer,
        R::Restart,
        R::Contradiction,
        R::Issuer,
    ];
    match reading.u8()? {
        NONE => Ok(None),
        number => {
            let reason = REASONS.get(usize::from(number)).copied();
            reading.expect(reason, "a reversal reason").map(Some)
        }
    }
}
