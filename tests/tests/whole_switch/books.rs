//! `pointsman books` as an operator runs it: on a journal, the issuers' file and the terminals' file of a day.
//! Never reads what the command does not print. Guards: exit status 0 means that the books agree, and an open item says whose
//! move it is.

use crate::operations::Market;
use crate::stories::HARBOUR_CARD;
use books::shapes::{IssuerBook, TerminalBook, TerminalEntry, TerminalState};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use testkit::{metric, wait_for};
use tests::message::Ask;
use tests::process::binary;
use tests::shop::Shop;

/// What is left of a day when everything has stopped.
struct Evening {
    shop: Shop,
    issuers: IssuerBook,
    terminals: TerminalBook,
}

impl Evening {
    fn of(market: Market) -> Self {
        let depth = || metric(&market.switch.metrics(), "pointsman_saf_depth", &[]);
        wait_for("nothing owed", || depth() == 0.0);
        market.switch.stop().unwrap();
        let issuers = market.issuer.control("harbour").unwrap().book();
        Self { shop: market.shop, issuers, terminals: TerminalBook { entries: market.entries } }
    }

    /// Two sales of 200.00 and 50.00.
    fn of_two_sales() -> Self {
        let mut market = Market::open();
        market.ask(&Ask::purchase(HARBOUR_CARD, 1, 20_000), TerminalState::Approved, "00");
        market.ask(&Ask::purchase(HARBOUR_CARD, 2, 5_000), TerminalState::Approved, "00");
        Self::of(market)
    }

    fn sale(&mut self, stan: u32) -> &mut TerminalEntry {
        self.terminals.entries.iter_mut().find(|entry| entry.stan == stan).unwrap()
    }

    fn file(&self, name: &str, book: &impl serde::Serialize) -> PathBuf {
        let file = self.shop.dir.path().join(name);
        std::fs::write(&file, serde_json::to_vec(book).unwrap()).unwrap();
        file
    }

    /// Runs the command on the files, as they are now.
    fn run(&self, with_terminals: bool, args: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.env("NO_COLOR", "1").args(["books", "--journal"]).arg(self.shop.journal());
        command.arg("--issuer").arg(self.file("harbour.json", &self.issuers));
        if with_terminals {
            command.arg("--terminals").arg(self.file("fleet.json", &self.terminals));
        }
        command.args(args).output().unwrap()
    }

