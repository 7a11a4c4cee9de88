//! Issuers and their links, and whether their deadlines fit those of the terminals.
//! Never connects. Guards: links are numbered over all issuers in the order of the file; an issuer's deadline always leaves
//! time to answer the terminal.

use super::{Known, explaining, listeners, ourselves, peers, stand_in};
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::section::{Names, Section};
use crate::config::types::{ClientTls, IssuerConfig, LinkConfig};
use limits::Rule;
use routing::{BreakerRule, Chooser, LinkChoice, Policy};
use std::collections::HashMap;
use terms::{CalendarIx, IssuerIx, LinkIx};
use toml::Spanned;

pub(super) fn check(
    known: &Known<'_>,
    limits: &[Option<Rule>],
    workers: usize,
    notes: &mut Notes,
) -> (Vec<IssuerConfig>, Vec<LinkConfig>) {
    let (mut issuers, mut links) = (Vec::new(), Vec::new());
    for raw in &known.file.issuers {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let mut section = Section::new("issuer", name, raw.span(), known.source, notes);
        let first = links.len();
        let issuer = IssuerIx(issuers.len() as u16);
        links.extend(self::links(&mut section, raw.get_ref(), issuer, workers));
        let own = (first..links.len()).map(|at| LinkIx(at as u16)).collect();
        issuers.extend(self::issuer(&mut section, raw.get_ref(), known, limits, own));
        fair_choice(&mut section, issuers.last(), &links);
        own_words(&mut section, issuers.last());
    }
    too_many(known, issuers.len(), links.len(), notes);
    stable_numbers(known, &links, notes);
    (issuers, links)
}

fn issuer(
    section: &mut Section<'_>,
    raw: &raw::Issuer,
    known: &Known<'_>,
    limits: &[Option<Rule>],
    links: Vec<LinkIx>,
) -> Option<IssuerConfig> {
    let dialect = peers::dialect(section, &raw.dialect, known);
    let framing = peers::framing(section, &raw.framing, &raw.max_frame_bytes);
    section.required("calendar", &raw.calendar, "the name of a [[calendar]]");
    let calendar = section.name("calendar", &raw.calendar, &known.calendars);
    let ceilings = section.name("limits", &raw.limits, &known.limits);
    let timeout_ms = timeout(section, raw);
    let balances = [("round-robin", Policy::RoundRobin), ("weighted", Policy::Weighted)];
    let retry_first_ms = section.number("retry_first_ms", &raw.retry_first_ms, 100..=600_000, 1_000);
    let saf_max = section.number("saf_max", &raw.saf_max, 16..=1 << 24, 65_536);
    let reconnect_first_ms = section.number("reconnect_first_ms", &raw.reconnect_first_ms, 10..=60_000, 200);
    let reconnect_max_ms = section.number(
        "reconnect_max_ms",
        &raw.reconnect_max_ms,
        reconnect_first_ms..=600_000,
        reconnect_first_ms.max(30_000),
    );
    let name = raw.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default();
    let config = IssuerConfig {
        id: terms::stable_id(&name),
        name,
        timeout_ms,
        reversal_timeout_ms: section.number(
            "reversal_timeout_ms",
            &raw.reversal_timeout_ms,
            100..=120_000,
            timeout_ms,
        ),
        retry_first_ms,
        retry_max_ms: section.number(
            "retry_max_ms",
            &raw.retry_max_ms,
            retry_first_ms..=3_600_000,
            retry_first_ms.max(60_000),
        ),
        quarantine_after: section.number("quarantine_after", &raw.quarantine_after, 1..=100, 5_u8),
        grace_ms: section.number("grace_ms", &raw.grace_ms, 0..=600_000, 10_000),
        require_approval_code: flag(&raw.require_approval_code, false),
        completion_percent: section.number(
            "completion_percent",
            &raw.completion_percent,
            1..=200,
            COMPLETION_PERCENT,
        ),
        contact: explaining::contact(section, "contact", &raw.contact),
        stand_in: stand_in::check(section, &raw.stand_in, known, limits),
        balance: section.choice("balance", &raw.balance, &balances, Policy::RoundRobin),
        sign_on: flag(&raw.sign_on, true),
        echo_ms: section.number("echo_ms", &raw.echo_ms, 0..=3_600_000, 60_000),
        echo_timeout_ms: section.number("echo_timeout_ms", &raw.echo_timeout_ms, 100..=60_000, 5_000),
        steady_echoes: section.number("steady_echoes", &raw.steady_echoes, 0..=100, 2_u32),
        breaker: breaker(section, raw, reconnect_max_ms),
        reconnect_first_ms,
        reconnect_max_ms,
        output_max: section.number("output_max_bytes", &raw.output_max_bytes, 65_536..=1 << 28, 1 << 22),
        saf_max,
        saf_high_water: section.number(
            "saf_high_water",
            &raw.saf_high_water,
            1..=saf_max,
            saf_max - saf_max / 5,
        ),
        saf_window: section.number("saf_window", &raw.saf_window, 1..=16_384, 256),
        sign_on_timeout_ms: section.number(
            "sign_on_timeout_ms",
            &raw.sign_on_timeout_ms,
            100..=60_000,
            10_000,
        ),
        envelope: ourselves::envelope(section, raw),
        acquirer: ourselves::institution(section, "acquirer", &raw.acquirer),
        forwarder: ourselves::institution(section, "forwarder", &raw.forwarder),
        terminal: ourselves::identity(section, "terminal", &raw.terminal),
        merchant: ourselves::identity(section, "merchant", &raw.merchant),
        limits: ceilings.and_then(|position| limits[position].clone()),
        dialect: dialect?,
        framing: framing?,
        calendar: CalendarIx(calendar? as u16),
        links,
    };
    Some(config)
}

