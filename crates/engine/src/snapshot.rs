//! What the engine knows of the world besides transactions: an immutable picture of the configuration.
//! Never changes in place: the shell swaps a new one in between turns. Guards: indexes inside it fit each other.

use limits::Rule;
use routing::Table;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use terms::{CalendarIx, IssuerIx, Kind, LinkIx, Text};

/// One configuration, checked.
pub struct Snapshot {
    /// Counts up with every reload.
    pub version: u32,
    /// BIN ranges.
    pub routes: Table,
    /// By `IssuerIx`.
    pub issuers: Vec<IssuerTerms>,
    /// By `LinkIx`, over all issuers.
    pub links: Vec<LinkTerms>,
    /// Ceilings per card that ranges name by number.
    pub card_ceilings: Vec<Rule>,
    /// Merchants by hash of acquirer and DE 42: [`merchant_key`].
    pub merchants: HashMap<u64, MerchantTerms, BuildHasherDefault<Identity>>,
    /// Terminals by `Request::owner()`.
    pub terminals: HashMap<u64, TerminalTerms, BuildHasherDefault<Identity>>,
    /// `stable_id` of each calendar's name, by `CalendarIx`.
    pub calendars: Vec<u32>,
}

/// What an issuer is held to.
#[derive(Clone, Debug)]
pub struct IssuerTerms {
    /// `terms::stable_id` of its name: what records carry.
    pub id: u32,
    /// Answer due, milliseconds after the forward.
    pub timeout_ms: u32,
    /// Acknowledgement of a reversal due, likewise.
    pub reversal_timeout_ms: u32,
    /// First wait before a reversal is repeated; doubles up to `retry_max_ms`.
    pub retry_first_ms: u32,
    /// Longest wait before a reversal is repeated.
    pub retry_max_ms: u32,
    /// Time an undelivered approval waits for its terminal.
    pub grace_ms: u32,
    /// Messages about what is owed that one shard may have out at once.
    pub saf_window: u32,
    /// Explicit bad answers to a reversal after which it is parked.
    pub quarantine_after: u8,
    /// An approval without DE 38 is a mismatch.
    pub require_approval_code: bool,
    /// Business day of card and issuer ceilings.
    pub calendar: CalendarIx,
    /// Ceilings over all its cards together.
    pub ceilings: Option<Rule>,
    /// A completion may be this much of its pre-authorization, in percent.
    pub completion_percent: u16,
    /// What the switch may approve in its stead; `None`: nothing.
    pub stand_in: Option<StandInTerms>,
    /// Its links.
    pub links: Vec<LinkIx>,
}

/// What may be approved in an issuer's stead while it cannot be asked.
#[derive(Clone, Debug)]
pub struct StandInTerms {
    /// Of purchases and pre-authorizations, those that may.
    pub kinds: Vec<Kind>,
    /// DE 42 of the merchants where it may; none: all.
    pub merchants: Vec<Text<15>>,
    /// Merchant categories where it never may.
    pub never: Vec<u16>,
    /// Ceilings of one transaction, and of one card and business day: amount and count.
    pub rule: Rule,
}

/// The times and rules that a transaction is held to from its beginning to its end, whatever is reloaded meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Patience {
    pub(crate) timeout_ms: u32,
    pub(crate) reversal_timeout_ms: u32,
    pub(crate) retry_first_ms: u32,
    pub(crate) retry_max_ms: u32,
    pub(crate) grace_ms: u32,
    pub(crate) quarantine_after: u8,
    pub(crate) require_approval_code: bool,
}

impl Patience {
    /// Of an issuer that the configuration does not know: nothing is sent to it, what is owed to it waits.
    pub(crate) const UNKNOWN: Self = Self {
        timeout_ms: 0,
        reversal_timeout_ms: 60_000,
        retry_first_ms: 60_000,
        retry_max_ms: 60_000,
        grace_ms: 0,
        quarantine_after: u8::MAX,
        require_approval_code: false,
    };
}

impl IssuerTerms {
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            timeout_ms: self.timeout_ms,
            reversal_timeout_ms: self.reversal_timeout_ms,
            retry_first_ms: self.retry_first_ms,
            retry_max_ms: self.retry_max_ms,
            grace_ms: self.grace_ms,
            quarantine_after: self.quarantine_after,
            require_approval_code: self.require_approval_code,
        }
    }
}

/// A link to an issuer.
#[derive(Clone, Copy, Debug)]
pub struct LinkTerms {
    /// `terms::stable_id` of "issuer/link": what records carry.
    pub id: u32,
    /// Whose it is.
    pub issuer: IssuerIx,
    /// DE 52 may go over it.
    pub pin_passthrough: bool,
}

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct ListenerTerms {
    /// Its peers' identity where messages carry no DE 32.
    pub acquirer: Text<11>,
    /// Business day of merchant and terminal ceilings.
    pub calendar: CalendarIx,
    /// Terminals give up after this; issuer deadlines were checked against it.
    pub answer_within_ms: u32,
    /// DE 52 may be forwarded.
    pub pin_passthrough: bool,
    /// Terminals here take an approval of less than was asked for (DE 39 10).
    pub partial_approvals: bool,
    /// Terminals must be registered; otherwise every terminal of a known (or any) merchant is taken.
    pub registered_only: bool,
}

/// May it trade?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Yes.
    Active,
    /// Not now.
    Suspended,
}

/// A merchant.
#[derive(Clone, Debug)]
pub struct MerchantTerms {
    /// May it trade?
    pub standing: Standing,
    /// Ceilings over all its terminals.
    pub ceilings: Option<Rule>,
    /// What may be refunded, for how long, to whom.
    pub refund: RefundTerms,
}

/// A merchant's refund policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefundTerms {
    /// Business days after the original's.
    pub days: u16,
    /// All refunds of an original together, in percent of it.
    pub percent: u16,
    /// Only to the card that paid.
    pub same_card: bool,
}

impl Default for RefundTerms {
    /// The whole, within 180 days, to the same card.
    fn default() -> Self {
        Self { days: 180, percent: 100, same_card: true }
    }
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct TerminalTerms {
    /// May it trade?
    pub standing: Standing,
    /// Its own ceilings.
    pub ceilings: Option<Rule>,
}

/// The key of [`Snapshot::merchants`]; trailing spaces of DE 42 do not count.
pub fn merchant_key(acquirer: &Text<11>, merchant: &Text<15>) -> u64 {
    let mut hasher = terms::KeyHasher::new(0x3E);
    hasher.part(acquirer.trimmed());
    hasher.part(merchant.trimmed());
    hasher.finish()
}

/// Keys here are hashes already.
#[derive(Default, Clone, Copy)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
