//! Records that change no state but must be known later: refusals, late and unmatched answers, undelivered replies,
//! reversals that were given up for people to look at.
//! Never holds a text from the wire of unbounded length; guards: each names its transaction or the link it came on.

use super::intent::{read_currency, read_stan};
use super::outcome::Told;
use super::wire::{Pen, Reading, flag};
use super::{Damaged, LATE, PARKED, REFUSED, Record, Serial, UNDELIVERED, UNMATCHED};
use crate::Verdict;
use journal::{Kind, Lsn};
use terms::{
    ApprovalCode, CardToken, Check, Currency, Minor, Mti, ResponseCode, SlotKey, Stan, Text, TransmissionTime,
};

/// One REFUSED: declined before an INTENT; written without waiting for its sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// As it came.
    pub mti: Mti,
    /// What it asked for.
    pub kind: terms::Kind,
    /// What the terminal is told.
    pub told: Told,
    /// `stable_id` of the issuer, 0 if it was not routed.
    pub issuer: u32,
    /// DE 11.
    pub stan: Stan,
    /// DE 4, 0 if absent.
    pub amount: Minor,
    /// DE 49.
    pub currency: Currency,
    /// Token of the card.
    pub token: CardToken,
    /// Batch number, 0 if absent.
    pub batch: u32,
    /// What was left of the original, where the cause is that more was asked for; else 0.
    pub remaining: Minor,
    /// DE 32 or the listener's acquirer.
    pub acquirer: Text<11>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
}

impl Record for Refused {
    const KIND: Kind = REFUSED;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<{ 55 + 45 }>::new();
        pen.wall(self.wall_ms);
        pen.u16(self.mti.bcd());
        pen.u8(self.kind.number());
        self.told.write(&mut pen);
        pen.u32(self.issuer);
        pen.u24(self.stan.get());
        pen.amount(self.amount);
        pen.u16(self.currency.numeric());
        pen.array(self.token.0);
        pen.u24(self.batch);
        pen.amount(self.remaining);
        pen.text(&self.acquirer);
        pen.text(&self.terminal);
        pen.text(&self.merchant);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(REFUSED, payload);
        let refused = Self {
            wall_ms: reading.wall()?,
            mti: read_mti(&mut reading)?,
            kind: {
                let kind = terms::Kind::from_number(reading.u8()?);
                reading.expect(kind, "a kind of transaction")?
            },
            told: Told::read(&mut reading)?,
            issuer: reading.u32()?,
            stan: read_stan(&mut reading)?,
            amount: reading.amount()?,
            currency: read_currency(&mut reading)?,
            token: CardToken(reading.array()?),
            batch: reading.u24()?,
            remaining: reading.amount()?,
            acquirer: reading.text()?,
            terminal: reading.text()?,
            merchant: reading.text()?,
        };
        reading.end()?;
        Ok(refused)
    }
}

/// One LATE: an answer to a transaction that was no longer waiting for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Late {
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
    /// What the code means in the issuer's dialect.
    pub verdict: Verdict,
    /// DE 39.
    pub code: Option<ResponseCode>,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// DE 4, if echoed.
    pub amount: Option<Minor>,
}

const HAS_APPROVAL_CODE: u8 = 1;
const HAS_AMOUNT: u8 = 2;

impl Record for Late {
    const KIND: Kind = LATE;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<51>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.u8(verdict_number(self.verdict));
        pen.u8(
            flag(self.approval_code.is_some(), HAS_APPROVAL_CODE) | flag(self.amount.is_some(), HAS_AMOUNT)
        );
        pen.code(self.code);
        pen.array(self.approval_code.map_or([0; 6], |code| code.0));
        pen.amount(self.amount.unwrap_or(0));
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(LATE, payload);
        let serial = Serial(reading.u64()?);
        let (slot, repeat) = (SlotKey(reading.u64()?), Check(reading.u32()?));
        let (intent_lsn, wall_ms) = (reading.lsn()?, reading.wall()?);
        let verdict = read_verdict(&mut reading)?;
        let flags = reading.u8()?;
        let code = reading.code()?;
        let approval_code = ApprovalCode(reading.array()?);
        let amount = reading.amount()?;
        reading.end()?;
        let approval_code = (flags & HAS_APPROVAL_CODE != 0).then_some(approval_code);
        let amount = (flags & HAS_AMOUNT != 0).then_some(amount);
        Ok(Self { serial, slot, repeat, intent_lsn, wall_ms, verdict, code, approval_code, amount })
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        Some(self.intent_lsn)
    }
}

/// Why an answer matched nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum UnmatchedReason {
    /// No pending request has its key.
    NoSuchRequest = 0,
    /// It has no STAN.
    NoStan = 1,
    /// It has no DE 7 where the dialect's key needs one.
    NoTransmission = 2,
    /// It has no DE 41 where the dialect's key needs one.
    NoTerminal = 3,
    /// Its MTI answers nothing that we send.
    WrongClass = 4,
}

impl UnmatchedReason {
    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoSuchRequest => "no request waits for it",
            Self::NoStan => "no DE 11",
            Self::NoTransmission => "no DE 7",
            Self::NoTerminal => "no DE 41",
            Self::WrongClass => "its MTI answers nothing that was asked",
        }
    }
}

