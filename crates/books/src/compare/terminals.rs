//! Terminals against journal. The key is acquirer, terminal, merchant, batch and STAN, with local date and time, else RRN.
//! Never matches one transaction twice; guards: no approval that the other side does not have.

use super::{Comparison, ItemKind, why};
use crate::shapes::{TerminalBook, TerminalEntry, TerminalState};
use crate::switch_book::{Entry, State, SwitchBook};
use std::collections::{BTreeMap, BTreeSet};

type Key = (String, String, String, u32, u32);

pub(super) fn compare(book: &TerminalBook, switch: &SwitchBook, comparison: &mut Comparison) {
    let mut by_key: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
    for (serial, entry) in switch.transactions.iter().filter(|(_, entry)| entry.moves()) {
        by_key.entry(key_of(entry)).or_default().push(*serial);
    }
    let mut taken = BTreeSet::new();
    for believed in book.entries.iter().filter(|believed| believed.money) {
        let candidates = by_key.get(&key(believed)).map_or(&[][..], Vec::as_slice);
        let free = |serial: &&u64| !taken.contains(*serial);
        let same = |serial: &&u64| is_same(believed, &switch.transactions[*serial]);
        match candidates.iter().filter(free).rfind(same) {
            Some(serial) => {
                taken.insert(*serial);
                let entry = &switch.transactions[serial];
                comparison.account(entry, believed.currency).terminals += sum(believed);
                settle(believed, entry, switch, comparison);
            }
            None => alone(believed, comparison),
        }
    }
    let left = switch.transactions.iter().filter(|(serial, entry)| entry.moves() && !taken.contains(serial));
    for (_, entry) in left.filter(|(_, entry)| entry.net() != 0) {
        comparison.disagree(entry, "approved in the journal, not in the terminals' book");
    }
}

/// What it moved, as its terminal believes: money taken is positive.
fn sum(believed: &TerminalEntry) -> i64 {
    match believed.state {
        TerminalState::Approved => believed.amount,
        TerminalState::Credited => -believed.amount,
        _ => 0,
    }
}

/// Both sides have it.
fn settle(believed: &TerminalEntry, entry: &Entry, switch: &SwitchBook, comparison: &mut Comparison) {
    use TerminalState as T;
    let amount = entry.final_amount();
    if entry.credits {
        return credit(believed, entry, comparison);
    }
    match (believed.state, entry.state) {
        (T::Completed, State::Approved) if entry.completed => {}
        // The issuer took back the completion: the hold stands again.
        (T::Completed, State::Approved) if is_restored(entry, switch) => {
            comparison.terminal_item(ItemKind::IssuerContradiction, entry, amount);
        }
        (T::Completed | T::Credited, state) => {
            comparison.disagree(entry, format!("terminal {:?}, journal {state:?}", believed.state));
        }
        (T::Approved | T::Unknown, State::Approved) if entry.completed => {
            comparison.disagree(entry, "completed in the journal, not in the terminals' book");
        }
        (T::Approved, State::Approved | State::StandIn)
            if (believed.amount, believed.currency) == (amount, entry.currency) => {}
        (T::Approved, State::Approved | State::StandIn) => {
            let (theirs, currency) = (believed.amount, believed.currency);
            let what =
                format!("terminal approved {theirs} {currency:03}, journal {amount} {:03}", entry.currency);
            comparison.disagree(entry, what);
        }
        // It asked for the reversal itself and kept the goods handed over all the same.
        (T::Approved, State::Reversing | State::Reversed | State::Quarantined)
            if entry.reversal_reason == Some(TERMINAL_ASKED) =>
        {
            comparison.terminal_item(ItemKind::TerminalBreach, entry, -believed.amount);
        }
        // It was told an approval that the issuer took back later.
        (T::Approved, State::Reversing | State::Reversed | State::Quarantined)
            if entry.reversal_reason == Some(ISSUER_REVERSED) =>
        {
            comparison.terminal_item(ItemKind::IssuerContradiction, entry, -believed.amount);
        }
        (T::Approved, state) | (T::Reversed, state @ (State::Approved | State::StandIn)) => {
            comparison.disagree(entry, format!("terminal {:?}, journal {state:?}", believed.state));
        }
        (T::Unknown, State::Approved | State::StandIn) => {
            comparison.terminal_item(ItemKind::UnconfirmedDelivery, entry, amount);
        }
        // Without a reversal a terminal may not take an approval for a decline.
        (T::Declined, State::Approved | State::StandIn) => {
            comparison.terminal_item(ItemKind::TerminalBreach, entry, amount);
        }
        (_, State::Open) => comparison.disagree(entry, "no outcome in the journal"),
        _ => {}
    }
}

