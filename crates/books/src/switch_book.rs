//! The switch's own book: its journal's records folded into one entry per transaction, with totals.
//!
//! Never corrects what it reads: a record that does not follow from the ones before is a finding. Guards: one final
//! outcome per INTENT; a reversal once owed stays owed until its ACK.

mod follow;

use crate::batch::{BatchBook, BatchKey};
use crate::journal;
use crate::record::{Advised, Intent, Linked, Payload, PayloadFault, Refused, state};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What the journal says happened.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SwitchBook {
    /// By serial.
    pub transactions: BTreeMap<u64, Entry>,
    /// Declined before an INTENT, by cause number; none of these reached an issuer.
    pub refused: BTreeMap<u8, u64>,
    /// Originals of reversals that are still looked for, by serial of the reversal.
    pub searching: Vec<u64>,
    /// Tombstones set.
    pub tombstones: u64,
    /// Answers that matched nothing, and how many of them approved.
    pub unmatched: Unmatched,
    /// Business day per calendar, days since 2000-01-01 plus one.
    pub days: BTreeMap<String, u16>,
    /// What does not follow from what came before.
    pub findings: Vec<String>,
    /// Which transactions each batch has.
    #[serde(skip)]
    pub(crate) by_batch: BTreeMap<BatchKey, Vec<u64>>,
    /// Settlements and uploads.
    #[serde(skip)]
    pub batches: BTreeMap<BatchKey, BatchBook>,
    /// Standing operations and their originals, by serial.
    #[serde(skip)]
    operations: BTreeMap<u64, u64>,
    /// When each calendar's days began, milliseconds since 1970-01-01 UTC.
    #[serde(skip)]
    turns: BTreeMap<String, BTreeMap<u64, u16>>,
    /// By which calendar an issuer's transactions are dated.
    #[serde(skip)]
    calendars: BTreeMap<String, String>,
    #[serde(skip)]
    names: BTreeMap<u32, String>,
}

/// Why a journal cannot be folded into a book.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The journal itself.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// A payload.
    #[error("record at {position:012x}")]
    Payload {
        /// Its position in the log.
        position: u64,
        /// What is wrong with it.
        #[source]
        fault: PayloadFault,
    },
}

/// Answers to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Unmatched {
    /// All.
    pub count: u64,
    /// Approving ones: each is an alarm.
    pub approving: u64,
}

/// One transaction that had an INTENT.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Entry {
    /// Number for ever, as `epoch-shard-counter`.
    pub serial: String,
    /// DE 32 or the listener's acquirer.
    pub acquirer: String,
    /// DE 41 without padding.
    pub terminal: String,
    /// DE 42 without padding.
    pub merchant: String,
    /// Batch number, 0 if none.
    pub batch: u32,
    /// The terminal's STAN.
    pub stan: u32,
    /// DE 13 as MMDD, 0 if absent.
    pub local_date: u16,
    /// DE 12 as hhmmss.
    pub local_time: Option<u32>,
    /// Our DE 37.
    pub rrn: String,
    /// DE 37 as the terminal sent it.
    pub terminal_rrn: Option<String>,
    /// Type of transaction, by its number in the page of records.
    pub kind: u8,
    /// Whether it takes money from a cardholder (a balance does not).
    pub debits: bool,
    /// Not a domestic card.
    pub foreign: bool,
    /// Whether it gives money back: a void, a cancellation, a refund.
    pub credits: bool,
    /// A void or cancellation of it was approved.
    pub voided: bool,
    /// A completion took the place of its hold.
    pub completed: bool,
    /// What approved refunds or completions took of it, minor units.
    pub taken: i64,
    /// Asked for, minor units.
    pub amount: i64,
    /// Approved, where it differs.
    pub approved_amount: Option<i64>,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// How it stands.
    pub state: State,
    /// Issuer's name.
    pub issuer: String,
    /// Link's name.
    pub link: String,
    /// Our STAN on the link.
    pub link_stan: u32,
    /// Our DE 7 on the link, MMDDhhmmss.
    pub link_transmission: u32,
    /// Business day of the issuer's calendar: of its INTENT, whatever comes later.
    pub issuer_day: u16,
    /// The issuer's calendar.
    pub issuer_calendar: String,
    /// The operation on it that was taken back last, if none has followed.
    pub taken_back_by: Option<u64>,
    /// Business day of that calendar, or the one the issuer has begun itself, on which its reversal fell due: where a late reversal posts.
    pub reversed_on: Option<u16>,
    /// When the INTENT was written, milliseconds since 1970-01-01 UTC.
    pub at: u64,
    /// Our own reason, by its number.
    pub cause: Option<u8>,
    /// The issuer's DE 39.
    pub code: Option<String>,
    /// DE 38.
    pub approval_code: Option<String>,
    /// Why it was reversed, by its number in the page of records.
    pub reversal_reason: Option<u8>,
    /// The issuer was seen to approve, in time or late.
    pub approval_seen: bool,
    /// The reply found a dead connection at least once.
    pub undelivered: bool,
    /// It has its OUTCOME.
    #[serde(skip)]
    settled: bool,
    /// Approved with a lower amount than before, and the issuer has not acknowledged that.
    pub part_owed: bool,
    /// Approved here, and a reversal of the request went before the advice, or will.
    pub undone: bool,
    /// The issuer refused the advice: what was approved is a loss.
    pub refused: bool,
    /// It neither took nor refused the advice, so often that it waits for its next sign-on or for people.
    pub parked: bool,
    /// The number of the advice that told the issuer of it, or will.
    pub advised: Option<Advised>,
}

