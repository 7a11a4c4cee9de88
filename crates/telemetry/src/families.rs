//! Every metric family of the switch: name, help, labels, handles.
//!
//! Never takes a label at run time. Guards: what the operations manual and the dashboards name is defined here, once.

use crate::{
    Counts, Renderer, SERIES_MAX, TooManySeries,
    desk::Desk,
    histogram::{Latencies, Shards},
    labels::{Handshake, Labels, Outcome, ReversalReason, Side, StandIn, TerminalFailure},
    layout::{Layout, slots},
    render,
};
use metrics::{Counter, Gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::sync::Arc;
use terms::{IssuerIx, Kind, LinkIx};

/// The shared handles. Workers flush their [`Counts`] into them; gauges that are states are set here.
pub struct Families {
    layout: Arc<Layout>,
    shards: Arc<Shards>,
    pub(crate) counters: Vec<Counter>,
    pub(crate) in_flight: Vec<Gauge>,
    pub(crate) saf_depth: Vec<Gauge>,
    pub(crate) quarantined: Vec<Gauge>,
    pub(crate) connections: Vec<Gauge>,
    link_up: Vec<Gauge>,
    breaker: Vec<Gauge>,
    reload: Vec<Gauge>,
    certificate: Vec<Gauge>,
    archive: [Vec<Gauge>; 5],
}

impl Families {
    /// Registers every series at 0 (`build_info` and `config_last_reload_successful` at 1: a process that gets here has
    /// read its configuration). If the issuers do not all fit, the last ones share `issuer="other"` in `declines_total`.
    ///
    /// # Errors
    /// [`TooManySeries`] if issuers and links pass [`SERIES_MAX`] even so.
    pub fn new(labels: &Labels) -> Result<(Self, Renderer), TooManySeries> {
        let layout = Arc::new(Layout::new(labels, named(labels)?));
        let recorder = PrometheusBuilder::new().build_recorder();
        let mut desk = Desk::new(&recorder);
        register_counters(&mut desk, labels, &layout);
        assert_eq!(desk.counters.len(), layout.cells, "every cell of the layout has its series");

        let issuers = || labels.issuers.iter().map(|issuer| [issuer.clone()]);
        let links = labels.links.iter().map(|(issuer, link)| [labels.issuers[*issuer].clone(), link.clone()]);
        let shards = Arc::new(Shards::default());
        let families = Self {
            in_flight: desk.gauges(IN_FLIGHT, "Requests under way to the issuer", ["issuer"], issuers()),
            saf_depth: desk.gauges(SAF_DEPTH, "Messages owed to the issuer", ["issuer"], issuers()),
            quarantined: desk.gauges(
                QUARANTINED,
                "Reversals and advices the issuer refused too often, still owed",
                ["issuer"],
                issuers(),
            ),
            connections: desk.gauges(CONNECTIONS, "Open connections", ["side"], names(Side::ALL, Side::name)),
            breaker: desk.gauges(BREAKER, BREAKER_HELP, ["issuer"], issuers()),
            link_up: desk.gauges(LINK_UP, "1 if the link is signed on", ["issuer", "link"], links),
            reload: desk.gauges(RELOAD, "1 if the last configuration read was good", [], [[]]),
            certificate: desk.gauges(CERTIFICATE, "When the first of our certificates expires", [], [[]]),
            archive: ARCHIVE.map(|(name, help)| desk.gauges(name, help, [], [[]])),
            layout,
            shards: shards.clone(),
            counters: desk.counters.drain(..).collect(),
        };
        families.reload_successful(true);
        let build = [[labels.version.clone(), labels.commit.clone()]];
        let build = desk.gauges(BUILD_INFO, "The running build, always 1", ["version", "commit"], build);
        build[0].set(1.0);
        Ok((families, Renderer::new(recorder.handle(), shards)))
    }

    /// Counters for one worker.
    pub fn counts(&self) -> Counts {
        Counts::new(self.layout.clone())
    }

    /// Latency histograms for one worker; merged with the others' at render.
    pub fn latencies(&self) -> Arc<Latencies> {
        self.shards.add()
    }

    /// Whether the link is signed on.
    pub fn link_up(&self, link: LinkIx, up: bool) {
        if let Some(gauge) = self.link_up.get(link.at()) {
            gauge.set(f64::from(u8::from(up)));
        }
    }

    /// Where the issuer's breaker stands: 0 closed, 1 half open, 2 open.
    pub fn breaker(&self, issuer: IssuerIx, state: u8) {
        if let Some(gauge) = self.breaker.get(issuer.at()) {
            gauge.set(f64::from(state));
        }
    }

    /// Sets what is owed to an issuer after a recovery; from then on workers tell the changes.
    pub fn saf_depth(&self, issuer: IssuerIx, depth: u64) {
        if let Some(gauge) = self.saf_depth.get(issuer.at()) {
            gauge.set(depth as f64);
        }
    }

    /// How the last reading of the configuration went.
    pub fn reload_successful(&self, good: bool) {
        self.reload[0].set(f64::from(u8::from(good)));
    }

    /// The earliest end of our certificates, seconds since 1970. Stays 0 if nothing listens with TLS.
    pub fn certificate_not_after(&self, seconds: u64) {
        self.certificate[0].set(seconds as f64);
    }

    /// How far the archive is behind the journal. Stays 0 where there is none.
    pub fn archive(&self, lag: &ArchiveLag) {
        let ArchiveLag { bytes, records, seconds, dropped, paused } = *lag;
        let figures = [bytes as f64, records as f64, seconds, dropped as f64, f64::from(u8::from(paused))];
        for (gauge, figure) in self.archive.iter().zip(figures) {
            gauge[0].set(figure);
        }
    }

    pub(crate) fn made(&self, layout: &Arc<Layout>) -> bool {
        Arc::ptr_eq(&self.layout, layout)
    }
}

/// How far an archive is behind its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArchiveLag {
    /// Of the journal that are not in it.
    pub bytes: u64,
    /// Likewise.
    pub records: u64,
    /// Age of its newest record, if there are newer ones in the journal; else 0.
    pub seconds: f64,
    /// Messages that were to be kept and were not.
    pub dropped: u64,
    /// Nothing is taken in: somebody paused it, another process fills it, or it failed.
    pub paused: bool,
}

