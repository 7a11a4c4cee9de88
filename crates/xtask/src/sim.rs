//! `cargo xtask sim`: the simulator, built for speed with every check on, over a range of seeds.

use crate::run::{cargo, root};
use clap::Args;
use std::process::Command;

/// Which seeds, and how to say what became of them.
#[derive(Args)]
pub struct Sim {
    /// Seeds A..B, the last one not included.
    #[arg(long, default_value = "0..300")]
    seeds: String,
    /// A hundred years: 3,650 seeds of ten business days, at least 50 million transactions.
    #[arg(long)]
    long: bool,
    /// Business days of each seed.
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// Machine-readable result.
    #[arg(long)]
    json: bool,
    /// Tells what happened in the first seed.
    #[arg(long)]
    story: bool,
    /// Plays the planted bugs instead, each until a seed finds it: at most as many seeds as given.
    #[arg(long)]
    zoo: bool,
    /// Rows of the failure matrix that no seed met are no failure: for few seeds.
    #[arg(long)]
    any_rows: bool,
}

/// Runs it.
///
/// # Errors
/// If the simulator cannot be built, or found something.
pub fn run(sim: &Sim) -> Result<(), String> {
    let mut command = simulator();
    if sim.zoo {
        // Planted bugs change what is compiled, so they have a target directory of their own.
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
        command.env("RUSTFLAGS", "--cfg pointsman_zoo").env("CARGO_TARGET_DIR", target.join("zoo"));
    }
    command.args(["--seeds", &sim.seeds, "--days", &sim.days.to_string()]);
    let flags = [
        ("--long", sim.long),
        ("--json", sim.json),
        ("--story", sim.story),
        ("--any-rows", sim.any_rows),
        ("--zoo", sim.zoo),
    ];
    for (flag, set) in flags {
        if set {
            command.arg(flag);
        }
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the simulation: {status}")),
        Err(error) => Err(format!("{command:?} cannot be started: {error}")),
    }
}

/// The simulator as a command that wants its arguments.
pub fn simulator() -> Command {
    cargo(&["run", "--quiet", "--profile", "sim", "--package", "tests", "--bin", "simulate", "--"])
}
