//! A journal on a disk of memory, one frame at a time, waited for without sleeping.

use engine::record::{Intent, names_of, rrn_key, slot_of};
use engine::{Ledger, LedgerOptions};
use journal::testing::{FakeDisk, ToySeal};
use journal::{Class, Commit, Find, Frame, Journal, Kind, Lane, Lsn, Options, Reader, RecordBuf};
use std::sync::{Arc, Condvar, Mutex};
use terms::Rrn;

/// Index size of every ledger and engine here.
pub const LEDGER: LedgerOptions = LedgerOptions { index_entries: 1 << 16, index_window_ms: 600_000 };

/// One open journal.
pub struct Desk {
    journal: Journal,
    lane: Lane,
    bell: Arc<(Mutex<()>, Condvar)>,
    reader: Reader,
}

/// Opens what is on `disk` and replays it.
pub fn open(disk: &FakeDisk) -> (Desk, Ledger) {
    let options = Options {
        segment_bytes: 1 << 18,
        reserve_bytes: 1 << 14,
        key: Some(slot_of),
        names: Some(names_of),
        ..Options::new("/journal")
    };
    let mut ledger = Ledger::new(LEDGER);
    let (journal, _) =
        journal::open(options, Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger).expect("it opens");
    let bell = Arc::new((Mutex::new(()), Condvar::new()));
    let ringer = bell.clone();
    let wake = move || {
        let _held = ringer.0.lock().unwrap();
        ringer.1.notify_all();
    };
    let lane = journal.lane(0, Arc::new(wake));
    let reader = journal.reader();
    (Desk { journal, lane, bell, reader }, ledger)
}

impl Desk {
    /// Makes `frame` durable and tells token, kind and position of each record.
    pub fn commit(&self, frame: Frame, class: Class) -> Vec<(u64, Kind, Lsn)> {
        if frame.is_empty() {
            return Vec::new();
        }
        self.lane.submit(frame, class);
        let mut held = self.bell.0.lock().unwrap();
        loop {
            match self.lane.take() {
                Some(Commit::Durable(committed)) => return committed.tokens().collect(),
                Some(_) => panic!("the fake disk has room"),
                None => held = self.bell.1.wait(held).unwrap(),
            }
        }
    }

    /// Kind, payload and secret of a record.
    pub fn read(&self, lsn: Lsn) -> (Kind, Vec<u8>, Vec<u8>) {
        let mut buf = RecordBuf::new();
        let (kind, payload, secret) = self.reader.read(lsn, &mut buf).expect("it is durable");
        (kind, payload.to_vec(), secret.unwrap_or_default().to_vec())
    }

    /// The latest record of a slot before a position, as the shell would ask for it.
    pub fn find(&self, slot: u64, before: Lsn) -> Result<Lsn, bool> {
        match self.reader.find(slot) {
            Find::Found(positions) => positions.into_iter().find(|position| *position < before).ok_or(true),
            Find::Missing => Err(true),
            Find::Unknown => Err(false),
        }
    }

    /// The INTENT that has this RRN, likewise.
    pub fn named(&self, rrn: Rrn) -> Result<Intent, bool> {
        let lsn = self.find(rrn_key(rrn), Lsn(u64::MAX))?;
        let (_, payload, _) = self.read(lsn);
        Ok(Intent::read(&payload, &[]).expect("an INTENT"))
    }

    pub fn epoch(&self) -> u32 {
        self.journal.epoch()
    }
}
