//! `issuer-sim`: issuers as a process, for tests and load.
//! Never listens off the loopback address unless told to; never runs for ever.
//! Guards: the book is written whatever ends the run.

use clap::Parser;
use core::time::Duration;
use issuer_sim::{
    Control, IssuerConfig, Keep, Listen, ListenConfig, Served, SimConfig, serve, server_config,
    standard_moods,
};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Issuers with accounts, ledgers and moods.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
struct Arguments {
    /// File with issuers, accounts and moods (TOML).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["issuer", "listen"])]
    config: Option<PathBuf>,
    /// Name of an issuer; repeat for several.
    #[arg(long, value_name = "NAME", default_value = "issuer")]
    issuer: Vec<String>,
    /// Address of an issuer, in the order of --issuer; those without one get a free port.
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Dialect of all issuers.
    #[arg(long, value_name = "NAME", default_value = "iso87-ascii")]
    dialect: String,
    /// Framing of all issuers; without it, what goes with the dialect.
    #[arg(long, value_name = "NAME", default_value = "")]
    framing: String,
    /// Connections must sign on first.
    #[arg(long)]
    require_sign_on: bool,
    /// Approve every amount; without it an amount that ends in 51 is declined with 51, and so on.
    #[arg(long)]
    no_moods: bool,
    /// Keep sums only: for runs longer than memory.
    #[arg(long)]
    totals_only: bool,
    /// Where the book goes at the end (JSON).
    #[arg(long, value_name = "FILE")]
    ledger_out: Option<PathBuf>,
    /// Writes the book anew so often while it runs; readers see a whole one.
    #[arg(long, value_name = "TIME", requires = "ledger_out", value_parser = duration)]
    ledger_every: Option<Duration>,
    /// How long to run, such as 60s, 10m, 2h; at most 24h.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = duration)]
    lasting: Duration,
    /// Certificate chain (PEM); makes every listener TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authority that clients' certificates must come from (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// Listen on addresses that others can reach.
    #[arg(long)]
    any_address: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("issuer-sim: {}", chain(&*fault));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let issuers = issuers(arguments)?;
    check_addresses(&issuers, arguments.any_address)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let served = bind(issuers).await?;
        let controls: Vec<_> = served.iter().map(|one| one.control.clone()).collect();
        tokio::select! {
            waited = wait(arguments.lasting) => waited?,
            failed = keep_ledger(&controls, arguments) => return Err(failed),
        }
        for one in served {
            one.stopped().await;
        }
        report(&controls)?;
        write_ledger(&controls, arguments.ledger_out.as_deref())
    })
}

fn issuers(arguments: &Arguments) -> Result<Vec<(IssuerConfig, ListenConfig)>, Box<dyn Error>> {
    if let Some(path) = &arguments.config {
        let text = std::fs::read_to_string(path)
            .map_err(|fault| format!("cannot read {}: {fault}", path.display()))?;
        return Ok(SimConfig::parse(&text, &path.display().to_string())?.issuers);
    }
    if arguments.listen.len() > arguments.issuer.len() {
        return Err("expected at most one --listen for each --issuer".into());
    }
    Ok(arguments.issuer.iter().enumerate().map(|(at, name)| named(arguments, at, name)).collect())
}

fn named(arguments: &Arguments, at: usize, name: &str) -> (IssuerConfig, ListenConfig) {
    let mut config = IssuerConfig::new(name, &arguments.dialect).framing(&arguments.framing);
    config.require_sign_on = arguments.require_sign_on;
    if !arguments.no_moods {
        config.moods = standard_moods();
    }
    if arguments.totals_only {
        config.keep = Keep::Totals;
    }
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let listen = ListenConfig {
        address: arguments.listen.get(at).copied().unwrap_or(free),
        tls: arguments.tls_cert.clone().zip(arguments.tls_key.clone()),
        client_ca: arguments.client_ca.clone(),
    };
    (config, listen)
}

/// Whoever approves everything should not do so for the whole network by accident.
fn check_addresses(issuers: &[(IssuerConfig, ListenConfig)], any: bool) -> Result<(), Box<dyn Error>> {
    match issuers.iter().find(|(_, listen)| !any && !listen.address.ip().is_loopback()) {
        None => Ok(()),
        Some((config, listen)) => Err(format!(
            "issuer {}: {} is not a loopback address; --any-address allows it",
            config.name, listen.address
        )
        .into()),
    }
}

