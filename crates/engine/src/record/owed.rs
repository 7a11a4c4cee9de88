//! OBLIGATION and ACK: what is owed to an issuer outside of an OUTCOME, and that it was paid.
//! Never needs another record to be understood by a replay: the charges to give back stand in the OBLIGATION itself,
//! because the INTENT of a settled transaction may lie segments behind.
//! Guards: an original that nobody could rule out is still owed an answer after a restart.

use super::advised::{ADVISED_BYTES, Advised, read_advised, write_advised};
use super::intent::{read_currency, read_original, read_stan, write_original};
use super::outcome::{Told, read_reason, write_reason};
use super::wire::{Pen, Reading, flag};
use super::{ACK, Damaged, OBLIGATION, Record, Serial};
use crate::State;
use crate::effect::ReversalReason;
use journal::{Kind, Lsn};
use limits::{Charge, LimitKey};
use terms::{
    ApprovalCode, BusinessDay, CardToken, Check, Currency, Minor, OriginalRef, ResponseCode, SlotKey, Stan,
    Text,
};

/// Up to four charges: what an acknowledged reversal gives back. Empty where nothing is held (any more).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charges {
    slots: [Option<Charge>; 4],
}

impl Charges {
    /// Nothing is held.
    pub const NONE: Self = Self { slots: [None; 4] };

    /// The charges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Charge> + '_ {
        self.slots.iter().flatten().copied()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.slots[0].is_none()
    }
}

impl FromIterator<Charge> for Charges {
    /// # Panics
    /// On a fifth charge: there are four scopes.
    fn from_iter<I: IntoIterator<Item = Charge>>(charges: I) -> Self {
        let mut all = Self::NONE;
        for (position, charge) in charges.into_iter().enumerate() {
            all.slots[position] = Some(charge);
        }
        all
    }
}

/// What is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsettled {
    /// A reversal, of the whole or of a part, of a transaction whose INTENT is known.
    Reverse {
        /// Position of the INTENT.
        intent_lsn: Lsn,
        /// Why.
        reason: ReversalReason,
        /// DE 39 of the terminal's 0400.
        terminal_reason: Option<ResponseCode>,
        /// What the terminal was first told about the original.
        told: Told,
        /// The issuer approved it once: its 25 or 12 is no end.
        approval_seen: bool,
        /// What its acknowledgement releases.
        charges: Charges,
        /// Where only a part is reversed (DE 95): how much. Its acknowledgement then gives back that share of the charges.
        part: Option<Part>,
        /// `stable_id` of the issuer.
        issuer: u32,
        /// `Request::owner()` of its terminal: which shard owes it.
        owner: u64,
        /// Token of the card: what is owed of one card goes out in order.
        token: CardToken,
        /// The look-up that found it; [`Serial::NONE`] if there was none.
        resolves: Serial,
        /// The issuer knows it by this advice, or is about to.
        advised: Option<Advised>,
        /// The advice may be under way and is not acknowledged: it comes first.
        advice_first: bool,
        /// It may be out already, for this reason: repeats say the same.
        first_reason: Option<ReversalReason>,
        /// Only the request is reversed, before its advice goes: the transaction stands approved here.
        request_only: bool,
    },
    /// An original that memory could not rule out: look it up in the archive, then reverse it or set a tombstone.
    Resolve(Resolve),
}

/// A reversal of a part: the transaction stays approved with the lower amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// The amount that stood before.
    pub before: Minor,
    /// The amount that stays.
    pub stays: Minor,
}

impl Part {
    /// What of `charge` is still held for the amount that stays; rounded up, so that a counter never under-counts.
    pub fn keeps(self, charge: Charge) -> Charge {
        if self.before <= 0 {
            return charge;
        }
        let (held, stays, before) =
            (i128::from(charge.amount), i128::from(self.stays.min(self.before)), i128::from(self.before));
        Charge { amount: ((held * stays + before - 1) / before) as Minor, ..charge }
    }

    /// What of `charge` goes back.
    pub fn gives_back(self, charge: Charge) -> Charge {
        Charge { amount: charge.amount - self.keeps(charge).amount, ..charge }
    }
}

/// A terminal's reversal whose original was not found and not ruled out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolve {
    /// Which original is meant.
    pub original: OriginalRef,
    /// DE 39 of the 0400.
    pub terminal_reason: Option<ResponseCode>,
    /// DE 4 of the 0400.
    pub amount: Minor,
    /// DE 49 of the 0400.
    pub currency: Currency,
    /// DE 11 of the 0400.
    pub stan: Stan,
    /// Batch number of the 0400.
    pub batch: u32,
    /// DE 32 or the listener's acquirer.
    pub acquirer: Text<11>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
}

impl Resolve {
    /// As `Request::owner`: which shard looks it up.
    pub fn owner(&self) -> u64 {
        let mut hasher = terms::KeyHasher::new(0x0E);
        hasher.part(self.acquirer.trimmed());
        hasher.part(self.terminal.trimmed());
        hasher.part(self.merchant.trimmed());
        hasher.finish()
    }
}

