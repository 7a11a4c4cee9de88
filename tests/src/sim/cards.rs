//! What cards have spent, told twice: by the counters of the switch, and by the second reader's book.
//!
//! Never asks the code that keeps the counters what they should hold. Guards: on every card the last day's counter is what
//! stands on it, to the cent.

use super::verdict::Counter;
use super::world::World;
use books::SwitchBook;
use books::switch_book::Entry;
use limits::LimitKey;
use std::collections::BTreeMap;
use terms::Pan;

/// What stands on a card: on the counter's day, and on any day, with how many.
#[derive(Clone, Copy, Default)]
struct Stands {
    that_day: (i64, u32),
    all: (i64, u32),
    /// It has transactions of more than one business day.
    days: bool,
    first_day: Option<u16>,
}

impl World {
    /// Cards whose counter is not what stands on them. Where a card has more than one business day, what came late from the
    /// earlier is charged to the later and not given back there: then the counter is no less.
    pub(super) fn spent_is_not_sold(&self, book: &SwitchBook, live: &[Counter]) -> Vec<String> {
        let pans = self.pans();
        let counters: BTreeMap<u64, &Counter> = live.iter().map(|counter| (counter.0, counter)).collect();
        let mut cards: BTreeMap<(&str, u64), Stands> = BTreeMap::new();
        for entry in book.transactions.values().filter(|entry| entry.debits) {
            let Some(pan) = pans.get(&(entry.terminal.as_str(), entry.batch, entry.stan)) else { continue };
            let key = self.counter_of(pan, &entry.issuer_calendar);
            let day = counters.get(&key).map_or(0, |counter| counter.1);
            cards.entry((pan, key)).or_default().add(entry, day);
        }
        let differs = cards.iter().filter_map(|((pan, key), stands)| {
            let (amount, count) = counters.get(key).map_or((0, 0), |counter| (counter.2, counter.3));
            let told = stands.explains((amount, count));
            let (that_day, all) = (stands.that_day, stands.all);
            let end = &pan[pan.len() - 4..];
            (!told).then(|| {
                format!("card {end}: spent {amount} in {count}, stands {that_day:?} that day, {all:?} in all")
            })
        });
        differs.collect()
    }

    /// Which card each transaction of a terminal was made with.
    fn pans(&self) -> BTreeMap<(&str, u32, u32), &str> {
        let of_till = |till: &'_ super::till::Till| till.listener;
        let mut pans = BTreeMap::new();
        for till in &self.tills {
            for sale in &till.roll.sales {
                let batch = if of_till(till) == 0 { sale.batch } else { 0 };
                pans.insert((sale.terminal.as_str(), batch, sale.stan), sale.pan.as_str());
            }
        }
        pans
    }

    fn counter_of(&self, pan: &str, calendar: &str) -> u64 {
        let pan = Pan::new(pan.as_bytes()).expect("a card has a number");
        hash(LimitKey::card(&self.tokens.tokenizer().token(pan), terms::stable_id(calendar)))
    }
}

impl Stands {
    fn add(&mut self, entry: &Entry, day: u64) {
        self.days |= *self.first_day.get_or_insert(entry.issuer_day) != entry.issuer_day;
        // The hold of what was not given back stays where people must look.
        let stands = entry.stands() && !entry.voided && !entry.completed;
        let held = entry.state == books::switch_book::State::Quarantined;
        if !stands && !held {
            return;
        }
        let amount = entry.final_amount();
        self.all = (self.all.0 + amount, self.all.1 + 1);
        if u64::from(entry.issuer_day) == day {
            self.that_day = (self.that_day.0 + amount, self.that_day.1 + 1);
        }
    }

    fn explains(&self, spent: (i64, u32)) -> bool {
        if !self.days {
            return spent == self.all;
        }
        spent.0 >= self.that_day.0 && spent.1 >= self.that_day.1
    }
}

/// A key as a number: the same key, the same number.
pub(super) fn hash(key: LimitKey) -> u64 {
    (key.0 as u64) ^ (key.0 >> 64) as u64
}
