//! `cargo xtask bench`: measurements. Figures go into `loadtest/RESULTS.md` and `benches/RESULTS.md`.

use crate::run::{cargo, root};
use crate::tools;
use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// nginx, haproxy and the switch in turn, interleaved: same terminals, same issuers, TLS 1.3. Prints medians and ratios.
    Peers {
        /// Rounds; at least seven make a median worth telling.
        #[arg(long, default_value_t = 7)]
        rounds: u32,
        /// Seconds of load per measurement.
        #[arg(long, default_value_t = 4)]
        seconds: u32,
        /// Machine-readable result.
        #[arg(long)]
        json: bool,
    },
    /// The micro-benchmarks of every room.
    Rooms,
}

/// Runs it.
///
/// # Errors
/// Says which tool is missing or which command failed.
pub fn run(bench: &Bench) -> Result<(), String> {
    match bench {
        Bench::Peers { rounds, seconds, json } => peers(*rounds, *seconds, *json),
        Bench::Rooms => finish(cargo(&["bench", "--package", "benches"])),
    }
}

fn peers(rounds: u32, seconds: u32, json: bool) -> Result<(), String> {
    tools::ensure(tools::FOR_PEERS)?;
    tools::ensure_stream_module()?;
    // Everything is built first, so that no compiler runs beside a measurement.
    finish(cargo(&[
        "build",
        "--profile",
        "dist",
        "--package",
        "switch",
        "--package",
        "loadtest",
        "--package",
        "issuer-sim",
    ]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let mut command = std::process::Command::new(target.join("dist/loadtest"));
    command.arg("peers").args(["--rounds", &rounds.to_string(), "--seconds", &seconds.to_string()]);
    if json {
        command.arg("--json");
    }
    for tool in tools::FOR_PEERS {
        let place = tools::find(tool.program).ok_or_else(|| format!("{} is missing", tool.program))?;
        command.arg(format!("--{}", tool.program)).arg(place);
    }
    command.arg("--switch").arg(target.join("dist/pointsman"));
    finish(command)
}

fn finish(mut command: std::process::Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?} cannot be started: {error}")),
    }
}
