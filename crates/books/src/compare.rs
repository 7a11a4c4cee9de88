//! The three books side by side: what the terminals believe, what the switch journaled, what the issuers booked.
//!
//! Never explains a difference away: what is not one of the five named open items is a disagreement. Guards: per
//! transaction, terminal approved ⇔ journal finally approved ⇔ issuer's net debit is the amount, exactly once; and per
//! currency, terminals + items = journal = issuers + items, to the cent.

mod issuers;
mod terminals;
mod why;

use crate::shapes::{IssuerBook, TerminalBook};
use crate::switch_book::{Entry, SwitchBook};
use serde::Serialize;
use std::collections::BTreeMap;

pub use why::Next;

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
    /// Its number for ever.
    pub serial: String,
    /// Our DE 37.
    pub rrn: String,
    /// The terminal's STAN.
    pub stan: u32,
    /// DE 41.
    pub terminal: String,
    /// DE 42.
    pub merchant: String,
    /// First six and last four digits, where its issuer's book has it: the journal holds card numbers sealed.
    pub card: Option<String>,
    /// Issuer's name.
    pub issuer: String,
    /// Business day of its issuer.
    pub day: Option<String>,
    /// Why it is open.
    pub cause: String,
    /// Whose move it is.
    pub next: Next,
    /// To be added to the terminals' sum to reach the journal's.
    pub terminals: i64,
    /// To be added to the issuers' sum to reach the journal's.
    pub issuers: i64,
    #[serde(skip)]
    account: Account,
}

/// A difference that must not be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Disagreement {
    /// The transaction.
    pub transaction: String,
    /// What the books say.
    pub what: String,
    /// Business day of its issuer, where it can be told.
    pub day: Option<String>,
    /// Whose move it is.
    pub next: Next,
    #[serde(skip)]
    on: Option<u16>,
}

/// What sums are kept by. Of what the journal does not have, neither day nor issuer may be known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Account {
    /// Business day of its issuer, as the journal numbers days.
    pub day: Option<u16>,
    /// Issuer's name.
    pub issuer: Option<String>,
    /// ISO 4217 numeric.
    pub currency: u16,
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
        self.terminals + self.terminal_items == self.journal && self.issuers_meet()
    }

    /// Whether journal and issuers meet.
    pub fn issuers_meet(&self) -> bool {
        self.issuers + self.issuer_items == self.journal
    }

    fn add(&mut self, other: &Self) {
        self.terminals += other.terminals;
        self.terminal_items += other.terminal_items;
        self.journal += other.journal;
        self.issuers += other.issuers;
        self.issuer_items += other.issuer_items;
    }
}

/// The result.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Comparison {
    /// No disagreement, and the sums meet in every currency.
    pub agree: bool,
    /// By ISO 4217 numeric.
    pub sums: BTreeMap<u16, Sums>,
    /// The same by business day, issuer and currency.
    #[serde(skip)]
    pub accounts: BTreeMap<Account, Sums>,
    /// Allowed differences.
    pub items: Vec<OpenItem>,
    /// Differences that must not be.
    pub disagreements: Vec<Disagreement>,
    /// Transactions compared.
    pub transactions: u64,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What terminals believe; without it the journal is compared with the issuers alone.
    pub terminals: Option<&'a TerminalBook>,
    /// The journal.
    pub switch: &'a SwitchBook,
    /// What issuers booked.
    pub issuers: &'a IssuerBook,
    /// Transactions of this business day of their issuer alone, and what cannot be told to be of another.
    pub day: Option<u16>,
}

/// Compares the three books.
pub fn compare(terminals: &TerminalBook, switch: &SwitchBook, issuers: &IssuerBook) -> Comparison {
    Question { terminals: Some(terminals), switch, issuers, day: None }.answer()
}

