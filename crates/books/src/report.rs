//! Everything that is said about one business day, or about all: sums, totals, open items, batches.
//!
//! Never a second opinion: sums and items are the comparison's, totals the journal's. Guards: what is printed for people
//! and what machines read is the same value.

use crate::batch::{BatchKey, Totals, side};
use crate::compare::{Comparison, Disagreement, Next, OpenItem, Question, Sums};
use crate::switch_book::{State, SwitchBook, Total};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The answer to a [`Question`], as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// No disagreement, and the sums meet in every currency.
    pub agree: bool,
    /// The day asked for.
    pub day: Option<String>,
    /// Whether the terminals' book was there.
    pub with_terminals: bool,
    /// Transactions compared.
    pub transactions: u64,
    /// By business day, issuer and currency.
    pub lines: Vec<Line>,
    /// Of all lines together, by ISO 4217 numeric.
    pub sums: BTreeMap<u16, Sums>,
    /// Allowed differences.
    pub items: Vec<OpenItem>,
    /// Differences that must not be.
    pub disagreements: Vec<Disagreement>,
    /// Settled or uploaded batches, by terminal.
    pub batches: Vec<BatchLine>,
}

/// One issuer, currency and business day.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Line {
    /// Business day of the issuer; none for what cannot be told.
    pub day: Option<String>,
    /// Issuer's name; none for what the journal does not have.
    pub issuer: Option<String>,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// The books side by side.
    #[serde(flatten)]
    pub sums: Sums,
    /// What the journal counts.
    pub total: Total,
}

/// One batch as its terminal and the journal have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BatchLine {
    /// DE 32 or the listener's acquirer.
    pub acquirer: String,
    /// DE 41.
    pub terminal: String,
    /// DE 42.
    pub merchant: String,
    /// Batch number.
    pub batch: u32,
    /// Business day of the acquirer on which it was settled.
    pub day: Option<String>,
    /// `equal`, `different`, `not compared`; none before a settlement.
    pub totals: Option<&'static str>,
    /// What the terminal counted: debits and credits of domestic cards, then of others; amount and count.
    pub theirs: Totals,
    /// What the journal counts, the same way.
    pub ours: Totals,
    /// Lines that came.
    pub uploaded: u64,
    /// Lines the terminal says it sent; none before the upload's end.
    pub ended: Option<u32>,
    /// What explains a difference, by STAN.
    pub differences: Vec<Explained>,
    /// Whose move it is, where the totals differ.
    pub next: Option<Next>,
}

/// One transaction that makes a batch differ.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// The terminal's STAN.
    pub stan: u32,
    /// Our DE 37, where the journal has the transaction.
    pub rrn: Option<String>,
    /// As uploaded, minor units.
    pub terminal: Option<u64>,
    /// As journaled and standing, minor units.
    pub journal: Option<u64>,
    /// Why they differ.
    pub cause: String,
}

impl Report {
    /// Compares and lists.
    pub fn of(question: &Question<'_>) -> Self {
        let Comparison { agree, sums, accounts, items, disagreements, transactions } = question.answer();
        let day = question.day;
        let mut lines: BTreeMap<_, Line> = BTreeMap::new();
        for (account, sums) in accounts {
            let key = (account.day, account.issuer.clone(), account.currency);
            lines.insert(key, Line { sums, ..Line::default() });
        }
        for ((issuer, currency, of), total) in question.switch.totals() {
            if day.is_none_or(|day| day == of) {
                let key = (Some(of).filter(|day| *day != 0), Some(issuer), currency);
                lines.entry(key).or_default().total = total;
            }
        }
        let named = |((day, issuer, currency), line): (_, Line)| Line {
            day: Option::map(day, crate::day::text),
            issuer,
            currency,
            ..line
        };
        Self {
            agree,
            day: day.map(crate::day::text),
            with_terminals: question.terminals.is_some(),
            transactions,
            lines: lines.into_iter().map(named).collect(),
            sums,
            items,
            disagreements,
            batches: batches(question.switch, day),
        }
    }
}

impl SwitchBook {
    /// Business days on which anything began, of any issuer.
    pub fn days_traded(&self) -> BTreeSet<u16> {
        self.transactions.values().filter_map(|entry| entry.day()).collect()
    }
}

fn batches(switch: &SwitchBook, day: Option<u16>) -> Vec<BatchLine> {
    let is_of = |of: u16| of == 0 || day.is_none_or(|day| day == of);
    let shown = switch.batches.iter().filter(|(_, book)| is_of(book.day));
    shown.map(|(key, _)| batch(switch, key)).collect()
}

fn batch(switch: &SwitchBook, key: &BatchKey) -> BatchLine {
    let book = &switch.batches[key];
    let (acquirer, terminal, merchant, batch) = key.clone();
    let equal = book.equal();
    let differs = equal == Some(false) || book.ended.is_some() && !book.ended_equal;
    // Before any line has come, every transaction would be "not uploaded".
    let explain = book.ended.is_some() || !book.lines.is_empty();
    let differences = if explain { switch.batch_differences(key) } else { Vec::new() };
    BatchLine {
        acquirer,
        terminal,
        merchant,
        batch,
        day: Some(book.day).filter(|day| *day != 0).map(crate::day::text),
        totals: book.results.map(|_| match equal {
            Some(true) => "equal",
            Some(false) => "different",
            None => "not compared",
        }),
        theirs: book.theirs,
        ours: switch.counted(key),
        uploaded: book.lines.len() as u64,
        ended: book.ended,
        next: (differs || !differences.is_empty()).then_some(match (book.ended, differences.is_empty()) {
            (None, _) => WAIT,
            (Some(_), true) => COUNTED,
            (Some(_), false) => POST,
        }),
        differences: differences
            .into_iter()
            .map(|one| {
                let rrn = switch.of_batch(key).find(|entry| entry.stan == one.stan).map(|it| it.rrn.clone());
                let cause = cause(switch, key, one.stan, one.terminal, one.journal);
                Explained { stan: one.stan, rrn, terminal: one.terminal, journal: one.journal, cause }
            })
            .collect(),
    }
}

/// Why one STAN of a batch is not the same on both sides.
fn cause(
    switch: &SwitchBook,
    key: &BatchKey,
    stan: u32,
    terminal: Option<u64>,
    journal: Option<u64>,
) -> String {
    let entry = switch.of_batch(key).find(|entry| entry.stan == stan);
    match (terminal, journal, entry) {
        (Some(_), Some(_), _) => "the amounts differ".into(),
        (None, ..) => "approved here, not in the terminal's upload".into(),
        (Some(_), None, None) => "the switch never had it, or refused it before it asked an issuer".into(),
        (Some(_), None, Some(entry)) if side(entry.kind).is_none() => {
            "a hold: it is no part of a batch's totals".into()
        }
        (Some(_), None, Some(entry)) => match (entry.state, &entry.code) {
            (State::Declined, Some(code)) => format!("declined by the issuer with {code}"),
            (State::Declined, None) => "declined".into(),
            (State::Open, _) => "without an outcome yet".into(),
            _ => format!("taken back: {}", crate::compare::reversed_because(entry)),
        },
    }
}

const WAIT: Next =
    Next { who: "terminal", what: "upload the batch line by line, then end the upload with 202" };
const COUNTED: Next = Next {
    who: "acquirer",
    what: "nothing to post: the same transactions stand on both sides, the terminal's sums are wrong",
};
const POST: Next = Next {
    who: "acquirer",
    what: "settle what the journal has; adjust or refund the transactions below with the merchant",
};
