//! `books`: do terminals, journal and issuers agree to the cent?
//! Never opens the journal for writing and corrects nothing. Guards: exit status 0 only if the books agree, each
//! difference being a named open item.

mod table;

use super::args::Books;
use super::{Failure, output};
use ::books::shapes::BookFault;
use ::books::{IssuerBook, Question, Report, SwitchBook, TerminalBook};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(args: &Books) -> Result<ExitCode, Failure> {
    let failed = |fault: BookFault| Failure::because("a book cannot be read", fault);
    let (mut terminals, mut issuers) = (TerminalBook::default(), IssuerBook::default());
    for file in &args.terminals {
        terminals.join(TerminalBook::load(file).map_err(failed)?);
    }
    for file in &args.issuers {
        issuers.join(IssuerBook::load(file).map_err(failed)?);
    }
    let switch = read(&args.journal)?;
    has_traded(&switch, args.day)?;
    let terminals = (!args.terminals.is_empty()).then_some(&terminals);
    let report = Report::of(&Question { terminals, switch: &switch, issuers: &issuers, day: args.day });
    if args.json {
        output::json(&report)?
    } else {
        table::print(&report)?
    }
    Ok(if report.agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `2026-11-23`.
pub(super) fn day(text: &str) -> Result<u16, String> {
    ::books::day::number(text).ok_or_else(|| "expected a date such as 2026-11-23".to_owned())
}

fn read(dir: &Path) -> Result<SwitchBook, Failure> {
    SwitchBook::of_journal(dir)
        .map_err(|fault| Failure::because(format!("the journal {} cannot be read", dir.display()), fault))
}

/// Books of which nothing is compared agree: that must not pass for a day that was closed.
fn has_traded(switch: &SwitchBook, day: Option<u16>) -> Result<(), Failure> {
    let Some(day) = day else { return Ok(()) };
    let days = switch.days_traded();
    if days.contains(&day) {
        return Ok(());
    }
    let text = ::books::day::text;
    let has = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first == last => format!("only {} has any", text(*first)),
        (Some(first), Some(last)) => format!("there are some from {} to {}", text(*first), text(*last)),
        _ => "it has none at all".to_owned(),
    };
    Err(Failure::new(format!("the journal has no transaction of business day {}: {has}", text(day))))
}
