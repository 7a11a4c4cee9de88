//! The payloads of the switch's records, read a second time: from the page `crates/engine/RECORDS.md`, not from its code.
//!
//! Never reads what the comparison of books does not need (checks, tokens); never trusts a length.
//! Guards: any bytes give a record or a fault, never a panic.

mod fields;

use crate::batch::Batch;
pub(crate) use fields::Fields;

/// The payload format that this reader knows.
pub const FORMAT: u16 = 2;

/// A payload that is not what the page says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("payload of kind {kind} does not fit its description: {what}")]
pub struct PayloadFault {
    /// Kind of the record.
    pub kind: u8,
    /// What does not fit.
    pub what: &'static str,
}

/// State numbers of the page.
pub mod state {
    #![allow(missing_docs, reason = "the page has the words")]
    pub const INTENT: u8 = 1;
    pub const APPROVED: u8 = 2;
    pub const DECLINED: u8 = 3;
    pub const REVERSING: u8 = 4;
    pub const REVERSED: u8 = 5;
    pub const TOMBSTONE: u8 = 6;
    pub const STAND_IN: u8 = 7;
    pub const QUARANTINED: u8 = 8;
}

/// One record, as far as books need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// 1
    Intent(Box<Intent>),
    /// 2
    Outcome(Outcome),
    /// 3
    Refused(Refused),
    /// 4, reverse
    Owed(Owed),
    /// 4, look up: serial of the 0400.
    Search(u64),
    /// 5
    Ack(Ack),
    /// 6: serial of the 0400 or of the look-up that ends.
    Tombstone(u64),
    /// 7: serial, and whether the answer approves.
    Late(u64, bool),
    /// 8
    Unmatched(Unmatched),
    /// 9: serial.
    Undelivered(u64),
    /// 10: serial, and whether it is an advice: its transaction stands.
    Parked(u64, bool),
    /// 11: when, calendar and business day.
    Day(u64, u32, u16),
    /// 12: the lines of names.
    Config(Vec<Name>),
    /// 13
    Audit(String),
    /// 14
    Linked(Linked),
    /// 15
    Batch(Box<Batch>),
    /// A kind that the page does not have.
    Unknown(u8),
}

/// Fields of an INTENT.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Intent {
    pub serial: u64,
    pub at: u64,
    pub kind: u8,
    pub foreign: bool,
    pub amount: u64,
    pub currency: u16,
    pub issuer: u32,
    pub link: u32,
    pub link_stan: u32,
    pub link_transmission: u32,
    pub issuer_calendar: u32,
    pub issuer_day: u16,
    pub acquirer_day: u16,
    pub mti: u16,
    pub stan: u32,
    pub local_time: Option<u32>,
    pub local_date: u16,
    pub batch: u32,
    pub rrn: String,
    pub terminal_rrn: Option<String>,
    pub acquirer: String,
    pub terminal: String,
    pub merchant: String,
}

/// Fields of an OUTCOME.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Outcome {
    pub serial: u64,
    pub intent: u64,
    pub at: u64,
    pub state: u8,
    pub approval_seen: bool,
    pub reason: Option<u8>,
    pub cause: Option<u8>,
    pub code: Option<String>,
    pub approval_code: Option<String>,
    pub approved_amount: Option<u64>,
    pub advised: Option<Advised>,
}

/// Under which numbers of ours an issuer knows a transaction by an advice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Advised {
    /// DE 11.
    pub stan: u32,
    /// DE 7, MMDDhhmmss.
    pub transmission: u32,
}

/// Fields of a REFUSED.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Refused {
    pub at: u64,
    pub kind: u8,
    pub cause: Option<u8>,
    pub code: Option<String>,
    pub issuer: u32,
    pub stan: u32,
    pub amount: u64,
    pub currency: u16,
    pub batch: u32,
    pub remaining: u64,
    pub acquirer: String,
    pub terminal: String,
    pub merchant: String,
}

/// Fields of an OBLIGATION to reverse; `stays` where only a part is reversed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Owed {
    pub serial: u64,
    pub at: u64,
    pub approval_seen: bool,
    pub intent: u64,
    pub reason: u8,
    pub search: u64,
    pub stays: Option<u64>,
    /// The request alone is reversed: the transaction stands approved here.
    pub request_only: bool,
    pub advised: Option<Advised>,
}

/// Fields of an ACK.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Ack {
    pub serial: u64,
    pub at: u64,
    pub state: u8,
    pub code: Option<String>,
    pub amount: Option<u64>,
    pub refused: bool,
    pub advised: Option<Advised>,
}

/// Fields of an UNMATCHED.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Unmatched {
    pub at: u64,
    pub link: u32,
    pub stan: u32,
    pub transmission: u32,
    pub approves: bool,
    pub amount: u64,
}

/// Fields of a LINKED.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub struct Linked {
    pub original: u64,
    pub taken_back: bool,
    pub voided: bool,
    pub completed: bool,
    pub operation: u64,
    pub taken: u64,
}

