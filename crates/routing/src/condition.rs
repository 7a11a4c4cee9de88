//! Conditions of a range: which transactions its cards may make, and whose fault it is when not.
//! Never looks at a card; guards: conditions are read in order and the first that fits decides, as in a firewall.

use terms::{Currency, EntryMode, InternalCause, Kind, Minor, ProcessingCode, Request};

/// What conditions ask about a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteQuery {
    /// Type of transaction.
    pub kind: Kind,
    /// DE 3.
    pub processing_code: ProcessingCode,
    /// DE 49.
    pub currency: Currency,
    /// DE 4, minor units of `currency`.
    pub amount: Minor,
    /// DE 22.
    pub entry_mode: EntryMode,
}

impl From<&Request> for RouteQuery {
    fn from(request: &Request) -> Self {
        Self {
            kind: request.kind,
            processing_code: request.processing_code,
            currency: request.currency,
            amount: request.amount,
            entry_mode: request.entry_mode,
        }
    }
}

/// What a condition that fits decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Verdict {
    /// May pass; later conditions are not read.
    Allow,
    /// The card may not do this.
    #[default]
    ExcludeCard,
    /// The terminal may not do this with such a card.
    ExcludeTerminal,
}

/// Why a route is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Excluded {
    /// 57.
    #[error("a condition of the range excludes this transaction for the card")]
    Card,
    /// 58.
    #[error("a condition of the range excludes this transaction for the terminal")]
    Terminal,
}

impl Excluded {
    /// The engine's word for it.
    pub const fn cause(self) -> InternalCause {
        match self {
            Self::Card => InternalCause::RouteExcludesCard,
            Self::Terminal => InternalCause::RouteExcludesTerminal,
        }
    }
}

/// One condition. It fits when every part fits; a part left empty fits all.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Condition {
    /// Types of transaction.
    pub kinds: Kinds,
    /// Whole processing codes (DE 3).
    pub processing_codes: Box<[ProcessingCode]>,
    /// Currencies of the amount (DE 49).
    pub currencies: Box<[Currency]>,
    /// Lowest and highest amount, both included, minor units of the transaction's currency.
    pub amounts: Option<(Minor, Minor)>,
    /// How the card was read (DE 22, first two digits).
    pub readings: Readings,
    /// What it decides.
    pub verdict: Verdict,
}

impl Condition {
    /// Whether it speaks about this transaction.
    pub fn fits(&self, query: &RouteQuery) -> bool {
        self.kinds.admits(query.kind)
            && any_or(&self.processing_codes, &query.processing_code)
            && any_or(&self.currencies, &query.currency)
            && self.amounts.is_none_or(|(low, high)| (low..=high).contains(&query.amount))
            && self.readings.admits(query.entry_mode)
    }
}

fn any_or<T: PartialEq>(listed: &[T], asked: &T) -> bool {
    listed.is_empty() || listed.contains(asked)
}

/// A set of types of transaction; the empty one stands for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Kinds(u32);

impl Kinds {
    /// Of these types.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | 1 << kind.number()))
    }

    /// Whether `kind` is in it, or the set is empty.
    pub const fn admits(self, kind: Kind) -> bool {
        self.0 == 0 || self.0 & 1 << kind.number() != 0
    }
}

const _: () = assert!(Kind::ALL.len() <= 32, "a set of kinds is 32 bits");

/// A set of ways to read a card (first two digits of DE 22, 00..=99); the empty one stands for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Readings(u128);

impl Readings {
    /// Of these (5 is chip, 7 contactless, 90 a full stripe). `None` if one is over 99.
    pub fn of(readings: impl IntoIterator<Item = u8>) -> Option<Self> {
        readings.into_iter().try_fold(0, |set, one| (one <= 99).then(|| set | 1_u128 << one)).map(Self)
    }

    /// Whether `mode` was read so, or the set is empty.
    pub fn admits(self, mode: EntryMode) -> bool {
        self.0 == 0 || self.0.checked_shr(u32::from(mode.reading())).unwrap_or(0) & 1 != 0
    }
}

#[cfg(test)]
mod tests;