/// One OBLIGATION.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obligation {
    /// Of the transaction to reverse; of the 0400 itself while its original is looked for.
    pub serial: Serial,
    /// Where that transaction lives; for a look-up, where the original would.
    pub slot: SlotKey,
    /// Its repeat check; for a look-up, the 0400's own key.
    pub repeat: Check,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// What is owed.
    pub owed: Unsettled,
}

const OBLIGATION_BYTES_MAX: usize = 28 + 6 + 1 + 5 + 6 + 1 + 8 + 28 + 12 + 1 + 4 * 24 + ADVISED_BYTES + 1;
const APPROVAL_SEEN: u8 = 1;
const ADVICE_FIRST: u8 = 2;
const HAS_ADVISED: u8 = 4;
const HAS_FIRST: u8 = 8;
const REVERSE: u8 = 1;
const RESOLVE: u8 = 2;
const REVERSE_PART: u8 = 3;
const REVERSE_REQUEST: u8 = 4;
/// Where it says which of the three.
const WHAT: usize = 26;

/// Whether the payload is of an OBLIGATION to look for an original.
pub(super) fn looks_for(payload: &[u8]) -> bool {
    payload.get(WHAT) == Some(&RESOLVE)
}

impl Record for Obligation {
    const KIND: Kind = OBLIGATION;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<OBLIGATION_BYTES_MAX>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.wall(self.wall_ms);
        match &self.owed {
            Unsettled::Reverse { .. } => write_reverse(&self.owed, &mut pen),
            Unsettled::Resolve(resolve) => write_resolve(resolve, &mut pen),
        }
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(OBLIGATION, payload);
        let serial = Serial(reading.u64()?);
        let (slot, repeat) = (SlotKey(reading.u64()?), Check(reading.u32()?));
        let wall_ms = reading.wall()?;
        let owed = match reading.u8()? {
            what @ (REVERSE | REVERSE_PART | REVERSE_REQUEST) => read_reverse(&mut reading, what)?,
            RESOLVE => Unsettled::Resolve(read_resolve(&mut reading)?),
            _ => {
                return Err(
                    reading.damaged("reverse (1), resolve (2), reverse in part (3) or the request alone (4)")
                );
            }
        };
        reading.end()?;
        Ok(Self { serial, slot, repeat, wall_ms, owed })
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        match self.owed {
            Unsettled::Reverse { intent_lsn, .. } => Some(intent_lsn),
            Unsettled::Resolve(_) => None,
        }
    }
}

fn write_reverse<const N: usize>(owed: &Unsettled, pen: &mut Pen<N>) {
    let Unsettled::Reverse {
        intent_lsn,
        reason,
        terminal_reason,
        told,
        approval_seen,
        charges,
        part,
        issuer,
        owner,
        token,
        resolves,
        advised,
        advice_first,
        first_reason,
        request_only,
    } = owed
    else {
        return;
    };
    pen.u8(match part {
        Some(_) => REVERSE_PART,
        None if *request_only => REVERSE_REQUEST,
        None => REVERSE,
    });
    pen.u8(flag(*approval_seen, APPROVAL_SEEN)
        | flag(*advice_first, ADVICE_FIRST)
        | flag(advised.is_some(), HAS_ADVISED)
        | flag(first_reason.is_some(), HAS_FIRST));
    pen.lsn(*intent_lsn);
    write_reason(Some(*reason), pen);
    pen.code(*terminal_reason);
    told.write(pen);
    pen.u64(resolves.0);
    pen.u32(*issuer);
    pen.u64(*owner);
    pen.array(token.0);
    let Part { before, stays } = part.unwrap_or_default();
    pen.amount(before);
    pen.amount(stays);
    write_charges(charges, pen);
    write_advised(*advised, pen);
    if first_reason.is_some() {
        write_reason(*first_reason, pen);
    }
}

/// Their count, then counter, day and amount of each.
pub(super) fn write_charges<const N: usize>(charges: &Charges, pen: &mut Pen<N>) {
    pen.u8(charges.iter().count() as u8);
    for charge in charges.iter() {
        pen.array(charge.key.0.to_le_bytes());
        pen.u16(charge.day.0);
        pen.amount(charge.amount);
    }
}

pub(super) fn read_charges(reading: &mut Reading<'_>) -> Result<Charges, Damaged> {
    let count = usize::from(reading.u8()?);
    let mut charges = Charges::NONE;
    for position in 0..count {
        let charge = Charge {
            key: LimitKey(u128::from_le_bytes(reading.array()?)),
            day: BusinessDay(reading.u16()?),
            amount: reading.amount()?,
        };
        let slot = charges.slots.get_mut(position);
        *reading.expect(slot, "at most four charges")? = Some(charge);
    }
    Ok(charges)
}

