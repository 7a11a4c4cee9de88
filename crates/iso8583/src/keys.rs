//! Keys from fields: is this the same request, which original does it mean?
//! Never hashes a field as it stands on the wire: leading zeros of numbers and trailing spaces of identities do not
//! count, so dialects that write one terminal differently agree. Guards: one order of parts, whatever the text's order was.

use crate::digits::are_ascii_digits;
use terms::{Check, KeyHasher, SlotKey, Text};

/// A set of parts that make a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyParts(pub u16);

/// What a key can be made of, by the names that dialects use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum KeyPart {
    /// DE 32, else the listener's.
    Acquirer = 1,
    /// DE 41.
    Terminal = 2,
    /// DE 42.
    Merchant = 4,
    /// The batch number of the dialect's roles.
    Batch = 8,
    /// DE 11.
    Stan = 16,
    /// DE 12.
    LocalTime = 32,
    /// DE 13.
    LocalDate = 64,
    /// DE 7.
    Transmission = 128,
    /// Second digit of the MTI.
    Class = 256,
}

impl KeyPart {
    /// From a reference as the dialect's text has it; `batch` is how the dialect calls its batch number.
    pub(crate) fn from_name(name: &str, batch: Option<&str>) -> Option<Self> {
        Some(match name {
            "32" => Self::Acquirer,
            "41" => Self::Terminal,
            "42" => Self::Merchant,
            "11" => Self::Stan,
            "12" => Self::LocalTime,
            "13" => Self::LocalDate,
            "7" => Self::Transmission,
            "mti-class" => Self::Class,
            _ if batch == Some(name) => Self::Batch,
            _ => return None,
        })
    }
}

impl KeyParts {
    #[inline]
    pub(crate) const fn has(self, part: KeyPart) -> bool {
        self.0 & part as u16 != 0
    }

    pub(crate) fn with(self, part: KeyPart) -> Self {
        Self(self.0 | part as u16)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The values that keys are made of, taken from one message or from what it says of another.
#[derive(Clone, Copy)]
pub(crate) struct KeyValues<'a> {
    /// As [`named_acquirer`] has it; the other two without trailing spaces.
    pub acquirer: &'a [u8],
    pub terminal: &'a [u8],
    pub merchant: &'a [u8],
    pub batch: u32,
    pub stan: u32,
    pub local_time: u32,
    pub local_date: u16,
    pub transmission: u32,
    pub class: u8,
}

impl KeyValues<'_> {
    /// Hash of the chosen parts. The parts themselves are hashed too, so keys of different rules never meet.
    #[inline]
    fn hash(&self, domain: u64, parts: KeyParts) -> KeyHasher {
        let mut hasher = KeyHasher::new(domain << 16 | u64::from(parts.0));
        if parts.has(KeyPart::Acquirer) {
            hasher.part(self.acquirer);
        }
        if parts.has(KeyPart::Terminal) {
            hasher.part(self.terminal);
        }
        if parts.has(KeyPart::Merchant) {
            hasher.part(self.merchant);
        }
        let stan = if parts.has(KeyPart::Stan) { self.stan } else { 0 };
        let batch = if parts.has(KeyPart::Batch) { self.batch } else { 0 };
        hasher.number(u64::from(batch) << 32 | u64::from(stan));
        let time = if parts.has(KeyPart::LocalTime) { self.local_time } else { 0 };
        let date = if parts.has(KeyPart::LocalDate) { self.local_date } else { 0 };
        let class = if parts.has(KeyPart::Class) { self.class } else { 0 };
        hasher.number(u64::from(time) << 32 | u64::from(date) << 8 | u64::from(class));
        if parts.has(KeyPart::Transmission) {
            hasher.number(u64::from(self.transmission));
        }
        hasher
    }

    /// Where the transaction lives.
    #[inline]
    pub(crate) fn slot(&self, parts: KeyParts) -> SlotKey {
        self.hash(SLOT, parts).slot()
    }

    /// What tells it from its neighbours; `ANY` where the rule has nothing more to say.
    #[inline]
    pub(crate) fn repeat(&self, parts: KeyParts) -> Check {
        if parts.is_empty() { Check::ANY } else { self.hash(REPEAT, parts).check() }
    }

    /// How a reference names it; `ANY` if the named value is not there.
    #[inline]
    pub(crate) fn alias(&self, parts: KeyParts) -> Check {
        if parts.is_empty() || parts.has(KeyPart::Transmission) && self.transmission == 0 {
            return Check::ANY;
        }
        self.hash(ALIAS, parts).check()
    }
}

/// Without leading zeros if it is a number; an institution's code has as many as a field's size wants.
fn plain_number(text: &[u8]) -> &[u8] {
    if are_ascii_digits(text) {
        let zeros = text.iter().take_while(|digit| **digit == b'0').count();
        &text[zeros..]
    } else {
        text
    }
}

/// An acquirer as it counts: without trailing spaces, and without leading zeros if it is a number.
#[inline]
pub(crate) fn named_acquirer(text: &Text<11>) -> &[u8] {
    plain_number(text.trimmed())
}

const SLOT: u64 = 0x51;
const REPEAT: u64 = 0x52;
const ALIAS: u64 = 0x53;
