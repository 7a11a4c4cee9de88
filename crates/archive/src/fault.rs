//! What can go wrong with the archive. Nothing here is ever a peer's doing, and none of it stops the switch.
//! Never says what a row held. Guards: damage is told from a full disk, because only damage leads to a rebuild.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Our archive, its directory, or the journal it follows failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// SQLite refused.
    #[error("the archive cannot {doing}")]
    Sqlite {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file beside the database.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The journal.
    #[error("the journal cannot be followed")]
    Journal(#[from] journal::Fault),
    /// Something that is not the next batch stands before the journal's durable end.
    #[error("the journal is damaged at position {at}: {reason}")]
    JournalDamaged {
        /// Where.
        at: journal::Lsn,
        /// What is wrong there.
        reason: &'static str,
    },
    /// There is no archive yet.
    #[error("there is no archive in {}", dir.display())]
    Missing {
        /// Its directory.
        dir: PathBuf,
    },
    /// Another version's tables, or none.
    #[error("the archive in {} is of format {found}, expected {expected}", dir.display())]
    Format {
        /// Its directory.
        dir: PathBuf,
        /// What it says.
        found: i64,
        /// What this version reads.
        expected: i64,
    },
}

impl Fault {
    pub(crate) fn sqlite(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { doing, source }
    }

    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// Whether only a rebuild helps: the file is no database (any more), or not one of this version.
    pub fn wants_rebuild(&self) -> bool {
        match self {
            Self::Format { .. } | Self::Missing { .. } => true,
            Self::Sqlite { source, .. } => is_damage(source),
            _ => false,
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    let shape = matches!(
        error,
        E::InvalidColumnType(..) | E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..)
    );
    let code = error.sqlite_error_code();
    shape || matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) || is_schema(error)
}

/// A table or column that is not there: somebody else's database under our name.
fn is_schema(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    text.contains("no such table") || text.contains("no such column")
}
