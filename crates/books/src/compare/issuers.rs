//! Journal against issuers. The key is issuer, our STAN and our DE 7, and the RRN.
//! Never nets one transaction against another; guards: an approval is debited exactly once, everything else not at all.

use super::{Comparison, ItemKind, why};
use crate::shapes::{IssuerBook, IssuerEntry, IssuerKind};
use crate::switch_book::{Entry, State, SwitchBook};
use std::collections::BTreeMap;

/// What an issuer booked for one transaction.
#[derive(Clone, Copy, Default)]
struct Booked<'a> {
    card: &'a str,
    debits: u32,
    reversals: u32,
    net: i64,
    foreign: bool,
}

pub(super) fn compare(book: &IssuerBook, switch: &SwitchBook, comparison: &mut Comparison) {
    let mut by_key: BTreeMap<(&str, u32), Vec<u64>> = BTreeMap::new();
    for (serial, entry) in switch.transactions.iter().filter(|(_, entry)| entry.moves()) {
        let advised = entry.advised.map(|advised| advised.stan).filter(|stan| *stan != entry.link_stan);
        for stan in [Some(entry.link_stan), advised].into_iter().flatten() {
            by_key.entry((&entry.issuer, stan)).or_default().push(*serial);
        }
    }
    let mut booked: BTreeMap<u64, Booked<'_>> = BTreeMap::new();
    for booking in &book.entries {
        let candidates = by_key.get(&(booking.issuer.as_str(), booking.stan)).map_or(&[][..], Vec::as_slice);
        let mut same = candidates.iter().filter(|serial| is_same(booking, &switch.transactions[serial]));
        match (same.next(), same.next()) {
            (Some(serial), None) => {
                let entry = &switch.transactions[serial];
                comparison.account(entry, booking.currency).issuers += signed(booking);
                booked.entry(*serial).or_default().add(booking, entry.currency);
            }
            (None, _) => unasked(booking, switch, "nothing that the journal has", comparison),
            (Some(_), Some(_)) => unasked(booking, switch, "more than one transaction", comparison),
        }
    }
    for (serial, entry) in switch.transactions.iter().filter(|(_, entry)| entry.moves()) {
        settle(entry, booked.get(serial).copied().unwrap_or_default(), comparison);
    }
    let cards: BTreeMap<&str, &str> = (!comparison.items.is_empty())
        .then(|| booked.iter().map(|(serial, booked)| (&*switch.transactions[serial].serial, booked.card)))
        .into_iter()
        .flatten()
        .collect();
    for item in &mut comparison.items {
        item.card = cards.get(&*item.serial).map(|card| masked(card));
    }
}

/// A book from elsewhere may say more than it should.
fn masked(card: &str) -> String {
    let last = card.len().saturating_sub(4);
    card.char_indices().map(|(at, digit)| if (6..last).contains(&at) { '*' } else { digit }).collect()
}

fn settle(entry: &Entry, mut booked: Booked<'_>, comparison: &mut Comparison) {
    let sign = if entry.credits { -1 } else { 1 };
    let amount = entry.net() * sign;
    if entry.credits {
        // A credit is a debit the other way round.
        booked = Booked { debits: booked.reversals, reversals: booked.debits, net: -booked.net, ..booked };
    }
    if booked.foreign {
        return comparison.disagree(entry, "the issuer booked it in another currency");
    }
    if entry.advised.is_some() && entry.stands() && booked.debits > booked.reversals + 1 {
        // It said that it could not decide, or acknowledged a reversal, and booked the request all the same.
        let excess = booked.net - amount;
        return comparison.issuer_item(ItemKind::IssuerContradiction, entry, -excess * sign);
    }
    if booked.net < 0 || booked.debits > booked.reversals + 1 {
        let Booked { debits, reversals, net, .. } = booked;
        let what = format!("the issuer booked {debits} debits and {reversals} reversals, net {net}");
        return comparison.disagree(entry, what);
    }
    match (entry.state, booked.net) {
        (State::Approved, net) if net == amount => {}
        (State::Approved, 0) if entry.refused => {
            comparison.issuer_item(ItemKind::StandInLoss, entry, sign * amount);
        }
        (State::StandIn, 0) if entry.parked => {
            comparison.issuer_item(ItemKind::Quarantined, entry, sign * amount);
        }
        (State::StandIn, 0) => comparison.issuer_item(ItemKind::StandInLoss, entry, sign * amount),
        (State::StandIn, net) if net == amount => {}
        (State::Declined | State::Reversed | State::Reversing | State::Quarantined | State::Open, 0) => {}
        (State::Quarantined, net) => comparison.issuer_item(ItemKind::Quarantined, entry, -net * sign),
        // It answered a decline, or acknowledged the reversal, and keeps the debit.
        (State::Reversed, net) => comparison.issuer_item(ItemKind::IssuerContradiction, entry, -net * sign),
        (State::Declined, net) if entry.code.is_some() => {
            comparison.issuer_item(ItemKind::IssuerContradiction, entry, -net * sign);
        }
        (state, net) => {
            comparison.disagree(entry, format!("journal {state:?} {amount}, issuer's net debit {net}"));
        }
    }
}

fn unasked(booking: &IssuerEntry, switch: &SwitchBook, what: &str, comparison: &mut Comparison) {
    let IssuerEntry { issuer, stan, transmission, amount, currency, .. } = booking;
    let day = switch.day_at(issuer, booking.at);
    comparison.stray(day, Some(issuer), *currency).issuers += signed(booking);
    comparison.differ(
        format!("{issuer} stan {stan:06} at {transmission:010}"),
        format!("the issuer booked a {:?} of {amount} {currency:03} for {what}", booking.kind),
        day,
        why::LOOK,
    );
}

impl<'a> Booked<'a> {
    fn add(&mut self, booking: &'a IssuerEntry, currency: u16) {
        self.card = &booking.card;
        self.foreign |= booking.currency != currency;
        self.net += signed(booking);
        match booking.kind {
            IssuerKind::Debit => self.debits += 1,
            IssuerKind::Reversal => self.reversals += 1,
        }
    }
}

fn signed(booking: &IssuerEntry) -> i64 {
    match booking.kind {
        IssuerKind::Debit => booking.amount,
        IssuerKind::Reversal => -booking.amount,
    }
}

/// DE 7 where both have it, and the RRN where both have it: two links of one issuer may use a STAN in the same second. An
/// advice has a number of its own.
fn is_same(booking: &IssuerEntry, entry: &Entry) -> bool {
    let same = |stan: u32, transmission: u32| {
        let free = booking.transmission == 0 || transmission == 0;
        booking.stan == stan && (free || booking.transmission == transmission)
    };
    let advised = entry.advised.is_some_and(|advised| same(advised.stan, advised.transmission));
    let transmission = advised || same(entry.link_stan, entry.link_transmission);
    let rrn = booking.rrn.as_deref().is_none_or(|rrn| rrn.trim_end() == entry.rrn);
    transmission && rrn
}
