//! `closed` and `open`: settings, progress, summary.
//! Never a host that is not this one, unless its owner says so. Guards: the summary says what was measured and for how long.

mod show;

use crate::verdict::{Sources, Verdict};
use clap::{ArgGroup, Args};
use core::time::Duration;
use loadtest::{Fleet, FleetConfig, LiveStats, Load, Mix, Outcome, Plan, Tls};
use serde::Serialize;
use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

/// `closed`
#[derive(Args)]
pub struct Closed {
    /// Unanswered transactions per connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    in_flight: u32,
    #[command(flatten)]
    common: Common,
}

/// `open`
#[derive(Args)]
pub struct Open {
    /// Transactions per second, all connections together
    #[arg(long, value_name = "R")]
    rate: f64,
    /// Evenly spaced instead of Poisson arrivals
    #[arg(long)]
    constant: bool,
    /// Most unanswered transactions per connection; what is due meanwhile waits, and its latency runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    in_flight: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
#[command(group(ArgGroup::new("wire").required(true).args(["ca", "plain"])))]
struct Common {
    /// Listeners; connections are spread over them
    #[arg(long, value_name = "HOST:PORT", required = true, value_delimiter = ',')]
    to: Vec<String>,
    /// PEM file with who may have signed the listener's certificate
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM file with the clients' certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The name that the listener's certificate bears
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    server_name: String,
    /// Without TLS
    #[arg(long)]
    plain: bool,
    /// Addresses off this machine are allowed
    #[arg(long)]
    i_own_this_host: bool,
    /// unionpay-pos, iso87-ascii or iso87-binary
    #[arg(long, value_name = "NAME", default_value = "unionpay-pos")]
    dialect: String,
    /// Name of a framing; left out: unionpay for unionpay-pos, binary2 for others
    #[arg(long, value_name = "NAME", default_value = "")]
    framing: String,
    /// Connections, each with its own terminal
    #[arg(long, value_name = "N", default_value_t = 100)]
    connections: u32,
    /// Generator threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: u32,
    /// Number of the first terminal: 1 is T0000001
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_terminal: u32,
    /// DE 42
    #[arg(long, value_name = "ID", default_value = "123456789123456")]
    merchant: String,
    /// The acquirer: in the book, and in DE 32 with --send-acquirer
    #[arg(long, value_name = "DIGITS", default_value = "00010000")]
    acquirer: String,
    /// Put the acquirer into DE 32
    #[arg(long)]
    send_acquirer: bool,
    /// First digits of the cards
    #[arg(long, value_name = "DIGITS", value_delimiter = ',', default_value = "622424")]
    bins: Vec<String>,
    /// Different cards
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    cards: u32,
    /// Length of the measurement, such as 30s, 500ms or 2m
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    run_for: Duration,
    /// Transactions at most, warm-up included
    #[arg(long, value_name = "N", default_value_t = 0)]
    count: u64,
    /// Load before the measurement
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    warm_up: Duration,
    /// How long a terminal waits before it reverses
    #[arg(long, value_name = "TIME", default_value = "35s", value_parser = time)]
    timeout: Duration,
    /// How long answers and reversals are waited for at the end
    #[arg(long, value_name = "TIME", default_value = "40s", value_parser = time)]
    drain: Duration,
    /// So many of a thousand amounts end so, such as 51=20: issuers decline by it
    #[arg(long = "decline", value_name = "ENDING=N", value_delimiter = ',', value_parser = share)]
    declines: Vec<(u8, u16)>,
    /// Balance inquiries, of a thousand
    #[arg(long, value_name = "N", default_value_t = 0)]
    balances: u16,
    /// Purchases sent twice, of a thousand
    #[arg(long, value_name = "N", default_value_t = 0)]
    repeats: u16,
    /// Approved purchases that are reversed, of a thousand
    #[arg(long, value_name = "N", default_value_t = 0)]
    reversals: u16,
    /// Sign in on each connection (unionpay-pos does so anyway)
    #[arg(long)]
    sign_in: bool,
    /// For cards, amounts and arrivals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write what the terminals believe, as JSON; 32 bytes of memory per transaction until then
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

type Done = Result<(), Box<dyn Error>>;

/// Runs `closed`.
pub fn closed(closed: &Closed) -> Done {
    go(&closed.common, Load::Closed { in_flight: closed.in_flight })
}

/// Runs `open`.
pub fn open(open: &Open) -> Done {
    go(&open.common, Load::Open { rate: open.rate, poisson: !open.constant, in_flight: open.in_flight })
}

fn go(common: &Common, load: Load) -> Done {
    let fleet = Fleet::new(fleet_config(common)?)?;
    eprintln!(
        "{} connections to {}; {} fit into this process",
        common.connections,
        common.to.join(", "),
        loadtest::connections_that_fit()
    );
    let outcome = watched(&fleet, &plan(common, load))?;
    if let (Some(path), Some(book)) = (&common.book, &outcome.book) {
        book.write(path)?;
    }
    let verdict = common.sources.compare(outcome.book.as_ref())?;
    if common.json {
        println!("{}", serde_json::to_string(&Said { outcome: &outcome, verdict: verdict.as_ref() })?);
    } else {
        println!("{}", show::summary(&outcome, verdict.as_ref()));
    }
    if outcome.answered == 0 {
        return Err("nothing was answered".into());
    }
    verdict.as_ref().map_or(Ok(()), Verdict::required)
}

/// The result as one object.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    #[serde(flatten)]
    verdict: Option<&'a Verdict>,
}

/// Runs with a bar that is drawn on terminals only.
fn watched(fleet: &Fleet, plan: &Plan) -> Result<Outcome, Box<dyn Error>> {
    let stats = Arc::new(LiveStats::default());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fleet.run(plan, stats.clone()));
        let bar = show::Bar::new(plan.warm_up + plan.run_for);
        while !running.is_finished() {
            bar.draw(&stats);
            std::thread::sleep(Duration::from_millis(100));
        }
        bar.clear();
        Ok(running.join().map_err(|_| "the fleet broke")??)
    })
}