impl Question<'_> {
    /// Compares. Everything is matched with everything, then what is of another day is left out: a booking of yesterday is
    /// no booking of nothing.
    pub fn answer(&self) -> Comparison {
        let Self { terminals, switch, issuers, day } = *self;
        let mut comparison = Comparison::default();
        for finding in switch.findings.iter().cloned().chain(switch.unlinked()) {
            comparison.differ("journal", finding, None, why::VERIFY);
        }
        for (batch, finding, day) in switch.batch_findings() {
            comparison.differ(batch, finding, day, why::UPLOAD);
        }
        if let Some(terminals) = terminals {
            terminals::compare(terminals, switch, &mut comparison);
        }
        issuers::compare(issuers, switch, &mut comparison);
        for entry in switch.transactions.values().filter(|entry| entry.moves() && entry.is_of(day)) {
            comparison.transactions += 1;
            comparison.account(entry, entry.currency).journal += entry.net();
        }
        comparison.only(day);
        comparison.sum_up(terminals.is_some());
        comparison
    }
}

impl Comparison {
    /// Leaves out what is of another day.
    fn only(&mut self, day: Option<u16>) {
        let Some(day) = day else { return };
        let is_of = |other: Option<u16>| other.is_none_or(|other| other == day);
        self.accounts.retain(|account, _| is_of(account.day));
        self.items.retain(|item| is_of(item.account.day));
        self.disagreements.retain(|one| is_of(one.on));
    }

    fn sum_up(&mut self, with_terminals: bool) {
        for item in &self.items {
            let sums = self.accounts.entry(item.account.clone()).or_default();
            sums.terminal_items += item.terminals;
            sums.issuer_items += item.issuers;
        }
        for (account, sums) in &self.accounts {
            self.sums.entry(account.currency).or_default().add(sums);
        }
        let meet = |sums: &Sums| if with_terminals { sums.meet() } else { sums.issuers_meet() };
        self.agree = self.disagreements.is_empty() && self.sums.values().all(meet);
    }

    /// The sums that a transaction belongs to.
    fn account(&mut self, entry: &Entry, currency: u16) -> &mut Sums {
        self.accounts.entry(Account { currency, ..account_of(entry) }).or_default()
    }

    /// The sums of what the journal does not have.
    fn stray(&mut self, day: Option<u16>, issuer: Option<&str>, currency: u16) -> &mut Sums {
        self.accounts.entry(Account { day, issuer: issuer.map(str::to_owned), currency }).or_default()
    }

    /// About a transaction that the journal has.
    fn disagree(&mut self, entry: &Entry, what: impl Into<String>) {
        self.differ(name(entry), what, entry.day(), why::mend(entry));
    }

    fn differ(
        &mut self,
        transaction: impl Into<String>,
        what: impl Into<String>,
        day: Option<u16>,
        next: Next,
    ) {
        let (transaction, what) = (transaction.into(), what.into());
        let of = day.map(crate::day::text);
        self.disagreements.push(Disagreement { transaction, what, day: of, next, on: day });
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
            serial: entry.serial.clone(),
            rrn: entry.rrn.clone(),
            stan: entry.stan,
            terminal: entry.terminal.clone(),
            merchant: entry.merchant.clone(),
            card: None,
            issuer: entry.issuer.clone(),
            day: entry.day().map(crate::day::text),
            cause: why::cause(kind, entry),
            next: why::act(kind, entry),
            terminals,
            issuers,
            account: account_of(entry),
        });
    }
}

/// Why a transaction was reversed, in words.
pub(crate) fn reversed_because(entry: &Entry) -> &'static str {
    why::reason(entry)
}

fn account_of(entry: &Entry) -> Account {
    Account { day: entry.day(), issuer: Some(entry.issuer.clone()), currency: entry.currency }
}

/// How a transaction is named in results: serial, terminal, STAN, RRN.
fn name(entry: &Entry) -> String {
    format!(
        "{} ({} {} stan {:06} rrn {})",
        entry.serial, entry.terminal, entry.merchant, entry.stan, entry.rrn
    )
}
