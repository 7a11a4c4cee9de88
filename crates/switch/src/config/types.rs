//! The checked form: what the rest of the switch may rely on without asking again.
//! Never built but by [`super::check`]. Guards: every index names an existing element, every name is unique, every listener
//! and link that is open to others was allowed to be.

use super::source::Source;
use declines::{Contacts, Slips, Who, Wording};
use engine::{ListenerTerms, RefundTerms, StandInTerms, Standing};
use framing::{Envelope, Framing};
use iso8583::{Dialect, TextPlace};
use limits::{Calendar, Rule};
use link::IssuerLinkConfig;
use routing::{BreakerRule, Policy, RangeRow};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use terms::{CalendarIx, IssuerIx, Kind, LinkIx, Mti, Request, Stan, Text};

/// One configuration, checked.
#[derive(Clone)]
pub struct Config {
    /// The file it came from.
    pub source: Source,
    /// Number of this machine among those of an installation; part of every record.
    pub node: u16,
    /// Threads that carry transactions; 1..=64.
    pub workers: usize,
    /// How long a shutdown waits for what is in flight.
    pub drain_timeout_ms: u64,
    /// Transactions a worker may have in flight or owed.
    pub max_live: u32,
    /// Counters of limits there is room for, over all scopes.
    pub limit_counters: usize,
    /// Metrics and health; always a loopback address.
    pub admin: SocketAddr,
    /// Where transactions are kept.
    pub journal: JournalConfig,
    /// Where transactions are found again; without it `txn find` has only what a command archived.
    pub archive: Option<ArchiveConfig>,
    /// How parties are reached.
    pub contacts: Contacts,
    /// By `CalendarIx`.
    pub calendars: Vec<CalendarConfig>,
    /// By `ListenerIx`.
    pub listeners: Vec<ListenerConfig>,
    /// By `IssuerIx`.
    pub issuers: Vec<IssuerConfig>,
    /// By `LinkIx`, over all issuers.
    pub links: Vec<LinkConfig>,
    /// The BIN table's rows: known to make a table.
    pub routes: Vec<RangeRow>,
    /// Card ceilings that rows name by number.
    pub card_limits: Vec<Rule>,
    /// Merchants and their terminals.
    pub merchants: Vec<MerchantConfig>,
    /// What is allowed but should be known; already with line numbers.
    pub warnings: Vec<String>,
}

impl Config {
    /// How parties are reached about an issuer's transactions: its own desk comes before the common one.
    pub fn contacts_with(&self, issuer: Option<&str>) -> Contacts {
        let mut contacts = self.contacts.clone();
        let known = self.issuers.iter().find(|one| Some(one.name.as_str()) == issuer);
        if let Some(desk) = known.and_then(|issuer| issuer.contact.clone()) {
            contacts.insert(Who::Issuer, desk);
        }
        contacts
    }
}

/// The journal's settings and those of what is rebuilt from it.
#[derive(Clone, Debug)]
pub struct JournalConfig {
    /// Its directory.
    pub dir: PathBuf,
    /// The second directory of a journal that is kept twice.
    pub mirror: Option<PathBuf>,
    /// Keys of card numbers and tokens; outside `dir`.
    pub key_file: PathBuf,
    /// Durable unless somebody chose otherwise.
    pub sync: journal::SyncMode,
    /// Size of a segment; a multiple of 4096.
    pub segment_bytes: u64,
    /// Kept free for what is owed.
    pub reserve_bytes: u64,
    /// Bytes of log from one checkpoint to the next, at least.
    pub checkpoint_bytes: u64,
    /// Days a segment is kept after its last record; `None` keeps all.
    pub keep_days: Option<u32>,
    /// Entries of the duplicate index over all workers.
    pub index_entries: usize,
    /// How long a repeat is known.
    pub index_window_ms: u64,
    /// Reversals of unknown originals kept per terminal.
    pub tombstones_per_terminal: u16,
}

/// The archive's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveConfig {
    /// Its directory.
    pub dir: PathBuf,
    /// Share of one core that it may take.
    pub cpu_percent: u32,
    /// Not filled for now; the journal then keeps every segment.
    pub paused: bool,
    /// Days a finished transaction is found; `None` keeps all.
    pub keep_days: Option<u32>,
    /// Messages kept beside it; `None`: none.
    pub messages: Option<MessagesConfig>,
}