/// Whether the last operation on it was taken back by the issuer.
fn is_restored(entry: &Entry, switch: &SwitchBook) -> bool {
    let operation = entry.taken_back_by.and_then(|serial| switch.transactions.get(&serial));
    operation.is_some_and(|operation| operation.reversal_reason == Some(ISSUER_REVERSED))
}

/// Money that goes back: every amount counts the other way.
fn credit(believed: &TerminalEntry, entry: &Entry, comparison: &mut Comparison) {
    use TerminalState as T;
    let amount = entry.final_amount();
    match (believed.state, entry.state) {
        (T::Credited, State::Approved | State::StandIn)
            if (believed.amount, believed.currency) == (amount, entry.currency) => {}
        (T::Unknown, State::Approved | State::StandIn) => {
            comparison.terminal_item(ItemKind::UnconfirmedDelivery, entry, -amount);
        }
        (T::Declined, State::Approved | State::StandIn) => {
            comparison.terminal_item(ItemKind::TerminalBreach, entry, -amount);
        }
        (T::Credited, State::Reversing | State::Reversed | State::Quarantined)
            if entry.reversal_reason == Some(TERMINAL_ASKED) =>
        {
            comparison.terminal_item(ItemKind::TerminalBreach, entry, believed.amount);
        }
        // It was told a void or a refund that the issuer took back later.
        (T::Credited, State::Reversing | State::Reversed | State::Quarantined)
            if entry.reversal_reason == Some(ISSUER_REVERSED) =>
        {
            comparison.terminal_item(ItemKind::IssuerContradiction, entry, believed.amount);
        }
        (_, State::Open) => comparison.disagree(entry, "no outcome in the journal"),
        (T::Declined | T::Reversed | T::Unknown, _) if !entry.stands() => {}
        (state, journal) => comparison.disagree(entry, format!("terminal {state:?}, journal {journal:?}")),
    }
}

/// The journal has no INTENT for it: fine unless the terminal has an approval.
fn alone(believed: &TerminalEntry, comparison: &mut Comparison) {
    if !matches!(believed.state, TerminalState::Approved | TerminalState::Credited) {
        return;
    }
    let TerminalEntry { terminal, merchant, stan, amount, currency, .. } = believed;
    let transaction = format!("{terminal} {merchant} stan {stan:06}");
    let what = format!("terminal approved {amount} {currency:03}, the journal does not have it");
    comparison.stray(None, None, *currency).terminals += sum(believed);
    comparison.differ(transaction, what, None, why::LOOK);
}

fn key(believed: &TerminalEntry) -> Key {
    let trimmed = |text: &String| text.trim_end().to_owned();
    let identity = (trimmed(&believed.acquirer), trimmed(&believed.terminal), trimmed(&believed.merchant));
    (identity.0, identity.1, identity.2, believed.batch, believed.stan)
}

fn key_of(entry: &Entry) -> Key {
    (entry.acquirer.clone(), entry.terminal.clone(), entry.merchant.clone(), entry.batch, entry.stan)
}

/// A STAN comes again every few thousand transactions: date and time tell, else the RRN does.
fn is_same(believed: &TerminalEntry, entry: &Entry) -> bool {
    if let (Some(one), Some(other)) = (believed.local_time, entry.local_time) {
        return one == other && believed.local_date == entry.local_date;
    }
    let dates = believed.local_date == 0 || entry.local_date == 0 || believed.local_date == entry.local_date;
    let rrn = believed.rrn.as_deref().map(str::trim_end);
    let known = |rrn: &str| rrn == entry.rrn || Some(rrn) == entry.terminal_rrn.as_deref();
    dates && rrn.is_none_or(known)
}

/// Reversal reason 0 of the page of records.
const TERMINAL_ASKED: u8 = 0;
/// Reversal reason 7: the issuer did it by itself.
const ISSUER_REVERSED: u8 = 7;