fn read_reverse(reading: &mut Reading<'_>, what: u8) -> Result<Unsettled, Damaged> {
    let flags = reading.u8()?;
    let intent_lsn = reading.lsn()?;
    let reason = read_reason(reading)?;
    let reason = reading.expect(reason, "a reversal reason")?;
    let terminal_reason = reading.code()?;
    let told = Told::read(reading)?;
    let resolves = Serial(reading.u64()?);
    let (issuer, owner, token) = (reading.u32()?, reading.u64()?, CardToken(reading.array()?));
    let part =
        Some(Part { before: reading.amount()?, stays: reading.amount()? }).filter(|_| what == REVERSE_PART);
    let charges = read_charges(reading)?;
    let advised = read_advised(reading, flags & HAS_ADVISED != 0)?;
    let first_reason = match flags & HAS_FIRST != 0 {
        true => {
            let reason = read_reason(reading)?;
            Some(reading.expect(reason, "a reversal reason")?)
        }
        false => None,
    };
    let known = flags & !(APPROVAL_SEEN | ADVICE_FIRST | HAS_ADVISED | HAS_FIRST) == 0;
    reading.expect(known.then_some(()), "no other flag")?;
    Ok(Unsettled::Reverse {
        intent_lsn,
        reason,
        terminal_reason,
        told,
        approval_seen: flags & APPROVAL_SEEN != 0,
        charges,
        part,
        issuer,
        owner,
        token,
        resolves,
        advised,
        advice_first: flags & ADVICE_FIRST != 0,
        first_reason,
        request_only: what == REVERSE_REQUEST,
    })
}

fn write_resolve<const N: usize>(resolve: &Resolve, pen: &mut Pen<N>) {
    pen.u8(RESOLVE);
    write_original(&resolve.original, pen);
    pen.code(resolve.terminal_reason);
    pen.amount(resolve.amount);
    pen.u16(resolve.currency.numeric());
    pen.u24(resolve.stan.get());
    pen.u24(resolve.batch);
    pen.text(&resolve.acquirer);
    pen.text(&resolve.terminal);
    pen.text(&resolve.merchant);
}

fn read_resolve(reading: &mut Reading<'_>) -> Result<Resolve, Damaged> {
    Ok(Resolve {
        original: read_original(reading)?,
        terminal_reason: reading.code()?,
        amount: reading.amount()?,
        currency: read_currency(reading)?,
        stan: read_stan(reading)?,
        batch: reading.u24()?,
        acquirer: reading.text()?,
        terminal: reading.text()?,
        merchant: reading.text()?,
    })
}

/// One ACK: nothing is owed to the issuer for this transaction any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
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
    /// Reversed; Approved for an advice or a reversal of a part; StipApproved where the advice is still to come.
    pub state: State,
    /// The issuer's DE 39.
    pub code: Option<ResponseCode>,
    /// What the terminal was first told about the original.
    pub told: Told,
    /// DE 38 of what stays approved.
    pub approval_code: Option<ApprovalCode>,
    /// What stays approved, where that is not the amount asked for.
    pub amount: Option<Minor>,
    /// The issuer refused the advice: what was approved here is a loss.
    pub refused: bool,
    /// The number of the advice by which the issuer knows it, or will.
    pub advised: Option<Advised>,
}

const HAS_APPROVAL_CODE: u8 = 1;
const HAS_AMOUNT: u8 = 2;
const REFUSED: u8 = 4;
const ACK_HAS_ADVISED: u8 = 8;

impl Record for Ack {
    const KIND: Kind = ACK;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<{ 57 + ADVISED_BYTES }>::new();
        pen.u64(self.serial.0);
        pen.u64(self.slot.0);
        pen.u32(self.repeat.0);
        pen.lsn(self.intent_lsn);
        pen.wall(self.wall_ms);
        pen.u8(self.state.number());
        pen.code(self.code);
        self.told.write(&mut pen);
        pen.u8(flag(self.approval_code.is_some(), HAS_APPROVAL_CODE)
            | flag(self.amount.is_some(), HAS_AMOUNT)
            | flag(self.refused, REFUSED)
            | flag(self.advised.is_some(), ACK_HAS_ADVISED));
        pen.array(self.approval_code.map_or([0; 6], |code| code.0));
        pen.amount(self.amount.unwrap_or(0));
        write_advised(self.advised, &mut pen);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(ACK, payload);
        let ack = Self {
            serial: Serial(reading.u64()?),
            slot: SlotKey(reading.u64()?),
            repeat: Check(reading.u32()?),
            intent_lsn: reading.lsn()?,
            wall_ms: reading.wall()?,
            state: {
                let state = State::from_number(reading.u8()?);
                reading.expect(state, "a state")?
            },
            code: reading.code()?,
            told: Told::read(&mut reading)?,
            approval_code: None,
            amount: None,
            refused: false,
            advised: None,
        };
        let flags = reading.u8()?;
        let (approval_code, amount) = (ApprovalCode(reading.array()?), reading.amount()?);
        let advised = read_advised(&mut reading, flags & ACK_HAS_ADVISED != 0)?;
        reading.end()?;
        let ack = Self { refused: flags & REFUSED != 0, advised, ..ack };
        let approval_code = (flags & HAS_APPROVAL_CODE != 0).then_some(approval_code);
        Ok(Self { approval_code, amount: (flags & HAS_AMOUNT != 0).then_some(amount), ..ack })
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.slot, self.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        Some(self.intent_lsn)
    }
}
