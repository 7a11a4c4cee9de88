//! Batches as the journal has them: totals that were compared, uploads, and what explains a difference.
//!
//! Never believes the switch's totals: they are added up again from its transactions. Guards: a difference is told by STAN.

use crate::record::{Fields, PayloadFault};
use crate::switch_book::{Entry, SwitchBook};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Acquirer, terminal, merchant, batch number.
pub type BatchKey = (String, String, String, u32);

/// Sums and counts of domestic debits and credits, then of all others.
pub type Totals = [(u64, u32); 4];

/// A BATCH record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Batch number.
    pub batch: u32,
    /// What it says.
    pub says: Says,
}

/// What a BATCH record says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the page describes each field")]
pub enum Says {
    Settled { who: [String; 3], results: [u8; 2], day: u16, theirs: Totals, ours: Totals },
    Lines { who: [String; 3], lines: Vec<(u32, u64)> },
    End { who: [String; 3], count: u32, equal: bool },
    Withdrawn { serial: u64 },
}

/// What is known of one batch beside its transactions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BatchBook {
    /// The last comparison: results for domestic cards and others (1 equal, 2 different, 3 not compared).
    pub results: Option<[u8; 2]>,
    /// Business day of the acquirer's calendar on which that was; 0 before any.
    pub day: u16,
    /// What the terminal counted then.
    pub theirs: Totals,
    /// What the switch said it had counted.
    pub ours: Totals,
    /// Lines of the upload that followed: STAN and amount. A line sent again counts once.
    pub lines: BTreeMap<u32, u64>,
    /// Lines the terminal says it sent, once the upload has ended.
    pub ended: Option<u32>,
    /// Whether it then took the totals for equal (207 rather than 202).
    pub ended_equal: bool,
}

/// One transaction that one side has and the other has not, or not with that amount.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct BatchDifference {
    /// The terminal's STAN.
    pub stan: u32,
    /// As uploaded, minor units.
    pub terminal: Option<u64>,
    /// As journaled and standing, minor units.
    pub journal: Option<u64>,
}

pub(crate) fn read(field: &mut Fields<'_>) -> Result<Batch, PayloadFault> {
    field.skip(14)?;
    let batch = field.number(3)? as u32;
    let says = match field.byte()? {
        1 => {
            let results = [field.byte()?, field.byte()?];
            let day = field.number(2)? as u16;
            let (theirs, ours) = (totals(field)?, totals(field)?);
            Says::Settled { who: who(field)?, results, day, theirs, ours }
        }
        2 => {
            let count = field.byte()?;
            let line = |field: &mut Fields<'_>| Ok((field.number(3)? as u32, field.number(6)?));
            let lines = (0..count).map(|_| line(field)).collect::<Result<_, PayloadFault>>()?;
            Says::Lines { who: who(field)?, lines }
        }
        3 => {
            let count = field.number(3)? as u32;
            let equal = field.byte()? == 1;
            Says::End { who: who(field)?, count, equal }
        }
        4 => {
            field.skip(8)?;
            Says::Withdrawn { serial: field.number(8)? }
        }
        _ => return Err(field.fault("neither settled, lines, end nor withdrawn")),
    };
    Ok(Batch { batch, says })
}

fn totals(field: &mut Fields<'_>) -> Result<Totals, PayloadFault> {
    let mut totals = Totals::default();
    for (amount, count) in &mut totals {
        (*amount, *count) = (field.number(6)?, field.number(3)? as u32);
    }
    Ok(totals)
}

fn who(field: &mut Fields<'_>) -> Result<[String; 3], PayloadFault> {
    Ok([field.text()?, field.text()?, field.text()?])
}

impl SwitchBook {
    pub(crate) fn batch(&mut self, batch: Batch) {
        let Batch { batch, says } = batch;
        let of = |[acquirer, terminal, merchant]: [String; 3]| (acquirer, terminal, merchant, batch);
        match says {
            Says::Settled { who, results, day, theirs, ours } => {
                let key = of(who);
                let counted = self.counted(&key);
                if results[0] != NOT_COMPARED && counted != ours {
                    let (_, terminal, ..) = &key;
                    self.findings
                        .push(format!("batch {batch} of {terminal}: {ours:?} told, {counted:?} stand"));
                }
                // What was uploaded before explains another comparison.
                let book = BatchBook { results: Some(results), day, theirs, ours, ..BatchBook::default() };
                self.batches.insert(key, book);
            }
            Says::Lines { who, lines } => self.batches.entry(of(who)).or_default().lines.extend(lines),
            Says::End { who, count, equal } => {
                let book = self.batches.entry(of(who)).or_default();
                (book.ended, book.ended_equal) = (Some(count), equal);
            }
            Says::Withdrawn { serial } => {
                if !self.transactions.contains_key(&serial) {
                    self.findings.push("BATCH withdraws what has no intent".to_owned());
                }
            }
        }
    }

