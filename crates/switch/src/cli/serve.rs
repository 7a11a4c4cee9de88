//! `serve`: the log, the configuration, then the switch itself.
//! Never binds a port before the configuration is found clean. Guards: warnings and the memory bound stand in the log
//! before the first transaction.

use super::args::Serve;
use super::{Failure, check};
use crate::config::Config;
use std::process::ExitCode;
use telemetry::logging::{self, Format};

pub(super) fn run(args: &Serve) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.config)?;
    let level = args.log.parse().map_err(|_| {
        let expected = "expected error, warn, info, debug or trace";
        Failure::new(format!("--log {}: {expected}", args.log))
    })?;
    let format = if args.json { Format::Json } else { Format::Human };
    logging::init(format, level).map_err(|fault| Failure::because("cannot log", fault))?;
    tracing::info!("{}", check::summary(&config));
    for warning in &config.warnings {
        tracing::warn!("{}: {warning}", args.config.display());
    }
    let bound = config.memory_bound();
    tracing::info!(bytes = bound.total(), "memory bound");
    for one in &bound.bounds {
        tracing::info!(bytes = one.bytes(), count = one.count, each = one.each, "bound: {}", one.what);
    }
    crate::serve::run(config).map_err(|fault| Failure::because("the switch stopped", fault))?;
    Ok(ExitCode::SUCCESS)
}