    /// Exit status and what is said to machines.
    #[track_caller]
    fn json(&self, args: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(true, &[args, &["--json"]].concat());
        (output.status.code(), serde_json::from_slice(&output.stdout).expect("one JSON object"))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_books_of_a_day_agree_with_and_without_the_terminals() {
    let evening = Evening::of_two_sales();
    let (status, all) = evening.json(&[]);
    assert_eq!((status, &all["agree"], &all["transactions"]), (Some(0), &true.into(), &2.into()), "{all:#}");
    let lines = all["lines"].as_array().unwrap();
    // A cutover between the two sales makes two lines.
    let sum = |name: &str| lines.iter().map(|line| line[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!([sum("terminals"), sum("journal"), sum("issuers")], [25_000; 3], "{all:#}");
    let counted = lines.iter().map(|line| line["total"]["approved_count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(counted, 2, "{all:#}");

    let day = lines[0]["day"].as_str().unwrap();
    let (status, one) = evening.json(&["--day", day]);
    assert_eq!((status, &one["day"], &one["lines"][0]), (Some(0), &day.into(), &lines[0]));

    let shown = evening.run(true, &["--day", day]);
    assert!(
        text(&shown).contains("the books agree:") && text(&shown).contains("harbour"),
        "{}",
        text(&shown)
    );
    assert!(!text(&shown).contains('\x1b'), "no colour where nobody looks");

    let without = evening.run(false, &[]);
    assert_eq!(without.status.code(), Some(0));
    assert!(text(&without).contains("the terminals' book was not asked for"), "{}", text(&without));
}

#[test]
fn an_open_item_says_which_transaction_why_and_whose_move_it_is() {
    let mut evening = Evening::of_two_sales();
    evening.sale(2).state = TerminalState::Unknown;
    let rrn = evening.sale(2).rrn.clone().unwrap();
    let (status, said) = evening.json(&[]);
    let item = &said["items"][0];
    assert_eq!((status, said["items"].as_array().unwrap().len()), (Some(0), 1), "{said:#}");
    assert_eq!((&item["kind"], &item["amount"]), (&"unconfirmed-delivery".into(), &5_000.into()));
    let card = format!("{}******{}", &HARBOUR_CARD[..6], &HARBOUR_CARD[12..]);
    let named = [("rrn", &*rrn), ("terminal", "T0000001"), ("card", &card), ("issuer", "harbour")];
    named.iter().for_each(|(name, value)| assert_eq!(item[name], *value, "{said:#}"));
    assert_eq!(item["stan"], 2);
    let next = (item["next"]["who"].as_str(), item["next"]["what"].as_str());
    assert!(next.0 == Some("acquirer") && next.1.unwrap().contains("ask the merchant"), "{said:#}");

    let shown = text(&evening.run(true, &[]));
    for word in ["unconfirmed-delivery", "50.00", &rrn, "STAN 000002", &card, "acquirer:", "1 open items"] {
        assert!(shown.contains(word), "{word} in:\n{shown}");
    }
    assert!(!shown.contains(HARBOUR_CARD));
}

#[test]
fn a_disagreement_ends_with_status_1_and_names_the_transaction() {
    let mut evening = Evening::of_two_sales();
    evening.issuers.entries[1].amount -= 1;
    let (status, said) = evening.json(&[]);
    assert_eq!((status, &said["agree"]), (Some(1), &false.into()));
    let one = &said["disagreements"][0];
    assert!(one["transaction"].as_str().unwrap().contains("stan 000002"), "{said:#}");
    assert!(one["what"].as_str().unwrap().contains("issuer's net debit 4999"), "{said:#}");
    assert_eq!(one["next"]["who"], "operator");
    let shown = evening.run(false, &[]);
    assert_eq!(shown.status.code(), Some(1), "nor do journal and issuer");
    assert!(text(&shown).contains("the books do not agree:"), "{}", text(&shown));

    evening.issuers.entries[1].amount += 1;
    evening.terminals.entries.remove(0);
    assert_eq!(evening.json(&[]).0, Some(1), "an approval that no terminal has");
    assert_eq!(evening.run(false, &[]).status.code(), Some(0), "which the issuer has");
}

#[test]
fn a_day_without_trade_is_no_agreement() {
    let evening = Evening::of_two_sales();
    let output = evening.run(true, &["--day", "2001-02-03"]);
    let fault = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(fault.contains("no transaction of business day 2001-02-03"), "{fault}");
    assert_eq!(evening.run(true, &["--day", "2026-02-30"]).status.code(), Some(2), "no date");

    std::fs::remove_dir_all(evening.shop.journal()).unwrap();
    assert_eq!(evening.run(true, &[]).status.code(), Some(1), "no journal");
}

/// Two sales, settled as equal or not, uploaded as told.
fn settled(debits: (u64, u32), lines: &[(u32, u64)], end: Ask) -> Evening {
    let mut market = Market::open();
    market.ask(&Ask::purchase(HARBOUR_CARD, 1, 6_000), TerminalState::Approved, "00");
    market.ask(&Ask::purchase(HARBOUR_CARD, 2, 500), TerminalState::Approved, "00");
    for ask in [Ask::settlement(3, debits, (0, 0)), Ask::upload(4, lines), end] {
        assert_eq!(
            market.till.ask(&ask).unwrap().code.as_str(),
            "00",
            "the end of a batch is never declined"
        );
    }
    Evening::of(market)
}

#[test]
fn a_batch_that_differs_is_told_by_stan() {
    let lines = [(1, 6_000), (2, 600), (9, 700)];
    let evening = settled((7_300, 3), &lines, Ask::upload_end(5, 3));
    let (status, said) = evening.json(&[]);
    assert_eq!((status, &said["agree"]), (Some(0), &true.into()), "{said:#}");
    let batch = &said["batches"][0];
    let found: Vec<(u64, Option<u64>, Option<u64>)> = batch["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["stan"].as_u64().unwrap(), one["terminal"].as_u64(), one["journal"].as_u64()))
        .collect();
    assert_eq!(found, [(2, Some(600), Some(500)), (9, Some(700), None)], "{batch:#}");
    assert_eq!((&batch["totals"], &batch["next"]["who"]), (&"different".into(), &"acquirer".into()));
    let shown = text(&evening.run(false, &[]));
    for word in ["Batches that differ", "000001 of T0000001", "73.00 (3)", "65.00 (2)", "the amounts differ"]
    {
        assert!(shown.contains(word), "{word} in:\n{shown}");
    }
}

#[test]
fn an_upload_that_ends_with_another_count_or_as_equal_is_a_disagreement() {
    let lines = [(1, 6_000), (2, 500)];
    let good = settled((6_500, 2), &lines, Ask::upload_end(5, 2).equal());
    assert_eq!(good.json(&[]).0, Some(0), "{:#}", good.json(&[]).1);
    for (debits, end, expected) in [
        ((6_500, 2), Ask::upload_end(5, 3).equal(), "uploaded 3 lines, 2 came"),
        ((6_600, 2), Ask::upload_end(5, 2).equal(), "ends as equal (207), the totals were different"),
    ] {
        let (status, said) = settled(debits, &lines, end).json(&[]);
        assert_eq!((status, said["disagreements"].as_array().unwrap().len()), (Some(1), 1), "{said:#}");
        let one = &said["disagreements"][0];
        assert!(one["what"].as_str().unwrap().ends_with(expected), "{said:#}");
        assert!(one["transaction"].as_str().unwrap().contains("batch 000001 of T0000001"), "{said:#}");
        assert_eq!(one["next"]["who"], "terminal");
    }
}