impl std::fmt::Debug for Families {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Families({} counters)", self.counters.len())
    }
}

/// How many issuers `declines_total` can name: all, unless that passes the bound.
fn named(labels: &Labels) -> Result<usize, TooManySeries> {
    let (issuers, links) = (labels.issuers.len(), labels.links.len());
    let least = Layout::new(labels, 0);
    let gauges = issuers * 4 + Side::ALL.len() + links + 3 + ARCHIVE.len();
    let series = least.cells + gauges + render::SERIES;
    let row = least.rows.len();
    let room = (SERIES_MAX + row * slots(issuers, 0)).saturating_sub(series) / row;
    if series > SERIES_MAX {
        return Err(TooManySeries { issuers, links, series });
    }
    // `none` takes one slot, and `other` one more unless all are named.
    Ok(if slots(issuers, issuers) <= room { issuers } else { room - 2 })
}

/// In the order of [`Layout::new`].
fn register_counters(desk: &mut Desk<'_>, labels: &Labels, layout: &Layout) {
    let issuers = || labels.issuers.iter().map(|issuer| [issuer.clone()]);
    let kinds = pairs(Kind::ALL, Kind::name, Outcome::ALL, Outcome::name);
    desk.counters(TRANSACTIONS, "Transactions by type and how they ended", ["type", "outcome"], kinds);
    let keys = ["cause", "source", "issuer"];
    desk.counters(DECLINES, "Declines by cause and who found it", keys, declines(labels, layout));
    let codes = labels.codes.iter().cloned().chain(["other".into()]).map(|code| [code]);
    desk.counters(BY_CODE, "Declines by the code told to the terminal", ["rc"], codes);
    let handshakes = pairs(Handshake::ALL, Handshake::name, &["no", "yes"], |resumed| resumed);
    desk.counters(HANDSHAKES, "TLS handshakes", ["result", "resumed"], handshakes);
    desk.counters(TIMEOUTS, "Requests the issuer did not answer in time", ["issuer"], issuers());
    desk.counters(LATE, "Answers that came after their deadline", ["issuer"], issuers());
    desk.counters(CONTRADICTIONS, "Answers that contradict an earlier one", ["issuer"], issuers());
    desk.counters(UNENCODABLE, "Requests that the issuer's dialect cannot say", ["issuer"], issuers());
    let stand_in =
        StandIn::ALL.iter().flat_map(|outcome| issuers().map(|[issuer]| [issuer, outcome.name().into()]));
    desk.counters(STAND_IN, "Answers given in the issuer's stead", ["issuer", "outcome"], stand_in);
    desk.counters(OPENED, "How often the issuer was given up until it answers probes", ["issuer"], issuers());
    let reasons = names(ReversalReason::ALL, ReversalReason::name);
    desk.counters(REVERSALS, "Reversals owed to issuers, by reason", ["reason"], reasons);
    let failures = names(TerminalFailure::ALL, TerminalFailure::name);
    desk.counters(FAILURES, "Failures on the terminals' side", ["reason"], failures);
    desk.counters(VIOLATIONS, "Breaches of the protocol by a peer", ["side"], names(Side::ALL, Side::name));
    desk.counters(DUPLICATES, "The same request again", [], [[]]);
    desk.counters(CONTRADICTORY, "The same key with other content", [], [[]]);
    desk.counters(UNMATCHED, "Answers that match no request", [], [[]]);
    desk.counters(FORCED, "Forced posts added to a limit unconditionally", [], [[]]);
}

