//! Fleets against an issuer in the same process: what terminals believe is what the issuer has booked.
//! Never a sleep, never a bound on the clock. Guards: nothing is lost by declines, silence or a broken link.

use books::shapes::{IssuerKind, TerminalState};
use core::time::Duration;
use issuer_sim::{Act, Control, IssuerConfig, Listen, Mood, Simulator, server_config, standard_moods};
use loadtest::{Client, Ended, Fleet, FleetConfig, FleetFault, LiveStats, Load, Mix, Outcome, Plan, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

const DIALECTS: [&str; 3] = ["iso87-binary", "iso87-ascii", "unionpay-pos"];
const ONE: Load = Load::Closed { in_flight: 1 };

/// An authority with one certificate for localhost.
fn certificates(dir: &Path) -> (Listen, Tls) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &authority).unwrap();
    let (ca, cert, secret) = (dir.join("ca.pem"), dir.join("own.pem"), dir.join("own.key"));
    std::fs::write(&ca, authority.pem()).unwrap();
    std::fs::write(&cert, own.pem()).unwrap();
    std::fs::write(&secret, key.serialize_pem()).unwrap();
    let listen = Listen::loopback_tls(server_config(&cert, &secret, None).unwrap());
    (listen, Tls::from_files(&ca, None, "localhost").unwrap())
}

fn simulator(dialect: &str, moods: Vec<Mood>, listen: Listen) -> Simulator {
    Simulator::start(vec![(IssuerConfig::new("issuer", dialect).moods(moods), listen)]).unwrap()
}

fn fleet(simulator: &Simulator, dialect: &str, connections: u32, tls: Option<Tls>) -> FleetConfig {
    let target = simulator.address("issuer").unwrap();
    FleetConfig { connections, sign_in: false, ..FleetConfig::new(vec![target], tls, dialect) }
}

/// Terminals' approvals and the issuer's net debits are the same, in number of units and in money.
#[track_caller]
fn agree(outcome: &Outcome, issuer: &Control) {
    let book = outcome.book.as_ref().expect("a book was kept").full();
    let approved = |state| book.entries.iter().filter(move |entry| entry.state == state && entry.money);
    let believed: i64 = approved(TerminalState::Approved).map(|entry| entry.amount).sum();
    let net = |kind| {
        issuer.book().entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).sum::<i64>()
    };
    assert_eq!(believed, net(IssuerKind::Debit) - net(IssuerKind::Reversal), "{outcome:?}");
    assert_eq!(book.entries.len() as u64, outcome.begun);
}

/// No terminal is left without an answer of some kind.
#[track_caller]
fn nothing_is_unknown(outcome: &Outcome) {
    let book = outcome.book.as_ref().expect("a book was kept").full();
    let unknown = book.entries.iter().filter(|entry| entry.state == TerminalState::Unknown);
    assert_eq!(unknown.count(), 0, "{outcome:?}");
}

#[test]
fn every_dialect_over_tls_with_everything_in_the_mix() {
    let dir = tempfile::tempdir().unwrap();
    for dialect in DIALECTS {
        let (listen, tls) = certificates(dir.path());
        let simulator = simulator(dialect, standard_moods(), listen);
        let config = FleetConfig { threads: 2, ..fleet(&simulator, dialect, 5, Some(tls)) };
        let mut plan = Plan::count(Load::Closed { in_flight: 8 }, 2_000);
        plan.mix =
            Mix { balances: 50, repeats: 100, reversals: 100, ..Mix::default() }.declines(200, &[51, 61]);
        let outcome = Fleet::new(config).unwrap().run(&plan, LiveStats::default().into()).unwrap();
        assert_eq!(
            (outcome.begun, outcome.answered, outcome.timeouts),
            (2_000, 2_000, 0),
            "{dialect} {outcome:?}"
        );
        assert!(outcome.declined["51"] > 100 && outcome.declined["61"] > 100, "{dialect} {outcome:?}");
        assert_eq!(outcome.declined_by_cause.values().sum::<u64>(), outcome.declined.values().sum::<u64>());
        assert!(outcome.reversed > 50 && outcome.repeats_agreed > 50, "{dialect} {outcome:?}");
        assert_eq!((outcome.repeats_contradicted, outcome.late, outcome.violations), (0, 0, 0), "{dialect}");
        assert_eq!((outcome.ended, outcome.broken), (Ended::Count, 0));
        assert!(
            outcome.tps > 0.0
                && outcome.latency_us.p50 > 0
                && outcome.latency_us.max >= outcome.latency_us.p99
        );
        nothing_is_unknown(&outcome);
        agree(&outcome, simulator.control("issuer").unwrap());
    }
}

