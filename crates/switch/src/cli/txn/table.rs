//! What `txn` shows to people.
//! Never a whole card number: the archive has none. Guards: colours say how it ended, words say it again.

use super::super::archive::Lag;
use super::super::output;
use super::times::Zone;
use crate::config::Config;
use archive::{Acts, Captured, Found, Hop, Key, Search, Timeline};
use comfy_table::{Attribute, Cell, Color, Table};

/// Several transactions, one a line.
pub(super) fn of(found: &[Found], config: &Config, zone: &Zone) -> Table {
    let mut table = output::table(&[
        "time", "number", "type", "amount", "outcome", "why", "terminal", "STAN", "RRN", "issuer",
    ]);
    for one in found {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        table.add_row([
            Cell::new(zone.full(one.at)),
            Cell::new(text(&one.serial)).fg(Color::DarkGrey),
            Cell::new(one.kind),
            Cell::new(money(one)),
            Cell::new(with_notes(one)).fg(colour(one.outcome)),
            Cell::new(why(one, super::acts(one, config).as_ref())),
            Cell::new(&one.terminal),
            Cell::new(text(&one.stan)),
            Cell::new(text(&one.rrn)),
            Cell::new(text(&one.issuer)),
        ]);
    }
    table
}

/// The line below them.
pub(super) fn sum(count: usize, more: bool, lag: &Lag, zone: &Zone) -> String {
    let more = if more { ", and more: --limit shows them" } else { "" };
    format!("\n{count} transactions{more} · times in {} · {}", zone.name(), behind(lag, zone))
}

/// What was searched, where nothing was found.
pub(super) fn nothing(search: &Search, lag: &Lag, zone: &Zone) -> String {
    let since = search.from.or(lag.reach.since);
    let from = since.map_or("the beginning".into(), |since| zone.full(since));
    let to = search.to.or(lag.reach.through).map_or("now".into(), |to| zone.full(to));
    let what: Vec<&str> = search.keys.iter().map(key_name).collect();
    let what = if what.is_empty() { "anything".into() } else { what.join(" and ") };
    let gap =
        if lag.reach.gaps == 0 { "" } else { "\nsegments of the journal went before they were archived" };
    format!(
        "nothing found: searched by {what}, from {from} to {to} ({})\n{}{gap}",
        zone.name(),
        behind(lag, zone)
    )
}

fn key_name(key: &Key) -> &'static str {
    match key {
        Key::Id(_) => "position",
        Key::Serial(_) => "number",
        Key::Rrn(_) => "RRN",
        Key::Stan(_) => "STAN",
        Key::Terminal(_) => "terminal",
        Key::Token(_) => "card",
    }
}

fn behind(lag: &Lag, zone: &Zone) -> String {
    match (lag.reach.through, lag.lag_bytes) {
        (None, 0) => "the archive is empty, and so is the journal".into(),
        (Some(through), 0) => format!("the archive is up to date: {}", zone.full(through)),
        (through, bytes) => {
            let through = through.map_or("nothing yet".into(), |through| zone.full(through));
            format!("the archive is {} KiB of journal behind: {through}", bytes.div_ceil(1024))
        }
    }
}

/// What became of it, why, and whose move it is.
pub(super) fn headline(timeline: &Timeline, acts: Option<&Acts>, zone: &Zone) -> String {
    let found = &timeline.transaction;
    let what = [found.mti.as_str(), found.kind].into_iter().filter(|word| !word.is_empty());
    let what = what.collect::<Vec<_>>().join(" ");
    let mut text = format!("{} ({}) · {what}", zone.full(found.at), zone.name());
    if !found.amount.is_empty() {
        text += &format!(" of {}", money(found));
    }
    text += &format!("\n{}", with_notes(found));
    if let Some(acts) = acts {
        text += &format!(" · {}", why(found, Some(acts)));
        if let Some([_, chinese]) = &acts.means {
            text += &format!(" {chinese}");
        }
        text += &format!(" · cause {}, found by {}", acts.cause, acts.source);
        if !acts.who.is_empty() {
            text += &format!(" · who acts: {}", acts.who.join(", "));
        }
    }
    text + "\n"
}

