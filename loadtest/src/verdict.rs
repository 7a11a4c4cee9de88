//! The three books at the end of a load: what terminals believe, what the journal holds, what the issuers booked.
//!
//! Never takes a figure of the switch's own: its journal is read by the second reader. Guards: a load whose books differ
//! ends with a status that says so.

use books::compare::Disagreement;
use books::{IssuerBook, OpenItem, SwitchBook, TerminalBook, compare};
use clap::Args;
use core::time::Duration;
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where the other books are.
#[derive(Args)]
pub struct Sources {
    /// Compare the books at the end: the switch's journal directory (it may be running)
    #[arg(long, value_name = "DIR", requires = "issuers")]
    journal: Option<PathBuf>,
    /// The issuers' books, as `issuer-sim --ledger-out FILE --ledger-every 1s` writes them
    #[arg(long, value_name = "FILE", value_delimiter = ',', requires = "journal")]
    issuers: Vec<PathBuf>,
    /// Books of other terminals that traded on the same journal, as --book writes them
    #[arg(long, value_name = "FILE", value_delimiter = ',', requires = "journal")]
    terminals: Vec<PathBuf>,
    /// How long the books may take to agree: reversals are still on their way, a ledger is yet to be written
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = crate::cli::time, requires = "journal")]
    settle: Duration,
}

/// What the comparison says; part of the result.
#[derive(Serialize)]
pub struct Verdict {
    books_agree: bool,
    transactions_compared: u64,
    open_items: Vec<OpenItem>,
    disagreements: u64,
    /// The first few of them: a broken run has millions.
    such_as: Vec<Disagreement>,
}

impl Sources {
    /// Whether anything is to be compared: then the terminals must keep a book.
    pub fn is_given(&self) -> bool {
        self.journal.is_some()
    }

    /// Compares until the books agree or the time to settle is over; `None` where nothing is to be compared.
    pub fn compare(&self, own: Option<&loadtest::Book>) -> Result<Option<Verdict>, Box<dyn Error>> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let mut terminals = own.map(loadtest::Book::full).unwrap_or_default();
        for file in &self.terminals {
            terminals.join(TerminalBook::load(file)?);
        }
        let until = Instant::now() + self.settle;
        loop {
            let compared = self.once(journal, &terminals);
            let settled = compared.as_ref().is_ok_and(Verdict::agree);
            if settled || Instant::now() >= until {
                return compared.map(Some);
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn once(&self, journal: &Path, terminals: &TerminalBook) -> Result<Verdict, Box<dyn Error>> {
        let mut issuers = IssuerBook::default();
        for file in &self.issuers {
            issuers.join(IssuerBook::load(file)?);
        }
        Verdict::of(journal, terminals, &issuers)
    }
}

impl Verdict {
    /// Reads the journal and compares.
    pub fn of(
        journal: &Path,
        terminals: &TerminalBook,
        issuers: &IssuerBook,
    ) -> Result<Self, Box<dyn Error>> {
        let switch = SwitchBook::of_journal(journal)
            .map_err(|fault| format!("the journal {} cannot be read: {fault}", journal.display()))?;
        let mut compared = compare(terminals, &switch, issuers);
        let disagreements = compared.disagreements.len() as u64;
        compared.disagreements.truncate(SHOWN);
        Ok(Self {
            books_agree: compared.agree,
            transactions_compared: compared.transactions,
            open_items: compared.items,
            disagreements,
            such_as: compared.disagreements,
        })
    }

    /// Whether every difference has a name.
    pub fn agree(&self) -> bool {
        self.books_agree
    }

    /// One line.
    pub fn line(&self) -> String {
        let verdict = if self.books_agree { "agree" } else { "do not agree" };
        format!(
            "{verdict}: {} transactions, {} open items",
            self.transactions_compared,
            self.open_items.len()
        )
    }

    /// Adds another one's findings.
    pub fn join(&mut self, other: Self) {
        self.books_agree &= other.books_agree;
        self.transactions_compared += other.transactions_compared;
        self.open_items.extend(other.open_items);
        self.disagreements += other.disagreements;
        self.such_as.extend(other.such_as);
        self.such_as.truncate(SHOWN);
    }

    /// # Errors
    /// The first difference that has no name.
    pub fn required(&self) -> Result<(), Box<dyn Error>> {
        if self.books_agree {
            return Ok(());
        }
        let first = self.such_as.first();
        let first = first
            .map_or_else(|| "their sums differ".into(), |one| format!("{}: {}", one.transaction, one.what));
        Err(format!("the books do not agree ({} differences), such as {first}", self.disagreements).into())
    }
}

impl Default for Verdict {
    /// Of nothing: agrees.
    fn default() -> Self {
        Self {
            books_agree: true,
            transactions_compared: 0,
            open_items: Vec::new(),
            disagreements: 0,
            such_as: Vec::new(),
        }
    }
}

const SHOWN: usize = 16;
const AGAIN: Duration = Duration::from_millis(200);
