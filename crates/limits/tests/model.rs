//! The store against a model of a few lines: any sequence of calls, days and holders gives the same counters.
//! A failing case prints itself and its seed.

use limits::{Ceilings, Charge, Demand, LimitKey, Scope, Store};
use proptest::prelude::*;
use std::collections::BTreeMap;
use terms::{BusinessDay, Currency, Minor};

#[derive(Clone, Debug)]
enum Call {
    Reserve(Vec<Demand>),
    Release(Charge),
    Force(Demand),
    Sweep(BusinessDay),
}

/// A day with what it has: the rules of the design for one number, in exact arithmetic and one thread.
#[derive(Clone, Copy, Default, Debug)]
struct Word {
    day: u16,
    value: i128,
}

impl Word {
    fn plus(&mut self, day: u16, more: i128, ceiling: Option<i128>) -> bool {
        let open = if day > self.day { Self { day, value: 0 } } else { *self };
        let fits = ceiling.is_none_or(|ceiling| open.value + more <= ceiling);
        if fits {
            *self = Self { value: open.value + more, ..open };
        }
        fits
    }

    fn minus(&mut self, day: u16, less: i128) {
        if self.day == day {
            self.value = (self.value - less).max(0);
        }
    }
}

/// Amount and count of every holder that was ever asked for.
#[derive(Default)]
struct Model(BTreeMap<LimitKey, [Word; 2]>);

impl Model {
    fn reserve(&mut self, demands: &[Demand]) -> bool {
        let before = self.0.clone();
        let single = |demand: &Demand| demand.ceilings.single.is_none_or(|single| demand.amount <= single);
        let fits = demands.iter().all(single) && demands.iter().all(|demand| self.hold(demand));
        if !fits {
            self.0 = before;
        }
        fits
    }

    fn hold(&mut self, demand: &Demand) -> bool {
        let [amount, count] = self.0.entry(demand.key).or_default();
        let ceilings = demand.ceilings;
        amount.plus(demand.day.0, i128::from(demand.amount), ceilings.daily.map(i128::from))
            && count.plus(amount.day, 1, ceilings.count.map(i128::from))
    }

    fn force(&mut self, demand: &Demand) {
        let [amount, count] = self.0.entry(demand.key).or_default();
        amount.plus(demand.day.0, i128::from(demand.amount), None);
        count.plus(demand.day.0, 1, None);
    }

    fn release(&mut self, charge: &Charge) {
        let [amount, count] = self.0.entry(charge.key).or_default();
        amount.minus(charge.day.0, i128::from(charge.amount));
        count.minus(charge.day.0, 1);
    }

    fn sweep(&mut self, oldest: BusinessDay) {
        self.0.retain(|_, words| words[0].day.max(words[1].day) >= oldest.0);
    }

    /// What each holder has spent, and on which day.
    fn picture(&self) -> Vec<(LimitKey, BusinessDay, Minor, u32)> {
        let all = self.0.iter().map(|(key, [amount, count])| {
            let day = amount.day.max(count.day);
            let on = |word: &Word| if word.day == day { word.value } else { 0 };
            (*key, BusinessDay(day), on(amount) as Minor, on(count) as u32)
        });
        all.filter(|(_, day, ..)| *day != BusinessDay::NEVER).collect()
    }
}

fn picture(store: &Store) -> Vec<(LimitKey, BusinessDay, Minor, u32)> {
    let mut all = Vec::new();
    store.for_each(|key, day, spent, count| all.push((key, day, spent, count)));
    all.sort_unstable();
    all
}

fn demands() -> impl Strategy<Value = Demand> {
    let ceiling = |most: Minor| prop_oneof![Just(None), (0..most).prop_map(Some)];
    (0..4_u128, 1..4_u16, 0..60_i64, ceiling(50), ceiling(150), ceiling(5)).prop_map(
        |(holder, day, amount, single, daily, count)| Demand {
            scope: Scope::ALL[holder as usize],
            key: LimitKey(holder << 90 | holder),
            day: BusinessDay(day),
            amount,
            ceilings: Ceilings {
                currency: Currency::CNY,
                single,
                daily,
                count: count.map(|count| count as u32),
            },
        },
    )
}

fn calls() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => proptest::collection::vec(demands(), 1..4).prop_map(Call::Reserve),
        3 => demands().prop_map(|demand| Call::Release(demand.charge())),
        2 => demands().prop_map(Call::Force),
        1 => (1..4_u16).prop_map(|day| Call::Sweep(BusinessDay(day))),
    ]
}

proptest! {
    #[test]
    fn the_store_is_the_model(calls in proptest::collection::vec(calls(), 1..60)) {
        let (store, mut model) = (Store::new(16), Model::default());
        for call in calls {
            match call {
                Call::Reserve(demands) => {
                    prop_assert_eq!(store.reserve(&demands).is_ok(), model.reserve(&demands));
                }
                Call::Release(charge) => {
                    store.release(&[charge]);
                    model.release(&charge);
                }
                Call::Force(demand) => {
                    store.force(&[demand]);
                    model.force(&demand);
                }
                Call::Sweep(oldest) => {
                    store.sweep(oldest);
                    model.sweep(oldest);
                }
            }
            prop_assert_eq!(picture(&store), model.picture());
        }
    }

    /// What a journal would replay (the admissions and what was given back) makes the same counters as were live.
    #[test]
    fn replayed_is_live(calls in proptest::collection::vec((demands(), any::<bool>()), 1..60)) {
        let (live, again) = (Store::new(16), Store::new(16));
        for (demand, given_back) in calls {
            if live.reserve(&[demand]).is_err() {
                continue;
            }
            again.restore(demand.key, demand.day, demand.amount, 1).unwrap();
            if given_back {
                live.release(&[demand.charge()]);
                again.release(&[demand.charge()]);
            }
        }
        prop_assert_eq!(picture(&live), picture(&again));
    }
}
