//! Which counter: a scope, who it is about, and the calendar whose days it counts.
//! Never holds a card number (a card is its token); guards: the same holder under two scopes or calendars has two counters.

use terms::{CardToken, Currency, KeyHasher};

/// Whose ceiling it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scope {
    /// One card; the issuer's calendar.
    Card,
    /// One merchant of one acquirer; the acquirer's calendar.
    Merchant,
    /// One terminal; the acquirer's calendar.
    Terminal,
    /// All cards of one issuer; the issuer's calendar.
    Issuer,
}

impl Scope {
    /// Every scope, in order of their bits.
    pub const ALL: [Self; 4] = [Self::Card, Self::Merchant, Self::Terminal, Self::Issuer];

    /// The name in configuration and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Merchant => "merchant",
            Self::Terminal => "terminal",
            Self::Issuer => "issuer",
        }
    }

    /// Its flag in a record.
    pub const fn bit(self) -> Scopes {
        Scopes(1 << self as u8)
    }
}

/// A set of scopes as flags: which counters a transaction was charged to, as its record says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Scopes(pub u8);

impl Scopes {
    /// No counter.
    pub const NONE: Self = Self(0);

    /// Whether `scope` is in the set.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit().0 != 0
    }

    /// With `scope`.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit().0)
    }

    /// The scopes in it, in order of their bits.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

/// Names one counter. 128 uniform bits: a card token is one already, other holders are hashed to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct LimitKey(pub u128);

impl LimitKey {
    /// A card under its issuer's calendar (`calendar`: [`terms::stable_id`] of the calendar's name).
    pub fn card(token: &CardToken, calendar: u32) -> Self {
        // A token is AES output, so folding the calendar in is enough; multiplying by an odd number keeps calendars apart.
        Self(u128::from_le_bytes(token.0) ^ spread(Scope::Card, calendar))
    }

    /// What may be approved for a card in its issuer's stead: beside [`LimitKey::card`], never the same.
    pub fn stand_in(token: &CardToken, calendar: u32) -> Self {
        Self(u128::from_le_bytes(token.0) ^ (u128::from(calendar) << 8 | STAND_IN).wrapping_mul(CALENDARS))
    }

    /// A merchant of an acquirer. Trailing spaces do not count.
    pub fn merchant(acquirer: &[u8], merchant: &[u8], calendar: u32) -> Self {
        Self::hashed(Scope::Merchant, &[acquirer, merchant], calendar)
    }

    /// A terminal of a merchant of an acquirer. Trailing spaces do not count.
    pub fn terminal(acquirer: &[u8], merchant: &[u8], terminal: &[u8], calendar: u32) -> Self {
        Self::hashed(Scope::Terminal, &[acquirer, merchant, terminal], calendar)
    }

    /// All cards of an issuer (`issuer`: [`terms::stable_id`] of its name).
    pub fn issuer(issuer: u32, calendar: u32) -> Self {
        Self::hashed(Scope::Issuer, &[&issuer.to_le_bytes()], calendar)
    }

    /// The counter of the same holder for amounts in another currency, which has ceilings of its own.
    #[must_use]
    pub fn in_currency(self, currency: Currency) -> Self {
        Self(self.0 ^ u128::from(currency.numeric()).wrapping_mul(CURRENCIES))
    }

    fn hashed(scope: Scope, parts: &[&[u8]], calendar: u32) -> Self {
        let half = |domain: u64| {
            let mut hasher = KeyHasher::new(domain | scope as u64);
            parts.iter().for_each(|part| hasher.part(part.trim_ascii_end()));
            u128::from(hasher.finish())
        };
        Self((half(0x4C00) << 64 | half(0x4C80)) ^ spread(scope, calendar))
    }

    /// Bits for the map: which shard, which bucket.
    pub(crate) fn bits(self) -> u64 {
        (self.0 >> 64) as u64 ^ self.0 as u64
    }
}

fn spread(scope: Scope, calendar: u32) -> u128 {
    (u128::from(calendar) << 8 | scope as u128).wrapping_mul(CALENDARS)
}

/// A scope of its own, behind those a transaction is charged under.
const STAND_IN: u128 = Scope::ALL.len() as u128;

// Two odd numbers without pattern (digits of π and e): the products of two different small factors differ.
const CALENDARS: u128 = 0x243F_6A88_85A3_08D3_1319_8A2E_0370_7345;
const CURRENCIES: u128 = 0xB7E1_5162_8AED_2A6A_BF71_5880_9CF4_F3C7;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn scope_calendar_and_currency_are_part_of_the_key() {
        let token = CardToken([7; 16]);
        let (eur, usd) = (Currency::EUR, Currency::USD);
        let keys = [
            LimitKey::card(&token, 1),
            LimitKey::card(&token, 2),
            LimitKey::card(&CardToken([8; 16]), 1),
            LimitKey::stand_in(&token, 1),
            LimitKey::stand_in(&token, 2),
            LimitKey::card(&token, 1).in_currency(eur),
            LimitKey::card(&token, 1).in_currency(usd),
            LimitKey::merchant(b"1", b"23", 1),
            LimitKey::merchant(b"12", b"3", 1),
            LimitKey::merchant(b"1", b"23", 2),
            LimitKey::terminal(b"1", b"23", b"", 1),
            LimitKey::terminal(b"1", b"2", b"3", 1),
            LimitKey::issuer(1, 1),
            LimitKey::issuer(1, 2),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert_eq!(LimitKey::merchant(b"1", b"23  ", 1), LimitKey::merchant(b"1", b"23", 1));
    }

    #[test]
    fn scopes_are_flags() {
        let scopes = Scopes::NONE.with(Scope::Card).with(Scope::Issuer);
        assert_eq!(
            (scopes, scopes.iter().collect::<Vec<_>>()),
            (Scopes(9), vec![Scope::Card, Scope::Issuer])
        );
        assert!(scopes.has(Scope::Issuer) && !scopes.has(Scope::Merchant));
    }
}
