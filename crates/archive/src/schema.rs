//! The tables, and how a database is opened.
//!
//! Never holds a clear card number. Guards: format and journal position stand in the row `meta`; another format is rebuilt,
//! not guessed at.
//!
//! A transaction's row is keyed by the position of its first record: positions grow, so rows are appended, and every later
//! record names that position.

use crate::Fault;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Version of the tables.
pub(crate) const FORMAT: i64 = 1;
/// The database in the archive's directory.
pub(crate) const FILE: &str = "timelines.sqlite";

const TABLES: &str = "
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    format INTEGER NOT NULL,
    mark BLOB,                      -- up to where the journal is in here
    since INTEGER, through INTEGER, -- time of the first and the newest record in here
    gap INTEGER NOT NULL DEFAULT 0  -- segments of the journal went before they were read
);
CREATE TABLE txn (
    id INTEGER PRIMARY KEY,         -- position of its first record
    born INTEGER NOT NULL,          -- kind of that record
    serial INTEGER,
    at INTEGER NOT NULL,
    type INTEGER,
    mti INTEGER,
    acquirer TEXT, terminal TEXT, merchant TEXT, owner INTEGER,
    stan INTEGER, batch INTEGER, rrn TEXT, terminal_rrn TEXT,
    token BLOB,
    amount INTEGER, currency INTEGER,
    issuer INTEGER, link INTEGER,
    state INTEGER, cause INTEGER, code TEXT, approval TEXT, final INTEGER,
    ended INTEGER,
    marks INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE hop (
    txn INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (txn, lsn)
) WITHOUT ROWID;
CREATE TABLE event (                -- records of no transaction
    lsn INTEGER PRIMARY KEY,
    at INTEGER,
    kind INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE name (                 -- behind the stable numbers
    of TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (of, number)
) WITHOUT ROWID;
CREATE TABLE owner (                -- who is behind the hash of acquirer, terminal and merchant
    owner INTEGER PRIMARY KEY,
    acquirer TEXT NOT NULL, terminal TEXT NOT NULL, merchant TEXT NOT NULL
);
CREATE INDEX txn_at ON txn (at);
CREATE INDEX txn_serial ON txn (serial) WHERE serial IS NOT NULL;
CREATE INDEX txn_rrn ON txn (rrn) WHERE rrn IS NOT NULL;
CREATE INDEX txn_terminal_rrn ON txn (terminal_rrn) WHERE terminal_rrn IS NOT NULL;
CREATE INDEX txn_stan ON txn (stan);
CREATE INDEX txn_terminal ON txn (terminal);
CREATE INDEX txn_token ON txn (token) WHERE token IS NOT NULL;
CREATE INDEX txn_owed ON txn (state) WHERE state IN (4, 7, 8);
CREATE INDEX txn_batch ON txn (owner, batch) WHERE born = 15;
";

/// Opens for writing, making the tables if the file is new.
pub(crate) fn open_to_write(dir: &Path) -> Result<Connection, Fault> {
    let mut connection = Connection::open(dir.join(FILE)).map_err(Fault::sqlite("be opened"))?;
    let doing = || Fault::sqlite("be set up");
    // A transaction is lost with the machine at most, never torn: the position is lost with it, and it is done again.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF;",
        )
        .map_err(doing())?;
    connection.set_prepared_statement_cache_capacity(64);
    let count: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(doing())?;
    if count == 0 {
        let making = connection.transaction().map_err(doing())?;
        making.execute_batch(TABLES).map_err(doing())?;
        making.execute("INSERT INTO meta (one, format) VALUES (1, ?1)", [FORMAT]).map_err(doing())?;
        making.commit().map_err(doing())?;
    }
    check_format(&connection, dir)?;
    Ok(connection)
}

/// Opens for reading, also while another process writes.
pub(crate) fn open_to_read(dir: &Path) -> Result<Connection, Fault> {
    let file = dir.join(FILE);
    if !file.is_file() {
        return Err(Fault::Missing { dir: dir.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(Fault::sqlite("be opened"))?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(Fault::sqlite("be opened"))?;
    check_format(&connection, dir)?;
    Ok(connection)
}

fn check_format(connection: &Connection, dir: &Path) -> Result<(), Fault> {
    let found: i64 = connection
        .query_row("SELECT format FROM meta", [], |row| row.get(0))
        .map_err(Fault::sqlite("be read"))?;
    match found {
        FORMAT => Ok(()),
        found => Err(Fault::Format { dir: dir.to_owned(), found, expected: FORMAT }),
    }
}
