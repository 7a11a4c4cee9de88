//! What a fleet is and what it is to do.
//! Never opens a socket. Guards: whatever is impossible is refused before the first connection.

use core::time::Duration;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use terms::Minor;

/// TLS towards a target.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Whom it trusts, and its own certificate where one is asked for.
    pub config: Arc<ClientConfig>,
    /// The name that the target's certificate must bear.
    pub name: ServerName<'static>,
}

/// Terminals, or acquirer links, that speak one dialect.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// Connections are spread over them in turn.
    pub targets: Vec<SocketAddr>,
    /// `None` is plain TCP.
    pub tls: Option<Tls>,
    /// `unionpay-pos`, `iso87-ascii` or `iso87-binary`.
    pub dialect: String,
    /// Name of a framing; empty takes what goes with the dialect.
    pub framing: String,
    /// Connections, each with its own terminal.
    pub connections: u32,
    /// Generator threads, each with a single-threaded runtime.
    pub threads: u32,
    /// Number of the first terminal: `T0000001` is 1. A connection that has used all its STANs goes on as the terminal
    /// `connections` numbers further, and so does a second run: no key is used twice.
    pub first_terminal: u32,
    /// DE 42, at most 15 characters.
    pub merchant: String,
    /// The acquirer's number in the book, and DE 32 if `send_acquirer`.
    pub acquirer: String,
    /// Whether messages carry DE 32.
    pub send_acquirer: bool,
    /// ISO 4217 numeric.
    pub currency: u16,
    /// First digits of the cards, in turn.
    pub bins: Vec<String>,
    /// How many different cards, 16 digits each with a right check digit; 8 bytes each.
    pub cards: u32,
    /// Amounts are 1.00 to this, minor units; rules by amount change the last two digits.
    pub amount_max: Minor,
    /// How long a terminal waits for an answer before it reverses.
    pub timeout: Duration,
    /// Whether each connection signs in before its first transaction.
    pub sign_in: bool,
    /// Whether the terminals' book is kept: 32 bytes per transaction.
    pub keep_book: bool,
    /// Transactions that the book has room for; a run that fills it ends there and says so.
    pub book_max: u32,
    /// For cards, amounts and arrivals.
    pub seed: u64,
}

impl FleetConfig {
    /// One thread, one connection, ten thousand cards, book on.
    pub fn new(targets: Vec<SocketAddr>, tls: Option<Tls>, dialect: &str) -> Self {
        Self {
            targets,
            tls,
            dialect: dialect.to_owned(),
            framing: String::new(),
            connections: 1,
            threads: 1,
            first_terminal: 1,
            merchant: "123456789123456".into(),
            acquirer: "00010000".into(),
            send_acquirer: false,
            currency: 156,
            bins: vec!["622424".into()],
            cards: 10_000,
            amount_max: 10_000,
            timeout: Duration::from_secs(35),
            sign_in: dialect == "unionpay-pos",
            keep_book: true,
            book_max: 33_554_432,
            seed: 1,
        }
    }
}

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When messages are sent.
    pub load: Load,
    /// Length of the measurement. The run is bounded by it even if `count` is not reached.
    pub run_for: Duration,
    /// Transactions at most, warm-up included; 0 is no such bound.
    pub count: u64,
    /// Load before the measurement begins; counted and booked, but not in rates and latencies.
    pub warm_up: Duration,
    /// How long answers and reversals are waited for after the last request.
    pub drain: Duration,
    /// How long all connections together may take to come about.
    pub connect_within: Duration,
    /// What is sent.
    pub mix: Mix,
}

impl Plan {
    /// A load for so long, half a second of warm-up.
    pub fn new(load: Load, run_for: Duration) -> Self {
        Self {
            load,
            run_for,
            count: 0,
            warm_up: Duration::from_millis(500),
            drain: Duration::from_secs(5),
            connect_within: Duration::from_secs(30),
            mix: Mix::default(),
        }
    }

    /// So many transactions, without warm-up, for ten minutes at most.
    pub fn count(load: Load, count: u64) -> Self {
        Self { count, warm_up: Duration::ZERO, ..Self::new(load, Duration::from_secs(600)) }
    }
}

/// When messages are sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Load {
    /// Each connection keeps so many transactions unanswered: an answer is the signal for the next request.
    Closed {
        /// At least 1.
        in_flight: u32,
    },
    /// Requests are due at times that do not depend on answers; latency counts from the due time.
    Open {
        /// Per second, all connections together.
        rate: f64,
        /// Exponential intervals; else evenly spaced.
        poisson: bool,
        /// Most unanswered per connection (a terminal has 1); what is due meanwhile waits, and its latency runs.
        in_flight: u32,
    },
}

impl Load {
    /// Most unanswered transactions per connection.
    pub const fn in_flight(self) -> u32 {
        match self {
            Self::Closed { in_flight } | Self::Open { in_flight, .. } => in_flight,
        }
    }
}

/// What is sent, in transactions of a thousand; what is left are purchases that should be approved.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    /// Last two digits of the amount, and how many of a thousand have them: issuers decline by them.
    pub amount_ends: Vec<(u8, u16)>,
    /// Balance inquiries.
    pub balances: u16,
    /// Purchases that are sent once more after their answer; the second answer must be the first.
    pub repeats: u16,
    /// Approved purchases that the terminal reverses (0400).
    pub reversals: u16,
}

