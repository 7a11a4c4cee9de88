//! The binary `loadtest`: load from the command line, and the switch beside its neighbours.
//! Never loads another machine unasked. Guards: every run is bounded in time; an error ends with a status that says so.

mod cli;
mod peers;
mod verdict;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Loads a card switch with terminals that keep the rules of their trade.
#[derive(Parser)]
#[command(name = "loadtest", version, max_term_width = 110, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Each connection keeps so many transactions unanswered
    Closed(Box<cli::Closed>),
    /// Requests come at a rate of their own; latency counts from the time they were due
    Open(Box<cli::Open>),
    /// nginx, haproxy and the switch in turn, under the same load (usually by `cargo xtask bench peers`)
    Peers(peers::Peers),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Closed(closed) => cli::closed(&closed),
        Command::Open(open) => cli::open(&open),
        Command::Peers(peers) => peers::run(&peers),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("loadtest: {}", chain(&*fault));
            ExitCode::FAILURE
        }
    }
}

/// An error and what is behind it, in one line.
fn chain(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

const EXAMPLES: &str = "Examples:
  loadtest closed --to 127.0.0.1:7002 --ca tls/ca.pem --dialect iso87-ascii --connections 64 --in-flight 16 --for 30s
  loadtest open --to 127.0.0.1:7001 --ca tls/ca.pem --connections 1000 --rate 20000 --for 30s --book terminals.json
  loadtest closed --to 127.0.0.1:7002 --plain --dialect iso87-binary --count 10000 --decline 51=100 --reversals 10
  loadtest closed --to 127.0.0.1:7002 --plain --dialect iso87-binary --for 30s --journal journal --issuers ledger.json";