#[test]
fn an_open_load_sends_what_is_due() {
    let simulator = simulator("iso87-binary", vec![], Listen::loopback());
    for poisson in [true, false] {
        let fleet = Fleet::new(fleet(&simulator, "iso87-binary", 4, None)).unwrap();
        let plan = Plan::count(Load::Open { rate: 5_000.0, poisson, in_flight: 64 }, 500);
        let outcome = fleet.run(&plan, LiveStats::default().into()).unwrap();
        assert_eq!((outcome.begun, outcome.answered, outcome.approved), (500, 500, 500), "{outcome:?}");
    }
}

#[test]
fn a_terminal_that_gets_no_answer_reverses() {
    for dialect in DIALECTS {
        let moods = vec![Mood::new(Act::Drop).amount_ends("07")];
        let simulator = simulator(dialect, moods, Listen::loopback());
        let config =
            FleetConfig { timeout: Duration::from_millis(250), ..fleet(&simulator, dialect, 20, None) };
        let mut plan = Plan::count(ONE, 200);
        plan.drain = Duration::from_secs(60);
        plan.mix = Mix::default().declines(100, &[7]);
        let outcome = Fleet::new(config).unwrap().run(&plan, LiveStats::default().into()).unwrap();
        assert!(outcome.timeouts > 0 && outcome.reversed == outcome.timeouts, "{dialect} {outcome:?}");
        assert_eq!(outcome.answered + outcome.timeouts, 200, "{dialect} {outcome:?}");
        nothing_is_unknown(&outcome);
        agree(&outcome, simulator.control("issuer").unwrap());
    }
}

#[test]
fn a_broken_link_is_mended_and_leaves_nothing_open() {
    let simulator = simulator("iso87-ascii", vec![], Listen::loopback());
    let control = simulator.control("issuer").unwrap();
    let fleet = Fleet::new(fleet(&simulator, "iso87-ascii", 4, None)).unwrap();
    let (stop, stats) = (fleet.stopper(), Arc::new(LiveStats::default()));
    let plan = Plan {
        drain: Duration::from_secs(60),
        ..Plan::new(Load::Closed { in_flight: 16 }, Duration::from_secs(60))
    };
    let outcome = std::thread::scope(|scope| {
        let running = scope.spawn(|| fleet.run(&plan, stats.clone()));
        let mut seen = 0;
        for _ in 0..3 {
            wait(|| stats.answered.load(Relaxed) > seen + 500);
            control.cut_link(Duration::ZERO);
            seen = stats.answered.load(Relaxed);
        }
        wait(|| stats.answered.load(Relaxed) > seen + 500);
        stop.stop();
        running.join().unwrap().unwrap()
    });
    assert_eq!(outcome.ended, Ended::Stopped);
    assert!(outcome.broken >= 4, "{outcome:?}");
    // A request that never reached the issuer stays unknown (its reversal gets 25): neither side counts it.
    assert_eq!(stats.in_flight.load(Relaxed), 0);
    agree(&outcome, control);
}

