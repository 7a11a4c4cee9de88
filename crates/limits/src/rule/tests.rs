//! Which ceilings an amount meets, by its currency.

use super::*;

const CNY: Ceilings =
    Ceilings { currency: Currency::CNY, single: Some(500), daily: Some(1000), count: Some(9) };
const USD: Ceilings = Ceilings { currency: Currency::USD, single: None, daily: Some(70), count: None };
const KEY: LimitKey = LimitKey(5);

fn money(minor: Minor, currency: Currency) -> Money {
    Money { minor, currency }
}

/// The amount, currency and key of the demand; `None` if ignored.
fn meets(
    other: OtherCurrency,
    amount: Money,
    billing: Money,
) -> Result<Option<(Minor, Currency, LimitKey)>, Which> {
    let rule = Rule::new(CNY, other).unwrap();
    let demand = rule.demand(Scope::Card, KEY, BusinessDay(1), amount, billing);
    let demand = demand.map_err(|exceeded| exceeded.which)?;
    Ok(demand.map(|demand| (demand.amount, demand.ceilings.currency, demand.key)))
}

#[test]
fn the_currency_chooses_the_ceiling() {
    let own = || OtherCurrency::Own(Box::new([USD]));
    let none = Money::default();
    let (cny, usd, eur) = (money(10, Currency::CNY), money(20, Currency::USD), money(30, Currency::EUR));
    let yuan = |amount| Ok(Some((amount, Currency::CNY, KEY)));
    let dollars = Ok(Some((20, Currency::USD, KEY.in_currency(Currency::USD))));
    //  DE 4, 49 · DE 6, 51 · rule for others · meets
    for (amount, billing, other, expected) in [
        (cny, none, OtherCurrency::Refuse, yuan(10)),
        (cny, usd, own(), yuan(10)),
        (usd, cny, OtherCurrency::Refuse, yuan(10)),
        (usd, cny, OtherCurrency::Ignore, yuan(10)),
        (usd, cny, own(), yuan(10)),
        (usd, none, OtherCurrency::Refuse, Err(Which::Currency)),
        (usd, none, OtherCurrency::Ignore, Ok(None)),
        (usd, none, own(), dollars),
        (usd, eur, own(), dollars),
        (eur, none, own(), Err(Which::Currency)),
        (none, none, OtherCurrency::Refuse, Err(Which::Currency)),
    ] {
        assert_eq!(meets(other.clone(), amount, billing), expected, "{amount:?} {billing:?} {other:?}");
    }
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    let with = |single, daily| Ceilings { single, daily, ..CNY };
    let refuse = |ceilings| Rule::new(ceilings, OtherCurrency::Refuse).map(|_| ());
    assert_eq!(refuse(with(Some(-1), None)), Err(RuleFault::Negative(-1)));
    assert_eq!(refuse(with(None, Some(1 << 48))), Err(RuleFault::TooLarge(1 << 48)));
    assert_eq!(refuse(with(Some(0), Some((1 << 48) - 1))), Ok(()));
    let twice = Rule::new(CNY, OtherCurrency::Own(Box::new([USD, USD])));
    assert_eq!(twice, Err(RuleFault::Twice(Currency::USD)));
    assert_eq!(Rule::new(CNY, OtherCurrency::Own(Box::new([CNY]))), Err(RuleFault::Twice(Currency::CNY)));
    assert_eq!(
        RuleFault::TooLarge(7).to_string(),
        "ceiling 7 is above 281474976710655, the most a counter holds"
    );
}

#[test]
fn a_refusal_says_whose_ceiling_and_why() {
    for (which, text) in [
        (Which::Single, "card ceiling refuses: over-single-amount"),
        (Which::DailyAmount, "card ceiling refuses: over-daily-amount"),
        (Which::DailyCount, "card ceiling refuses: over-daily-count"),
        (Which::Currency, "card ceiling refuses: currency-not-allowed"),
        (Which::Full, "card ceiling refuses: overloaded"),
    ] {
        assert_eq!(Exceeded { scope: Scope::Card, which }.to_string(), text);
    }
}
