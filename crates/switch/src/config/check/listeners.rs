//! Ports for terminals and acquirers.
//! Never binds one. Guards: no two listeners share an address; MACs and PINs are not promised before there are keys.

use super::{Known, explaining, peers};
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::section::Section;
use crate::config::types::{ListenerConfig, ServerTls};
use engine::ListenerTerms;
use std::net::SocketAddr;
use terms::CalendarIx;
use toml::Spanned;

pub(super) fn check(known: &Known<'_>, notes: &mut Notes) -> Vec<ListenerConfig> {
    let mut checked = Vec::new();
    for raw in &known.file.listeners {
        let name = raw.get_ref().name.as_ref().map(|name| name.get_ref().as_str());
        let mut section = Section::new("listener", name, raw.span(), known.source, notes);
        checked.extend(listener(&mut section, raw.get_ref(), known));
    }
    shared_addresses(known, notes);
    checked
}

fn listener(section: &mut Section<'_>, raw: &raw::Listener, known: &Known<'_>) -> Option<ListenerConfig> {
    let listen = section.required("listen", &raw.listen, "an address and port");
    let listen = listen.and_then(|value| peers::address(section, "listen", value));
    let dialect = peers::dialect(section, &raw.dialect, known);
    let framing = peers::framing(section, &raw.framing, &raw.max_frame_bytes);
    let terms = terms(section, raw, known);
    let explaining =
        dialect.as_ref().and_then(|dialect| explaining::check(section, &raw.explanation, dialect));
    let tls = raw.tls.as_ref().map(|tls| server_tls(section, tls));
    if let (Some(listen), Some(value)) = (listen, &raw.listen) {
        let proven = listen.ip().is_loopback() || tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        let wanted = "TLS and client certificates (tls = { cert, key, client_ca })";
        peers::authenticated(section, value.span(), proven, wanted, &raw.allow_unauthenticated);
    }
    Some(ListenerConfig {
        name: raw.name.as_ref()?.get_ref().clone(),
        idle_ms: section.number("idle_ms", &raw.idle_ms, 1_000..=86_400_000, 600_000),
        max_connections: section.number("max_connections", &raw.max_connections, 1..=1_000_000, 10_000),
        in_flight_per_connection: section.number(
            "in_flight_per_connection",
            &raw.in_flight_per_connection,
            1..=65_536,
            1_024,
        ),
        output_max: section.number("output_max_bytes", &raw.output_max_bytes, 4_096..=1 << 26, 1 << 18),
        listen: listen?,
        explaining,
        tls,
        dialect: dialect?,
        framing: framing?,
        terms: terms?,
    })
}

fn terms(section: &mut Section<'_>, raw: &raw::Listener, known: &Known<'_>) -> Option<ListenerTerms> {
    let acquirer =
        section.required("acquirer", &raw.acquirer, "DE 32 of its messages that have none: 1 to 11 digits");
    let acquirer = acquirer.and_then(|value| peers::institution(section, "acquirer", value));
    section.required("calendar", &raw.calendar, "the name of a [[calendar]]");
    let calendar = section.name("calendar", &raw.calendar, &known.calendars);
    section.choice("mac", &raw.mac, &[("none", ())], ());
    let terms = ListenerTerms {
        answer_within_ms: answer_within(section, raw),
        pin_passthrough: section.choice("pin", &raw.pin, &peers::PIN, false),
        partial_approvals: raw.partial_approvals.as_ref().is_some_and(|value| *value.get_ref()),
        registered_only: section.choice(
            "terminals",
            &raw.terminals,
            &[("registered", true), ("any", false)],
            true,
        ),
        acquirer: acquirer?,
        calendar: CalendarIx(calendar? as u16),
    };
    Some(terms)
}

/// When its terminals give up.
pub(super) fn answer_within(section: &mut Section<'_>, raw: &raw::Listener) -> u32 {
    section.number("answer_within_ms", &raw.answer_within_ms, 1_000..=120_000, ANSWER_WITHIN_MS)
}

fn server_tls(section: &mut Section<'_>, raw: &Spanned<raw::ServerTls>) -> ServerTls {
    let raw = raw.get_ref();
    ServerTls {
        cert: section.file("tls.cert", &raw.cert, "a PEM file with the certificate"),
        key: section.file("tls.key", &raw.key, "a PEM file with its key"),
        client_ca: section.optional_file("tls.client_ca", &raw.client_ca),
    }
}

/// Two sockets on one address take each other's connections, or fail only when bound.
fn shared_addresses(known: &Known<'_>, notes: &mut Notes) {
    let admin = known.file.admin.as_ref().and_then(|admin| admin.get_ref().listen.as_ref());
    let listeners = known.file.listeners.iter().filter_map(|raw| raw.get_ref().listen.as_ref());
    let mut taken: Vec<(SocketAddr, &Spanned<String>)> = Vec::new();
    for value in admin.into_iter().chain(listeners) {
        let Ok(address) = value.get_ref().parse::<SocketAddr>() else { continue };
        let earlier = taken.iter().find(|(other, _)| clash(*other, address));
        if let Some((_, earlier)) = earlier {
            let text = format!("listen = \"{address}\" is taken already");
            notes.contradiction(Some(value.span()), Some(earlier.span()), "", text);
        }
        taken.push((address, value));
    }
}

fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    // Port 0 stands for any free one.
    same_host && one.port() == other.port() && one.port() != 0
}

/// Terminals give up after 30 s unless the listener says otherwise (DESIGN 7).
const ANSWER_WITHIN_MS: u32 = 30_000;
