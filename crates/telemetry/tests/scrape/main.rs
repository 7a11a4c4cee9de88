//! What a scrape shows: the format, the closed sets, and that nothing counted is lost.

mod exposition;

use exposition::Scrape;
use telemetry::{
    Decline, Families, Handshake, Histogram, Journal, Labels, Renderer, ReversalReason, SERIES_MAX, Side,
    Stage, StandIn, TerminalFailure,
};
use terms::{Cause, InternalCause, IssuerIx, Kind, LinkIx, Source};

fn labels(issuers: usize, links: usize) -> Labels {
    Labels {
        issuers: (0..issuers).map(|i| format!("bank-{i}")).collect(),
        links: (0..issuers).flat_map(|i| (0..links).map(move |link| (i, format!("l{link}")))).collect(),
        codes: (0..112).map(|i| format!("{i:02X}")).collect(),
        version: "1.2.3".into(),
        commit: "abc\"\\1".into(),
    }
}

fn families(labels: &Labels) -> (Families, Renderer) {
    Families::new(labels).unwrap()
}

const COUNTERS: [&str; 17] = [
    "transactions_total",
    "declines_total",
    "declines_by_code_total",
    "tls_handshakes_total",
    "issuer_timeouts_total",
    "late_responses_total",
    "issuer_contradictions_total",
    "unencodable_requests_total",
    "stand_in_total",
    "breaker_opened_total",
    "reversals_total",
    "terminal_failures_total",
    "violations_total",
    "duplicates_total",
    "contradictory_repeats_total",
    "unmatched_responses_total",
    "limit_forced_total",
];
const GAUGES: [&str; 14] = [
    "archive_lag_bytes",
    "archive_lag_records",
    "archive_lag_seconds",
    "archive_messages_dropped",
    "archive_paused",
    "in_flight",
    "connections",
    "link_up",
    "breaker_state",
    "saf_depth",
    "saf_quarantined",
    "config_last_reload_successful",
    "tls_certificate_not_after_timestamp_seconds",
    "build_info",
];
const HISTOGRAMS: [&str; 3] = ["request_duration_seconds", "journal_commit_seconds", "journal_batch_records"];

