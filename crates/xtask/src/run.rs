//! Running commands of the workspace and saying how they went.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The folder of the workspace, whatever folder the chore was called from.
pub fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(PathBuf::from).unwrap_or(manifest)
}

/// `cargo` with these arguments, in the workspace's folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// One step of a chore and its outcome.
pub struct Step {
    /// What people call it.
    pub name: &'static str,
    /// `Err` says why.
    pub outcome: Result<(), String>,
    /// Wall time.
    pub took: Duration,
}

/// Runs `command`, its output going straight to the terminal.
pub fn step(name: &'static str, mut command: Command) -> Step {
    eprintln!("\n── {name}");
    let start = Instant::now();
    let outcome = match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}")),
        Err(error) => Err(format!("cannot be started: {error}")),
    };
    Step { name, outcome, took: start.elapsed() }
}

/// Prints what passed and what did not; `Err` if anything failed.
pub fn summary(steps: &[Step]) -> Result<(), String> {
    eprintln!();
    println!("{:<28} {:>8}  outcome", "step", "seconds");
    for step in steps {
        let outcome =
            step.outcome.as_ref().map_or_else(|why| format!("FAILED ({why})"), |()| "ok".to_owned());
        println!("{:<28} {:>8.1}  {outcome}", step.name, step.took.as_secs_f64());
    }
    let failed = steps.iter().filter(|step| step.outcome.is_err()).count();
    println!("{} passed, {} failed", steps.len() - failed, failed);
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} steps failed", steps.len())) }
}
