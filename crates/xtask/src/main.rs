//! `cargo xtask`: the project's own chores, the same on every machine and in the gate.
//!
//! Never needed to build the product; never skips in silence: a tool that cannot be had fails the run and says which.

mod bench;
mod docs;
mod run;
mod sim;
mod test;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of the Pointsman workspace.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --long\n  cargo xtask check\n  cargo xtask sim --seeds 0..300\n  cargo xtask docs\n  cargo xtask bench peers --rounds 7"
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything the gate wants: formatting, lints, unit, property, loom, end-to-end and fault tests; prints a summary.
    Test {
        /// The long forms: a thousand kills instead of fifty, more property cases.
        #[arg(long)]
        long: bool,
    },
    /// Formatting and lints only.
    Check,
    /// Plays seeds in the simulated world: the switch with clock, network and disk of the simulator's making. Exits with a
    /// status other than 0 if a seed fails, or if a row of the failure matrix was never met.
    Sim(sim::Sim),
    /// Writes the pages that are made from data again: the catalogue's reference page and the runbook's rows.
    Docs,
    /// Measurements; never part of a test.
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test { long } => test::all(long),
        Chore::Check => test::check(),
        Chore::Sim(chosen) => sim::run(&chosen),
        Chore::Docs => docs::write(),
        Chore::Bench { bench } => bench::run(&bench),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
