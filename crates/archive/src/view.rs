//! The archive, read: also while it is filled, and by another process.
//! Never writes. Guards: a search and a timeline each see one state of the tables.

use crate::messages;
use crate::schema;
use crate::search::{self, Found, Search};
use crate::timeline::{self, Timeline};
use crate::{Fault, Key};
use journal::{Lsn, Mark};
use rusqlite::Connection;
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// An open archive.
pub struct View {
    pub(crate) db: Connection,
    names: Names,
    dir: PathBuf,
}

/// What the archive holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Time of the first record, ms since 1970; absent if there is none.
    pub since: Option<i64>,
    /// Time of the newest record.
    pub through: Option<i64>,
    /// Up to where the journal is in here.
    pub position: u64,
    /// Sequence of the first record that is not.
    pub next_record: u64,
    /// How often segments of the journal went before they were read.
    pub gaps: u32,
}

/// Names behind stable numbers.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(String, u32), String>);

impl Names {
    pub(crate) fn of(&self, kind: &str, number: u32) -> String {
        let known = self.0.get(&(kind.to_owned(), number));
        known.cloned().unwrap_or_else(|| format!("#{number:08x}"))
    }
}

impl View {
    /// # Errors
    /// [`Fault`]; where [`Fault::wants_rebuild`], it is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        let db = schema::open_to_read(dir)?;
        let mut names = Names::default();
        let read = |row: &rusqlite::Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
        db.prepare("SELECT of, number, name FROM name")
            .and_then(|mut all| {
                for name in all.query_map([], read)? {
                    let (key, name) = name?;
                    names.0.insert(key, name);
                }
                Ok(())
            })
            .map_err(Fault::sqlite("be read"))?;
        Ok(Self { db, names, dir: dir.to_owned() })
    }

    /// What it holds.
    /// # Errors
    /// [`Fault`].
    pub fn reach(&self) -> Result<Reach, Fault> {
        let read = |row: &rusqlite::Row<'_>| {
            let mark: Option<Vec<u8>> = row.get(0)?;
            let mark = mark.as_deref().and_then(Mark::from_bytes);
            Ok(Reach {
                since: row.get(1)?,
                through: row.get(2)?,
                position: mark.map_or(0, |mark| mark.position.0),
                next_record: mark.map_or(1, |mark| mark.record()),
                gaps: row.get(3)?,
            })
        };
        self.db
            .query_row("SELECT mark, since, through, gap FROM meta", [], read)
            .map_err(Fault::sqlite("be read"))
    }

    /// Transactions that fit, the newest first; one more than asked for tells that there are more.
    /// # Errors
    /// [`Fault`].
    pub fn find(&self, search: &Search) -> Result<Vec<Found>, Fault> {
        search::find(&self.db, &self.names, search).map_err(Fault::sqlite("be searched"))
    }

    /// What happened to the transaction whose first record stands at `id`; `None` if there is none.
    /// # Errors
    /// [`Fault`].
    pub fn timeline(&self, id: Lsn) -> Result<Option<Timeline>, Fault> {
        let one = Search { keys: vec![Key::Id(id)], limit: 1, ..Search::default() };
        let Some(found) = self.find(&one)?.pop() else { return Ok(None) };
        let mut hops = timeline::hops(&self.db, &self.names, &found).map_err(Fault::sqlite("be read"))?;
        let serial = self.serial(id).map_err(Fault::sqlite("be read"))?;
        let messages = messages::of(&self.dir, &found, serial)?;
        if let Some(messages) = &messages {
            timeline::add_times(&mut hops, messages);
        }
        Ok(Some(Timeline { transaction: found, hops, messages }))
    }

    fn serial(&self, id: Lsn) -> rusqlite::Result<Option<i64>> {
        self.db.query_row("SELECT serial FROM txn WHERE id = ?1", [id.0 as i64], |row| row.get(0))
    }

    /// Positions of the first records of all transactions, in order: for whoever compares the archive with the journal.
    /// # Errors
    /// [`Fault`].
    pub fn ids(&self) -> Result<Vec<Lsn>, Fault> {
        self.db
            .prepare("SELECT id FROM txn ORDER BY id")
            .and_then(|mut all| all.query_map([], |row| Ok(Lsn(row.get::<_, i64>(0)? as u64)))?.collect())
            .map_err(Fault::sqlite("be read"))
    }

    /// Every row of every table as text, in order: two archives that say the same are the same.
    /// # Errors
    /// [`Fault`].
    pub fn dump(&self) -> Result<Vec<String>, Fault> {
        self.rows().map_err(Fault::sqlite("be read"))
    }

    fn rows(&self) -> rusqlite::Result<Vec<String>> {
        let mut lines = Vec::new();
        for (table, order) in
            [("txn", "id"), ("hop", "txn, lsn"), ("event", "lsn"), ("name", "of, number"), ("owner", "owner")]
        {
            let mut all = self.db.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
            let columns = all.column_count();
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                let value = |at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}"));
                let values: rusqlite::Result<Vec<String>> = (0..columns).map(value).collect();
                lines.push(format!("{table}: {}", values?.join(", ")));
            }
        }
        Ok(lines)
    }
}
