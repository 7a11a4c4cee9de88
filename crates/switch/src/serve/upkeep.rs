//! What is done to a journal while no switch runs: repair from its mirror, and the purge of a day's card numbers.
//! Never while a process has it open (the lock says who). Guards: a key goes only if nothing open or owed is sealed by it.

use super::StartFault;
use super::clock::Clock;
use super::records::Records;
use super::start::{journal_options, new_ledger, take_up};
use crate::config::Config;
use engine::ShardState;
use engine::record::{Audit, Intent};
use journal::{Class, Commit, Frame, Journal, Reader, RealDisk, Repaired};
use keys::{DataKeys, KeyFile, Sealer};
use std::sync::Arc;
use std::sync::mpsc;
use terms::BusinessDay;

/// Why a journal was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepFault {
    /// It cannot be opened.
    #[error(transparent)]
    Start(#[from] StartFault),
    /// The disk, or damage in both copies.
    #[error(transparent)]
    Journal(#[from] journal::Fault),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keys::Fault),
    /// The day has not ended.
    #[error("{day} has not ended: the current business day is {today}")]
    NotOver {
        /// The day asked for.
        day: BusinessDay,
        /// Today by the node's calendar.
        today: BusinessDay,
    },
    /// Card numbers of that day are still needed.
    #[error(
        "{count} transactions of {day} or before are open or owed: their card numbers are needed to settle them"
    )]
    Needed {
        /// How many.
        count: usize,
        /// The day asked for.
        day: BusinessDay,
    },
    /// There is no calendar that says when a day ends.
    #[error("the configuration has no calendar: nothing says when a business day ends")]
    NoCalendar,
    /// The purge could not be written down; no key was destroyed.
    #[error("the purge could not be journaled, nothing was destroyed")]
    NotJournaled,
}

/// Repairs both copies of the configured journal from each other.
///
/// # Errors
/// [`UpkeepFault::Journal`].
pub fn repair(config: &Config) -> Result<Repaired, UpkeepFault> {
    Ok(journal::repair(&journal_options(config), Arc::new(RealDisk))?)
}

/// Destroys the wrapped data keys of `day` and every day before it, after writing down that it will.
///
/// # Errors
/// [`UpkeepFault`]; nothing is destroyed then.
pub fn purge(config: &Config, day: BusinessDay) -> Result<(), UpkeepFault> {
    let calendar = &config.calendars.first().ok_or(UpkeepFault::NoCalendar)?.calendar;
    let wall_ms = Clock::start().now().wall_ms;
    let today = calendar.day_at(wall_ms);
    if day >= today {
        return Err(UpkeepFault::NotOver { day, today });
    }
    let keys = KeyFile::load(&config.journal.key_file, &config.journal.dir)?;
    let sealer = Arc::new(Sealer::new(DataKeys::open(&config.journal.dir, config.node, keys.kek())?)?);
    let mut ledger = new_ledger(config);
    let seal = Arc::clone(&sealer) as Arc<dyn journal::Seal>;
    let (journal, _) = journal::open(journal_options(config), Arc::new(RealDisk), seal, &mut ledger)?;
    let recovered = take_up(config, ledger, &journal.reader())?;
    let begun = unsettled_since(&recovered.shards, &journal.reader())?;
    let count = begun.iter().filter(|wall_ms| calendar.day_at(**wall_ms) <= day).count();
    if count > 0 {
        journal.close()?;
        return Err(UpkeepFault::Needed { count, day });
    }
    write_down(&journal, wall_ms, &format!("purge: data keys through {day} destroyed"))?;
    let destroyed = sealer.destroy_through(day);
    journal.close()?;
    Ok(destroyed?)
}

/// When each transaction that is open or owed began: its card number is sealed by the key of that day.
fn unsettled_since(shards: &[ShardState], reader: &Reader) -> Result<Vec<i64>, journal::Fault> {
    let mut records = Records::default();
    let mut begun = Vec::new();
    for shard in shards {
        begun.extend(shard.open.iter().map(|open| open.intent.wall_ms));
        begun.extend(shard.parts.iter().filter_map(|owed| Some(owed.intent.as_ref()?.wall_ms)));
        for debt in &shard.debts {
            let fetched = records.read(reader, debt.owing)?;
            // One that cannot be read may be of any day.
            let intent = Intent::read(fetched.intent, fetched.secret);
            begun.push(intent.map_or(i64::MIN, |intent| intent.wall_ms));
        }
    }
    Ok(begun)
}

fn write_down(journal: &Journal, wall_ms: i64, text: &str) -> Result<(), UpkeepFault> {
    let (done, waits) = mpsc::channel();
    let lane = journal.lane(
        0,
        Arc::new(move || {
            // Nobody waits any more: then nobody needs to be told.
            let _ = done.send(());
        }),
    );
    let mut frame = Frame::new();
    Audit { wall_ms, text }.append(&mut frame, 0);
    lane.submit(frame, Class::Owed);
    // One frame, one wake-up: it has come back then.
    let _ = waits.recv();
    match lane.take() {
        Some(Commit::Durable(_)) => Ok(()),
        _ => Err(UpkeepFault::NotJournaled),
    }
}
