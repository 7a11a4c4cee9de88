//! Opening: keys, journal, recovery, ports, threads, in this order; and closing, in the other.
//!
//! Never takes a connection before recovery has settled what was in doubt (ports are bound before, so that a taken one is a
//! fault of the start). Guards: whatever failed half-way is closed again.

use super::admin::Admin;
use super::archiving::{Archived, Archiving};
use super::certificates::{self, CertificateFault};
use super::clock::Clock;
use super::issuer::{Port, Tls};
use super::make::Parts;
use super::meter::Meter;
use super::retention;
use super::runner::{self, Door, Job};
use super::running::Running;
use super::shared::{Shared, bell_of};
use super::status::Status;
use super::worker::Worker;
use crate::config::{Config, ListenerConfig};
use engine::record::Intent;
use engine::{Engine, Ledger, LedgerOptions, ShardState};
use journal::{Disk, Lane, Options, Reader, RealDisk, RecordBuf};
use keys::{DataKeys, KeyFile, Sealer, Tokenizer};
use limits::Store;
use link::IssuerSession;
use rustls_pki_types::ServerName;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use telemetry::{Families, Labels};
use terms::{BusinessDay, LinkIx, ListenerIx, WorkerIx};

/// Why the switch did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The key file or the wrapped keys.
    #[error("cannot use the keys")]
    Keys(#[from] keys::Fault),
    /// The journal.
    #[error("cannot open the journal")]
    Journal(#[from] journal::Fault),
    /// A record that this version cannot read.
    #[error("the journal holds a record at {0} that this version cannot read")]
    Unreadable(journal::Lsn, #[source] engine::record::Damaged),
    /// A transaction is open, but its INTENT is gone.
    #[error("the journal is not complete")]
    Missing(#[from] engine::ledger::Missing),
    /// More counters than configured room.
    #[error("limit_counters is too small for what the journal holds")]
    Counters(#[from] limits::Full),
    /// Certificates.
    #[error("cannot use the certificates")]
    Certificate(#[from] CertificateFault),
    /// More issuers and links than metrics have room for.
    #[error("cannot make the metrics")]
    Metrics(#[from] telemetry::TooManySeries),
    /// A name that is none.
    #[error("link {link} has no valid server name")]
    ServerName {
        /// The link.
        link: String,
    },
    /// A port is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

/// Starts the switch: returns when its ports are open.
///
/// # Errors
/// [`StartFault`]; nothing is left running then.
pub fn start(config: Config) -> Result<Running, StartFault> {
    start_on(config, Arc::new(RealDisk), Clock::start())
}

/// The same with the journal on another disk, by another clock.
///
/// # Errors
/// As [`start`].
pub fn start_on(config: Config, disk: Arc<dyn Disk>, clock: Clock) -> Result<Running, StartFault> {
    let keys = KeyFile::load(&config.journal.key_file, &config.journal.dir)?;
    std::fs::create_dir_all(&config.journal.dir)
        .map_err(|source| journal::Fault::io("create", &config.journal.dir, source))?;
    let sealer = Arc::new(Sealer::new(DataKeys::open(&config.journal.dir, config.node, keys.kek())?)?);
    // The journal's lock first: two processes that roll keys would lose each other's.
    let mut ledger = new_ledger(&config);
    let archived = Archived::default();
    let wanted = config.archive.is_some().then(|| Archived::clone(&archived));
    let retire =
        config.journal.keep_days.map(|days| retention::rule(days, config.journal.segment_bytes, wanted));
    let options = Options { retire, ..journal_options(&config) };
    let (journal, report) = journal::open(options, Arc::clone(&disk), Arc::clone(&sealer) as _, &mut ledger)?;
    tracing::info!(epoch = journal.epoch(), ?report, "journal recovered");
    let recovered = take_up(&config, ledger, &journal.reader())?;
    roll_keys(&config, &sealer, clock.now().wall_ms)?;
    let limits = recovered.limits(&config)?;
    let (families, renderer) = Families::new(&labels(&config))?;
    renderer.attach(super::status::journal_metrics(&journal.stats()));
    let shared = Arc::new(Shared::new(config, limits, Tokenizer::new(keys.token_key())));
    let status = Arc::new(Status::new(Arc::clone(&shared), journal.stats(), renderer, clock.clone()));
    let admin_at = shared.config.admin;
    let admin = Admin::start(admin_at, Arc::clone(&status))
        .map_err(|source| StartFault::Listen { address: admin_at, source })?;
    let (addresses, mut doors) = open_doors(&shared.config)?;
    let families = Arc::new(families);
    families.reload_successful(true);
    families.certificate_not_after(certificates::not_after(&shared.config)?.unwrap_or(0));
    let owned: Result<Vec<_>, _> =
        (0..shared.config.workers).map(|at| links_of(WorkerIx(at as u16), &shared.config)).collect();
    let mut owned = owned?.into_iter();
    let mut workers = Vec::new();
    for (at, state) in recovered.shards.into_iter().enumerate() {
        let ix = WorkerIx(at as u16);
        let lane = journal.lane(ix.at(), bell_of(&shared.letters[ix.at()]));
        let ways = (journal.epoch(), lane, journal.reader());
        let found = (state, recovered.days.clone());
        let parts = parts_of(ix, &shared, ways, &families, found, clock.clone());
        let links = owned.next().unwrap_or_default();
        let job = Job {
            make: Box::new(move || Worker::new(parts)),
            doors: doors.remove(0),
            links,
            status: Arc::clone(&status),
        };
        let name = format!("worker-{at}");
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn({
                let shared = Arc::clone(&shared);
                move || runner::watched(&shared, || runner::run(job))
            })
            .map_err(StartFault::Thread)?;
        workers.push(thread);
    }
    let archiving = Archiving::start(&shared, disk, &journal, report.next_record, &families, archived)
        .map_err(StartFault::Thread)?;
    status.set_serving(true);
    let (retired, sweeps) = (Mutex::default(), Mutex::default());
    Ok(Running {
        shared,
        status,
        families,
        sealer,
        admin,
        journal,
        workers,
        archiving,
        addresses,
        retired,
        sweeps,
        clock,
    })
}

/// What a restart found.
pub(super) struct Recovered {
    pub(super) shards: Vec<ShardState>,
    pub(super) days: Vec<(u32, BusinessDay)>,
    spent: Vec<engine::ledger::Spent>,
}

impl Recovered {
    /// The counters as they were.
    pub(super) fn limits(&self, config: &Config) -> Result<Store, limits::Full> {
        let limits = Store::new(config.limit_counters);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ForgetLimits) {
            return Ok(limits);
        }
        for spent in &self.spent {
            limits.restore(spent.key, spent.day, spent.amount, spent.count)?;
        }
        Ok(limits)
    }
}

fn remembered(config: &Config) -> LedgerOptions {
    let settings = &config.journal;
    let window = i64::try_from(settings.index_window_ms).unwrap_or(i64::MAX);
    LedgerOptions { index_entries: settings.index_entries, index_window_ms: window }
}

/// The projection that a journal is replayed into.
pub(super) fn new_ledger(config: &Config) -> Ledger {
    Ledger::new(remembered(config))
}

/// How the journal is opened.
pub(super) fn journal_options(config: &Config) -> Options {
    let settings = &config.journal;
    let remember = remembered(config);
    Options {
        mirror: settings.mirror.clone(),
        node: config.node,
        segment_bytes: settings.segment_bytes,
        sync: settings.sync,
        lanes: config.workers,
        reserve_bytes: settings.reserve_bytes,
        checkpoint_bytes: settings.checkpoint_bytes,
        key: Some(engine::record::slot_of),
        names: Some(engine::record::names_of),
        fresh: Some(Box::new(move || Box::new(Ledger::new(remember)))),
        // Only a running switch knows what is archived.
        retire: settings.keep_days.filter(|_| config.archive.is_none()).map(retention::older_than),
        ..Options::new(&settings.dir)
    }
}

/// Shares out among the workers what the replay left in `ledger`.
pub(super) fn take_up(config: &Config, ledger: Ledger, reader: &Reader) -> Result<Recovered, StartFault> {
    if let Some((lsn, damaged)) = ledger.unreadable() {
        return Err(StartFault::Unreadable(lsn, damaged));
    }
    let mut buffer = RecordBuf::new();
    let parts = ledger.into_parts(config.workers, |lsn| {
        let (_, payload, secret) = reader.read(lsn, &mut buffer).ok()?;
        Intent::read(payload, secret.unwrap_or(&[])).ok()
    })?;
    Ok(Recovered { shards: parts.shards, days: parts.days, spent: parts.spent })
}

/// The data key of the node's business day: that of its first calendar.
pub(super) fn roll_keys(config: &Config, sealer: &Sealer, wall_ms: i64) -> Result<(), keys::Fault> {
    match config.calendars.first() {
        Some(calendar) => sealer.roll(calendar.calendar.day_at(wall_ms)),
        None => Ok(()),
    }
}

pub(super) fn labels(config: &Config) -> Labels {
    Labels {
        issuers: config.issuers.iter().map(|issuer| issuer.name.clone()).collect(),
        links: config.links.iter().map(|link| (link.issuer.at(), link.name.clone())).collect(),
        codes: declines::Catalogue::builtin().codes().iter().map(|code| code.as_str().to_owned()).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("POINTSMAN_COMMIT").unwrap_or("unknown").to_owned(),
    }
}

/// A worker's ways into the journal and out of it: epoch, lane, reader.
pub(super) type Ways = (u32, Lane, Reader);

pub(super) fn parts_of(
    ix: WorkerIx,
    shared: &Arc<Shared>,
    (epoch, lane, reader): Ways,
    families: &Arc<Families>,
    (state, told_days): (ShardState, Vec<(u32, BusinessDay)>),
    clock: Clock,
) -> Parts {
    let config = &shared.config;
    let issuers = config.issuers.iter().map(|issuer| (issuer.name.as_str(), issuer.dialect.name()));
    let engine = engine::Config {
        shard: ix.0 as u8,
        shards: config.workers as u8,
        epoch,
        max_live: config.max_live,
        tombstones_per_terminal: config.journal.tombstones_per_terminal,
        ..engine::Config::default()
    };
    Parts {
        ix,
        shared: Arc::clone(shared),
        clock,
        engine: Engine::new(engine, state),
        lane,
        reader,
        epoch,
        meter: Meter::new(Arc::clone(families), issuers),
        told_days,
    }
}

/// Links are shared out among workers by their number.
fn links_of(ix: WorkerIx, config: &Config) -> Result<Vec<(LinkIx, Tls)>, StartFault> {
    let ours = config.links.iter().enumerate().filter(|(at, _)| at % config.workers == ix.at());
    ours.map(|(at, link)| {
        let tls = match &link.tls {
            None => None,
            Some(tls) => {
                let name = ServerName::try_from(tls.server_name.clone());
                let name = name.map_err(|_| StartFault::ServerName { link: link.full_name.clone() })?;
                Some((certificates::client(tls)?, name))
            }
        };
        Ok((LinkIx(at as u16), tls))
    })
    .collect()
}

/// A link's socket with its session, for the worker that owns it.
pub(super) fn port(config: &Config, link: LinkIx, epoch: u32) -> Port {
    let issuer = &config.issuers[config.links[link.at()].issuer.at()];
    // The seed only spreads reconnects: it must differ between links and between starts.
    let seed = u64::from(config.links[link.at()].id) << 32 | u64::from(config.node) << 16 ^ u64::from(epoch);
    Port::new(IssuerSession::new(Arc::new(issuer.session()), seed))
}

type Doors = Vec<Vec<Door>>;

/// One socket per listener and worker, all on the same port (`SO_REUSEPORT`), so that the kernel shares connections out.
fn open_doors(config: &Config) -> Result<(Vec<(String, SocketAddr)>, Doors), StartFault> {
    let mut addresses = Vec::new();
    let mut doors: Doors = (0..config.workers).map(|_| Vec::new()).collect();
    for (at, listener) in config.listeners.iter().enumerate() {
        let tls = listener.tls.as_ref().map(certificates::server).transpose()?;
        let mut address = listener.listen;
        for (worker, doors) in doors.iter_mut().enumerate() {
            let socket = bind(address).map_err(|source| StartFault::Listen { address, source })?;
            if worker == 0 {
                address = socket.local_addr().map_err(|source| StartFault::Listen { address, source })?;
                addresses.push((listener.name.clone(), address));
            }
            let connections_max = share(listener, config.workers);
            doors.push(Door { listener: ListenerIx(at as u16), socket, tls: tls.clone(), connections_max });
        }
    }
    Ok((addresses, doors))
}

/// The kernel does not share out evenly: each worker may take half as many again as its share, never more than all.
pub(super) fn share(listener: &ListenerConfig, workers: usize) -> u32 {
    let even = listener.max_connections.div_ceil(workers as u32);
    (even + even / 2 + 1).min(listener.max_connections)
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM.nonblocking(),
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}
