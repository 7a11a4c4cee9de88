//! The archive: every transaction's timeline in SQLite, filled behind the hot path from the journal's durable records.
//!
//! Never touches the hot path: it reads segment files, not workers. Never holds a clear card number, track or PIN: the
//! journal's sealed parts are not opened, so a card is its token. Never the truth: it may lag, and is rebuilt from the
//! journal where it is missing or damaged.
//!
//! Guards: rows and the position they were read up to are one SQLite transaction, so being killed at any time leaves what
//! a rebuild would make (`tests/rebuild.rs`); a segment of the journal is given up only when its records are durable here
//! ([`Archiver::durable`]).
//!
//! [`Archiver`] fills it, one writer at a time; [`View`] reads it, also while it is filled and from another process.

mod archiver;
mod fault;
mod messages;
mod pace;
mod row;
mod rows;
mod schema;
mod search;
mod timeline;
mod view;
mod who;
mod words;
mod writer;

pub use archiver::{Archiver, Held, Place, Progress};
pub use fault::Fault;
pub use messages::{Captured, Messages};
pub use pace::Pace;
pub use search::{Found, Key, Outcome, Search};
pub use timeline::{Field, Hop, Timeline};
pub use view::{Reach, View};
pub use who::{Acts, causes};