/// Masked messages of declines and of some approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagesConfig {
    /// Bytes of the ring.
    pub bytes: u64,
    /// One approval in so many; 0: none.
    pub sample: u32,
    /// At most so many transactions a second, over all workers.
    pub per_second: u32,
}

/// Business days of one institution.
#[derive(Clone, Debug)]
pub struct CalendarConfig {
    /// As the file calls it.
    pub name: String,
    /// `terms::stable_id` of the name.
    pub id: u32,
    /// Zone and cutover.
    pub calendar: Calendar,
}

/// A port for terminals or acquirers.
#[derive(Clone)]
pub struct ListenerConfig {
    /// As the file calls it.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS, or plain TCP.
    pub tls: Option<ServerTls>,
    /// What its peers speak.
    pub dialect: Arc<Dialect>,
    /// How their frames look, bound included.
    pub framing: Framing,
    /// What the engine holds its messages to.
    pub terms: ListenerTerms,
    /// What its answers say beside the code of a decline; `None`: nothing.
    pub explaining: Option<Explaining>,
    /// Silence between frames that is put up with.
    pub idle_ms: u64,
    /// Connections over all workers.
    pub max_connections: u32,
    /// Requests one connection may have unanswered.
    pub in_flight_per_connection: u32,
    /// Bytes a peer may leave unread.
    pub output_max: u32,
}

/// The text beside the code of a decline.
#[derive(Clone)]
pub struct Explaining {
    /// Where it stands.
    pub place: TextPlace,
    /// Language, characters and room.
    pub wording: Wording,
    /// The texts, encoded.
    pub slips: Arc<Slips>,
}

/// Our certificate, and whose certificates we take.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// PEM, our certificate first.
    pub cert: PathBuf,
    /// PEM.
    pub key: PathBuf,
    /// PEM; peers must then show a certificate of one of these.
    pub client_ca: Option<PathBuf>,
}

/// An issuer and what it is held to.
#[derive(Clone)]
pub struct IssuerConfig {
    /// As the file calls it.
    pub name: String,
    /// `terms::stable_id` of the name.
    pub id: u32,
    /// What it speaks.
    pub dialect: Arc<Dialect>,
    /// How its frames look, bound included.
    pub framing: Framing,
    /// An answer is due after this.
    pub timeout_ms: u32,
    /// An acknowledgement of a reversal is due after this.
    pub reversal_timeout_ms: u32,
    /// First wait before a reversal is repeated.
    pub retry_first_ms: u32,
    /// Longest wait before a reversal is repeated.
    pub retry_max_ms: u32,
    /// Explicit bad answers to a reversal or an advice after which it is parked.
    pub quarantine_after: u8,
    /// An undelivered approval waits this long for its terminal.
    pub grace_ms: u32,
    /// An approval without DE 38 is a mismatch.
    pub require_approval_code: bool,
    /// A completion may be this much of its pre-authorization, in percent.
    pub completion_percent: u16,
    /// How its duty desk is reached.
    pub contact: Option<String>,
    /// What may be approved in its stead.
    pub stand_in: Option<StandInTerms>,
    /// Business day of its ceilings and those of its cards, unless it begins one before its time.
    pub calendar: CalendarIx,
    /// Ceilings over all its cards together.
    pub limits: Option<Rule>,
    /// Its links, by `LinkIx`.
    pub links: Vec<LinkIx>,
    /// How requests are shared out among them.
    pub balance: Policy,
    /// A link carries traffic only after a sign-on.
    pub sign_on: bool,
    /// Silence after which an echo is sent; 0: never.
    pub echo_ms: u64,
    /// An echo's answer is due after this.
    pub echo_timeout_ms: u64,
    /// Echoes answered on a link that was lost before it carries traffic again.
    pub steady_echoes: u32,
    /// When it is not asked any more, and when it is asked again.
    pub breaker: BreakerRule,
    /// First wait before a lost link is connected again.
    pub reconnect_first_ms: u64,
    /// Longest such wait.
    pub reconnect_max_ms: u64,
    /// Bytes a link may hold unsent.
    pub output_max: u32,
    /// Store-and-forward slots: how much may be in flight or owed to it.
    pub saf_max: u32,
    /// Owed to it beyond this, nothing new is admitted for it.
    pub saf_high_water: u32,
    /// Messages about what is owed that may be out at once, over all workers.
    pub saf_window: u32,
    /// A sign-on or sign-off is answered within this.
    pub sign_on_timeout_ms: u64,
    /// TPDU and header of our requests, where the framing has them.
    pub envelope: Envelope,
    /// DE 32 of our network management; empty: not sent. So are the following.
    pub acquirer: Text<11>,
    /// DE 33.
    pub forwarder: Text<11>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
}

