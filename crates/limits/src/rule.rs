//! Ceilings as configured, and the demand a transaction makes on a counter because of them.
//! Never touches a counter; guards: a demand is in the currency of its ceilings, and other currencies never share its counter.

use crate::{LimitKey, Scope};
use terms::{BusinessDay, Currency, InternalCause, Minor, Money};

/// The three ceilings in one currency; `None` is "no ceiling".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ceilings {
    /// What `single` and `daily` are in.
    pub currency: Currency,
    /// The largest amount of one transaction, minor units.
    pub single: Option<Minor>,
    /// The largest sum of one business day, minor units.
    pub daily: Option<Minor>,
    /// The most transactions of one business day.
    pub count: Option<u32>,
}

/// What happens to an amount in a currency that the ceilings do not name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum OtherCurrency {
    /// Refused: [`Which::Currency`].
    #[default]
    Refuse,
    /// Not counted and not limited.
    Ignore,
    /// Counted apart, under ceilings of its own; a currency in none of them is refused.
    Own(Box<[Ceilings]>),
}

/// Ceilings with their rule for other currencies.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rule {
    ceilings: Ceilings,
    other: OtherCurrency,
}

/// A rule that cannot be meant. Figures are minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleFault {
    /// A ceiling below zero.
    #[error("ceiling {0} is negative, expected 0 or more")]
    Negative(Minor),
    /// Above what a counter holds.
    #[error("ceiling {0} is above {max}, the most a counter holds", max = (1_i64 << 48) - 1)]
    TooLarge(Minor),
    /// One currency named twice.
    #[error("currency {0} has two sets of ceilings, expected one")]
    Twice(Currency),
}

impl Rule {
    /// A rule for `ceilings`, with what to do about other currencies.
    /// # Errors
    /// [`RuleFault`]: the first ceiling or currency that cannot be meant.
    pub fn new(ceilings: Ceilings, other: OtherCurrency) -> Result<Self, RuleFault> {
        let rule = Self { ceilings, other };
        for (position, one) in rule.all().enumerate() {
            if rule.all().take(position).any(|earlier| earlier.currency == one.currency) {
                return Err(RuleFault::Twice(one.currency));
            }
            for figure in [one.single, one.daily].into_iter().flatten() {
                match figure {
                    ..0 => return Err(RuleFault::Negative(figure)),
                    COUNTER_MAX.. => return Err(RuleFault::TooLarge(figure)),
                    _ => {}
                }
            }
        }
        Ok(rule)
    }

    /// The ceilings in the rule's own currency.
    pub fn ceilings(&self) -> &Ceilings {
        &self.ceilings
    }

    /// The demand of one transaction: `amount` is DE 4 with DE 49, `billing` DE 6 with DE 51 (used where it has the rule's
    /// currency and DE 49 has not). `None` where the rule ignores the currency.
    /// # Errors
    /// [`Which::Currency`] where no ceiling is in either currency and the rule does not ignore that.
    pub fn demand(
        &self,
        scope: Scope,
        key: LimitKey,
        day: BusinessDay,
        amount: Money,
        billing: Money,
    ) -> Result<Option<Demand>, Exceeded> {
        let own = [amount, billing].into_iter().find(|money| money.currency == self.ceilings.currency);
        if let Some(money) = own {
            return Ok(Some(Demand { scope, key, day, amount: money.minor, ceilings: self.ceilings }));
        }
        let others = match &self.other {
            OtherCurrency::Refuse => &[][..],
            OtherCurrency::Ignore => return Ok(None),
            OtherCurrency::Own(others) => others,
        };
        let ceilings = others.iter().find(|one| one.currency == amount.currency).copied();
        let ceilings = ceilings.ok_or(Exceeded { scope, which: Which::Currency })?;
        let key = key.in_currency(amount.currency);
        Ok(Some(Demand { scope, key, day, amount: amount.minor, ceilings }))
    }

    fn all(&self) -> impl Iterator<Item = &Ceilings> {
        let others = match &self.other {
            OtherCurrency::Own(others) => &others[..],
            OtherCurrency::Refuse | OtherCurrency::Ignore => &[],
        };
        core::iter::once(&self.ceilings).chain(others)
    }
}

/// What a transaction asks of one counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Demand {
    /// Named in a refusal.
    pub scope: Scope,
    /// Which counter.
    pub key: LimitKey,
    /// The business day in the key's calendar.
    pub day: BusinessDay,
    /// Minor units of the ceilings' currency.
    pub amount: Minor,
    /// What it must stay within.
    pub ceilings: Ceilings,
}

impl Demand {
    /// What is given back when the transaction does not happen after all.
    pub fn charge(&self) -> Charge {
        Charge { key: self.key, day: self.day, amount: self.amount }
    }

    /// The ceilings that need no counter. A negative amount is over every ceiling.
    pub(crate) fn check(&self) -> Result<(), Exceeded> {
        if (0..=self.ceilings.single.unwrap_or(Minor::MAX)).contains(&self.amount) {
            Ok(())
        } else {
            Err(Exceeded { scope: self.scope, which: Which::Single })
        }
    }
}

/// What was charged to one counter on one day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Which counter.
    pub key: LimitKey,
    /// The day of the [`Demand`].
    pub day: BusinessDay,
    /// Minor units.
    pub amount: Minor,
}

/// Which ceiling said no.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// One transaction's amount.
    Single,
    /// The day's sum.
    DailyAmount,
    /// The day's count.
    DailyCount,
    /// No ceiling in this currency.
    Currency,
    /// No room for one more counter.
    Full,
}

/// A refusal: whose ceiling and which. Nothing is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} ceiling refuses: {}", scope.name(), self.cause())]
pub struct Exceeded {
    /// Whose.
    pub scope: Scope,
    /// Which.
    pub which: Which,
}

impl Exceeded {
    /// The engine's word for it.
    pub const fn cause(&self) -> InternalCause {
        match self.which {
            Which::Single => InternalCause::OverSingleAmount,
            Which::DailyAmount => InternalCause::OverDailyAmount,
            Which::DailyCount => InternalCause::OverDailyCount,
            Which::Currency => InternalCause::CurrencyNotAllowed,
            Which::Full => InternalCause::Overloaded,
        }
    }
}

const COUNTER_MAX: Minor = 1 << 48;

#[cfg(test)]
mod tests;