/// How a transaction stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No outcome.
    Open,
    /// Approved.
    Approved,
    /// Declined: nothing happened.
    Declined,
    /// A reversal is owed.
    Reversing,
    /// The reversal was acknowledged.
    Reversed,
    /// Approved here; the issuer has not said.
    StandIn,
    /// The issuer refused the reversal.
    Quarantined,
}

/// Sums of one issuer, currency and business day, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Total {
    /// Approved and not reversed.
    pub approved: i64,
    /// How many.
    pub approved_count: u64,
    /// Declined count (those with an INTENT).
    pub declined_count: u64,
    /// Reversed and acknowledged.
    pub reversed: i64,
    /// How many.
    pub reversed_count: u64,
    /// Reversals owed.
    pub owed: i64,
    /// How many.
    pub owed_count: u64,
    /// Reversals that fell due on this day, of whatever day their originals are.
    pub posted: i64,
    /// How many.
    pub posted_count: u64,
}

/// What totals are kept by: issuer, currency, business day of the issuer's calendar.
pub type TotalKey = (String, u16, u16);

impl SwitchBook {
    /// Folds all records in; `records` yields kind and payload in log order.
    /// # Errors
    /// The first [`PayloadFault`].
    pub fn fold<'a>(records: impl IntoIterator<Item = (u8, &'a [u8])>) -> Result<Self, PayloadFault> {
        let mut book = Self::default();
        for (kind, payload) in records {
            book.apply(kind, payload)?;
        }
        Ok(book)
    }

    /// Reads the journal in `dir`. A torn tail ends it: nobody was answered on what is behind.
    /// # Errors
    /// [`ReadFault`] if the journal is damaged or a payload is not what the page says.
    pub fn of_journal(dir: &Path) -> Result<Self, ReadFault> {
        let mut book = Self::default();
        for record in journal::records(dir)? {
            match record {
                Ok(record) => book
                    .apply(record.kind, &record.payload)
                    .map_err(|fault| ReadFault::Payload { position: record.lsn, fault })?,
                Err(journal::Fault::Unsound { .. }) if journal::verify(dir)?.damage.is_none() => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(book)
    }

    /// Takes one more record in, in log order.
    /// # Errors
    /// [`PayloadFault`] if its payload is not what the page says; then the book is as it was.
    pub fn apply(&mut self, kind: u8, payload: &[u8]) -> Result<(), PayloadFault> {
        match Payload::read(kind, payload)? {
            Payload::Intent(intent) => self.begin(&intent),
            Payload::Outcome(outcome) => {
                // A full disk may have refused it while its OBLIGATION, written later, found room.
                let behind = outcome.state == state::REVERSING
                    && self.transactions.get(&outcome.serial).is_some_and(|entry| !entry.settled);
                let from = if behind { &[State::Open, State::Reversing][..] } else { &[State::Open] };
                let entry = self.follow(outcome.serial, "OUTCOME", from, outcome.state);
                let Some(entry) = entry else { return Ok(()) };
                entry.settled = true;
                (entry.cause, entry.code) = (outcome.cause, outcome.code);
                (entry.approval_code, entry.reversal_reason) = (outcome.approval_code, outcome.reason);
                entry.approved_amount = outcome.approved_amount.map(money);
                entry.undone = outcome.state == state::STAND_IN && outcome.reason.is_some();
                entry.advised = outcome.advised;
                entry.approval_seen |= outcome.approval_seen || outcome.state == state::APPROVED;
            }
            Payload::Owed(owed) => {
                self.searching.retain(|search| *search != owed.search);
                let (from, to) = match owed.stays {
                    Some(_) => (STANDS, state::APPROVED),
                    None if owed.request_only => (STOOD_IN, state::STAND_IN),
                    None => (ANY, state::REVERSING),
                };
                let Some(entry) = self.follow(owed.serial, "OBLIGATION", from, to) else { return Ok(()) };
                entry.approval_seen |= owed.approval_seen;
                entry.undone |= owed.request_only;
                // Reversed once more for what the issuer said later: why it does not stand is as before.
                let again = owed.reason == CONTRADICTED && entry.reversal_reason.is_some();
                if !owed.request_only && !again {
                    entry.reversal_reason = Some(owed.reason);
                }
                entry.advised = entry.advised.or(owed.advised);
                (entry.part_owed, entry.parked) = (owed.stays.is_some(), false);
                if let Some(stays) = owed.stays {
                    entry.approved_amount = Some(money(stays));
                }
            }
            Payload::Ack(ack) => {
                let part = self.transactions.get(&ack.serial).is_some_and(|entry| entry.part_owed);
                let from = match ack.state {
                    _ if part => STANDS,
                    // The reversal that goes before the advice, or the advice.
                    state::STAND_IN | state::APPROVED => STOOD_IN,
                    _ => OWED,
                };
                let stood_in =
                    self.transactions.get(&ack.serial).is_some_and(|it| it.state == State::StandIn);
                if let Some(entry) = self.follow(ack.serial, "ACK", from, ack.state) {
                    (entry.part_owed, entry.parked) = (false, false);
                    if stood_in && ack.state == state::REVERSED {
                        // Taken back before the issuer was told: no OBLIGATION says why.
                        entry.reversal_reason = Some(if entry.undelivered { UNDELIVERED } else { ASKED });
                    }
                    entry.refused |= ack.refused;
                    entry.advised = entry.advised.or(ack.advised);
                }
            }
            Payload::Parked(serial, false) => drop(self.follow(serial, "PARKED", OWED, state::QUARANTINED)),
            Payload::Parked(serial, true) => {
                // On a full disk it may come behind the ACK.
                let from = &[State::StandIn, State::Approved];
                let stays =
                    self.transactions.get(&serial).map_or(state::STAND_IN, |entry| match entry.state {
                        State::Approved => state::APPROVED,
                        _ => state::STAND_IN,
                    });
                if let Some(entry) = self.follow(serial, "PARKED", from, stays) {
                    entry.parked = entry.state == State::StandIn;
                }
            }
            Payload::Late(serial, approves) => {
                if let Some(entry) = self.transactions.get_mut(&serial) {
                    entry.approval_seen |= approves;
                }
            }
            Payload::Undelivered(serial) => {
                if let Some(entry) = self.transactions.get_mut(&serial) {
                    entry.undelivered = true;
                }
            }
            Payload::Search(serial) => self.searching.push(serial),
            Payload::Tombstone(serial) => {
                self.tombstones += 1;
                self.searching.retain(|search| *search != serial);
            }
            Payload::Refused(refused) => self.refuse(&refused),
            Payload::Unmatched(unmatched) => {
                self.unmatched.count += 1;
                self.unmatched.approving += u64::from(unmatched.approves);
            }
            Payload::Day(at, calendar, day) => self.turn(at, calendar, day),
            Payload::Config(names) => {
                self.names.extend(names.into_iter().map(|name| (name.number, name.name)));
            }
            Payload::Linked(linked) => self.link(&linked),
            Payload::Batch(batch) => self.batch(*batch),
            Payload::Audit(_) => {}
            Payload::Unknown(kind) => self.findings.push(format!("record of unknown kind {kind}")),
        }
        Ok(())
    }

    /// Transactions with a reversal or an advice that the issuer has not acknowledged.
    pub fn owed(&self) -> impl Iterator<Item = &Entry> {
        let owes = |entry: &&Entry| matches!(entry.state, State::Reversing | State::StandIn);
        self.transactions.values().filter(move |entry| owes(entry) || entry.part_owed)
    }

    /// Transactions without an outcome.
    pub fn open(&self) -> impl Iterator<Item = &Entry> {
        self.transactions.values().filter(|entry| entry.state == State::Open)
    }

    /// Sums per issuer, currency and business day; only of what debits.
    pub fn totals(&self) -> BTreeMap<TotalKey, Total> {
        let mut totals: BTreeMap<TotalKey, Total> = BTreeMap::new();
        for entry in self.transactions.values().filter(|entry| entry.debits) {
            let key = |day| (entry.issuer.clone(), entry.currency, day);
            totals.entry(key(entry.issuer_day)).or_default().add(entry);
            if let Some(day) = entry.reversed_on {
                let total = totals.entry(key(day)).or_default();
                total.posted += entry.final_amount();
                total.posted_count += 1;
            }
        }
        totals
    }
}

impl Entry {
    /// What it moved if it stands approved, minor units.
    pub fn final_amount(&self) -> i64 {
        self.approved_amount.unwrap_or(self.amount)
    }

    /// What it did to its cardholder if it stands: money taken is positive, given back negative. A hold that a completion
    /// replaced is nothing any more.
    pub fn net(&self) -> i64 {
        match (self.stands(), self.debits, self.credits) {
            (true, true, _) if !self.completed => self.final_amount(),
            (true, _, true) => -self.final_amount(),
            _ => 0,
        }
    }

    /// Business day of its issuer.
    pub fn day(&self) -> Option<u16> {
        Some(self.issuer_day).filter(|day| *day != 0)
    }

    /// Whether it is of this day; of any day where none is asked for.
    pub fn is_of(&self, day: Option<u16>) -> bool {
        day.is_none_or(|day| self.issuer_day == day)
    }

    /// Whether it moves money, one way or the other.
    pub fn moves(&self) -> bool {
        self.debits || self.credits
    }

    /// Whether the journal says that the money moved and stays moved.
    pub fn stands(&self) -> bool {
        matches!(self.state, State::Approved | State::StandIn)
    }
}

impl Total {
    fn add(&mut self, entry: &Entry) {
        match entry.state {
            State::Approved | State::StandIn => {
                self.approved += entry.final_amount();
                self.approved_count += 1;
            }
            State::Declined => self.declined_count += 1,
            State::Reversed => {
                self.reversed += entry.final_amount();
                self.reversed_count += 1;
            }
            State::Reversing | State::Quarantined => {
                self.owed += entry.final_amount();
                self.owed_count += 1;
            }
            State::Open => {}
        }
    }
}

fn state_of(number: u8) -> State {
    match number {
        state::APPROVED => State::Approved,
        state::DECLINED => State::Declined,
        state::REVERSING => State::Reversing,
        state::REVERSED => State::Reversed,
        state::STAND_IN => State::StandIn,
        state::QUARANTINED => State::Quarantined,
        _ => State::Open,
    }
}

fn serial_text(serial: u64) -> String {
    format!("{}-{}-{}", serial >> 48, serial >> 42 & 63, serial & ((1 << 42) - 1))
}

/// A field of six bytes always fits.
fn money(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// Purchase void, pre-authorization's cancellation, completion's void, refund.
const CREDITS: [u8; 4] = [1, 3, 5, 7];
/// Operations on the whole of their original.
const WHOLE: [u8; 3] = [1, 3, 5];
/// Purchase, pre-authorization, completion, completion advice, offline sale.
const DEBITS: [u8; 5] = [0, 2, 4, 6, 9];
/// Reversal reasons of the page.
const ASKED: u8 = 0;
const CONTRADICTED: u8 = 6;
const UNDELIVERED: u8 = 3;
const STANDS: &[State] = &[State::Approved];
const OWED: &[State] = &[State::Reversing, State::Quarantined, State::StandIn];
const STOOD_IN: &[State] = &[State::StandIn];
const ANY: &[State] = &[
    State::Open,
    State::Approved,
    State::Declined,
    State::Reversing,
    State::Reversed,
    State::StandIn,
    State::Quarantined,
];
