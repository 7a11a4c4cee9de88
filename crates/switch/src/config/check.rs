//! Raw form to checked form: one station per kind of section, each looks at everything before anybody says no.
//! Never opens a port and never writes. Guards: a [`Config`] exists only if no station wrote a mistake down.

mod archive;
mod ceilings;
mod explaining;
mod issuers;
mod journal;
mod listeners;
mod merchants;
mod ourselves;
mod peers;
mod routes;
mod stand_in;

use super::notes::{Notes, Problem, warning};
use super::raw::{File, Switch};
use super::section::{Names, Section};
use super::source::Source;
use super::types::Config;
use iso8583::Dialect;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What several stations ask about the file as a whole.
pub(super) struct Known<'a> {
    pub source: &'a Source,
    pub file: &'a File,
    pub calendars: Names,
    pub limits: Names,
    pub issuers: Names,
    /// Dialects read from files: peers that name one file speak one dialect, whose messages need no re-encoding.
    pub dialects: RefCell<HashMap<PathBuf, Option<Arc<Dialect>>>>,
}

/// The configuration in `file`.
/// # Errors
/// Every mistake, in the order of the file; never empty.
pub fn check(source: Source, file: &File, mut notes: Notes) -> Result<Config, (Source, Vec<Problem>)> {
    let known = Known::new(&source, file, &mut notes);
    let config = stations(&known, &mut notes);
    if !notes.is_clean() {
        return Err((source, notes.into_parts().0));
    }
    let warnings = notes.into_parts().1.iter().map(|problem| warning(&source, problem)).collect();
    Ok(Config { warnings, ..config })
}

fn stations(known: &Known<'_>, notes: &mut Notes) -> Config {
    let calendars = ceilings::calendars(known, notes);
    let limits = ceilings::limits(known, notes);
    let mut listeners = listeners::check(known, notes);
    let process = process(known, notes);
    let (issuers, links) = issuers::check(known, &limits, process.workers, notes);
    explaining::with_issuers(&mut listeners, &issuers);
    issuers::deadlines(known, process.margin_ms, notes);
    let (routes, card_limits) = routes::check(known, &limits, notes);
    Config {
        source: known.source.clone(),
        node: process.node,
        workers: process.workers,
        drain_timeout_ms: process.drain_timeout_ms,
        max_live: process.max_live,
        limit_counters: process.limit_counters,
        admin: admin(known, notes),
        journal: journal::check(known, notes),
        archive: archive::check(known, notes),
        contacts: explaining::contacts(known, notes),
        merchants: merchants::check(known, &limits, &listeners, notes),
        calendars,
        listeners,
        issuers,
        links,
        routes,
        card_limits,
        warnings: Vec::new(),
    }
}

impl<'a> Known<'a> {
    fn new(source: &'a Source, file: &'a File, notes: &mut Notes) -> Self {
        let calendars = Names::collect("calendar", &file.calendars, |calendar| &calendar.name, source, notes);
        let limits = Names::collect("limits", &file.limits, |limits| &limits.name, source, notes);
        let issuers = Names::collect("issuer", &file.issuers, |issuer| &issuer.name, source, notes);
        Names::collect("listener", &file.listeners, |listener| &listener.name, source, notes);
        for (kind, missing) in [
            ("calendar", file.calendars.is_empty()),
            ("listener", file.listeners.is_empty()),
            ("issuer", file.issuers.is_empty()),
            ("route", file.routes.is_empty()),
        ] {
            if missing {
                notes.problem(None, "", format!("section [[{kind}]] is missing, expected at least one"));
            }
        }
        Self { source, file, calendars, limits, issuers, dialects: RefCell::default() }
    }
}

struct Process {
    node: u16,
    workers: usize,
    drain_timeout_ms: u64,
    margin_ms: u32,
    max_live: u32,
    limit_counters: usize,
}

fn process(known: &Known<'_>, notes: &mut Notes) -> Process {
    let none = Switch::default();
    let (raw, span) = match &known.file.switch {
        Some(section) => (section.get_ref(), section.span()),
        None => (&none, 0..0),
    };
    let mut section = Section::new("switch", None, span, known.source, notes);
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    Process {
        node: section.number("node", &raw.node, 1..=u16::MAX, 1),
        workers: section.number("workers", &raw.workers, 1..=WORKERS_MAX, cores),
        drain_timeout_ms: section.number("drain_timeout_ms", &raw.drain_timeout_ms, 100..=600_000, 30_000),
        margin_ms: section.number("answer_margin_ms", &raw.answer_margin_ms, 0..=10_000, 2_000),
        max_live: section.number("max_live", &raw.max_live, 64..=LIVE_MAX, 131_072),
        limit_counters: section.number(
            "limit_counters",
            &raw.limit_counters,
            1_000..=1_000_000_000,
            2_000_000,
        ),
    }
}

fn admin(known: &Known<'_>, notes: &mut Notes) -> SocketAddr {
    let Some(raw) = &known.file.admin else { return ADMIN_DEFAULT };
    let mut section = Section::new("admin", None, raw.span(), known.source, notes);
    let Some(listen) = &raw.get_ref().listen else { return ADMIN_DEFAULT };
    let address = peers::address(&mut section, "listen", listen).unwrap_or(ADMIN_DEFAULT);
    if !address.ip().is_loopback() {
        let text =
            format!("listen = \"{address}\", expected a loopback address: nobody is asked who he is here");
        section.problem(listen.span(), text);
    }
    address
}

/// A shard is six bits of a serial.
const WORKERS_MAX: usize = 64;
/// Positions in a slab are 28 bits of a ticket; this is a sixteenth of it.
const LIVE_MAX: u32 = 1 << 24;
/// The port that OpenTelemetry's Prometheus exporters use.
const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