#[test]
fn a_full_book_ends_the_load_and_a_second_run_is_of_other_terminals() {
    let simulator = simulator("iso87-binary", vec![], Listen::loopback());
    let config = FleetConfig { book_max: 100, ..fleet(&simulator, "iso87-binary", 2, None) };
    let fleet = Fleet::new(config).unwrap();
    let plan = Plan::new(ONE, Duration::from_secs(60));
    let first = fleet.run(&plan, LiveStats::default().into()).unwrap();
    assert_eq!((first.ended, first.begun), (Ended::BookFull, 100));
    let second = fleet.run(&plan, LiveStats::default().into()).unwrap();
    let terminals = |outcome: &Outcome| {
        let entries = outcome.book.as_ref().unwrap().full().entries;
        entries.into_iter().map(|entry| entry.terminal).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(terminals(&first).is_disjoint(&terminals(&second)));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("book.json");
    first.book.as_ref().unwrap().write(&path).unwrap();
    assert_eq!(books::TerminalBook::load(&path).unwrap(), first.book.unwrap().full());
}

#[test]
fn a_client_gets_the_answer_to_its_message() {
    let dir = tempfile::tempdir().unwrap();
    let (listen, tls) = certificates(dir.path());
    let simulator = simulator("iso87-ascii", vec![], listen);
    let dialect = iso8583::Dialect::builtin("iso87-ascii").unwrap();
    let to = simulator.address("issuer").unwrap();
    let framing = framing::Framing::by_name("binary2").unwrap();
    let mut client =
        Client::connect(to, Some(&tls), dialect.clone(), framing, Duration::from_secs(20)).unwrap();
    for stan in 1..4 {
        let mut message = bytes::BytesMut::new();
        let mut writer = iso8583::Writer::new(&dialect, terms::Mti::of(0x0200), &mut message);
        writer
            .text(2, b"6224240000000018")
            .number(3, 0)
            .number(4, 1_250)
            .number(7, 1_122_093_015)
            .number(11, stan);
        writer.text(41, b"T0000001").text(42, b"123456789123456").number(49, 156).finish().unwrap();
        let body = client.send(&message).unwrap();
        let mut index = iso8583::Index::new();
        iso8583::decode(&dialect, &body, &mut index).unwrap();
        let answer = iso8583::answer(&dialect, &body, &index).unwrap();
        assert_eq!((u64::from(answer.stan.get()), answer.code.as_str()), (stan, "00"));
    }
}

#[test]
fn what_cannot_be_is_refused_before_a_connection() {
    let to = vec!["127.0.0.1:1".parse().unwrap()];
    let good = || FleetConfig::new(to.clone(), None, "iso87-ascii");
    for (config, what) in [
        (FleetConfig { targets: vec![], ..good() }, "targets"),
        (FleetConfig { connections: 0, ..good() }, "connections"),
        (FleetConfig { dialect: "iso93".into(), ..good() }, "dialect"),
        (FleetConfig { dialect: "iso87-ebcdic".into(), ..good() }, "dialect"),
        (FleetConfig { framing: "binary3".into(), ..good() }, "framing"),
        (FleetConfig { bins: vec!["62x".into()], ..good() }, "bins"),
        (FleetConfig { acquirer: "A".into(), ..good() }, "acquirer"),
        (FleetConfig { amount_max: 99, ..good() }, "amount_max"),
    ] {
        let fault = Fleet::new(config).err().expect(what);
        assert!(fault.to_string().starts_with(what), "{fault}");
    }
    let fleet = Fleet::new(good()).unwrap();
    let plan = Plan { mix: Mix { balances: 1_001, ..Mix::default() }, ..Plan::count(ONE, 1) };
    assert!(matches!(
        fleet.run(&plan, LiveStats::default().into()),
        Err(FleetFault::Setting { what: "mix", .. })
    ));
    // Nobody listens there.
    let plan = Plan { connect_within: Duration::from_millis(100), ..Plan::count(ONE, 1) };
    let fault = fleet.run(&plan, LiveStats::default().into()).unwrap_err();
    assert!(
        fault.to_string().starts_with("0 of 1 connections within 0 s; last: Connection refused"),
        "{fault}"
    );
}

/// Waits until `holds`, for at most a minute.
#[track_caller]
fn wait(holds: impl Fn() -> bool) {
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < until, "it never came about");
        std::thread::yield_now();
    }
}
