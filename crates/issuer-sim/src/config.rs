//! What an issuer is made from: built in code, or read from TOML.
//! Never opens a socket; guards: everything wrong with a file is told at once.

mod file;

use crate::account::Account;
use crate::ledger::Keep;
use crate::mood::{MOODS_MAX, Mood};
use framing::Framing;
use iso8583::Dialect;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use terms::{Minor, Pan};

/// One issuer.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Its name as in the switch's configuration; it stands in every entry of the book.
    pub name: String,
    /// Name of a dialect that comes with the program; ignored if `own_dialect` is given.
    pub dialect: String,
    /// A dialect of the caller's.
    pub own_dialect: Option<Arc<Dialect>>,
    /// Name of the framing ([`Framing::by_name`]); empty takes what goes with the dialect.
    pub framing: String,
    /// Accounts by card.
    pub accounts: Vec<(Pan, Account)>,
    /// What happens to cards that have no account.
    pub unknown: UnknownCards,
    /// First digits of the cards that accounts are opened for; none means every card.
    pub bins: Vec<String>,
    /// Rules, the first that fits wins.
    pub moods: Vec<Mood>,
    /// Whether a connection must sign on before it may ask for anything else.
    pub require_sign_on: bool,
    /// For moods by rate, and for noise.
    pub seed: u64,
    /// What the ledger remembers.
    pub keep: Keep,
    /// Transactions that the ledger has room for, 32 bytes each; further ones are declined with 96.
    pub entries_max: u32,
}

/// What happens to cards that have no account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownCards {
    /// 14.
    Decline,
    /// A copy of this account is opened, if the card is in one of the issuer's BINs.
    Open(Account),
}

/// Several issuers and where they listen: one file.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Each with its listener.
    pub issuers: Vec<(IssuerConfig, ListenConfig)>,
}

/// Where an issuer listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenConfig {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// PEM files of certificate chain and key: TLS; `None` is plain TCP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// PEM file of the authority that clients' certificates must come from.
    pub client_ca: Option<PathBuf>,
}

/// What is wrong with a configuration, each in a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct ConfigFault {
    /// Where, what was found, what was expected.
    pub problems: Vec<String>,
}

impl IssuerConfig {
    /// An issuer that approves every card up to ten million (major units of a two-decimal currency) each.
    pub fn new(name: &str, dialect: &str) -> Self {
        Self {
            name: name.to_owned(),
            dialect: dialect.to_owned(),
            own_dialect: None,
            framing: String::new(),
            accounts: Vec::new(),
            unknown: UnknownCards::Open(Account::with_balance(OPEN_BALANCE)),
            bins: Vec::new(),
            moods: Vec::new(),
            require_sign_on: false,
            seed: 1,
            keep: Keep::Book,
            entries_max: ENTRIES_MAX,
        }
    }

    /// Another framing than the dialect's usual one.
    #[must_use]
    pub fn framing(mut self, name: &str) -> Self {
        name.clone_into(&mut self.framing);
        self
    }

    /// An account with a balance in minor units.
    /// # Panics
    /// If `card` is no card number: a mistake of the one who writes it.
    #[must_use]
    pub fn account(self, card: &str, balance: Minor) -> Self {
        self.account_with(card, Account::with_balance(balance))
    }

    /// An account.
    /// # Panics
    /// As [`IssuerConfig::account`].
    #[must_use]
    pub fn account_with(mut self, card: &str, account: Account) -> Self {
        let pan = Pan::new(card.as_bytes()).expect("a card number of 8 to 19 digits");
        self.accounts.push((pan, account));
        self
    }

    /// Cards without an account are declined.
    #[must_use]
    pub fn known_cards_only(mut self) -> Self {
        self.unknown = UnknownCards::Decline;
        self
    }

    /// One more rule, after those before.
    #[must_use]
    pub fn mood(mut self, mood: Mood) -> Self {
        self.moods.push(mood);
        self
    }

    /// More rules, after those before.
    #[must_use]
    pub fn moods(mut self, moods: impl IntoIterator<Item = Mood>) -> Self {
        self.moods.extend(moods);
        self
    }

    /// Connections must sign on first.
    #[must_use]
    pub fn require_sign_on(mut self) -> Self {
        self.require_sign_on = true;
        self
    }

    /// Another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What the ledger remembers.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Dialect and framing, found by their names.
    pub(crate) fn resolve(&self) -> Result<(Arc<Dialect>, Framing), ConfigFault> {
        let mut problems = Vec::new();
        let dialect = self.own_dialect.clone().or_else(|| Dialect::builtin(&self.dialect));
        if dialect.is_none() {
            let known: Vec<_> = Dialect::builtin_names().collect();
            problems.push(format!(
                "issuer {}: dialect: expected one of {}, found {:?}",
                self.name,
                known.join(", "),
                self.dialect
            ));
        }
        let name = self.framing_name(dialect.as_deref());
        let framing = Framing::by_name(name);
        if framing.is_none() {
            let known: Vec<_> = Framing::names().collect();
            problems.push(format!(
                "issuer {}: framing: expected one of {}, found {name:?}",
                self.name,
                known.join(", ")
            ));
        }
        if self.moods.len() > MOODS_MAX {
            problems.push(format!(
                "issuer {}: moods: expected at most {MOODS_MAX}, found {}",
                self.name,
                self.moods.len()
            ));
        }
        match (dialect, framing) {
            (Some(dialect), Some(framing)) if problems.is_empty() => Ok((dialect, framing)),
            _ => Err(ConfigFault { problems }),
        }
    }

    fn framing_name<'a>(&'a self, dialect: Option<&Dialect>) -> &'a str {
        match (self.framing.as_str(), dialect) {
            ("", Some(dialect)) if dialect.name() == "unionpay-pos" => "unionpay",
            ("", _) => "binary2",
            (name, _) => name,
        }
    }
}

/// Ten million in a currency of two decimals: a load test does not empty it by accident.
pub(crate) const OPEN_BALANCE: Minor = 1_000_000_000;

/// 2 GiB of entries.
pub(crate) const ENTRIES_MAX: u32 = 67_108_864;