impl IssuerConfig {
    /// What records call the business day that the issuer itself tells: a calendar beside the configured ones.
    pub fn told_calendar(&self) -> (u32, String) {
        let name = format!("{} (told)", self.name);
        (terms::stable_id(&name), name)
    }

    /// What each of its links is held to.
    pub fn session(&self) -> IssuerLinkConfig {
        IssuerLinkConfig {
            envelope: self.envelope,
            sign_on: self.sign_on,
            sign_on_timeout_ms: self.sign_on_timeout_ms,
            echo_every_ms: self.echo_ms,
            echo_timeout_ms: self.echo_timeout_ms,
            steady_echoes: self.steady_echoes,
            backoff_first_ms: self.reconnect_first_ms,
            backoff_max_ms: self.reconnect_max_ms,
            output_max: self.output_max as usize,
            acquirer: self.acquirer,
            forwarder: self.forwarder,
            terminal: self.terminal,
            merchant: self.merchant,
            ..IssuerLinkConfig::new(Arc::clone(&self.dialect), self.framing)
        }
    }
}

/// A connection to an issuer.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// As the file calls it.
    pub name: String,
    /// `issuer/link`: for people, and what `id` is made of.
    pub full_name: String,
    /// Whose it is.
    pub issuer: IssuerIx,
    /// `terms::stable_id` of `full_name`.
    pub id: u32,
    /// Host and port; looked up when it connects.
    pub address: Address,
    /// TLS, or plain TCP.
    pub tls: Option<ClientTls>,
    /// Its share where the issuer's balance is by weight.
    pub weight: u16,
    /// Used only while no primary can carry a request.
    pub backup: bool,
    /// Requests it may have unanswered, over all workers.
    pub window: u32,
    /// DE 52 may go over it, as it came.
    pub pin_passthrough: bool,
}

/// Where a link connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address (IPv6 without its brackets).
    pub host: String,
    /// 1..=65535.
    pub port: u16,
}

/// Whom we trust, and our certificate.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// PEM: who may have signed the issuer's certificate.
    pub ca: PathBuf,
    /// PEM: our certificate and its key, if the issuer asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name its certificate must bear; the address's host unless the file says otherwise.
    pub server_name: String,
}

/// A merchant and its terminals.
#[derive(Clone, Debug)]
pub struct MerchantConfig {
    /// DE 42.
    pub id: Text<15>,
    /// DE 32, or its listener's.
    pub acquirer: Text<11>,
    /// May it trade?
    pub standing: Standing,
    /// Ceilings over all its terminals.
    pub limits: Option<Rule>,
    /// Ceilings of each of its terminals.
    pub terminal_limits: Option<Rule>,
    /// DE 41 and standing of each registered terminal.
    pub terminals: Vec<(Text<16>, Standing)>,
    /// Terminals that are not registered are taken too.
    pub any_terminal: bool,
    /// What it may refund, for how long, to whom.
    pub refund: RefundTerms,
}

/// The key of a terminal in [`engine::Snapshot::terminals`]: `Request::owner()` of a request that comes from it.
pub fn terminal_key(acquirer: &Text<11>, merchant: &Text<15>, terminal: &Text<16>) -> u64 {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
    request.acquirer = *acquirer;
    request.merchant = *merchant;
    request.terminal = *terminal;
    request.owner()
}
