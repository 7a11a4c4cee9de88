//! A ring of messages as they came and went, masked, beside the timelines: of declines and of a sample of approvals.
//!
//! Never masks anything: what comes here is masked already. Never the journal's: a rebuild does not bring messages back.
//! Guards: never longer than its bound; the oldest goes first.

use crate::Fault;
use crate::search::{Found, plain};
use rusqlite::{Connection, OpenFlags, Row, params};
use serde::Serialize;
use std::path::Path;

/// One transaction's messages, every secret field masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Captured {
    /// Number of the transaction; absent for what was refused before it had one.
    #[serde(skip)]
    pub serial: Option<u64>,
    /// DE 41 of the request.
    #[serde(skip)]
    pub terminal: String,
    /// DE 11 of the request.
    #[serde(skip)]
    pub stan: u32,
    /// When the request came, ms since 1970.
    pub received: i64,
    /// When it was handed to a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<i64>,
    /// When the reply was handed to its connection.
    pub replied: i64,
    /// Field by field, a line each.
    pub request: String,
    /// The issuer's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What the terminal was told.
    pub reply: String,
}

impl Captured {
    fn size(&self) -> u64 {
        let answer = self.answer.as_ref().map_or(0, String::len);
        (self.request.len() + answer + self.reply.len() + self.terminal.len()) as u64 + ROW
    }
}

/// The ring, open for writing by whoever fills the archive.
pub struct Messages {
    db: Connection,
    bound: u64,
    held: u64,
}

impl Messages {
    /// Opens the ring in `dir`, of at most `bound` bytes; a damaged one is made anew.
    /// # Errors
    /// [`Fault`].
    pub fn open(dir: &Path, bound: u64) -> Result<Self, Fault> {
        match Self::open_sound(dir, bound) {
            Err(fault) if fault.wants_rebuild() => {
                for suffix in ["", "-wal", "-shm"] {
                    let path = dir.join(format!("{FILE}{suffix}"));
                    if path.exists() {
                        std::fs::remove_file(&path).map_err(Fault::io("remove", &path))?;
                    }
                }
                Self::open_sound(dir, bound)
            }
            opened => opened,
        }
    }

    fn open_sound(dir: &Path, bound: u64) -> Result<Self, Fault> {
        let doing = || Fault::sqlite("keep messages");
        let db = Connection::open(dir.join(FILE)).map_err(doing())?;
        db.execute_batch(TABLES).map_err(doing())?;
        let held: i64 = db
            .query_row("SELECT coalesce(sum(size), 0) FROM message", [], |row| row.get(0))
            .map_err(doing())?;
        Ok(Self { db, bound, held: held as u64 })
    }

    /// Keeps them, and lets the oldest go.
    /// # Errors
    /// [`Fault`]; none of them is kept then.
    pub fn keep(&mut self, all: &[Captured]) -> Result<(), Fault> {
        let doing = || Fault::sqlite("keep messages");
        let begun = self.db.transaction().map_err(doing())?;
        let mut held = self.held;
        for one in all {
            begun
                .prepare_cached(INSERT)
                .and_then(|mut insert| {
                    insert.execute(params![
                        one.serial.map(|serial| serial as i64),
                        one.terminal.trim_end(),
                        one.stan,
                        one.received,
                        one.forwarded,
                        one.replied,
                        one.request,
                        one.answer,
                        one.reply,
                        one.size() as i64,
                    ])
                })
                .map_err(doing())?;
            held += one.size();
        }
        while held > self.bound {
            let oldest = "DELETE FROM message WHERE id = (SELECT min(id) FROM message) RETURNING size";
            let gone: i64 = begun
                .prepare_cached(oldest)
                .and_then(|mut oldest| oldest.query_row([], |row| row.get(0)))
                .map_err(doing())?;
            held = held.saturating_sub(gone as u64);
        }
        begun.commit().map_err(doing())?;
        self.held = held;
        Ok(())
    }
}

