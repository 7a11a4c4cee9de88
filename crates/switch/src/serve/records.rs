//! Reads a transaction's latest record and its INTENT back from the journal: for replays and for reversals of what has
//! been settled. Rare: the hot path never comes here.

use engine::Fetched;
use engine::record::{self, Ack, Intent, Linked, Obligation, Outcome, Parked, Record};
use journal::{Fault, Find, Lsn, Reader, RecordBuf};

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

    /// The newest INTENT under a key that `is_it` knows; without its card number. `Err(true)`: there is none, `Err(false)`:
    /// nobody can say.
    pub fn named(
        &mut self,
        reader: &Reader,
        key: u64,
        is_it: impl Fn(&Intent) -> bool,
    ) -> Result<Intent, bool> {
        let positions = match reader.find(key) {
            Find::Found(positions) => positions,
            Find::Missing => return Err(true),
            Find::Unknown => return Err(false),
        };
        for lsn in positions {
            let (_, payload, _) = reader.read(lsn, &mut self.intent).map_err(|_| false)?;
            match Intent::read(payload, &[]) {
                Ok(intent) if is_it(&intent) => return Ok(intent),
                _ => {}
            }
        }
        Err(true)
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