/// Probes come further apart when they were in vain, as connections do.
fn breaker(section: &mut Section<'_>, raw: &raw::Issuer, longest_ms: u64) -> BreakerRule {
    let probe_ms = section.number("breaker_probe_ms", &raw.breaker_probe_ms, 100..=600_000, 1_000);
    BreakerRule {
        timeouts: section.number("breaker_timeouts", &raw.breaker_timeouts, 0..=10_000, 3_u32),
        probes: section.number("breaker_probes", &raw.breaker_probes, 1..=100, 2_u32),
        probe_ms,
        probe_max_ms: longest_ms.max(probe_ms),
    }
}

/// What schemes guarantee of a pre-authorization.
const COMPLETION_PERCENT: u16 = 115;

fn timeout(section: &mut Section<'_>, raw: &raw::Issuer) -> u32 {
    section.number("timeout_ms", &raw.timeout_ms, 100..=120_000, TIMEOUT_MS)
}

fn flag(field: &raw::Field<bool>, default: bool) -> bool {
    field.as_ref().map_or(default, |value| *value.get_ref())
}

fn links(section: &mut Section<'_>, raw: &raw::Issuer, issuer: IssuerIx, workers: usize) -> Vec<LinkConfig> {
    let place = section.place.clone();
    let owner = raw.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default();
    let mut names = Names::default();
    let mut checked = Vec::new();
    for raw in raw.link.iter().flatten() {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let kind = format!("{place}, link");
        let mut section = Section::new(&kind, name, raw.span(), section.source, section.notes);
        names.take(&mut section, &raw.get_ref().name);
        checked.extend(link(&mut section, raw.get_ref(), issuer, &owner, workers));
    }
    if raw.link.iter().flatten().next().is_none() {
        section.problem(section.span.clone(), "section [[issuer.link]] is missing, expected at least one");
    }
    checked
}

fn link(
    section: &mut Section<'_>,
    raw: &raw::Link,
    issuer: IssuerIx,
    owner: &str,
    workers: usize,
) -> Option<LinkConfig> {
    let address = peers::host(section, &raw.address);
    let host = address.as_ref().map(|address| address.host.clone()).unwrap_or_default();
    let tls = raw.tls.as_ref().map(|tls| client_tls(section, tls, &host));
    if let (Some(address), Some(value)) = (&address, &raw.address) {
        let proven =
            peers::is_loopback(&address.host) || tls.as_ref().is_some_and(|tls| tls.identity.is_some());
        let wanted = "TLS and client certificates (tls = { ca, cert, key })";
        peers::authenticated(section, value.span(), proven, wanted, &raw.allow_unauthenticated);
    }
    let name = raw.name.as_ref()?.get_ref().clone();
    let full_name = format!("{owner}/{name}");
    // Every worker has its share of the window, and a share of nothing would refuse everything.
    let least = workers.min(usize::from(u16::MAX)) as u32;
    Some(LinkConfig {
        id: terms::stable_id(&full_name),
        weight: section.number("weight", &raw.weight, 1..=u16::MAX, 1),
        backup: flag(&raw.backup, false),
        window: section.number("window", &raw.window, least..=WINDOW_MAX, 4_096),
        pin_passthrough: section.choice("pin", &raw.pin, &peers::PIN, false),
        address: address?,
        name,
        full_name,
        issuer,
        tls,
    })
}