/// The messages of a transaction, if the ring (still) has them.
pub(crate) fn of(dir: &Path, found: &Found, serial: Option<i64>) -> Result<Option<Captured>, Fault> {
    let file = dir.join(FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let doing = || Fault::sqlite("read messages");
    let db = Connection::open_with_flags(file, flags).map_err(doing())?;
    db.busy_timeout(std::time::Duration::from_secs(5)).map_err(doing())?;
    let stan: u32 = found.stan.as_ref().and_then(|stan| stan.parse().ok()).unwrap_or(0);
    let read = match serial {
        Some(serial) => db.query_row(&format!("{SELECT} serial = ?1 {NEWEST}"), [serial], captured),
        None => db.query_row(
            &format!(
                "{SELECT} serial IS NULL AND terminal = ?1 AND stan = ?2 AND abs(replied - ?3) < ?4 {NEWEST}"
            ),
            params![found.terminal, stan, found.at, NEAR_MS],
            captured,
        ),
    };
    match read {
        Ok(captured) => Ok(Some(captured)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(fault) => Err(doing()(fault)),
    }
}

fn captured(row: &Row<'_>) -> rusqlite::Result<Captured> {
    let lines = |text: String| text.lines().map(plain).collect::<Vec<_>>().join("\n");
    Ok(Captured {
        received: row.get(0)?,
        forwarded: row.get(1)?,
        replied: row.get(2)?,
        request: lines(row.get(3)?),
        answer: row.get::<_, Option<String>>(4)?.map(lines),
        reply: lines(row.get(5)?),
        ..Captured::default()
    })
}

const FILE: &str = "messages.sqlite";
const TABLES: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,
    serial INTEGER, terminal TEXT NOT NULL, stan INTEGER NOT NULL,
    received INTEGER NOT NULL, forwarded INTEGER, replied INTEGER NOT NULL,
    request TEXT NOT NULL, answer TEXT, reply TEXT NOT NULL,
    size INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_serial ON message (serial) WHERE serial IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_refused ON message (terminal, stan) WHERE serial IS NULL;
SELECT id, serial, terminal, stan, received, forwarded, replied, request, answer, reply, size FROM message LIMIT 0;";
const INSERT: &str =
    "INSERT INTO message (serial, terminal, stan, received, forwarded, replied, request, answer, reply, size)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const SELECT: &str = "SELECT received, forwarded, replied, request, answer, reply FROM message WHERE";
const NEWEST: &str = "ORDER BY id DESC LIMIT 1";
/// What a row costs beside its texts.
const ROW: u64 = 128;
/// A refusal is journaled in the turn that replies; a clock step may lie between.
const NEAR_MS: i64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn one(stan: u32) -> Captured {
        Captured { terminal: "T1".into(), stan, request: "x".repeat(1_000), ..Captured::default() }
    }

    #[test]
    fn the_ring_lets_the_oldest_go_also_after_it_was_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let stans = |ring: &Messages| -> Vec<u32> {
            let mut all = ring.db.prepare("SELECT stan FROM message ORDER BY id").unwrap();
            all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let mut ring = Messages::open(dir.path(), 4_000).unwrap();
        ring.keep(&[one(1), one(2)]).unwrap();
        ring.keep(&[one(3), one(4)]).unwrap();
        assert_eq!(stans(&ring), [2, 3, 4]);
        drop(ring);
        let mut ring = Messages::open(dir.path(), 4_000).unwrap();
        ring.keep(&[one(5)]).unwrap();
        assert_eq!(stans(&ring), [3, 4, 5]);
        drop(ring);
        std::fs::write(dir.path().join(FILE), [0x5A; 5_000]).unwrap();
        let mut ring = Messages::open(dir.path(), 4_000).unwrap();
        ring.keep(&[one(6)]).unwrap();
        assert_eq!(stans(&ring), [6]);
        ring.keep(&[Captured { request: "x".repeat(9_000), ..one(7) }]).unwrap();
        assert!(stans(&ring).is_empty(), "one that is longer than the ring is not kept");
    }
}
