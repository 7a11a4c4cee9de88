//! The three books side by side: what the terminals believe, what the switch journaled, what the issuers booked.
//!
//! Never explains a difference away: what is not one of the five named open items is a disagreement. Guards: per
//! transaction, terminal approved ⇔ journal finally approved ⇔ issuer's net debit is the amount, exactly once; and per
//! currency, terminals + items = journal = issuers + items, to the cent.

mod issuers;
mod terminals;

use crate::shapes::{IssuerBook, TerminalBook};
use crate::switch_book::{Entry, SwitchBook};
use serde::Serialize;
use std::collections::BTreeMap;

/// The closed set of differences that the rules of the trade allow for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// The switch approved and could not know that the answer was lost; the terminal has not come back.
    UnconfirmedDelivery,
    /// The switch approved in the issuer's stead, the issuer refused the advice.
    StandInLoss,
    /// The issuer refuses to take its debit back, or neither takes nor refuses what was approved for it.
    Quarantined,
    /// The terminal broke its rules: it kept what it had reversed, or dropped an approval without reversing it.
    TerminalBreach,
    /// The issuer's book is not what the issuer answered.
    IssuerContradiction,
}

/// One open item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OpenItem {
    /// Which of the five.
    pub kind: ItemKind,
    /// Minor units, positive.
    pub amount: i64,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// The transaction, readable and unique.
    pub transaction: String,
    /// To be added to the terminals' sum to reach the journal's.
    pub terminals: i64,
    /// To be added to the issuers' sum to reach the journal's.
    pub issuers: i64,
}

/// A difference that must not be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Disagreement {
    /// The transaction.
    pub transaction: String,
    /// What the books say.
    pub what: String,
}

/// The sums of one currency, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Sums {
    /// Approved in the terminals' book.
    pub terminals: i64,
    /// Items that lead from there to the journal.
    pub terminal_items: i64,
    /// Finally approved in the journal.
    pub journal: i64,
    /// Debits less reversals in the issuers' book.
    pub issuers: i64,
    /// Items that lead from there to the journal.
    pub issuer_items: i64,
}

impl Sums {
    /// Whether the three books meet.
    pub fn meet(&self) -> bool {
        self.terminals + self.terminal_items == self.journal
            && self.issuers + self.issuer_items == self.journal
    }
}

/// The result.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Comparison {
    /// No disagreement, and the sums meet in every currency.
    pub agree: bool,
    /// By ISO 4217 numeric.
    pub sums: BTreeMap<u16, Sums>,
    /// Allowed differences.
    pub items: Vec<OpenItem>,
    /// Differences that must not be.
    pub disagreements: Vec<Disagreement>,
    /// Transactions compared.
    pub transactions: u64,
}

/// Compares the three books.
pub fn compare(terminals: &TerminalBook, switch: &SwitchBook, issuers: &IssuerBook) -> Comparison {
    let mut comparison = Comparison::default();
    for finding in &switch.findings {
        comparison.disagree("journal", finding.clone());
    }
    for odd in switch.unlinked() {
        comparison.disagree("journal", odd);
    }
    terminals::compare(terminals, switch, &mut comparison);
    issuers::compare(issuers, switch, &mut comparison);
    for entry in switch.transactions.values().filter(|entry| entry.moves()) {
        comparison.transactions += 1;
        comparison.sums(entry.currency).journal += entry.net();
    }
    for item in &comparison.items {
        let sums = comparison.sums.entry(item.currency).or_default();
        sums.terminal_items += item.terminals;
        sums.issuer_items += item.issuers;
    }
    comparison.agree = comparison.disagreements.is_empty() && comparison.sums.values().all(Sums::meet);
    comparison
}

impl Comparison {
    fn sums(&mut self, currency: u16) -> &mut Sums {
        self.sums.entry(currency).or_default()
    }

    fn disagree(&mut self, transaction: impl Into<String>, what: impl Into<String>) {
        self.disagreements.push(Disagreement { transaction: transaction.into(), what: what.into() });
    }

    /// An item between terminals and journal: `terminals` leads from theirs to the journal's.
    fn terminal_item(&mut self, kind: ItemKind, entry: &Entry, terminals: i64) {
        self.item(kind, entry, terminals, 0);
    }

    /// An item between issuers and journal: `issuers` leads from theirs to the journal's.
    fn issuer_item(&mut self, kind: ItemKind, entry: &Entry, issuers: i64) {
        self.item(kind, entry, 0, issuers);
    }

    fn item(&mut self, kind: ItemKind, entry: &Entry, terminals: i64, issuers: i64) {
        self.items.push(OpenItem {
            kind,
            amount: (terminals + issuers).abs(),
            currency: entry.currency,
            transaction: name(entry),
            terminals,
            issuers,
        });
    }
}

/// How a transaction is named in results: serial, terminal, STAN, RRN.
fn name(entry: &Entry) -> String {
    format!(
        "{} ({} {} stan {:06} rrn {})",
        entry.serial, entry.terminal, entry.merchant, entry.stan, entry.rrn
    )
}