async fn bind(issuers: Vec<(IssuerConfig, ListenConfig)>) -> Result<Vec<Served>, Box<dyn Error>> {
    let mut served = Vec::new();
    for (config, listen) in issuers {
        let tls = match &listen.tls {
            Some((cert, key)) => Some(server_config(cert, key, listen.client_ca.as_deref())?),
            None => None,
        };
        let issuer = issuer_sim::Issuer::new(config)?;
        let line = format!("{} {}", issuer.dialect().name(), issuer.framing());
        let name = issuer.name().to_owned();
        let secured = if tls.is_some() { " tls" } else { "" };
        let one = serve(issuer, &Listen { address: listen.address, tls }).await?;
        writeln!(std::io::stdout(), "{name} {} {line}{secured}", one.address)?;
        served.push(one);
    }
    Ok(served)
}

/// Until the time is over, or somebody asks for the end.
async fn wait(lasting: Duration) -> Result<(), Box<dyn Error>> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        () = tokio::time::sleep(lasting) => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn report(controls: &[Control]) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for control in controls {
        let totals = control.totals();
        writeln!(
            out,
            "{}: {} messages, {} debits of {}, {} given back of {}, {} declined, {} repeats, {} malformed",
            control.name(),
            totals.messages,
            totals.debits,
            totals.debited,
            totals.reversals,
            totals.reversed,
            totals.declined,
            totals.repeats,
            totals.malformed
        )?;
    }
    Ok(())
}

/// Writes the book again and again; returns only what went wrong.
async fn keep_ledger(controls: &[Control], arguments: &Arguments) -> Box<dyn Error> {
    let Some(every) = arguments.ledger_every else { return std::future::pending().await };
    loop {
        tokio::time::sleep(every.max(Duration::from_millis(50))).await;
        if let Err(fault) = write_ledger(controls, arguments.ledger_out.as_deref()) {
            return fault;
        }
    }
}

/// Beside its place first: whoever reads it meanwhile has the one before, whole.
fn write_ledger(controls: &[Control], path: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let Some(path) = path else { return Ok(()) };
    let fault = |fault: std::io::Error| format!("cannot write {}: {fault}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut out = BufWriter::new(File::create(&beside).map_err(fault)?);
    Control::write_books(controls, &mut out).and_then(|()| out.flush()).map_err(fault)?;
    std::fs::rename(&beside, path).map_err(fault)?;
    Ok(())
}

fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut next = fault.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("expected a time such as 60s, found {text:?}"))?;
    let seconds = match &text[digits.len()..] {
        "s" | "" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        unit => return Err(format!("expected s, m or h, found {unit:?}")),
    };
    let most = 24 * 3600;
    match seconds.filter(|seconds| *seconds <= most) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("expected at most 24h".into()),
    }
}

const EXAMPLES: &str = "\
Examples:
  issuer-sim --issuer huaxia --listen 127.0.0.1:9001 --dialect unionpay-pos --for 60s
  issuer-sim --issuer a --issuer b --ledger-out issuers.json --for 10m
  issuer-sim --config issuers.toml --ledger-out issuers.json

A configuration:
  [[issuers]]
  name = \"huaxia\"
  dialect = \"unionpay-pos\"
  listen = \"127.0.0.1:9001\"
  require_sign_on = true
  bins = [\"622424\"]
  unknown_cards = { balance = 100000 }     # or \"decline\"
  standard_moods = true                    # an amount that ends in 51 is declined with 51, ...
  [[issuers.accounts]]
  card = \"6224242900000113\"
  balance = 500000
  credit_line = 100000
  expiry = 2812
  status = \"active\"                        # blocked lost stolen pin-blocked suspected closed
  [[issuers.moods]]
  amount_ends = \"0777\"                     # card, card_ends, amount, kind, rate = 0.01
  answer = \"drop\"                          # approve decline delay late lose twice garbage
                                           # wrong-amount wrong-stan wrong-card wrong-currency wrong-rrn
                                           # part no-terminal crossed sign-off take-back";
