//! What the engine writes into the journal: one small `Copy` struct per kind of record, its bytes, and how they are read.
//!
//! Never holds a clear card number, track, chip or PIN data; never allocates but for the frame's growth; never panics on
//! any bytes read. Guards: write then read is the identity, an INTENT's payload fits 184 bytes, an OUTCOME's 64
//! (`tests/records.rs`). `RECORDS.md` describes every byte; crate `books` reads them from that page alone.

mod advised;
mod batch;
mod intent;
mod life;
mod linked;
mod notes;
mod outcome;
mod owed;
mod tombstone;
pub(crate) mod wire;

pub use advised::Advised;
pub use batch::{Batch, BatchWhat, Compared, Who};
pub use intent::{Charged, ChargedIn, INTENT_BYTES_MAX, Intent, SECRET_BYTES};
pub use life::{Audit, Config, Day, FORMAT};
pub use linked::{Drawn, Linked};
pub use notes::{Late, Parked, Refused, Undelivered, Unmatched, UnmatchedReason};
pub use outcome::{OUTCOME_BYTES, Outcome, Told};
pub use owed::{Ack, Charges, Obligation, Part, Resolve, Unsettled};
pub use tombstone::Tombstone;

use core::fmt;
use journal::{Frame, Kind, Lsn};
use terms::{Check, KeyHasher, Rrn, SlotKey, Stan, TransmissionTime};

/// About to be sent to an issuer.
pub const INTENT: Kind = 1;
/// How it ended, or that a reversal is owed instead.
pub const OUTCOME: Kind = 2;
/// Refused before an INTENT.
pub const REFUSED: Kind = 3;
/// A reversal is owed, or an original must be looked for.
pub const OBLIGATION: Kind = 4;
/// The issuer acknowledged the reversal.
pub const ACK: Kind = 5;
/// A reversal came for what was never seen.
pub const TOMBSTONE: Kind = 6;
/// An answer after its deadline, or after the end.
pub const LATE: Kind = 7;
/// An answer that matches nothing.
pub const UNMATCHED: Kind = 8;
/// The reply could not be delivered.
pub const UNDELIVERED: Kind = 9;
/// The issuer refused the reversal, or the advice, too often.
pub const PARKED: Kind = 10;
/// A calendar went on to another business day.
pub const DAY: Kind = 11;
/// The names behind the stable numbers, and the configuration's hash.
pub const CONFIG: Kind = 12;
/// What people did.
pub const AUDIT: Kind = 13;
/// What an operation did to the earlier transaction that it names.
pub const LINKED: Kind = 14;
/// The end of a terminal's batch, and what no longer counts in it.
pub const BATCH: Kind = 15;

/// Name of a record's kind, as tables show it.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        INTENT => "INTENT",
        OUTCOME => "OUTCOME",
        REFUSED => "REFUSED",
        OBLIGATION => "OBLIGATION",
        ACK => "ACK",
        TOMBSTONE => "TOMBSTONE",
        LATE => "LATE",
        UNMATCHED => "UNMATCHED",
        UNDELIVERED => "UNDELIVERED",
        PARKED => "PARKED",
        DAY => "DAY",
        CONFIG => "CONFIG",
        AUDIT => "AUDIT",
        LINKED => "LINKED",
        BATCH => "BATCH",
        _ => "unknown kind",
    }
}

/// A transaction's number, unique for ever: epoch (16 bits), shard (6), counter (42).
/// The epoch is raised at every start, so counters begin anew with each. 0 is no transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Serial(pub u64);

impl Serial {
    /// No transaction.
    pub const NONE: Self = Self(0);

    /// # Panics
    /// If shard or counter do not fit (64 shards, 2^42 transactions per start): our own mistake. The epoch's low 16 bits are
    /// taken: 65,536 starts lie between two that look alike.
    pub fn new(epoch: u32, shard: u8, counter: u64) -> Self {
        assert!(shard < 64 && counter < 1 << 42, "shard {shard} or counter {counter} out of range");
        Self(u64::from(epoch as u16) << 48 | u64::from(shard) << 42 | counter)
    }

    /// Low 16 bits of the journal's epoch.
    pub const fn epoch(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Shard that made it.
    pub const fn shard(self) -> u8 {
        (self.0 >> 42 & 63) as u8
    }

    /// Counter within shard and epoch.
    pub const fn counter(self) -> u64 {
        self.0 & ((1 << 42) - 1)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.epoch(), self.shard(), self.counter())
    }
}

