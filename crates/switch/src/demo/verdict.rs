//! The three books side by side, and the figures of the run.
//! Never takes the switch's word for itself: its book is read from the journal by the second reader.

use super::scene::Scene;
use super::{DemoFault, show};
use books::{Comparison, IssuerBook, SwitchBook, TerminalBook, compare};
use comfy_table::{Cell, CellAlignment, Table, presets};
use loadtest::Outcome;
use std::collections::BTreeMap;

/// What came out.
pub struct Verdict {
    comparison: Comparison,
    approved: u64,
    reversed: u64,
    answered: u64,
    timeouts: u64,
    contradicted: u64,
    tps: f64,
    p50: u64,
    p99: u64,
    declined: BTreeMap<String, u64>,
}

impl Verdict {
    /// Reads the journal, asks issuers and terminals, compares.
    pub fn reach(scene: &Scene, outcomes: &[Outcome], metrics: &str) -> Result<Self, DemoFault> {
        let switch =
            SwitchBook::of_journal(&scene.journal()).map_err(|fault| DemoFault::Books(fault.to_string()))?;
        let mut issuers = IssuerBook::default();
        for (_, control) in scene.simulator.controls() {
            issuers.entries.extend(control.book().entries);
        }
        let mut terminals = TerminalBook::default();
        for book in outcomes.iter().filter_map(|outcome| outcome.book.as_ref()) {
            terminals.entries.extend(book.full().entries);
        }
        let declined = show::by_label(metrics, "pointsman_declines_total", "cause");
        let total = |read: fn(&Outcome) -> u64| outcomes.iter().map(read).sum::<u64>();
        Ok(Self {
            comparison: compare(&terminals, &switch, &issuers),
            approved: total(|outcome| outcome.approved),
            reversed: total(|outcome| outcome.reversed),
            answered: total(|outcome| outcome.answered),
            timeouts: total(|outcome| outcome.timeouts),
            contradicted: total(|outcome| outcome.repeats_contradicted),
            tps: outcomes.iter().map(|outcome| outcome.tps).sum(),
            // Of the slower fleet: the harder promise.
            p50: outcomes.iter().map(|outcome| outcome.latency_us.p50).max().unwrap_or(0),
            p99: outcomes.iter().map(|outcome| outcome.latency_us.p99).max().unwrap_or(0),
            declined: declined.into_iter().map(|(cause, count)| (cause, count as u64)).collect(),
        })
    }

    /// The books agree and every repeat was answered as before.
    pub fn agree(&self) -> bool {
        self.comparison.agree && self.contradicted == 0
    }

    /// What differs, a line each.
    pub fn differences(&self) -> impl Iterator<Item = String> + '_ {
        let differ =
            self.comparison.disagreements.iter().map(|one| format!("{}: {}", one.transaction, one.what));
        let repeats = (self.contradicted > 0)
            .then(|| format!("{} repeats were answered differently", self.contradicted));
        differ.chain(repeats)
    }

    /// For machines.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "approved": self.approved,
            "declined": self.declined,
            "reversed": self.reversed,
            "answered": self.answered,
            "timeouts": self.timeouts,
            "tps": (self.tps * 10.0).round() / 10.0,
            "latency_us": { "p50": self.p50, "p99": self.p99 },
            "books_agree": self.agree(),
            "transactions_compared": self.comparison.transactions,
            "open_items": self.comparison.items,
            "disagreements": self.comparison.disagreements,
        })
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let mut row = |name: &str, value: String| {
            table.add_row([Cell::new(name), Cell::new(value).set_alignment(CellAlignment::Right)]);
        };
        row("answered", self.answered.to_string());
        row("approved", self.approved.to_string());
        for (cause, count) in &self.declined {
            row(&format!("declined: {cause}"), count.to_string());
        }
        row("reversed by terminals", self.reversed.to_string());
        row("without an answer in time", self.timeouts.to_string());
        row("answers per second", format!("{:.0}", self.tps));
        row("latency p50 / p99", format!("{} / {} µs", self.p50, self.p99));
        row("transactions compared", self.comparison.transactions.to_string());
        row("open items", self.comparison.items.len().to_string());
        table.to_string()
    }
}
