//! `journal`: the second reader's verdict on a journal, its repair from the mirror, the purge of card numbers.
//! Never verifies with the writer's code. Guards: exit status 0 only for a journal that a start would take as it is.

use super::args::{JournalPurge, JournalRepair, JournalVerify};
use super::{Failure, output};
use crate::config::Config;
use crate::serve::upkeep;
use std::process::ExitCode;
use terms::BusinessDay;

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

pub(super) fn repair(args: &JournalRepair) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.config)?;
    let done =
        upkeep::repair(&config).map_err(|fault| Failure::because("the journal is not repaired", fault))?;
    if args.json {
        output::json(&serde_json::json!({
            "segments": done.segments, "batches": done.batches, "mended": done.mended, "end": done.tail.0,
        }))?;
    } else {
        let what = match done.mended {
            0 => "nothing had to be repaired".to_owned(),
            places => format!("{places} places repaired"),
        };
        let (segments, batches) = (done.segments, done.batches);
        output::print(format!("{segments} segments, {batches} batches, sound in both copies: {what}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn purge(args: &JournalPurge) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.config)?;
    upkeep::purge(&config, args.day).map_err(|fault| Failure::because("nothing was purged", fault))?;
    output::print(format!("card numbers of {} and all days before it can never be read again", args.day))?;
    Ok(ExitCode::SUCCESS)
}

/// A date as a business day.
pub(super) fn day(text: &str) -> Result<BusinessDay, String> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
    let date = year.zip(month).zip(day);
    let found = date.map(|((year, month), day)| BusinessDay::from_civil(year.into(), month, day));
    // Only a date that is written back as it came exists.
    found.filter(|day| day.to_string() == text).ok_or_else(|| "expected a date such as 2025-06-30".to_owned())
}
