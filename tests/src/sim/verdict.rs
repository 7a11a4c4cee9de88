//! After a run: the three books, the limits, and what no run may have done.
//! Never trusts the switch: its journal is read by the second reader. Guards: whatever fails is said in words.

use super::cards::hash;
use super::tally::Tally;
use super::world::World;
use books::journal::{self, records};
use books::record::Payload;
use books::shapes::{IssuerBook, TerminalBook};
use books::switch_book::{Entry, State};
use books::{SwitchBook, compare};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use switch::serve::stepped::Stepped;
use terms::InternalCause;

/// What the journal of a finished run is.
pub struct Finished {
    /// Hash of its last batch, over all before it.
    pub head: String,
    /// What is wrong; empty if nothing is.
    pub failures: Vec<String>,
}

/// So many late answers, and one of them arrives.
const LATE_ENOUGH: u64 = 20;

/// One counter: its key, business day, amount and count.
pub(super) type Counter = (u64, u64, i64, u32);

impl World {
    /// Closes the switch and compares everything with everything.
    ///
    /// # Panics
    /// If the machine's own file system fails.
    pub fn judge(mut self) -> (Finished, Tally) {
        let mut failures = std::mem::take(&mut self.complaints);
        failures.extend(self.tills.iter_mut().flat_map(|till| std::mem::take(&mut till.complaints)));
        let live = self.host.as_ref().map(counters);
        let stranded = self.host.as_ref().map_or(0, |host| host.limits().stranded());
        if let Some(host) = self.host.take()
            && host.close().is_err()
        {
            failures.push("the journal cannot be closed".into());
        }
        match Stepped::open(self.config.clone(), self.ground()) {
            Ok(again) if live.as_ref().is_some_and(|live| agree(live, &counters(&again), stranded)) => {
                self.tally.row(56);
            }
            Ok(again) => failures.push(limits_differ(live.clone().unwrap_or_default(), counters(&again))),
            Err(fault) => failures.push(format!("the journal cannot be opened again: {fault}")),
        }
        let dir = tempfile::tempdir_in(self.tokens.path()).expect("a directory");
        for (path, bytes) in self.disk.files() {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            std::fs::write(dir.path().join(path.file_name().unwrap_or_default()), &bytes[..end])
                .expect("a file");
        }
        let head = self.read_books(dir.path(), live.as_deref().unwrap_or_default(), &mut failures);
        (Finished { head, failures }, self.tally)
    }

    fn read_books(&mut self, dir: &Path, live: &[Counter], failures: &mut Vec<String>) -> String {
        let report = match journal::verify(dir) {
            Ok(report) if report.damage.is_none() => report,
            Ok(report) => return complain(failures, format!("the journal is damaged: {:?}", report.damage)),
            Err(fault) => return complain(failures, format!("the journal cannot be read: {fault}")),
        };
        let book = match SwitchBook::of_journal(dir) {
            Ok(book) => book,
            Err(fault) => return complain(failures, format!("the journal makes no book: {fault}")),
        };
        let late = self.count_rows(dir, &book);
        // Some are lost with their connections or a crash; that none left a trace cannot be.
        if late == 0 && self.tally.late_answers >= LATE_ENOUGH {
            failures.push(format!("{} late answers left no trace in the journal", self.tally.late_answers));
        }
        self.compare(&book, live, failures);
        for totals in self.banks.iter().map(|bank| bank.issuer.totals()) {
            self.tally.faults_met("approval taken back by its issuer", totals.recanted);
            if totals.recants_refused > 0 {
                failures
                    .push(format!("{} of an issuer's own reversals were refused", totals.recants_refused));
            }
        }
        report.head
    }

    fn compare(&mut self, book: &SwitchBook, live: &[Counter], failures: &mut Vec<String>) {
        for entry in book.open() {
            failures.push(format!("no outcome: {}", named(entry)));
        }
        for entry in book.owed() {
            failures.push(format!("still owed: {}", named(entry)));
        }
        if !book.searching.is_empty() {
            failures.push(format!("{} originals are still looked for", book.searching.len()));
        }
        failures.extend(keys_used_twice(book));
        failures.extend(self.banks.iter().filter(|bank| bank.issuer.totals().repeats > 0).map(|bank| {
            format!("issuer {} was asked {} times again", bank.issuer.name(), bank.issuer.totals().repeats)
        }));
        let terminals =
            TerminalBook { entries: self.tills.iter().flat_map(|till| till.roll.entries.clone()).collect() };
        let mut issuers = IssuerBook::default();
        self.banks.iter().for_each(|bank| issuers.join(bank.issuer.book()));
        let verdict = compare(&terminals, book, &issuers);
        failures.extend(
            verdict.disagreements.iter().map(|one| format!("books: {}: {}", one.transaction, one.what)),
        );
        if !verdict.agree && verdict.disagreements.is_empty() {
            failures.push(format!("books: sums do not meet: {:?}", verdict.sums));
        }
        self.tally.open_items += verdict.items.len() as u64;
        if self.dose.keeps_rules() {
            failures.extend(verdict.items.iter().map(|item| {
                format!(
                    "everybody kept the rules, yet {:?} of {}: {}",
                    item.kind, item.amount, item.transaction
                )
            }));
        }
        failures.extend(self.spent_is_not_sold(book, live));
    }

