//! Card numbers, amounts and chance.
//! Never a real card: numbers are counted up behind the given prefixes. Guards: the check digit of each is right.

use crate::config::{Mix, Plan};
use terms::Pan;

/// The cards of a fleet: sixteen digits each.
pub(crate) fn cards(bins: &[String], count: u32) -> Vec<u64> {
    (0..u64::from(count))
        .map(|at| {
            let bin = &bins[(at % bins.len() as u64) as usize];
            let room = 10_u64.pow(15 - bin.len() as u32);
            let prefix: u64 = bin.parse().unwrap_or(0);
            // A step without a common divisor spreads the numbers over the whole range.
            with_check_digit(prefix * room + (at / bins.len() as u64 * 7_919) % room)
        })
        .collect()
}

fn with_check_digit(fifteen: u64) -> u64 {
    let holds = |digit: &u64| Pan::from_parts(fifteen * 10 + digit, 16).is_some_and(Pan::luhn_holds);
    fifteen * 10 + (0..10).find(holds).unwrap_or(0)
}

/// xorshift64*: fast, seeded, good enough for load.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Over 0, at most 1.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// The next transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    pub balance: bool,
    pub amount: u32,
}

/// What to draw from, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    /// One of a thousand each: 0..=99 an amount ending, [`BALANCE`].
    slots: Box<[u8]>,
    majors: u32,
    pub repeats: u32,
    pub reversals: u32,
}

const BALANCE: u8 = 255;

impl Draw {
    pub(crate) fn new(plan: &Plan, amount_max: i64) -> Self {
        let Mix { amount_ends, balances, repeats, reversals } = &plan.mix;
        let mut slots = Vec::with_capacity(1_000);
        for (ending, share) in amount_ends {
            slots.extend(std::iter::repeat_n(*ending, usize::from(*share)));
        }
        slots.extend(std::iter::repeat_n(BALANCE, usize::from(*balances)));
        slots.resize(1_000, 0);
        Self {
            slots: slots.into(),
            majors: (amount_max / 100) as u32,
            repeats: u32::from(*repeats),
            reversals: u32::from(*reversals),
        }
    }

    pub(crate) fn next(&self, chance: &mut Chance) -> Choice {
        let slot = self.slots[chance.below(1_000) as usize];
        let majors = 1 + chance.below(self.majors);
        if slot == BALANCE {
            return Choice { balance: true, amount: 0 };
        }
        Choice { balance: false, amount: majors * 100 + u32::from(slot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Load;
    use core::time::Duration;

    #[test]
    fn cards_differ_and_have_a_check_digit() {
        let cards = cards(&["622424".into(), "54".into()], 20_000);
        assert!(cards.iter().all(|card| Pan::from_parts(*card, 16).unwrap().luhn_holds()));
        let different: std::collections::BTreeSet<_> = cards.iter().collect();
        assert_eq!(different.len(), 20_000);
        assert_eq!((cards[0] / 10_u64.pow(10), cards[1] / 10_u64.pow(14)), (622_424, 54));
    }

    #[test]
    fn shares_are_kept() {
        let mut plan = Plan::new(Load::Closed { in_flight: 1 }, Duration::from_secs(1));
        plan.mix = Mix { balances: 100, ..Mix::default() }.declines(200, &[51, 61]);
        let (draw, mut chance) = (Draw::new(&plan, 10_000), Chance::new(7));
        let drawn: Vec<_> = (0..100_000).map(|_| draw.next(&mut chance)).collect();
        let count = |fits: &dyn Fn(&Choice) -> bool| drawn.iter().filter(|one| fits(one)).count();
        assert!((9_000..11_000).contains(&count(&|one| one.balance)));
        assert!((9_000..11_000).contains(&count(&|one| one.amount % 100 == 61)));
        assert!(drawn.iter().all(|one| one.balance || (100..=10_099).contains(&one.amount)));
    }
}
