//! What `books` shows to people.
//! Never a whole card number: no book has one. Guards: a colour never says what a word does not.

use super::super::{Failure, output};
use ::books::Report;
use ::books::compare::{ItemKind, Next, OpenItem};
use ::books::report::{BatchLine, Line};
use comfy_table::{Attribute, Cell, Color, Table};
use terms::{Currency, Money};

pub(super) fn print(report: &Report) -> Result<(), Failure> {
    section("", &sums(report))?;
    section("What the journal counts", &totals(report))?;
    if !report.items.is_empty() {
        section("Open items", &items(report))?;
    }
    if !report.disagreements.is_empty() {
        section("Disagreements", &disagreements(report))?;
    }
    let told: Vec<&BatchLine> = report.batches.iter().filter(|batch| batch.next.is_some()).collect();
    if !told.is_empty() {
        section("Batches that differ", &batches(&told))?;
    }
    verdict(report)
}

fn section(title: &str, table: &Table) -> Result<(), Failure> {
    if table.is_empty() {
        return Ok(());
    }
    if !title.is_empty() {
        output::print(format!("\n{title}"))?;
    }
    output::print_table(table)
}

fn sums(report: &Report) -> Table {
    let mut table = output::table(&[
        "day",
        "issuer",
        "currency",
        "terminals",
        "± items",
        "journal",
        "± items",
        "issuers",
    ]);
    for line in &report.lines {
        let money = |minor: i64| shown(minor, line.currency);
        let of_terminals = |minor: i64| if report.with_terminals { money(minor) } else { "-".into() };
        let meets = line.sums.issuers_meet() && (line.sums.meet() || !report.with_terminals);
        let colour = if meets { Color::Reset } else { Color::Red };
        let mut row = place(line);
        row.extend([
            Cell::new(of_terminals(line.sums.terminals)).fg(colour),
            Cell::new(of_terminals(line.sums.terminal_items)),
            Cell::new(money(line.sums.journal)).add_attribute(Attribute::Bold),
            Cell::new(money(line.sums.issuer_items)),
            Cell::new(money(line.sums.issuers)).fg(colour),
        ]);
        table.add_row(row);
    }
    table
}

/// Debits alone, as they stand; `posted` are the reversals that fell due on that day, of whatever day.
fn totals(report: &Report) -> Table {
    let mut table =
        output::table(&["day", "issuer", "currency", "approved", "declined", "reversed", "owed", "posted"]);
    for line in report.lines.iter().filter(|line| line.total != Default::default()) {
        let total = &line.total;
        let both = |amount: i64, count: u64| Cell::new(format!("{} ({count})", shown(amount, line.currency)));
        let mut row = place(line);
        row.extend([
            both(total.approved, total.approved_count),
            Cell::new(total.declined_count),
            both(total.reversed, total.reversed_count),
            both(total.owed, total.owed_count),
            both(total.posted, total.posted_count),
        ]);
        table.add_row(row);
    }
    table
}

fn place(line: &Line) -> Vec<Cell> {
    let unknown = || "?".to_owned();
    vec![
        Cell::new(line.day.clone().unwrap_or_else(unknown)),
        Cell::new(line.issuer.clone().unwrap_or_else(unknown)),
        Cell::new(format!("{:03}", line.currency)),
    ]
}

fn items(report: &Report) -> Table {
    let mut table = output::table(&["item", "amount", "transaction", "cause", "next"]);
    for item in &report.items {
        table.add_row([
            Cell::new(kind(item.kind)).fg(Color::Yellow),
            Cell::new(shown(item.amount, item.currency)),
            Cell::new(transaction(item)),
            Cell::new(&item.cause),
            next(&item.next),
        ]);
    }
    table
}

fn transaction(item: &OpenItem) -> String {
    let OpenItem { serial, rrn, stan, terminal, merchant, issuer, .. } = item;
    let card = item.card.as_deref().map_or(String::new(), |card| format!("\ncard {card}"));
    let day = item.day.as_deref().unwrap_or("no day");
    format!("{serial}\nRRN {rrn}\nSTAN {stan:06}\n{terminal} {merchant}{card}\n{issuer}, {day}")
}

