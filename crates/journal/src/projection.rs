//! What the journal is for: state that is rebuilt from records and saved in checkpoints.
//! Never asked in the middle of a batch. Guards: checkpoint + tail = full replay (`tests/checkpoint.rs`).

use std::io;

use crate::{Kind, Lsn};

/// State derived from the records alone, in their order.
pub trait Projection {
    /// Takes one record in. Called once per record, in log order; must not fail on any payload that was appended.
    fn apply(&mut self, kind: Kind, payload: &[u8], lsn: Lsn);

    /// Writes the whole state.
    /// # Errors
    /// Only those of `out`.
    fn snapshot(&self, out: &mut dyn io::Write) -> io::Result<()>;

    /// Replaces the whole state by one that [`Projection::snapshot`] wrote.
    /// # Errors
    /// If the bytes are of another version or of no version; the state is then as new.
    fn restore(&mut self, input: &mut dyn io::Read) -> io::Result<()>;

    /// The oldest record that something still owed needs; [`Lsn::NONE`] if nothing is owed.
    fn oldest_needed(&self) -> Lsn;
}