/// What identifies it.
pub(super) fn facts(found: &Found) -> Table {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let all = [
        ("number", text(&found.serial)),
        ("RRN", text(&found.rrn)),
        ("terminal's RRN", text(&found.terminal_rrn)),
        ("approval code", text(&found.approval_code)),
        ("terminal", found.terminal.clone()),
        ("merchant", found.merchant.clone()),
        ("acquirer", found.acquirer.clone()),
        ("STAN", text(&found.stan)),
        ("batch", found.batch.map_or(String::new(), |batch| batch.to_string())),
        ("link", found.link.clone().or(found.issuer.clone()).unwrap_or_default()),
        ("card token", text(&found.token)),
    ];
    let all: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let mut table = output::plain_table();
    for pair in all.chunks(2) {
        table.add_row(
            pair.iter().flat_map(|(name, value)| [Cell::new(name).fg(Color::DarkGrey), Cell::new(value)]),
        );
    }
    table
}

/// Hop by hop.
pub(super) fn hops(timeline: &Timeline, zone: &Zone) -> Table {
    let mut table = output::table(&["after", "time", "hop", "what happened"]);
    let begin = timeline.hops.iter().find_map(|hop| hop.at).unwrap_or(timeline.transaction.at);
    for hop in &timeline.hops {
        let (after, time) = match hop.at {
            Some(at) => (span(at - begin), zone.clock(at)),
            // Not journaled: between its neighbours.
            None => (String::new(), "·".into()),
        };
        let name = Cell::new(&hop.what);
        let name = if hop.position.is_some() { name.add_attribute(Attribute::Bold) } else { name };
        table.add_row([
            Cell::new(after).fg(Color::DarkGrey),
            Cell::new(time),
            name,
            tinted(Cell::new(&hop.text), hop),
        ]);
    }
    table
}

/// Every journaled field that the lines above do not show.
pub(super) fn fields(timeline: &Timeline) -> String {
    let fields = timeline.hops.iter().flat_map(|hop| &hop.fields);
    fields.map(|field| format!("{} {}", field.name, field.value)).collect::<Vec<_>>().join(" · ")
}

/// What was said, as it was captured.
pub(super) fn messages(said: &Captured, zone: &Zone) -> String {
    let mut text = String::new();
    let mut push = |what: &str, at: String, message: &str| {
        text += &format!("\n{what}{at}, secrets masked\n");
        message.lines().for_each(|line| text += &format!("  {line}\n"));
    };
    push("request", format!(" at {}", zone.clock(said.received)), &said.request);
    if let Some(answer) = &said.answer {
        push("issuer's answer", String::new(), answer);
    }
    push("reply", format!(" at {}", zone.clock(said.replied)), &said.reply);
    text.trim_end().to_owned()
}

fn tinted(cell: Cell, hop: &Hop) -> Cell {
    match hop.what.as_str() {
        "OUTCOME" => cell.fg(colour(hop.text.split([' ', ':', ';', ',']).next().unwrap_or_default())),
        "REFUSED" => cell.fg(Color::Red),
        "ACK" => cell.fg(Color::Green),
        "OBLIGATION" | "PARKED" | "LATE" | "UNDELIVERED" | "UNMATCHED" | "TOMBSTONE" => {
            cell.fg(Color::Yellow)
        }
        _ => cell,
    }
}

fn colour(outcome: &str) -> Color {
    match outcome {
        "approved" | "stand-in" => Color::Green,
        "declined" | "refused" | "quarantined" => Color::Red,
        "reversed" | "reversing" | "tombstone" | "unmatched" => Color::Yellow,
        _ => Color::Reset,
    }
}

fn with_notes(found: &Found) -> String {
    let mut text = found.outcome.to_owned();
    for note in &found.notes {
        text += &format!(", {note}");
    }
    text
}

/// `51 insufficient funds`, `over-daily-amount`.
fn why(found: &Found, acts: Option<&Acts>) -> String {
    let code = found.code.as_deref().filter(|_| found.is_decline());
    let means = acts.and_then(|acts| acts.means.as_ref()).map(|[english, _]| english.as_str());
    match (found.cause, code, means) {
        (Some(cause), Some(code), _) => format!("{cause}, {code}"),
        (Some(cause), None, _) => cause.to_owned(),
        (None, Some(code), Some(means)) => format!("{code} {means}"),
        (None, Some(code), None) => code.to_owned(),
        (None, None, _) => String::new(),
    }
}

fn money(found: &Found) -> String {
    let stands = found.final_amount.as_ref().map_or(String::new(), |amount| format!(" ({amount} stands)"));
    if found.amount.is_empty() {
        String::new()
    } else {
        format!("{} {}{stands}", found.amount, found.currency)
    }
}

/// `+120 ms`, `+3.4 s`, `+2 h 5 min`.
fn span(ms: i64) -> String {
    match ms {
        ..10_000 => format!("+{ms} ms"),
        10_000..600_000 => format!("+{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("+{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