#[test]
fn every_family_is_there_at_zero_from_the_first_scrape() {
    let (_families, renderer) = families(&labels(3, 2));
    let scrape = Scrape::read(&renderer.render());
    let expected = |names: &[&str], kind: &str| {
        names.iter().map(|name| (format!("pointsman_{name}"), kind.to_owned())).collect::<Vec<_>>()
    };
    let mut all =
        [expected(&COUNTERS, "counter"), expected(&GAUGES, "gauge"), expected(&HISTOGRAMS, "histogram")];
    let types = all.iter_mut().flat_map(std::mem::take).collect();
    assert_eq!(scrape.types, types);
    for (series, value) in &scrape.series {
        let one = series.starts_with("pointsman_build_info") || series.contains("reload_successful");
        assert_eq!(*value, f64::from(u8::from(one)), "{series}");
    }
    let count = |name| scrape.of(name).len();
    assert_eq!(count("pointsman_transactions_total"), Kind::ALL.len() * 2);
    assert_eq!(count("pointsman_declines_by_code_total"), 113);
    assert_eq!(count("pointsman_tls_handshakes_total"), 4);
    assert_eq!(count("pointsman_link_up"), 6);
    assert_eq!(count("pointsman_stand_in_total"), 3 * 3);
    assert_eq!(count("pointsman_reversals_total"), ReversalReason::ALL.len());
    assert_eq!(count("pointsman_terminal_failures_total"), TerminalFailure::ALL.len());
    assert_eq!(count("pointsman_request_duration_seconds_bucket"), 3 * 18);
    assert_eq!(scrape.get(r#"pointsman_build_info{commit="abc"\1",version="1.2.3"}"#), 1.0);
}

#[test]
fn every_source_and_cause_is_a_label_value() {
    let (_families, renderer) = families(&labels(1, 1));
    let text = renderer.render();
    for source in Source::ALL {
        assert!(text.contains(&format!("source=\"{source}\"")), "{source}");
    }
    for cause in Cause::ALL {
        assert!(text.contains(&format!("cause=\"{cause}\",source=\"issuer\",issuer=\"bank-0\"")), "{cause}");
    }
}

#[test]
fn twenty_issuers_with_four_links_keep_the_bound_and_all_have_names() {
    let (_families, renderer) = families(&labels(20, 4));
    let text = renderer.render();
    let scrape = Scrape::read(&text);
    assert!(scrape.series.len() <= SERIES_MAX, "{} series", scrape.series.len());
    assert!(text.contains("issuer=\"bank-19\"") && !text.contains("issuer=\"other\""));
}

#[test]
fn more_issuers_than_fit_share_a_label_and_far_too_many_are_refused() {
    for issuers in [0, 1, 40, 60, 100, 115] {
        let (families, renderer) = families(&labels(issuers, 2));
        let mut counts = families.counts();
        for issuer in 0..issuers {
            counts.declined(
                Kind::Purchase,
                declined(Cause::Funds, Source::Issuer, Some(issuer as u16), Some(1)),
            );
        }
        counts.flush(&families);
        let scrape = Scrape::read(&renderer.render());
        assert!(scrape.series.len() <= SERIES_MAX, "{issuers} issuers make {} series", scrape.series.len());
        let total: f64 = scrape.of("pointsman_declines_total").iter().map(|(_, value)| value).sum();
        assert_eq!(total, issuers as f64);
    }
    let fault = Families::new(&labels(400, 4)).unwrap_err();
    assert!(fault.to_string().starts_with("400 issuers with 1600 links make"), "{fault}");
    assert!(fault.to_string().ends_with("metric series, expected at most 2000"), "{fault}");
}

fn declined(cause: Cause, source: Source, issuer: Option<u16>, code: Option<u16>) -> Decline {
    Decline { cause, source, issuer: issuer.map(IssuerIx), code }
}

#[test]
fn every_internal_cause_counts_under_its_own_labels() {
    let (families, renderer) = families(&labels(2, 1));
    for cause in InternalCause::ALL {
        let (reason, source) = (cause.cause(), cause.source());
        let series = |issuer: &str| {
            format!("pointsman_declines_total{{cause=\"{reason}\",issuer=\"{issuer}\",source=\"{source}\"}}")
        };
        let before = Scrape::read(&renderer.render());
        let mut counts = families.counts();
        counts.declined(Kind::Purchase, declined(reason, source, None, None));
        counts.declined(Kind::Purchase, declined(reason, source, Some(1), None));
        counts.flush(&families);
        let after = Scrape::read(&renderer.render());
        for issuer in ["none", "bank-1"] {
            assert_eq!(after.get(&series(issuer)) - before.get(&series(issuer)), 1.0, "{cause} {issuer}");
        }
    }
}

#[test]
fn a_pair_that_cannot_happen_counts_as_our_own_failure() {
    let (families, renderer) = families(&labels(1, 1));
    let mut counts = families.counts();
    counts.declined(Kind::Purchase, declined(Cause::Funds, Source::Registry, Some(0), Some(500)));
    counts.flush(&families);
    let scrape = Scrape::read(&renderer.render());
    assert_eq!(scrape.get(r#"pointsman_declines_total{cause="funds",issuer="bank-0",source="system"}"#), 1.0);
    assert_eq!(scrape.get(r#"pointsman_declines_by_code_total{rc="other"}"#), 1.0);
}

#[test]
fn each_count_reaches_its_series_once() {
    let (families, renderer) = families(&labels(3, 1));
    let (first, last) = (IssuerIx(0), IssuerIx(2));
    let mut counts = families.counts();
    counts.approved(Kind::Purchase);
    counts.approved(Kind::Balance);
    counts.declined(Kind::Balance, declined(Cause::Limit, Source::Limit, Some(2), Some(0x51)));
    counts.issuer_timeout(first);
    counts.late_response(last);
    counts.issuer_contradiction(last);
    counts.unencodable(first);
    counts.breaker_opened(last);
    counts.stand_in(first, StandIn::Approved);
    counts.stand_in(last, StandIn::Declined);
    counts.reversal(ReversalReason::LinkLost);
    counts.terminal_failure(TerminalFailure::of_reversal(b"A0"));
    counts.violation(Side::Issuer);
    counts.duplicate();
    counts.contradictory_repeat();
    counts.unmatched_response();
    counts.limit_forced();
    counts.handshake(Handshake::Ok, true);
    counts.in_flight(last, 5);
    counts.in_flight(last, -2);
    counts.saf_depth(first, 1);
    counts.saf_quarantined(first, 1);
    counts.connections(Side::Terminal, 2);
    counts.flush(&families);
    counts.flush(&families);
    families.link_up(LinkIx(1), true);
    families.breaker(first, 2);
    families.certificate_not_after(1_900_000_000);
    let scrape = Scrape::read(&renderer.render());
    let mut expected = vec![
        (r#"transactions_total{outcome="approved",type="purchase"}"#, 1.0),
        (r#"transactions_total{outcome="approved",type="balance"}"#, 1.0),
        (r#"transactions_total{outcome="declined",type="balance"}"#, 1.0),
        (r#"declines_total{cause="limit",issuer="bank-2",source="limit"}"#, 1.0),
        (r#"declines_by_code_total{rc="51"}"#, 1.0),
        (r#"issuer_timeouts_total{issuer="bank-0"}"#, 1.0),
        (r#"late_responses_total{issuer="bank-2"}"#, 1.0),
        (r#"issuer_contradictions_total{issuer="bank-2"}"#, 1.0),
        (r#"unencodable_requests_total{issuer="bank-0"}"#, 1.0),
        (r#"breaker_opened_total{issuer="bank-2"}"#, 1.0),
        (r#"breaker_state{issuer="bank-0"}"#, 2.0),
        (r#"stand_in_total{issuer="bank-0",outcome="approved"}"#, 1.0),
        (r#"stand_in_total{issuer="bank-2",outcome="declined"}"#, 1.0),
        (r#"reversals_total{reason="link_lost"}"#, 1.0),
        (r#"terminal_failures_total{reason="mac_wrong"}"#, 1.0),
        (r#"violations_total{side="issuer"}"#, 1.0),
        ("duplicates_total", 1.0),
        ("contradictory_repeats_total", 1.0),
        ("unmatched_responses_total", 1.0),
        ("limit_forced_total", 1.0),
        (r#"tls_handshakes_total{result="ok",resumed="yes"}"#, 1.0),
        (r#"in_flight{issuer="bank-2"}"#, 3.0),
        (r#"saf_depth{issuer="bank-0"}"#, 1.0),
        (r#"saf_quarantined{issuer="bank-0"}"#, 1.0),
        (r#"connections{side="terminal"}"#, 2.0),
        (r#"link_up{issuer="bank-1",link="l0"}"#, 1.0),
        ("tls_certificate_not_after_timestamp_seconds", 1_900_000_000.0),
        ("config_last_reload_successful", 1.0),
        (r#"build_info{commit="abc"\1",version="1.2.3"}"#, 1.0),
    ];
    let mut shown: Vec<_> = scrape.series.iter().filter(|(_, value)| **value != 0.0).collect();
    shown.sort_by_key(|(name, _)| *name);
    expected.sort_by_key(|(name, _)| *name);
    let shown: Vec<_> =
        shown.iter().map(|(name, value)| (name.trim_start_matches("pointsman_"), **value)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn two_workers_add_up_and_two_switches_do_not_mix() {
    let (ours, renderer) = families(&labels(1, 1));
    let (theirs, other) = families(&labels(1, 1));
    for worker in 1..=2 {
        let mut counts = ours.counts();
        counts.in_flight(IssuerIx(0), worker);
        (0..worker).for_each(|_| counts.duplicate());
        counts.flush(&ours);
    }
    let mut counts = theirs.counts();
    counts.duplicate();
    counts.flush(&theirs);
    let scrape = Scrape::read(&renderer.render());
    assert_eq!(scrape.get("pointsman_duplicates_total"), 3.0);
    assert_eq!(scrape.get(r#"pointsman_in_flight{issuer="bank-0"}"#), 3.0);
    assert_eq!(Scrape::read(&other.render()).get("pointsman_duplicates_total"), 1.0);
}

#[test]
fn histograms_are_cumulative_merged_and_in_seconds() {
    let (families, renderer) = families(&labels(1, 1));
    let workers = [families.latencies(), families.latencies()];
    // Bounds are inclusive: 50 µs is in the first bucket, 51 µs in the second, and above 10 s only +Inf counts.
    for (worker, micros) in [(0, 50), (1, 51), (0, 1_000), (1, 10_000_000), (0, 10_000_001)] {
        workers[worker].record(Stage::Total, micros);
    }
    let scrape = Scrape::read(&renderer.render());
    let below = |le: &str| {
        scrape.get(&format!("pointsman_request_duration_seconds_bucket{{le=\"{le}\",stage=\"total\"}}"))
    };
    let read: Vec<_> = ["0.00005", "0.0001", "0.0005", "0.001", "5", "10", "+Inf"].map(below).into();
    assert_eq!(read, [1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0]);
    assert_eq!(scrape.get(r#"pointsman_request_duration_seconds_count{stage="total"}"#), 5.0);
    assert_eq!(scrape.get(r#"pointsman_request_duration_seconds_sum{stage="total"}"#), 20.001_102);
    assert_eq!(scrape.get(r#"pointsman_request_duration_seconds_count{stage="issuer"}"#), 0.0);
}

#[test]
fn an_attached_journal_is_shown_with_its_own_bounds() {
    use std::sync::Arc;
    let (_families, renderer) = families(&labels(1, 1));
    let commit = Arc::new(Histogram::new(&[50_000, 800_000]));
    let batch = Arc::new(Histogram::new(&[1, 512]));
    let (commits, batches) = (commit.clone(), batch.clone());
    renderer.attach(Journal {
        commit_nanos: Box::new(move || commits.snapshot()),
        batch_records: Box::new(move || batches.snapshot()),
    });
    commit.record(116_000);
    batch.record(300);
    let scrape = Scrape::read(&renderer.render());
    assert_eq!(scrape.get(r#"pointsman_journal_commit_seconds_bucket{le="0.00005"}"#), 0.0);
    assert_eq!(scrape.get(r#"pointsman_journal_commit_seconds_bucket{le="0.0008"}"#), 1.0);
    assert_eq!(scrape.get("pointsman_journal_commit_seconds_sum"), 0.000_116);
    assert_eq!(scrape.get(r#"pointsman_journal_batch_records_bucket{le="512"}"#), 1.0);
    assert_eq!(scrape.get("pointsman_journal_batch_records_sum"), 300.0);
}