/// A line of a CONFIG.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// `issuer`, `link` or `calendar`.
    pub of: String,
    /// The stable number.
    pub number: u32,
    /// The name.
    pub name: String,
}

impl Payload {
    /// Reads one payload.
    /// # Errors
    /// [`PayloadFault`] where it is shorter or longer than described, or holds a value that the page does not have.
    pub fn read(kind: u8, bytes: &[u8]) -> Result<Self, PayloadFault> {
        let mut field = Fields { kind, left: bytes };
        let payload = match kind {
            1 => Self::Intent(Box::new(intent(&mut field)?)),
            2 => Self::Outcome(outcome(&mut field)?),
            3 => Self::Refused(refused(&mut field)?),
            4 => obligation(&mut field)?,
            5 => Self::Ack(ack(&mut field)?),
            6 => Self::Tombstone(serial_then(&mut field, 35)?),
            7 => late(&mut field)?,
            8 => Self::Unmatched(unmatched(&mut field)?),
            9 => Self::Undelivered(serial_then(&mut field, 24)?),
            10 => parked(&mut field)?,
            11 => day(&mut field)?,
            12 => Self::Config(config(&mut field)?),
            13 => Self::Audit(audit(&mut field)?),
            14 => Self::Linked(linked(&mut field)?),
            15 => Self::Batch(Box::new(crate::batch::read(&mut field)?)),
            other => return Ok(Self::Unknown(other)),
        };
        if field.left.is_empty() { Ok(payload) } else { Err(field.fault("bytes left over")) }
    }
}

fn intent(field: &mut Fields<'_>) -> Result<Intent, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(16)?;
    let at = field.number(6)?;
    let kind = field.byte()?;
    let parts = field.byte()?;
    field.skip(16)?;
    let (amount, currency) = (field.number(6)?, field.number(2)? as u16);
    let (issuer, link) = (field.number(4)? as u32, field.number(4)? as u32);
    let link_stan = field.number(3)? as u32;
    field.skip(1)?;
    let link_transmission = field.number(4)? as u32;
    let issuer_calendar = field.number(4)? as u32;
    field.skip(4)?;
    let (issuer_day, acquirer_day) = (field.number(2)? as u16, field.number(2)? as u16);
    field.skip(2)?;
    let mti = field.number(2)? as u16;
    let stan = field.number(3)? as u32;
    let lengths = field.byte()?;
    field.skip(4)?;
    let local_time = Some(field.number(3)? as u32).filter(|time| *time != 0xFF_FFFF);
    let terminal_length = field.byte()?;
    let local_date = field.number(2)? as u16;
    field.skip(11)?;
    let batch = field.number(3)? as u32;
    let rrn = field.ascii(12)?;
    let acquirer = field.ascii(usize::from(lengths & 15))?;
    let terminal = field.ascii(usize::from(terminal_length))?;
    let merchant = field.ascii(usize::from(lengths >> 4))?;
    field.skip(if parts & 1 == 0 { 0 } else { 8 })?;
    let terminal_rrn = if parts & 2 == 0 { None } else { Some(field.ascii(12)?) };
    field.skip(if parts & 4 == 0 { 0 } else { 17 })?;
    field.skip(if parts & 16 == 0 { 0 } else { 14 })?;
    Ok(Intent {
        serial,
        at,
        kind,
        foreign: parts & 8 != 0,
        amount,
        currency,
        issuer,
        link,
        link_stan,
        link_transmission,
        issuer_calendar,
        issuer_day,
        acquirer_day,
        mti,
        stan,
        local_time,
        local_date,
        batch,
        rrn,
        terminal_rrn,
        acquirer,
        terminal,
        merchant,
    })
}

fn outcome(field: &mut Fields<'_>) -> Result<Outcome, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(12)?;
    let (intent, at) = (field.number(6)?, field.number(6)?);
    let state = field.state()?;
    let flags = field.byte()?;
    let reason = field.optional_byte()?;
    let (cause, code) = (field.optional_byte()?, field.code()?);
    let approval_code = field.ascii(6)?;
    let approved_amount = field.number(6)?;
    field.skip(3)?;
    if flags & 16 != 0 {
        let cryptogram = field.byte()?;
        field.skip(usize::from(cryptogram))?;
    }
    let advised = field.advised(flags & 8 != 0)?;
    Ok(Outcome {
        serial,
        intent,
        at,
        state,
        approval_seen: flags & 1 != 0,
        reason,
        cause,
        code,
        approval_code: (flags & 2 != 0).then_some(approval_code),
        approved_amount: (flags & 4 != 0).then_some(approved_amount),
        advised,
    })
}