fn declines(labels: &Labels, layout: &Layout) -> Vec<[String; 3]> {
    let named = labels.issuers.iter().take(layout.named).map(String::as_str);
    let mut issuers: Vec<&str> = std::iter::once("none").chain(named).collect();
    issuers.resize(layout.slots(), "other");
    let row = |(cause, source): &(terms::Cause, terms::Source)| [cause.name(), source.name()];
    let of_row = |[cause, source]: [&str; 2]| {
        issuers.iter().map(|issuer| [cause.into(), source.into(), (*issuer).into()]).collect::<Vec<_>>()
    };
    layout.rows.iter().map(row).flat_map(of_row).collect()
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> impl Iterator<Item = [String; 1]> {
    all.iter().map(move |value| [name(*value).into()])
}

fn pairs<A: Copy, B: Copy>(
    first: &'static [A],
    first_name: fn(A) -> &'static str,
    second: &'static [B],
    second_name: fn(B) -> &'static str,
) -> impl Iterator<Item = [String; 2]> {
    first
        .iter()
        .flat_map(move |a| second.iter().map(move |b| [first_name(*a).into(), second_name(*b).into()]))
}

const TRANSACTIONS: &str = "pointsman_transactions_total";
const DECLINES: &str = "pointsman_declines_total";
const BY_CODE: &str = "pointsman_declines_by_code_total";
const HANDSHAKES: &str = "pointsman_tls_handshakes_total";
const TIMEOUTS: &str = "pointsman_issuer_timeouts_total";
const LATE: &str = "pointsman_late_responses_total";
const CONTRADICTIONS: &str = "pointsman_issuer_contradictions_total";
const UNENCODABLE: &str = "pointsman_unencodable_requests_total";
const STAND_IN: &str = "pointsman_stand_in_total";
const OPENED: &str = "pointsman_breaker_opened_total";
const REVERSALS: &str = "pointsman_reversals_total";
const FAILURES: &str = "pointsman_terminal_failures_total";
const VIOLATIONS: &str = "pointsman_violations_total";
const DUPLICATES: &str = "pointsman_duplicates_total";
const CONTRADICTORY: &str = "pointsman_contradictory_repeats_total";
const UNMATCHED: &str = "pointsman_unmatched_responses_total";
const FORCED: &str = "pointsman_limit_forced_total";
const IN_FLIGHT: &str = "pointsman_in_flight";
const SAF_DEPTH: &str = "pointsman_saf_depth";
const QUARANTINED: &str = "pointsman_saf_quarantined";
const CONNECTIONS: &str = "pointsman_connections";
const BREAKER: &str = "pointsman_breaker_state";
const BREAKER_HELP: &str = "0 if the issuer is asked, 1 if it is being probed, 2 if it is not asked";
const LINK_UP: &str = "pointsman_link_up";
const RELOAD: &str = "pointsman_config_last_reload_successful";
const CERTIFICATE: &str = "pointsman_tls_certificate_not_after_timestamp_seconds";
const BUILD_INFO: &str = "pointsman_build_info";
const ARCHIVE: [(&str, &str); 5] = [
    ("pointsman_archive_lag_bytes", "Bytes of the journal that are not in the archive yet"),
    ("pointsman_archive_lag_records", "Records of the journal that are not in the archive yet"),
    ("pointsman_archive_lag_seconds", "Age of the newest archived record, while the archive is behind"),
    (
        "pointsman_archive_messages_dropped",
        "Messages since the start that were to be kept: over the rate, or no room",
    ),
    ("pointsman_archive_paused", "1 if nothing is archived: paused, filled by another process, or failed"),
];