fn client_tls(section: &mut Section<'_>, raw: &Spanned<raw::ClientTls>, host: &str) -> ClientTls {
    let (raw, span) = (raw.get_ref(), raw.span());
    let cert = section.optional_file("tls.cert", &raw.cert);
    let key = section.optional_file("tls.key", &raw.key);
    if cert.is_some() != key.is_some() {
        section.problem(span, "one of tls.cert and tls.key is missing, expected both or none");
    }
    let server_name = raw.server_name.as_ref().map_or(host, |name| name.get_ref().as_str()).to_owned();
    ClientTls {
        ca: section.file("tls.ca", &raw.ca, "a PEM file with who may sign the issuer's certificate"),
        identity: cert.zip(key),
        server_name,
    }
}

/// What the choice among links itself refuses.
fn fair_choice(section: &mut Section<'_>, issuer: Option<&IssuerConfig>, links: &[LinkConfig]) {
    let Some(issuer) = issuer else { return };
    let choice = |link: &LinkIx| LinkChoice {
        link: *link,
        weight: links[link.at()].weight,
        backup: links[link.at()].backup,
    };
    let choices: Vec<_> = issuer.links.iter().map(choice).collect();
    // An empty list was noted where the links were read.
    if let (Err(fault), false) = (Chooser::new(&choices, issuer.balance), choices.is_empty()) {
        section.problem(section.span.clone(), fault.to_string());
    }
}

/// Our sign-on, echo and sign-off as this configuration has them: a link that cannot say them would never be up.
fn own_words(section: &mut Section<'_>, issuer: Option<&IssuerConfig>) {
    if let Some(Err(fault)) = issuer.map(|issuer| issuer.session().check()) {
        let text = format!("our network management cannot be written in its dialect: {fault}");
        section.problem(section.span.clone(), text);
    }
}

/// Records carry numbers made of names, and readers of the journal keep those of calendars, issuers and links in one map.
fn stable_numbers(known: &Known<'_>, links: &[LinkConfig], notes: &mut Notes) {
    let names = known.calendars.iter().chain(known.issuers.iter());
    let names = names.chain(links.iter().map(|link| link.full_name.as_str()));
    let mut taken = HashMap::new();
    for name in names {
        // Two calendars or two issuers with one number were noted with their lines.
        let other = taken.insert(terms::stable_id(name), name).filter(|other| *other != name);
        if let Some(other) = other.filter(|other| name.contains('/') || other.contains('/')) {
            let text = format!("the stable number of \"{name}\" is that of \"{other}\", choose another name");
            notes.problem(None, "", text);
        }
    }
}

fn too_many(known: &Known<'_>, issuers: usize, links: usize, notes: &mut Notes) {
    if issuers + known.calendars.iter().count() > usize::from(u16::MAX) || links > usize::from(u16::MAX) {
        notes.problem(
            None,
            "",
            format!("{issuers} issuers with {links} links, expected at most 65535 of each"),
        );
    }
}

/// Refuses an issuer that may answer when the terminal is gone already.
pub(super) fn deadlines(known: &Known<'_>, margin_ms: u32, notes: &mut Notes) {
    // Mistakes in the figures themselves are noted by the stations that own them.
    let mut aside = Notes::default();
    for raw in &known.file.issuers {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let issuer = Section::new("issuer", name, raw.span(), known.source, &mut aside);
        let (place, span) = (issuer.place.clone(), issuer.span.clone());
        let timeout_ms = timeout(&mut { issuer }, raw.get_ref());
        let at = raw.get_ref().timeout_ms.as_ref().map_or(span, Spanned::span);
        let Some((text, listener)) = too_late(known, timeout_ms, margin_ms) else { continue };
        notes.contradiction(Some(at), Some(listener), &place, text);
    }
}

fn too_late(
    known: &Known<'_>,
    timeout_ms: u32,
    margin_ms: u32,
) -> Option<(String, crate::config::source::Span)> {
    let mut aside = Notes::default();
    let strictest = known.file.listeners.iter().map(|raw| {
        let name = raw.get_ref().name.as_ref().map_or("", |name| name.get_ref().as_str());
        let mut section = Section::new("listener", Some(name), raw.span(), known.source, &mut aside);
        let within = listeners::answer_within(&mut section, raw.get_ref());
        let at = raw.get_ref().answer_within_ms.as_ref().map_or(section.span.clone(), Spanned::span);
        (within, section.place.clone(), at)
    });
    let (within, place, at) = strictest.min_by_key(|(within, ..)| *within)?;
    let most = within.saturating_sub(margin_ms);
    let text = format!(
        "timeout_ms = {timeout_ms}, expected at most {most}: {place} answers within {within} ms, less a margin of {margin_ms} ms"
    );
    (timeout_ms > most).then_some((text, at))
}

/// An issuer's answer is due after 20 s unless its section says otherwise: terminals give up after 30 s by default.
const TIMEOUT_MS: u32 = 20_000;
/// The most a pending table holds per worker; our STANs are 999,999.
const WINDOW_MAX: u32 = 65_536;