fn fleet_config(common: &Common) -> Result<FleetConfig, Box<dyn Error>> {
    let own = common.cert.as_deref().zip(common.key.as_deref());
    let tls = match &common.ca {
        Some(ca) => Some(Tls::from_files(ca, own, &common.server_name)?),
        None => None,
    };
    let mut config = FleetConfig::new(targets(common)?, tls, &common.dialect);
    config.framing.clone_from(&common.framing);
    config.connections = common.connections;
    config.threads = common.threads;
    config.first_terminal = common.first_terminal;
    config.merchant.clone_from(&common.merchant);
    config.acquirer.clone_from(&common.acquirer);
    config.send_acquirer = common.send_acquirer;
    config.bins.clone_from(&common.bins);
    config.cards = common.cards;
    config.timeout = common.timeout;
    config.sign_in |= common.sign_in;
    config.keep_book = common.book.is_some() || common.sources.is_given();
    config.seed = common.seed;
    Ok(config)
}

fn plan(common: &Common, load: Load) -> Plan {
    Plan {
        count: common.count,
        warm_up: common.warm_up,
        drain: common.drain,
        mix: Mix {
            amount_ends: common.declines.clone(),
            balances: common.balances,
            repeats: common.repeats,
            reversals: common.reversals,
        },
        ..Plan::new(load, common.run_for)
    }
}

fn targets(common: &Common) -> Result<Vec<SocketAddr>, Box<dyn Error>> {
    let mut targets = Vec::new();
    for to in &common.to {
        let address = to.to_socket_addrs().map_err(|fault| format!("--to {to}: {fault}"))?.next();
        let address = address.ok_or_else(|| format!("--to {to}: no address"))?;
        if !address.ip().is_loopback() && !common.i_own_this_host {
            return Err(
                format!("--to {to}: expected an address of this machine, or --i-own-this-host").into()
            );
        }
        targets.push(address);
    }
    Ok(targets)
}

/// `30s`, `500ms`, `2m`, `1h`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let ms = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let number = number.parse::<u64>().ok().filter(|_| ms > 0);
    let whole = number.and_then(|number| number.checked_mul(ms)).map(Duration::from_millis);
    whole.ok_or_else(|| "expected a number with ms, s, m or h".into())
}

/// `51=20`.
fn share(text: &str) -> Result<(u8, u16), String> {
    let (ending, share) = text.split_once('=').unwrap_or((text, ""));
    match (ending.parse().ok().filter(|ending| *ending <= 99), share.parse().ok()) {
        (Some(ending), Some(share)) => Ok((ending, share)),
        _ => Err("expected the last two digits of amounts and a share of a thousand, such as 51=20".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares() {
        for (text, ms) in [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("7", 7_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert!(time("s").is_err() && time("3d").is_err() && time("99999999999999999999s").is_err());
        assert_eq!(share("51=20"), Ok((51, 20)));
        assert!(share("51").is_err() && share("100=1").is_err());
    }
}