    /// Rows that only the journal shows; how many answers it has that came too late.
    fn count_rows(&mut self, dir: &Path, book: &SwitchBook) -> u64 {
        let tally = &mut self.tally;
        let reasons = [(0, 24), (1, 1), (2, 5), (3, 19), (4, 11), (5, 40)];
        for entry in book.transactions.values() {
            if let Some((_, row)) = reasons.iter().find(|(reason, _)| entry.reversal_reason == Some(*reason))
            {
                tally.row(*row);
            }
            if matches!(entry.code.as_deref(), Some("91" | "96" | "ZZ" | "68")) {
                tally.row(13);
            }
            if entry.state == State::Reversed {
                tally.row(55);
                tally.row(57);
            }
            tally.rows_met(19, u64::from(entry.undelivered));
        }
        let (mut days, mut late) = (BTreeMap::new(), 0);
        for record in records(dir).into_iter().flatten().map_while(Result::ok) {
            match Payload::read(record.kind, &record.payload) {
                Ok(Payload::Late(serial, true)) => {
                    late += 1;
                    tally.row(2);
                    let stood_in = |entry: &Entry| entry.advised.is_some() && entry.undone;
                    tally.rows_met(14, u64::from(book.transactions.get(&serial).is_some_and(stood_in)));
                }
                Ok(Payload::Late(_, false)) => tally.row(3),
                Ok(Payload::Unmatched(_)) => {
                    // What comes long after its deadline matches nothing any more.
                    late += 1;
                    tally.row(9);
                }
                Ok(Payload::Tombstone(_)) => tally.row(25),
                Ok(Payload::Owed(owed)) if later_day(book, owed.serial, &days) => tally.row(29),
                Ok(Payload::Day(_, calendar, day))
                    if days.insert(calendar, day).is_some_and(|old| old != day) =>
                {
                    tally.business_days += 1;
                    tally.row(52);
                }
                Ok(Payload::Refused(refused)) => match refused.cause.and_then(InternalCause::from_number) {
                    Some(InternalCause::IssuerDown) => tally.row(4),
                    Some(InternalCause::BreakerOpen) => {
                        tally.row(4);
                        tally.row(7);
                    }
                    Some(cause) if cause.iso_code() == "61" => tally.row(54),
                    _ => {}
                },
                _ => {}
            }
        }
        let segments = std::fs::read_dir(dir).map_or(0, Iterator::count);
        tally.rows_met(48, segments.saturating_sub(5) as u64);
        for bank in &self.banks {
            let totals = bank.issuer.totals();
            tally.rows_met(15, totals.dropped);
            tally.rows_met(10, bank.doubled);
            tally.rows_met(18, bank.own_requests);
        }
        late
    }
}

fn later_day(book: &SwitchBook, serial: u64, days: &BTreeMap<u32, u16>) -> bool {
    let day = book.transactions.get(&serial).map_or(0, |entry| entry.issuer_day);
    days.values().any(|current| *current > day && day > 0)
}

fn complain(failures: &mut Vec<String>, what: String) -> String {
    failures.push(what);
    String::new()
}

fn named(entry: &Entry) -> String {
    format!("{} {} stan {:06} {:?}", entry.serial, entry.terminal, entry.stan, entry.state)
}

fn counters(host: &Stepped) -> Vec<Counter> {
    let mut counters = Vec::new();
    host.limits().for_each(|key, day, amount, count| {
        counters.push((hash(key), u64::from(day.0), amount, count));
    });
    counters.sort_unstable();
    counters
}

/// Equal; or above the replay by no more charges than releases found their counter at a later day: what was refused before
/// anything was written, by a worker that the new day had not reached, stays charged to that day and stands in no record.
fn agree(live: &[Counter], replayed: &[Counter], stranded: u64) -> bool {
    let replayed: BTreeMap<_, _> = replayed.iter().map(|of| ((of.0, of.1), (of.2, of.3))).collect();
    let mut above = 0;
    for (key, day, amount, count) in live {
        let (less, fewer) = replayed.get(&(*key, *day)).copied().unwrap_or((0, 0));
        if less > *amount || fewer > *count || (less == *amount) != (fewer == *count) {
            return false;
        }
        above += u64::from(count - fewer);
    }
    // What was refused, or did not stand, may have opened a later day that no record tells of.
    let known = |(of, (amount, count)): (&(u64, u64), &(i64, u32))| {
        let emptied = |one: &Counter| one.1 > of.1 && (one.2, one.3) == (0, 0);
        (*amount, *count) == (0, 0) || live.iter().any(|one| one.0 == of.0 && (one.1 == of.1 || emptied(one)))
    };
    above <= stranded && replayed.iter().all(known)
}

fn limits_differ(live: Vec<Counter>, replayed: Vec<Counter>) -> String {
    let (live, replayed): (BTreeSet<_>, BTreeSet<_>) =
        (live.into_iter().collect(), replayed.into_iter().collect());
    let few =
        |these: &BTreeSet<Counter>, others| these.difference(others).take(3).copied().collect::<Vec<_>>();
    let (only_live, only_replayed) = (few(&live, &replayed), few(&replayed, &live));
    format!("limits live and replayed differ: live {only_live:?}, replayed {only_replayed:?}")
}

/// Issuer, our STAN and our DE 7 name a request for ever.
fn keys_used_twice(book: &SwitchBook) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let twice = book.transactions.values().filter_map(|entry| {
        let key = (&entry.issuer, entry.link_stan, entry.link_transmission);
        let before = seen.insert(key, &entry.serial)?;
        Some(format!("{} and {before} went to {} under one key", entry.serial, entry.issuer))
    });
    twice.collect()
}
