//! The archive as commands use it: brought up to date where nobody else fills it, rebuilt, and how far behind it is.
//! Never waits for a running switch, never takes its place. Guards: the journal is the truth; a bar is shown where it takes
//! time.

use super::args::ArchiveAt;
use super::{Failure, output};
use crate::config::{ArchiveConfig, Config};
use crate::serve::archiving::place_of;
use ::archive::{Archiver, Fault, Place, Progress, Reach, View};
use indicatif::{ProgressBar, ProgressStyle};
use journal::{Disk, RealDisk, log_extent};
use serde::Serialize;
use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::Arc;

/// What stands in the way of saying that everything is in it.
#[derive(Debug, Serialize)]
pub(super) struct Lag {
    /// What it holds.
    #[serde(flatten)]
    pub reach: Reach,
    /// Bytes of the journal that are not in it, about.
    pub lag_bytes: u64,
}

pub(super) fn rebuild(args: &ArchiveAt) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.config)?;
    let place = place(&config, args)?;
    let opened = Archiver::rebuild(place.clone()).map_err(|fault| failed(&place, fault))?;
    let Ok(archiver) = opened else {
        let text = "another process fills the archive: a running switch does this by itself";
        return Err(Failure::new(format!("{}: {text}", place.dir.display())));
    };
    let progress = catch_up(archiver, &place)?;
    let lag = lag(&open(&place)?, &place)?;
    if args.json {
        output::json(&lag)?;
    } else {
        let records = progress.record - 1;
        output::print(format!("{}: made from {records} records of the journal", place.dir.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where it is, by configuration and argument.
pub(super) fn place(config: &Config, args: &ArchiveAt) -> Result<Place, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let settings = match (&args.archive, &config.archive) {
        (Some(dir), found) => {
            let keep_days = found.as_ref().and_then(|found| found.keep_days);
            ArchiveConfig { dir: dir.clone(), cpu_percent: 100, paused: false, keep_days, messages: None }
        }
        (None, Some(found)) => found.clone(),
        (None, None) => {
            let text = "has no [archive]: add one with a dir, or name a directory with --archive";
            return Err(Failure::new(format!("{} {text}", args.config.display())));
        }
    };
    Ok(place_of(config, &settings, disk))
}

/// The archive, as far as it can be brought.
pub(super) fn up_to_date(place: &Place) -> Result<View, Failure> {
    match Archiver::open(place.clone()) {
        Ok(Ok(archiver)) => drop(catch_up(archiver, place)?),
        // A running switch fills it.
        Ok(Err(::archive::Held)) => {}
        Err(fault) if is_not_ours(&fault) => {}
        Err(fault) => return Err(failed(place, fault)),
    }
    open(place)
}

/// How far it is behind the journal.
pub(super) fn lag(view: &View, place: &Place) -> Result<Lag, Failure> {
    let reach = view.reach().map_err(|fault| failed(place, fault))?;
    let extent = log_extent(&place.disk, &place.journal[0]).ok().flatten();
    // The end of the log is known to a block.
    let behind = extent.map_or(0, |(_, end)| end.0.saturating_sub(reach.position));
    Ok(Lag { reach, lag_bytes: if behind > BLOCK { behind } else { 0 } })
}

fn open(place: &Place) -> Result<View, Failure> {
    View::open(&place.dir).map_err(|fault| failed(place, fault))
}

fn catch_up(mut archiver: Archiver, place: &Place) -> Result<Progress, Failure> {
    let extent = log_extent(&place.disk, &place.journal[0]).ok().flatten();
    let (start, end) = extent.map_or((0, 0), |(start, end)| (start.0, end.0));
    let mut bar: Option<ProgressBar> = None;
    loop {
        let progress = archiver.step(None).map_err(|fault| failed(place, fault))?;
        if progress.is_done {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            archiver.close().map_err(|fault| failed(place, fault))?;
            return Ok(progress);
        }
        // Only where there is something to wait for; indicatif draws nothing where nobody looks.
        let bar = bar.get_or_insert_with(|| shown(end.saturating_sub(start)));
        bar.set_position(progress.position.0.saturating_sub(start));
        bar.set_message(format!("{} records", progress.record - 1));
    }
}

fn shown(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

/// Files of another user are read as they are.
fn is_not_ours(fault: &Fault) -> bool {
    let refused = |error: &std::io::Error| {
        matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
    };
    match fault {
        Fault::Io { source, .. } => refused(source),
        Fault::Journal(journal::Fault::Io { source, .. }) => refused(source),
        _ => false,
    }
}

fn failed(place: &Place, fault: Fault) -> Failure {
    Failure::because(format!("the archive in {}", place.dir.display()), fault)
}

const BAR: &str = "reading the journal {wide_bar} {bytes}/{total_bytes} {msg} {eta}";
const BLOCK: u64 = 4096;
