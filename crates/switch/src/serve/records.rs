//! Reads a transaction's latest record and its INTENT back from the journal: for replays and for reversals of what has
//! been settled. Rare: the hot path never comes here.

use engine::Fetched;
use engine::record::{self, Ack, Linked, Obligation, Outcome, Parked, Record};
use journal::{Fault, Lsn, Reader, RecordBuf};

/// Buffers of one worker, reused.
#[derive(Default)]
pub struct Records {
    latest: RecordBuf,
    intent: RecordBuf,
}

impl Records {
    /// The record at `lsn` and the INTENT it follows.
    ///
    /// # Errors
    /// [`Fault`] if either cannot be read: damaged, or gone past retention.
    pub fn read(&mut self, reader: &Reader, lsn: Lsn) -> Result<Fetched<'_>, Fault> {
        let (kind, payload, _) = reader.read(lsn, &mut self.latest)?;
        let intent_lsn = intent_of(kind, payload).unwrap_or(lsn);
        let (_, intent, secret) = reader.read(intent_lsn, &mut self.intent)?;
        Ok(Fetched { kind, payload, intent_lsn, intent, secret: secret.unwrap_or(&[]) })
    }
}

/// Where the INTENT of a later record is; `None` for the INTENT itself.
fn intent_of(kind: journal::Kind, payload: &[u8]) -> Option<Lsn> {
    match kind {
        record::OUTCOME => Outcome::read(payload).ok()?.intent(),
        record::OBLIGATION => Obligation::read(payload).ok()?.intent(),
        record::ACK => Ack::read(payload).ok()?.intent(),
        record::LINKED => Linked::read(payload).ok()?.intent(),
        record::PARKED => Parked::read(payload).ok()?.intent(),
        _ => None,
    }
}