const REASONS: [UnmatchedReason; 5] = [
    UnmatchedReason::NoSuchRequest,
    UnmatchedReason::NoStan,
    UnmatchedReason::NoTransmission,
    UnmatchedReason::NoTerminal,
    UnmatchedReason::WrongClass,
];

/// One UNMATCHED: an answer that belongs to nothing we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unmatched {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// `stable_id` of "issuer/link".
    pub link: u32,
    /// As it came.
    pub mti: Mti,
    /// DE 11.
    pub stan: Stan,
    /// DE 7.
    pub transmission: TransmissionTime,
    /// What the code means in the issuer's dialect.
    pub verdict: Verdict,
    /// Why it matched nothing.
    pub reason: UnmatchedReason,
    /// DE 39.
    pub code: Option<ResponseCode>,
    /// DE 4; 0 if absent.
    pub amount: Minor,
    /// DE 41; empty if absent.
    pub terminal: Text<16>,
}

impl Record for Unmatched {
    const KIND: Kind = UNMATCHED;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<{ 32 + 17 }>::new();
        pen.wall(self.wall_ms);
        pen.u32(self.link);
        pen.u16(self.mti.bcd());
        pen.u24(self.stan.get());
        pen.u32(self.transmission.0);
        pen.u8(verdict_number(self.verdict));
        pen.u8(self.reason as u8);
        pen.code(self.code);
        pen.amount(self.amount);
        pen.text(&self.terminal);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(UNMATCHED, payload);
        let unmatched = Self {
            wall_ms: reading.wall()?,
            link: reading.u32()?,
            mti: read_mti(&mut reading)?,
            stan: read_stan(&mut reading)?,
            transmission: TransmissionTime(reading.u32()?),
            verdict: read_verdict(&mut reading)?,
            reason: {
                let reason = REASONS.get(usize::from(reading.u8()?)).copied();
                reading.expect(reason, "a reason")?
            },
            code: reading.code()?,
            amount: reading.amount()?,
            terminal: reading.text()?,
        };
        reading.end()?;
        Ok(unmatched)
    }
}

/// One UNDELIVERED: the connection died before the kernel took the reply's first byte; the grace has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undelivered {
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
}

impl Record for Undelivered {
    const KIND: Kind = UNDELIVERED;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<32>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(UNDELIVERED, payload);
        let undelivered = Self {
            serial: Serial(reading.u64()?),
            slot: SlotKey(reading.u64()?),
            repeat: Check(reading.u32()?),
            intent_lsn: reading.lsn()?,
            wall_ms: reading.wall()?,
        };
        reading.end()?;
        Ok(undelivered)
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        Some(self.intent_lsn)
    }
}

/// One PARKED: the issuer refused the reversal, or the advice, `answers` times; it waits for the next sign-on or for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parked {
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
    /// Explicit bad answers so far; more than 127 are written as so many.
    pub answers: u8,
    /// The last one's DE 39.
    pub code: Option<ResponseCode>,
    /// What the terminal was first told about the original.
    pub told: Told,
    /// An advice is parked, or what goes before it: its transaction stands, in the state that it was in.
    pub advice: bool,
}

/// Of the count of answers, in a PARKED that changes no state.
const ADVICE: u8 = 0x80;
/// Where that is.
const ANSWERS: usize = 32;

/// Whether the payload is of a PARKED that changes no state.
pub(super) fn parks_advice(payload: &[u8]) -> bool {
    payload.get(ANSWERS).is_some_and(|answers| answers & ADVICE != 0)
}

impl Record for Parked {
    const KIND: Kind = PARKED;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<44>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.u8(self.answers.min(ADVICE - 1) | flag(self.advice, ADVICE));
        pen.code(self.code);
        self.told.write(&mut pen);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(PARKED, payload);
        let advice = parks_advice(payload);
        let parked = Self {
            serial: Serial(reading.u64()?),
            slot: SlotKey(reading.u64()?),
            repeat: Check(reading.u32()?),
            intent_lsn: reading.lsn()?,
            wall_ms: reading.wall()?,
            answers: reading.u8()? & !ADVICE,
            code: reading.code()?,
            told: Told::read(&mut reading)?,
            advice,
        };
        reading.end()?;
        Ok(parked)
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        Some(self.intent_lsn)
    }
}

fn verdict_number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Approves => 1,
        Verdict::Declines => 2,
        Verdict::InDoubt => 3,
        Verdict::Neither => 4,
    }
}

fn read_verdict(reading: &mut Reading<'_>) -> Result<Verdict, Damaged> {
    Ok(match reading.u8()? {
        1 => Verdict::Approves,
        2 => Verdict::Declines,
        3 => Verdict::InDoubt,
        4 => Verdict::Neither,
        _ => return Err(reading.damaged("a verdict of 1 to 4")),
    })
}

fn read_mti(reading: &mut Reading<'_>) -> Result<Mti, Damaged> {
    let mti = Mti::new(reading.u16()?);
    reading.expect(mti, "an MTI")
}
