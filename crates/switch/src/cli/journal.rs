//! `journal`: the second reader's verdict on a journal.
//! Never opens it for writing, needs no key. Guards: exit status 0 only for a journal that a start would take as it is.

use super::args::JournalVerify;
use super::{Failure, output};
use std::process::ExitCode;

pub(super) fn verify(args: &JournalVerify) -> Result<ExitCode, Failure> {
    let verified = books::journal::verify(&args.dir);
    let report = verified.map_err(|fault| Failure::because("the journal cannot be verified", fault))?;
    if args.json {
        output::json(&report)?
    } else {
        output::print(report.to_string().trim_end())?
    }
    Ok(if report.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