    /// The totals of a batch, from its transactions.
    pub fn counted(&self, key: &BatchKey) -> Totals {
        let mut totals = Totals::default();
        for entry in self.of_batch(key).filter(|entry| entry.stands()) {
            let Some(credit) = side(entry.kind) else { continue };
            let (amount, count) = &mut totals[usize::from(entry.foreign) * 2 + usize::from(credit)];
            (*amount, *count) = (*amount + entry.final_amount().unsigned_abs(), *count + 1);
        }
        totals
    }

    /// Ends of uploads that contradict what was said before: whose batch, what, and on which day it was settled.
    pub fn batch_findings(&self) -> Vec<(String, String, Option<u16>)> {
        let named = |(acquirer, terminal, merchant, batch): &BatchKey| {
            format!("batch {batch:06} of {terminal} {merchant} ({acquirer})")
        };
        self.batches
            .iter()
            .flat_map(|(key, book)| book.contradictions().into_iter().map(move |what| (key, book, what)))
            .map(|(key, book, what)| (named(key), what, Some(book.day).filter(|day| *day != 0)))
            .collect()
    }

    /// What an upload explains: every STAN that is not the same on both sides.
    pub fn batch_differences(&self, key: &BatchKey) -> Vec<BatchDifference> {
        let Some(book) = self.batches.get(key) else { return Vec::new() };
        let terminal = &book.lines;
        let settled = |entry: &&Entry| entry.stands() && side(entry.kind).is_some();
        let journal: BTreeMap<u32, u64> = self
            .of_batch(key)
            .filter(settled)
            .map(|entry| (entry.stan, entry.final_amount().unsigned_abs()))
            .collect();
        let stans: BTreeSet<u32> = terminal.keys().chain(journal.keys()).copied().collect();
        stans
            .into_iter()
            .map(|stan| BatchDifference {
                stan,
                terminal: terminal.get(&stan).copied(),
                journal: journal.get(&stan).copied(),
            })
            .filter(|difference| difference.terminal != difference.journal)
            .collect()
    }

    pub(crate) fn of_batch<'a>(&'a self, key: &'a BatchKey) -> impl Iterator<Item = &'a Entry> {
        let serials = self.by_batch.get(key).into_iter().flatten();
        serials.filter_map(|serial| self.transactions.get(serial))
    }
}

impl BatchBook {
    /// Whether both groups of cards were compared and found equal; `None` where one was not compared.
    pub fn equal(&self) -> Option<bool> {
        let results = self.results.filter(|results| !results.contains(&NOT_COMPARED))?;
        Some(results.iter().all(|result| *result == EQUAL))
    }

    /// What its upload's end says that cannot be.
    pub fn contradictions(&self) -> Vec<String> {
        let Some(said) = self.ended else { return Vec::new() };
        let (came, mut odd) = (self.lines.len(), Vec::new());
        if said as usize != came {
            odd.push(format!("the terminal says it uploaded {said} lines, {came} came"));
        }
        match (self.ended_equal, self.equal()) {
            (true, Some(false)) => {
                odd.push("the upload ends as equal (207), the totals were different".into())
            }
            (false, Some(true)) => {
                odd.push("the upload ends as different (202), the totals were equal".into())
            }
            _ => {}
        }
        odd
    }
}

/// Whether a type of transaction is a debit (false) or a credit (true) of its batch; a hold is neither.
pub(crate) const fn side(kind: u8) -> Option<bool> {
    match kind {
        0 | 4 | 6 | 9 => Some(false),
        1 | 5 | 7 => Some(true),
        _ => None,
    }
}

const EQUAL: u8 = 1;
const NOT_COMPARED: u8 = 3;