fn refused(field: &mut Fields<'_>) -> Result<Refused, PayloadFault> {
    let at = field.number(6)?;
    field.skip(2)?;
    let kind = field.byte()?;
    let (cause, code) = (field.optional_byte()?, field.code()?);
    let issuer = field.number(4)? as u32;
    let stan = field.number(3)? as u32;
    let (amount, currency) = (field.number(6)?, field.number(2)? as u16);
    field.skip(16)?;
    let (batch, remaining) = (field.number(3)? as u32, field.number(6)?);
    let (acquirer, terminal, merchant) = (field.text()?, field.text()?, field.text()?);
    Ok(Refused {
        at,
        kind,
        cause,
        code,
        issuer,
        stan,
        amount,
        currency,
        batch,
        remaining,
        acquirer,
        terminal,
        merchant,
    })
}

fn obligation(field: &mut Fields<'_>) -> Result<Payload, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(12)?;
    let at = field.number(6)?;
    let (part, request_only) = match field.byte()? {
        1 => (false, false),
        3 => (true, false),
        4 => (false, true),
        2 => {
            field.skip(36)?;
            for _ in 0..3 {
                field.text()?;
            }
            return Ok(Payload::Search(serial));
        }
        _ => return Err(field.fault("neither reverse nor look up")),
    };
    let flags = field.byte()?;
    let intent = field.number(6)?;
    let reason = field.byte()?;
    field.skip(11)?;
    let search = field.number(8)?;
    field.skip(34)?;
    let stays = Some(field.number(6)?).filter(|_| part);
    let charges = field.byte()?;
    field.skip(usize::from(charges) * 24)?;
    let advised = field.advised(flags & 4 != 0)?;
    field.skip(usize::from(flags & 8 != 0))?;
    let approval_seen = flags & 1 != 0;
    Ok(Payload::Owed(Owed {
        serial,
        at,
        approval_seen,
        intent,
        reason,
        search,
        stays,
        request_only,
        advised,
    }))
}

fn ack(field: &mut Fields<'_>) -> Result<Ack, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(18)?;
    let at = field.number(6)?;
    let (state, code) = (field.state()?, field.code()?);
    field.skip(6)?;
    let flags = field.byte()?;
    field.skip(6)?;
    let amount = Some(field.number(6)?).filter(|_| flags & 2 != 0);
    let (refused, advised) = (flags & 4 != 0, field.advised(flags & 8 != 0)?);
    Ok(Ack { serial, at, state, code, amount, refused, advised })
}

fn late(field: &mut Fields<'_>) -> Result<Payload, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(24)?;
    let verdict = field.byte()?;
    field.skip(18)?;
    Ok(Payload::Late(serial, verdict == 1))
}

fn unmatched(field: &mut Fields<'_>) -> Result<Unmatched, PayloadFault> {
    let at = field.number(6)?;
    let link = field.number(4)? as u32;
    field.skip(2)?;
    let (stan, transmission) = (field.number(3)? as u32, field.number(4)? as u32);
    let approves = field.byte()? == 1;
    field.skip(6)?;
    let amount = field.number(6)?;
    field.text()?;
    Ok(Unmatched { at, link, stan, transmission, approves, amount })
}

fn day(field: &mut Fields<'_>) -> Result<Payload, PayloadFault> {
    let at = field.number(6)?;
    Ok(Payload::Day(at, field.number(4)? as u32, field.number(2)? as u16))
}

fn config(field: &mut Fields<'_>) -> Result<Vec<Name>, PayloadFault> {
    field.skip(6)?;
    if field.number(2)? != u64::from(FORMAT) {
        return Err(field.fault("another payload format"));
    }
    field.skip(12)?;
    let text = field.rest()?;
    text.lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let (of, number, name) = (words.next()?, words.next()?, words.next()?);
            let number = u32::from_str_radix(number, 16).ok()?;
            Some(Name { of: of.to_owned(), number, name: name.to_owned() })
        })
        .collect::<Option<_>>()
        .ok_or_else(|| field.fault("a line that is no name"))
}

fn audit(field: &mut Fields<'_>) -> Result<String, PayloadFault> {
    field.skip(6)?;
    field.rest()
}

fn linked(field: &mut Fields<'_>) -> Result<Linked, PayloadFault> {
    let original = field.number(8)?;
    field.skip(24)?;
    let (flags, standing) = (field.byte()?, field.byte()?);
    field.skip(18)?;
    let (operation, taken) = (field.number(8)?, field.number(6)?);
    let charges = field.byte()?;
    field.skip(usize::from(charges) * 24)?;
    field.advised(flags & 8 != 0)?;
    Ok(Linked {
        original,
        taken_back: flags & 1 != 0,
        voided: standing & 1 != 0,
        completed: standing & 2 != 0,
        operation,
        taken,
    })
}

fn parked(field: &mut Fields<'_>) -> Result<Payload, PayloadFault> {
    let serial = serial_then(field, 24)?;
    let answers = field.byte()?;
    field.skip(11)?;
    Ok(Payload::Parked(serial, answers & 0x80 != 0))
}

fn serial_then(field: &mut Fields<'_>, rest: usize) -> Result<u64, PayloadFault> {
    let serial = field.number(8)?;
    field.skip(rest)?;
    Ok(serial)
}
