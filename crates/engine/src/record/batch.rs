//! BATCH: what a terminal said at the end of its batch and what we answered, and what was taken off a batch's totals.
//!
//! Never holds a card number: an upload's lines are kept by STAN. Guards: totals follow from INTENT, OUTCOME and these
//! records alone, so that a restart and a second reader count the same.

use super::wire::{Pen, Reading};
use super::{BATCH, Damaged, Record, Serial};
use journal::Kind;
use terms::batch::{BatchSide, BatchTotals, Side, Totals, UPLOAD_LINES_MAX, UploadLine};
use terms::{BusinessDay, Minor, Text};

/// Whose batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    /// DE 32 or the listener's acquirer.
    pub acquirer: Text<11>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
}

/// How a comparison of totals came out, as DE 48 says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Compared {
    /// The terminal's totals are ours.
    Equal = 1,
    /// They are not: an upload is to explain it.
    Different = 2,
    /// They could not be compared.
    Failed = 3,
}

/// What was said or done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchWhat {
    /// 0500.
    Settled {
        /// Whose.
        who: Who,
        /// Domestic cards, then others.
        results: [Compared; 2],
        /// Business day of the acquirer's calendar.
        day: BusinessDay,
        /// What the terminal counted.
        theirs: BatchTotals,
        /// What we counted.
        ours: BatchTotals,
    },
    /// 0320 with lines.
    Lines {
        /// Whose.
        who: Who,
        /// The lines.
        lines: [UploadLine; UPLOAD_LINES_MAX],
        /// How many are filled.
        count: u8,
    },
    /// 0320 that ends an upload.
    End {
        /// Whose.
        who: Who,
        /// Lines the terminal says it sent.
        count: u32,
        /// It took the totals for equal (207 rather than 202).
        equal: bool,
    },
    /// An approved transaction was taken back: it no longer counts.
    Withdrawn {
        /// Not a domestic card.
        foreign: bool,
        /// Which side it was on.
        side: BatchSide,
        /// What it had added.
        amount: Minor,
        /// Which.
        serial: Serial,
    },
}

/// One BATCH.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// `Request::owner()` of the terminal.
    pub owner: u64,
    /// Batch number.
    pub batch: u32,
    /// What.
    pub what: BatchWhat,
}

const SETTLED: u8 = 1;
const LINES: u8 = 2;
const END: u8 = 3;
const WITHDRAWN: u8 = 4;
const BYTES_MAX: usize = 18 + 4 + 2 * 36 + 45;

impl Record for Batch {
    const KIND: Kind = BATCH;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<BYTES_MAX>::new();
        pen.wall(self.wall_ms);
        pen.u64(self.owner);
        pen.u24(self.batch);
        match &self.what {
            BatchWhat::Settled { who, results, day, theirs, ours } => {
                pen.array([SETTLED, results[0] as u8, results[1] as u8]);
                pen.u16(day.0);
                write_totals(theirs, &mut pen);
                write_totals(ours, &mut pen);
                write_who(who, &mut pen);
            }
            BatchWhat::Lines { who, lines, count } => {
                pen.array([LINES, *count]);
                for line in &lines[..usize::from(*count)] {
                    pen.u24(line.stan);
                    pen.amount(line.amount);
                }
                write_who(who, &mut pen);
            }
            BatchWhat::End { who, count, equal } => {
                pen.u8(END);
                pen.u24(*count);
                pen.u8(u8::from(*equal));
                write_who(who, &mut pen);
            }
            BatchWhat::Withdrawn { foreign, side, amount, serial } => {
                pen.array([WITHDRAWN, u8::from(*foreign), *side as u8]);
                pen.amount(*amount);
                pen.u64(serial.0);
            }
        }
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(BATCH, payload);
        let (wall_ms, owner, batch) = (reading.wall()?, reading.u64()?, reading.u24()?);
        let what = match reading.u8()? {
            SETTLED => read_settled(&mut reading)?,
            LINES => read_lines(&mut reading)?,
            END => {
                let (count, equal) = (reading.u24()?, read_bool(&mut reading)?);
                BatchWhat::End { who: read_who(&mut reading)?, count, equal }
            }
            WITHDRAWN => BatchWhat::Withdrawn {
                foreign: read_bool(&mut reading)?,
                side: read_side(&mut reading)?,
                amount: reading.amount()?,
                serial: Serial(reading.u64()?),
            },
            _ => return Err(reading.damaged("settled (1), lines (2), end (3) or withdrawn (4)")),
        };
        reading.end()?;
        Ok(Self { wall_ms, owner, batch, what })
    }
}

fn read_settled(reading: &mut Reading<'_>) -> Result<BatchWhat, Damaged> {
    let results = [read_compared(reading)?, read_compared(reading)?];
    let day = BusinessDay(reading.u16()?);
    let (theirs, ours) = (read_totals(reading)?, read_totals(reading)?);
    Ok(BatchWhat::Settled { who: read_who(reading)?, results, day, theirs, ours })
}

fn read_lines(reading: &mut Reading<'_>) -> Result<BatchWhat, Damaged> {
    let count = reading.u8()?;
    let mut lines = [UploadLine::default(); UPLOAD_LINES_MAX];
    for position in 0..usize::from(count) {
        let line = UploadLine { stan: reading.u24()?, amount: reading.amount()? };
        *reading.expect(lines.get_mut(position), "at most eight lines")? = line;
    }
    Ok(BatchWhat::Lines { who: read_who(reading)?, lines, count })
}

fn read_compared(reading: &mut Reading<'_>) -> Result<Compared, Damaged> {
    let all = [Compared::Equal, Compared::Different, Compared::Failed];
    let number = usize::from(reading.u8()?);
    let compared = number.checked_sub(1).and_then(|position| all.get(position)).copied();
    reading.expect(compared, "equal (1), different (2) or failed (3)")
}

fn read_side(reading: &mut Reading<'_>) -> Result<BatchSide, Damaged> {
    match reading.u8()? {
        0 => Ok(BatchSide::Debit),
        1 => Ok(BatchSide::Credit),
        _ => Err(reading.damaged("debit (0) or credit (1)")),
    }
}

fn read_bool(reading: &mut Reading<'_>) -> Result<bool, Damaged> {
    match reading.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reading.damaged("yes (1) or no (0)")),
    }
}

fn write_who<const N: usize>(who: &Who, pen: &mut Pen<N>) {
    pen.text(&who.acquirer);
    pen.text(&who.terminal);
    pen.text(&who.merchant);
}

fn read_who(reading: &mut Reading<'_>) -> Result<Who, Damaged> {
    Ok(Who { acquirer: reading.text()?, terminal: reading.text()?, merchant: reading.text()? })
}

fn write_totals<const N: usize>(totals: &BatchTotals, pen: &mut Pen<N>) {
    for side in totals.iter().flat_map(|totals| [totals.debits, totals.credits]) {
        pen.amount(side.amount);
        pen.u24(side.count & 0xFF_FFFF);
    }
}

fn read_totals(reading: &mut Reading<'_>) -> Result<BatchTotals, Damaged> {
    let mut totals = BatchTotals::default();
    for group in &mut totals {
        *group = Totals { debits: read_one(reading)?, credits: read_one(reading)? };
    }
    Ok(totals)
}

fn read_one(reading: &mut Reading<'_>) -> Result<Side, Damaged> {
    Ok(Side { amount: reading.amount()?, count: reading.u24()? })
}