impl Mix {
    /// So many of a thousand are to be declined, spread over these amount endings.
    #[must_use]
    pub fn declines(mut self, per_mille: u16, endings: &[u8]) -> Self {
        let each = per_mille / endings.len().max(1) as u16;
        self.amount_ends.extend(endings.iter().map(|ending| (*ending, each)));
        self
    }

    fn sum(&self) -> u32 {
        let ends: u32 = self.amount_ends.iter().map(|(_, share)| u32::from(*share)).sum();
        ends + u32::from(self.balances)
    }
}

/// Why a fleet cannot be, or cannot run.
#[derive(Debug, thiserror::Error)]
pub enum FleetFault {
    /// A setting.
    #[error("{what}: expected {expected}, found {found}")]
    Setting {
        /// Which.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The dialect cannot write one of the messages.
    #[error("the dialect {dialect} cannot write {message}")]
    Template {
        /// Which.
        dialect: String,
        /// Which message.
        message: &'static str,
        /// Why.
        #[source]
        source: iso8583::EncodeError,
    },
    /// Too few descriptors.
    #[error("{wanted} connections need more descriptors than the {fit} that this process may still open")]
    Descriptors {
        /// Connections asked for.
        wanted: u32,
        /// Connections that fit.
        fit: u64,
    },
    /// A file of certificates.
    #[error("cannot read a certificate or key from {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// TLS settings that do not go together.
    #[error("the certificates make no TLS configuration")]
    Tls(#[source] rustls::Error),
    /// Connections that did not come about in time.
    #[error("{connected} of {wanted} connections within {} s; last: {last}", within.as_secs())]
    Connect {
        /// Established.
        connected: u32,
        /// Asked for.
        wanted: u32,
        /// The time they had.
        within: Duration,
        /// What the last attempt that failed said.
        last: String,
    },
    /// A thread or its runtime.
    #[error("a generator thread cannot run")]
    Thread(#[source] std::io::Error),
    /// A thread that panicked: our own mistake, told on standard error.
    #[error("a generator thread broke")]
    Broken,
}

pub(crate) fn check(config: &FleetConfig) -> Result<(), FleetFault> {
    let setting = |what, expected: &str, found: String| {
        Err(FleetFault::Setting { what, expected: expected.to_owned(), found })
    };
    if config.targets.is_empty() {
        return setting("targets", "at least one", "none".into());
    }
    if !(1..=1_000_000).contains(&config.connections) {
        return setting("connections", "1..=1000000", config.connections.to_string());
    }
    if !(1..=256).contains(&config.threads) {
        return setting("threads", "1..=256", config.threads.to_string());
    }
    if !(1..=100_000_000).contains(&config.cards) {
        return setting("cards", "1..=100000000", config.cards.to_string());
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if config.bins.is_empty() || !config.bins.iter().all(|bin| digits(bin) && bin.len() <= 8) {
        return setting("bins", "prefixes of 1 to 8 digits", format!("{:?}", config.bins));
    }
    if !digits(&config.acquirer) || config.acquirer.len() > 11 {
        return setting("acquirer", "1 to 11 digits", format!("{:?}", config.acquirer));
    }
    if config.merchant.is_empty() || config.merchant.len() > 15 {
        return setting("merchant", "1 to 15 characters", format!("{:?}", config.merchant));
    }
    if !(100..=999_999_900).contains(&config.amount_max) {
        return setting("amount_max", "100..=999999900 minor units", config.amount_max.to_string());
    }
    if !(1..=9_999_999).contains(&config.first_terminal) {
        return setting("first_terminal", "1..=9999999", config.first_terminal.to_string());
    }
    if !(Duration::from_millis(10)..=Duration::from_secs(600)).contains(&config.timeout) {
        return setting("timeout", "10 ms to 600 s", format!("{:?}", config.timeout));
    }
    Ok(())
}

pub(crate) fn check_plan(plan: &Plan) -> Result<(), FleetFault> {
    let setting = |what, expected: &str, found: String| {
        Err(FleetFault::Setting { what, expected: expected.to_owned(), found })
    };
    if !(1..=65_536).contains(&plan.load.in_flight()) {
        return setting("in_flight", "1..=65536", plan.load.in_flight().to_string());
    }
    if let Load::Open { rate, .. } = plan.load
        && !(rate > 0.0 && rate <= 10_000_000.0)
    {
        return setting("rate", "over 0, at most 10000000", rate.to_string());
    }
    if plan.run_for.is_zero() || plan.run_for > Duration::from_secs(86_400) {
        return setting("run_for", "up to one day", format!("{:?}", plan.run_for));
    }
    if plan.mix.sum() > 1_000 {
        return setting("mix", "at most a thousand", plan.mix.sum().to_string());
    }
    if plan.mix.amount_ends.iter().any(|(ending, _)| *ending > 99) {
        return setting("amount_ends", "0..=99", format!("{:?}", plan.mix.amount_ends));
    }
    Ok(())
}