fn disagreements(report: &Report) -> Table {
    let mut table = output::table(&["day", "transaction", "what the books say", "next"]);
    for one in &report.disagreements {
        table.add_row([
            Cell::new(one.day.as_deref().unwrap_or("?")),
            Cell::new(&one.transaction),
            Cell::new(&one.what).fg(Color::Red),
            next(&one.next),
        ]);
    }
    table
}

fn batches(told: &[&BatchLine]) -> Table {
    let mut table =
        output::table(&["batch", "totals", "STAN", "RRN", "terminal", "journal", "cause", "next"]);
    for batch in told {
        let BatchLine { acquirer, terminal, merchant, .. } = batch;
        let day = batch.day.as_deref().unwrap_or("not settled");
        let upload = match batch.ended {
            Some(said) => format!("{} lines came, {said} told", batch.uploaded),
            None => format!("{} lines came, not ended", batch.uploaded),
        };
        table.add_row([
            Cell::new(format!("{:06} of {terminal} {merchant} ({acquirer}), {day}", batch.batch)),
            Cell::new(format!("{}; {upload}", batch.totals.unwrap_or("none"))).fg(Color::Yellow),
            Cell::new(""),
            Cell::new(""),
            Cell::new(counted(&batch.theirs)),
            Cell::new(counted(&batch.ours)),
            Cell::new(""),
            batch.next.as_ref().map_or_else(|| Cell::new(""), next),
        ]);
        for one in &batch.differences {
            let amount = |minor: Option<u64>| minor.map_or("-".into(), plain);
            table.add_row([
                String::new(),
                String::new(),
                format!("{:06}", one.stan),
                one.rrn.clone().unwrap_or_default(),
                amount(one.terminal),
                amount(one.journal),
                one.cause.clone(),
                String::new(),
            ]);
        }
    }
    table
}

/// Debits and credits of domestic cards, then of others where there are any.
fn counted(totals: &::books::batch::Totals) -> String {
    let side = |(amount, count): (u64, u32)| format!("{} ({count})", plain(amount));
    let group = |at: usize| format!("{} - {}", side(totals[at]), side(totals[at + 1]));
    if totals[2..] == [(0, 0); 2] { group(0) } else { format!("{}, foreign {}", group(0), group(2)) }
}

/// A batch's totals have no currency.
fn plain(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn verdict(report: &Report) -> Result<(), Failure> {
    let (word, colour) =
        if report.agree { ("the books agree", Color::Green) } else { ("the books do not agree", Color::Red) };
    let without = if report.with_terminals { "" } else { "; the terminals' book was not asked for" };
    let of = report.day.as_ref().map_or(String::new(), |day| format!(" of {day}"));
    let mut line = output::plain_table();
    line.add_row([
        Cell::new(format!("{word}:")).fg(colour).add_attribute(Attribute::Bold),
        Cell::new(format!(
            "{} transactions{of}, {} open items, {} disagreements{without}",
            report.transactions,
            report.items.len(),
            report.disagreements.len(),
        )),
    ]);
    output::print("")?;
    output::print_table(&line)
}

fn next(next: &Next) -> Cell {
    Cell::new(format!("{}: {}", next.who, next.what))
}

fn kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::UnconfirmedDelivery => "unconfirmed-delivery",
        ItemKind::StandInLoss => "stand-in-loss",
        ItemKind::Quarantined => "quarantined",
        ItemKind::TerminalBreach => "terminal-breach",
        ItemKind::IssuerContradiction => "issuer-contradiction",
    }
}

/// With sign and decimal point; sums may be negative, which money on the wire never is.
fn shown(minor: i64, currency: u16) -> String {
    let money =
        Money { minor: minor.saturating_abs(), currency: Currency::new(currency).unwrap_or(Currency::NONE) };
    format!("{}{money}", if minor < 0 { "-" } else { "" })
}
