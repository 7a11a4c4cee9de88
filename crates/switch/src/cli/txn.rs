//! `txn`: find transactions and tell what happened to them.
//! Never takes a card number as an argument, never shows one whole. Guards: a search that finds nothing says what was
//! searched, and how far the archive is behind.

mod search;
mod table;
mod times;

use super::archive::{self, Lag};
use super::args::{ArchiveAt, TxnFind, TxnShow};
use super::{Failure, output};
use crate::config::Config;
use ::archive::{Acts, Found, Key, Search, Timeline, View};
use journal::Lsn;
use serde::Serialize;
use std::process::ExitCode;
use times::Zone;

pub(super) use search::{cause, outcome, token};

#[derive(Serialize)]
struct Hits<'a> {
    archive: &'a Lag,
    from: Option<i64>,
    to: Option<i64>,
    more: bool,
    transactions: Vec<Told<'a>>,
}

/// A transaction, and whose move it is.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    found: &'a Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    acts: Option<Acts>,
}

#[derive(Serialize)]
struct Shown<'a> {
    archive: &'a Lag,
    #[serde(flatten)]
    timeline: &'a Timeline,
    #[serde(skip_serializing_if = "Option::is_none")]
    acts: Option<Acts>,
}

pub(super) fn find(args: &TxnFind) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.at.config)?;
    let zone = Zone::of(&config);
    let search = search::of(args, &config, &zone)?;
    let place = archive::place(&config, &args.at)?;
    let view = archive::up_to_date(&place)?;
    let lag = archive::lag(&view, &place)?;
    let one_more = Search { limit: search.limit + 1, ..search.clone() };
    let mut hits = searched(view.find(&one_more))?;
    let more = hits.len() > search.limit as usize;
    hits.truncate(search.limit as usize);
    if args.at.json {
        let transactions = hits.iter().map(|found| Told { found, acts: acts(found, &config) }).collect();
        output::json(&Hits { archive: &lag, from: search.from, to: search.to, more, transactions })?;
    } else {
        match &hits[..] {
            [] => output::print(table::nothing(&search, &lag, &zone))?,
            [one] => tell(&timeline(&view, one)?, &config, &zone)?,
            several => {
                output::print_table(&table::of(several, &config, &zone))?;
                output::print(table::sum(several.len(), more, &lag, &zone))?;
            }
        }
    }
    Ok(if hits.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

pub(super) fn show(args: &TxnShow) -> Result<ExitCode, Failure> {
    let Some(Looked { timeline, lag, config, zone }) = look_up(&args.which, &args.at)? else {
        return Ok(ExitCode::from(NOTHING));
    };
    if args.at.json {
        let acts = acts(&timeline.transaction, &config);
        output::json(&Shown { archive: &lag, timeline: &timeline, acts })?;
    } else {
        tell(&timeline, &config, &zone)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One transaction, and what it was found in.
pub(super) struct Looked {
    pub(super) timeline: Timeline,
    pub(super) lag: Lag,
    pub(super) config: Config,
    zone: Zone,
}

/// The transaction of a number or RRN; `None`, and what was searched is printed, if there is none.
pub(super) fn look_up(which: &str, at: &ArchiveAt) -> Result<Option<Looked>, Failure> {
    let config = Config::load(&at.config)?;
    let zone = Zone::of(&config);
    let place = archive::place(&config, at)?;
    let view = archive::up_to_date(&place)?;
    let lag = archive::lag(&view, &place)?;
    let search = Search { keys: search::which(which), limit: 2, ..Search::default() };
    let timeline = match &searched(view.find(&search))?[..] {
        [] => {
            output::print(table::nothing(&search, &lag, &zone))?;
            return Ok(None);
        }
        // An RRN of a terminal's own may be of several: the newest.
        [found, ..] => timeline(&view, found)?,
    };
    Ok(Some(Looked { timeline, lag, config, zone }))
}

fn tell(timeline: &Timeline, config: &Config, zone: &Zone) -> Result<(), Failure> {
    tell_hops(timeline, config, zone)?;
    let fields = table::fields(timeline);
    if !fields.is_empty() {
        output::print(format!("\njournaled: {fields}"))?;
    }
    timeline.messages.as_ref().map_or(Ok(()), |said| output::print(table::messages(said, zone)))
}

/// Headline, what identifies it, and its hops.
fn tell_hops(timeline: &Timeline, config: &Config, zone: &Zone) -> Result<(), Failure> {
    output::print(table::headline(timeline, acts(&timeline.transaction, config).as_ref(), zone))?;
    output::print_table(&table::facts(&timeline.transaction))?;
    output::print("")?;
    output::print_table(&table::hops(timeline, zone))
}

impl Looked {
    /// Likewise, with a line between that and what follows.
    pub(super) fn tell_hops(&self) -> Result<(), Failure> {
        tell_hops(&self.timeline, &self.config, &self.zone)?;
        output::print("")
    }
}

fn timeline(view: &View, found: &Found) -> Result<Timeline, Failure> {
    let position = Lsn(found.position);
    let timeline = searched(view.timeline(position))?;
    timeline.ok_or_else(|| Failure::new(format!("{:?} is no longer in the archive", Key::Id(position))))
}

/// Whose move it is, where it was declined or may still have to be explained.
fn acts(found: &Found, config: &Config) -> Option<Acts> {
    if !found.is_decline() && found.cause.is_none() {
        return None;
    }
    Acts::of(found.internal_cause(), found.code.as_deref(), issuer_dialect(found, config))
}

/// By which table an issuer's code is read.
pub(super) fn issuer_dialect<'a>(found: &Found, config: &'a Config) -> &'a str {
    let issuer = found.issuer.as_deref();
    let known = config.issuers.iter().find(|one| Some(one.name.as_str()) == issuer);
    known.map_or("iso87", |issuer| issuer.dialect.name())
}

fn searched<T>(result: Result<T, ::archive::Fault>) -> Result<T, Failure> {
    result.map_err(|fault| Failure::because("the archive cannot be searched", fault))
}

/// Exit status of a search that found nothing.
pub(super) const NOTHING: u8 = 2;
