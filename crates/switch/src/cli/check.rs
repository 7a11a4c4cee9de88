//! `check`: what `serve` would say to a configuration, without a port or a journal being touched.
//! Never writes. Guards: the exit status is 0 only if `serve` would take the file.

use super::args::Check;
use super::{Failure, output};
use crate::config::{Config, LoadError, MemoryBound};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Default, Serialize)]
struct Checked {
    ok: bool,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bound: Option<MemoryBound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bound_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Problem {
    line: Option<usize>,
    text: String,
}

pub(super) fn run(args: &Check) -> Result<ExitCode, Failure> {
    let loaded = Config::load(&args.config);
    if args.json {
        return json(loaded);
    }
    let config = loaded?;
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    output::print(summary(&config))?;
    output::print(config.memory_bound().to_string().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn json(loaded: Result<Config, LoadError>) -> Result<ExitCode, Failure> {
    let checked = match loaded {
        Ok(config) => {
            let bound = config.memory_bound();
            let bytes = Some(bound.total());
            Checked {
                ok: true,
                warnings: config.warnings,
                memory_bound: Some(bound),
                memory_bound_bytes: bytes,
                ..Checked::default()
            }
        }
        Err(LoadError::Wrong(errors)) => {
            let problems = errors.lines().map(|(line, text)| Problem { line, text: text.to_owned() });
            Checked { problems: problems.collect(), ..Checked::default() }
        }
        Err(unread) => return Err(unread.into()),
    };
    output::json(&checked)?;
    Ok(if checked.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line about what the file holds.
pub(super) fn summary(config: &Config) -> String {
    let terminals: usize = config.merchants.iter().map(|merchant| merchant.terminals.len()).sum();
    format!(
        "{}: no problems; {} listeners, {} issuers with {} links, {} ranges, {} merchants with {terminals} terminals, {} workers",
        config.source.path().display(),
        config.listeners.len(),
        config.issuers.len(),
        config.links.len(),
        config.routes.len(),
        config.merchants.len(),
        config.workers,
    )
}
