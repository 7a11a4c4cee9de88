//! The words of `explain`. Never an option for a card number. Guards: what clap lets through has the right type.

use super::asked;
use clap::Args;
use std::path::PathBuf;

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// A response code (DE 39), an internal cause, or the id that a receipt shows for one: 51, issuer-timeout, E13
    #[arg(value_name = "CODE", required_unless_present_any = ["internal", "txn"])]
    pub what: Option<String>,
    /// Read the code by this scheme's or dialect's table: iso87, unionpay, visa, mastercard; left out: by every one
    #[arg(long, value_name = "NAME")]
    pub scheme: Option<String>,
    /// A cause of the switch's own, finer than any code, such as issuer-timeout
    #[arg(long, value_name = "CAUSE", conflicts_with = "what", value_parser = asked::internal)]
    pub internal: Option<terms::InternalCause>,
    /// That very transaction, by its RRN, its number, or terminal and STAN (10000019/000403): what happened hop by hop, why, who acts, what to try
    #[arg(long, value_name = "RRN", conflicts_with_all = ["what", "internal", "scheme"], requires = "config")]
    pub txn: Option<String>,
    /// What people read: en or zh
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = asked::language)]
    pub lang: declines::Language,
    /// The configuration file: whom to call ([contacts]), and for --txn journal and archive
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Another catalogue than the built-in one, such as a changed copy of crates/declines/data/codes.toml; every mistake in it is
    /// told with its line
    #[arg(long, value_name = "FILE", conflicts_with = "txn")]
    pub catalogue: Option<PathBuf>,
    /// For --txn, another directory than the configuration's [archive]
    #[arg(long, value_name = "DIR", requires = "txn")]
    pub archive: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `--help` ends with.
pub const EXAMPLES: &str = "Examples:
  pointsman explain 51
  pointsman explain 51 --scheme visa --lang zh
  pointsman explain --internal issuer-timeout --config pointsman.toml
  pointsman explain E13
  pointsman explain --txn 326A0000001B --config pointsman.toml
  pointsman explain --txn 10000019/000403 --config pointsman.toml
  pointsman explain 91 --json";
