//! What happened to one transaction: its records in their order, told as hops.
//! Never invents a time: a hop that the journal has no time for has none. Guards: every record of the transaction is in it.

use crate::Captured;
use crate::search::Found;
use crate::view::Names;
use crate::words;
use journal::{Kind, Lsn};
use rusqlite::{Connection, Result, Row, params};
use serde::Serialize;

/// One transaction, and everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// How it stands.
    pub transaction: Found,
    /// In the order of the journal.
    pub hops: Vec<Hop>,
    /// What was said, masked, if it was captured and is still kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Captured>,
}

/// One step on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Journaled time, ms since 1970; absent where the journal has none: between its neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Position of the record, absent where the hop is told by another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Name of the record's kind in capitals, or the hop's in small letters.
    pub what: String,
    /// In words.
    pub text: String,
    /// What else was journaled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// A journaled field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is.
    pub name: &'static str,
    /// As people read it.
    pub value: String,
}

/// A record as the table has it.
pub(crate) struct Stored {
    pub(crate) at: i64,
    pub(crate) lsn: Lsn,
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn hops(db: &Connection, names: &Names, found: &Found) -> Result<Vec<Hop>> {
    let mut all = Vec::new();
    let own = "SELECT at, lsn, kind, payload FROM hop WHERE txn = ?1 ORDER BY lsn";
    for stored in db.prepare(own)?.query_map([found.position as i64], stored)? {
        all.extend(words::hops(names, found, &stored?));
    }
    all.extend(of_batch(db, names, found)?);
    Ok(all)
}

/// The times that the journal does not have, from the messages.
pub(crate) fn add_times(hops: &mut [Hop], messages: &Captured) {
    for hop in hops.iter_mut().filter(|hop| hop.at.is_none()) {
        hop.at = match hop.what.as_str() {
            "forward" => messages.forwarded,
            "reply" => Some(messages.replied),
            _ => None,
        };
    }
}

/// What was said about the batch that an approved transaction counts in.
fn of_batch(db: &Connection, names: &Names, found: &Found) -> Result<Vec<Hop>> {
    let (Some(owner), Some(batch)) = (found.owner, found.batch) else { return Ok(Vec::new()) };
    if found.born != engine::record::INTENT {
        return Ok(Vec::new());
    }
    // A batch number comes again some day: the first settlement after this one is meant.
    let said = "SELECT hop.at, lsn, kind, payload FROM txn JOIN hop ON hop.txn = txn.id
        WHERE owner = ?1 AND batch = ?2 AND born = 15 AND txn.id > ?3 AND txn.at < ?4 ORDER BY lsn LIMIT 64";
    let mut hops = Vec::new();
    let until = found.at + BATCH_MAX_MS;
    for stored in db.prepare(said)?.query_map(params![owner, batch, found.position as i64, until], stored)? {
        hops.extend(words::hops(names, found, &stored?));
    }
    Ok(hops)
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    let lsn = Lsn(row.get::<_, i64>(1)? as u64);
    Ok(Stored { at: row.get(0)?, lsn, kind: row.get(2)?, payload: row.get(3)? })
}

/// A batch is settled within days, or another one of its number begins.
const BATCH_MAX_MS: i64 = 8 * 86_400_000;
