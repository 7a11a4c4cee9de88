//! `keys`: a key file for a new installation.
//! Never prints a key, never overwrites one. Guards: the file is its owner's alone from the first byte on.

use super::{Failure, output};
use ::keys::KeyFile;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn init(file: &Path) -> Result<ExitCode, Failure> {
    KeyFile::generate(file).map_err(|fault| Failure::because("no keys were made", fault))?;
    output::print(format!(
        "{}: new keys, readable by their owner only; keep a copy in a safe",
        file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
