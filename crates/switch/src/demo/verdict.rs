//! The three books side by side, and the figures of the run.
//! Never takes the switch's word for itself: its book is read from the journal by the second reader.

use super::scene::{self, Scene};
use super::{DemoFault, show};
use books::{Comparison, IssuerBook, SwitchBook, TerminalBook, compare};
use comfy_table::{Cell, CellAlignment, Table, presets};
use loadtest::Outcome;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What became of the link that was cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cut {
    /// The switch noticed.
    pub seen_down: bool,
    /// It was up again at the end.
    pub healed: bool,
}

/// What came out.
pub struct Verdict {
    comparison: Comparison,
    approved: u64,
    reversed: u64,
    answered: u64,
    timeouts: u64,
    agreed: u64,
    contradicted: u64,
    cut: Cut,
    tps: f64,
    p50: u64,
    p99: u64,
    declined: BTreeMap<String, u64>,
}

impl Verdict {
    /// Reads the journal, asks issuers and terminals, compares.
    pub fn reach(scene: &Scene, outcomes: &[Outcome], metrics: &str, cut: Cut) -> Result<Self, DemoFault> {
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
        Ok(Self::of(compare(&terminals, &switch, &issuers), outcomes, metrics, cut))
    }

    fn of(comparison: Comparison, outcomes: &[Outcome], metrics: &str, cut: Cut) -> Self {
        let declined = show::by_label(metrics, "pointsman_declines_total", "cause");
        let total = |read: fn(&Outcome) -> u64| outcomes.iter().map(read).sum::<u64>();
        Self {
            comparison,
            approved: total(|outcome| outcome.approved),
            reversed: total(|outcome| outcome.reversed),
            answered: total(|outcome| outcome.answered),
            timeouts: total(|outcome| outcome.timeouts),
            agreed: total(|outcome| outcome.repeats_agreed),
            cut,
            contradicted: total(|outcome| outcome.repeats_contradicted),
            tps: outcomes.iter().map(|outcome| outcome.tps).sum(),
            // Of the slower fleet: the harder promise.
            p50: outcomes.iter().map(|outcome| outcome.latency_us.p50).max().unwrap_or(0),
            p99: outcomes.iter().map(|outcome| outcome.latency_us.p99).max().unwrap_or(0),
            declined: declined.into_iter().map(|(cause, count)| (cause, count as u64)).collect(),
        }
    }

    /// The books agree and every repeat was answered as before.
    pub fn agree(&self) -> bool {
        self.comparison.agree && self.contradicted == 0
    }

    /// The process's: 0 only if they do.
    pub fn status(&self) -> ExitCode {
        if self.agree() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
            "repeats": { "agreed": self.agreed, "contradicted": self.contradicted },
            "timeouts": self.timeouts,
            "link_cut": { "issuer": scene::CUT, "seen_down": self.cut.seen_down, "healed": self.cut.healed },
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
        row("repeats answered as before", self.agreed.to_string());
        row("without an answer in time", self.timeouts.to_string());
        row("answers per second", format!("{:.0}", self.tps));
        row("latency p50 / p99", format!("{} / {} µs", self.p50, self.p99));
        row("transactions compared", self.comparison.transactions.to_string());
        row("open items", self.comparison.items.len().to_string());
        table.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use books::shapes::{TerminalEntry, TerminalState};

    fn approved() -> TerminalEntry {
        TerminalEntry {
            acquirer: "00010000".into(),
            terminal: "T0000001".into(),
            merchant: scene::MERCHANT.into(),
            batch: 1,
            stan: 7,
            local_date: 0,
            local_time: None,
            rrn: None,
            amount: 1_250,
            currency: 156,
            state: TerminalState::Approved,
            code: Some("00".into()),
            money: true,
        }
    }

    fn verdict(comparison: Comparison) -> Verdict {
        Verdict::of(comparison, &[], "", Cut::default())
    }

    #[test]
    fn the_status_is_a_failure_when_the_books_differ() {
        let nothing = (SwitchBook::default(), IssuerBook::default());
        let same = verdict(compare(&TerminalBook::default(), &nothing.0, &nothing.1));
        assert!(same.agree() && same.status() == ExitCode::SUCCESS, "{:?}", same.json());
        // A terminal holds an approval that neither switch nor issuer knows of.
        let alone = TerminalBook { entries: vec![approved()] };
        let other = verdict(compare(&alone, &nothing.0, &nothing.1));
        assert_eq!((other.status(), other.json()["books_agree"].as_bool()), (ExitCode::FAILURE, Some(false)));
        assert_eq!(other.differences().count(), 1);
    }

    #[test]
    fn a_repeat_that_was_answered_differently_is_a_failure_too() {
        let nothing = compare(&TerminalBook::default(), &SwitchBook::default(), &IssuerBook::default());
        let verdict = Verdict { contradicted: 1, ..verdict(nothing) };
        assert_eq!(verdict.status(), ExitCode::FAILURE);
        assert_eq!(verdict.differences().collect::<Vec<_>>(), ["1 repeats were answered differently"]);
    }
}
