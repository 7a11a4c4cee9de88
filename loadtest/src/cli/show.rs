//! Progress while it runs, a table when it is over.
//! Never draws where nobody looks. Guards: every figure has its unit.

use crate::verdict::Verdict;
use comfy_table::{Table, presets};
use core::time::Duration;
use indicatif::{ProgressBar, ProgressStyle};
use loadtest::{LiveStats, Outcome, Phase};
use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// A bar on standard error, if that is a terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Cell<Option<Instant>>,
    last: Cell<(Instant, u64)>,
}

impl Bar {
    pub(super) fn new(whole: Duration) -> Self {
        let bar = ProgressBar::new(whole.as_millis() as u64);
        // A style that is wrong would leave the plain one.
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
            bar.set_style(style);
        }
        Self { bar, begun: Cell::new(None), last: Cell::new((Instant::now(), 0)) }
    }

    pub(super) fn draw(&self, stats: &LiveStats) {
        if stats.phase() == Phase::Connecting {
            return self.bar.set_message(format!("{} connected", stats.connected.load(Relaxed)));
        }
        let (now, answered) = (Instant::now(), stats.answered.load(Relaxed));
        let begun = self.begun.get().unwrap_or(now);
        self.begun.set(Some(begun));
        let (before, had) = self.last.replace((now, answered));
        let rate = (answered - had) as f64 / (now - before).as_secs_f64().max(0.001);
        self.bar.set_position((now - begun).as_millis() as u64);
        self.bar.set_message(format!(
            "{rate:.0}/s, p50 {} µs, p99 {} µs, {} declined, {} timed out",
            stats.latency_us(0.5),
            stats.latency_us(0.99),
            stats.declined.load(Relaxed),
            stats.timeouts.load(Relaxed)
        ));
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

pub(super) fn summary(outcome: &Outcome, verdict: Option<&Verdict>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut row = |what: &str, value: String| {
        table.add_row([what.to_owned(), value]);
    };
    let latency = &outcome.latency_us;
    row("measured", format!("{:.2} s, ended by {:?}", outcome.seconds, outcome.ended));
    row("rate", format!("{:.0} answered per second", outcome.tps));
    row(
        "latency",
        format!(
            "p50 {} µs, p90 {} µs, p99 {} µs, p99.9 {} µs, max {} µs",
            latency.p50, latency.p90, latency.p99, latency.p999, latency.max
        ),
    );
    row(
        "transactions",
        format!("{} begun, {} answered, {} timed out", outcome.begun, outcome.answered, outcome.timeouts),
    );
    row("messages", format!("{} sent", outcome.sent));
    row("approved", outcome.approved.to_string());
    for (code, count) in &outcome.declined {
        row("declined", format!("{count} with {code}"));
    }
    for (cause, count) in &outcome.declined_by_cause {
        row("cause", format!("{count} {cause}"));
    }
    row("reversed", outcome.reversed.to_string());
    row(
        "repeats",
        format!("{} agreed, {} contradicted", outcome.repeats_agreed, outcome.repeats_contradicted),
    );
    row(
        "disorder",
        format!(
            "{} late, {} violations, {} broken connections",
            outcome.late, outcome.violations, outcome.broken
        ),
    );
    if outcome.unsent > 0 {
        row("never sent", format!("{} were due while their terminals were busy", outcome.unsent));
    }
    if let Some(verdict) = verdict {
        row("books", verdict.line());
    }
    row("generator", format!("{:.2} s of processor time", outcome.cpu_seconds));
    table
}
