//! One SQLite transaction per stretch of the journal: its rows, and the place where it ends.
//! Never commits one without the other. Guards: what failed half-way is rolled back and done again.

use crate::Fault;
use crate::rows::{Raw, Rows};
use crate::schema;
use journal::{Follower, Lsn, Mark, Reached};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;

/// The database, open for writing.
pub(crate) struct Writer {
    db: Connection,
    mark: Option<Mark>,
    through: Option<i64>,
}

impl Writer {
    pub(crate) fn open(dir: &Path) -> Result<Self, Fault> {
        let db = schema::open_to_write(dir)?;
        let (mark, through) = db
            .query_row("SELECT mark, through FROM meta", [], |row| {
                Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get(1)?))
            })
            .map_err(Fault::sqlite("be read"))?;
        Ok(Self { db, mark: mark.as_deref().and_then(Mark::from_bytes), through })
    }

    /// Where the journal was read up to.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Time of the newest record, ms.
    pub(crate) fn through(&self) -> Option<i64> {
        self.through
    }

    /// Segments of the journal went before they were read.
    pub(crate) fn note_gap(&mut self) -> Result<(), Fault> {
        self.db.execute("UPDATE meta SET gap = gap + 1", []).map_err(Fault::sqlite("be written"))?;
        Ok(())
    }

    /// Takes in what comes next, up to `until` and at most `bytes` of the log.
    pub(crate) fn take(&mut self, log: &mut Follower, until: Lsn, bytes: u64) -> Result<Reached, Fault> {
        let before = log.mark();
        let taken = self.take_all(log, until, bytes);
        if taken.is_err() {
            log.rewind(before);
        }
        taken
    }

    fn take_all(&mut self, log: &mut Follower, until: Lsn, bytes: u64) -> Result<Reached, Fault> {
        let doing = || Fault::sqlite("be written");
        let begun = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(doing())?;
        let rows = Rows(&begun);
        let (mut first, mut through, mut failed) = (None, self.through, None);
        let reached = log.step(until, bytes, &mut |kind, payload, lsn| {
            if failed.is_some() {
                return;
            }
            match rows.take(Raw { kind, payload, lsn }) {
                Ok(at) => {
                    first = first.or(at);
                    through = through.max(at);
                }
                Err(fault) => failed = Some(fault),
            }
        })?;
        if let Some(fault) = failed {
            return Err(doing()(fault));
        }
        let mark = log.mark();
        if self.mark != Some(mark) {
            let set = "UPDATE meta SET mark = ?1, since = coalesce(since, ?2), through = ?3";
            begun.execute(set, params![mark.to_bytes(), first, through]).map_err(doing())?;
        }
        begun.commit().map_err(doing())?;
        (self.mark, self.through) = (Some(mark), through);
        Ok(reached)
    }

    /// Moves what was committed into the database file, synced; `false` if a reader is in the way.
    pub(crate) fn sync(&self) -> Result<bool, Fault> {
        let moved = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let (busy, frames, done) = moved.map_err(Fault::sqlite("be synced"))?;
        Ok(busy == 0 && frames == done)
    }

    /// Forgets at most `count` transactions older than `before`; what is open or owed stays. How many went.
    pub(crate) fn trim(&mut self, before: i64, count: u32) -> Result<usize, Fault> {
        let doing = || Fault::sqlite("be trimmed");
        let begun = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(doing())?;
        let old: Vec<i64> = begun
            .prepare_cached(OLD)
            .and_then(|mut find| find.query_map(params![before, count], |row| row.get(0))?.collect())
            .map_err(doing())?;
        for id in &old {
            for table in ["DELETE FROM hop WHERE txn = ?1", "DELETE FROM txn WHERE id = ?1"] {
                begun.prepare_cached(table).and_then(|mut gone| gone.execute([id])).map_err(doing())?;
            }
        }
        let oldest: Option<i64> = begun
            .query_row("SELECT id FROM txn ORDER BY id LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(doing())?;
        if let Some(oldest) = oldest {
            begun.execute("DELETE FROM hop WHERE txn < ?1", [oldest]).map_err(doing())?;
            begun
                .execute("DELETE FROM event WHERE lsn < ?1 AND at < ?2", [oldest, before])
                .map_err(doing())?;
        }
        if !old.is_empty() {
            begun.execute("UPDATE meta SET since = max(since, ?1)", [before]).map_err(doing())?;
        }
        begun.commit().map_err(doing())?;
        Ok(old.len())
    }
}

const OLD: &str =
    "SELECT id FROM txn WHERE at < ?1 AND (state IS NULL OR state NOT IN (1, 4, 7, 8) OR born <> 1)
    ORDER BY at LIMIT ?2";