/// Bytes that no writer of this format wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} payload is damaged at byte {offset}: expected {expected}", kind_name(*.kind))]
pub struct Damaged {
    /// Kind of the record.
    pub kind: Kind,
    /// Offset in the payload, behind what could be read.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// What every kind of record can do.
pub trait Record: Sized {
    /// Its kind.
    const KIND: Kind;

    /// Pushes the payload. Nothing but `out` grows.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads a payload.
    /// # Errors
    /// [`Damaged`] where the bytes are not what [`Record::write`] wrote; never a panic.
    fn read(payload: &[u8]) -> Result<Self, Damaged>;

    /// Which transaction it is about: number, slot and repeat check.
    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        None
    }

    /// Position of the INTENT it follows; `None` for the INTENT itself and where there is none.
    fn intent(&self) -> Option<Lsn> {
        None
    }

    /// Appends it; `token` comes back when it is durable.
    fn append_to(&self, frame: &mut Frame, token: u64) {
        frame.append(Self::KIND, token, None, |out| self.write(out));
    }
}

/// The key under which the journal's index of originals finds a record: the transaction's slot, for the kinds that say
/// in which state it ended or stands. An INTENT is under way, in memory or taken up by a restart, or has an OUTCOME. So the newest
/// record found tells the state; notes (LATE, UNDELIVERED, the PARKED of an advice), what belongs to no transaction, and the
/// OBLIGATION to look for an original (it would be found in the original's place) are not indexed.
pub fn slot_of(kind: Kind, payload: &[u8]) -> Option<u64> {
    let has_slot = match kind {
        OUTCOME | ACK | TOMBSTONE | LINKED => true,
        PARKED => !notes::parks_advice(payload),
        OBLIGATION => !owed::looks_for(payload),
        _ => false,
    };
    let slot = payload.get(8..16).filter(|_| has_slot)?;
    Some(u64::from_le_bytes(slot.try_into().ok()?)).filter(|slot| *slot != 0)
}

/// What others call a transaction, of its INTENT: our RRN, and issuer, STAN and DE 7 of the request that went out.
pub fn names_of(kind: Kind, payload: &[u8]) -> [Option<u64>; 2] {
    if kind == INTENT { intent::names(payload) } else { [None; 2] }
}

/// The key of an INTENT by our RRN.
pub fn rrn_key(rrn: Rrn) -> u64 {
    let mut hasher = KeyHasher::new(0x37);
    hasher.part(rrn.as_bytes());
    hasher.finish()
}

/// The key of an INTENT by what its issuer (`stable_id`) knows it by: our STAN and DE 7.
pub fn number_key(issuer: u32, stan: Stan, transmission: TransmissionTime) -> u64 {
    let mut hasher = KeyHasher::new(0x90);
    hasher.number(u64::from(issuer) << 32 | u64::from(transmission.0));
    hasher.number(u64::from(stan.get()));
    hasher.finish()
}

/// Reads `data` as a record of every kind, the first byte once more as the kind: for fuzzing and its unit test.
pub fn fuzz_records(data: &[u8]) {
    for kind in 0..=BATCH + 1 {
        read_any(kind, data);
    }
    let _ = Intent::read(data, data.get(..SECRET_BYTES).unwrap_or_default());
    if let Some((kind, payload)) = data.split_first() {
        read_any(*kind, payload);
    }
}

fn read_any(kind: Kind, payload: &[u8]) {
    let _ = (slot_of(kind, payload), names_of(kind, payload));
    match kind {
        INTENT => again::<Intent>(payload),
        OUTCOME => again::<Outcome>(payload),
        REFUSED => again::<Refused>(payload),
        OBLIGATION => again::<Obligation>(payload),
        ACK => again::<Ack>(payload),
        TOMBSTONE => again::<Tombstone>(payload),
        LATE => again::<Late>(payload),
        UNMATCHED => again::<Unmatched>(payload),
        UNDELIVERED => again::<Undelivered>(payload),
        PARKED => again::<Parked>(payload),
        DAY => again::<Day>(payload),
        CONFIG => drop(Config::read(payload)),
        AUDIT => drop(Audit::read(payload)),
        LINKED => again::<Linked>(payload),
        BATCH => again::<Batch>(payload),
        _ => {}
    }
}

/// What can be read can be written, and reads the same again.
fn again<R: Record + PartialEq + fmt::Debug>(payload: &[u8]) {
    if let Ok(record) = R::read(payload) {
        let mut out = Vec::new();
        record.write(&mut out);
        assert_eq!(R::read(&out).as_ref(), Ok(&record), "a record that was read must survive writing");
    }
}
