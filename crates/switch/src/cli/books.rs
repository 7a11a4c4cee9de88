//! `books`: do terminals, journal and issuers agree to the cent?
//! Never opens the journal for writing and corrects nothing. Guards: exit status 0 only if the books agree, each
//! difference being a named open item.

use super::args::Books;
use super::{Failure, output};
use ::books::shapes::BookFault;
use ::books::{Comparison, IssuerBook, SwitchBook, TerminalBook, compare};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terms::{Currency, Money};

pub(super) fn run(args: &Books) -> Result<ExitCode, Failure> {
    let failed = |fault: BookFault| Failure::because("a book cannot be read", fault);
    let (mut terminals, mut issuers) = (TerminalBook::default(), IssuerBook::default());
    for file in &args.terminals {
        terminals.join(TerminalBook::load(file).map_err(failed)?);
    }
    for file in &args.issuers {
        issuers.join(IssuerBook::load(file).map_err(failed)?);
    }
    let journal = read(&args.journal)?;
    let comparison = compare(&terminals, &journal, &issuers);
    if args.json {
        output::json(&comparison)?
    } else {
        print(&comparison)?
    }
    Ok(if comparison.agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(dir: &Path) -> Result<SwitchBook, Failure> {
    let shown = |dir: &Path| PathBuf::from(dir).display().to_string();
    SwitchBook::of_journal(dir)
        .map_err(|fault| Failure::because(format!("the journal {} cannot be read", shown(dir)), fault))
}

fn print(comparison: &Comparison) -> Result<(), Failure> {
    let mut sums = output::table(&["currency", "terminals", "± items", "journal", "± items", "issuers"]);
    for (currency, sum) in &comparison.sums {
        let money = |minor: i64| shown(minor, *currency);
        sums.add_row([
            format!("{currency:03}"),
            money(sum.terminals),
            money(sum.terminal_items),
            money(sum.journal),
            money(sum.issuer_items),
            money(sum.issuers),
        ]);
    }
    output::print_table(&sums)?;
    for item in &comparison.items {
        let amount = shown(item.amount, item.currency);
        output::print(format!("open item {:?}: {amount} of {}", item.kind, item.transaction))?;
    }
    for one in &comparison.disagreements {
        output::print(format!("disagreement {}: {}", one.transaction, one.what))?;
    }
    let verdict = if comparison.agree { "the books agree" } else { "the books do not agree" };
    output::print(format!(
        "{verdict}: {} transactions, {} open items",
        comparison.transactions,
        comparison.items.len()
    ))
}

/// With sign and decimal point; sums may be negative, which money on the wire never is.
fn shown(minor: i64, currency: u16) -> String {
    let money =
        Money { minor: minor.saturating_abs(), currency: Currency::new(currency).unwrap_or(Currency::NONE) };
    format!("{}{money}", if minor < 0 { "-" } else { "" })
}
