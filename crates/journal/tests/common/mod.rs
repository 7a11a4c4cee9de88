//! A worker for tests: opens a journal, commits frames one by one, waits for them without sleeping.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use journal::testing::{FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Disk, Fault, Frame, Journal, Lane, Lsn, Options, Recovery};

pub const DIR: &str = "/journal";
pub const SECRET: u8 = 7;

/// Options small enough that every byte can be visited.
pub fn small() -> Options {
    Options { node: 3, segment_bytes: 8192, reserve_bytes: 1024, checkpoint_bytes: 8192, ..Options::new(DIR) }
}

/// An open journal with one worker.
pub struct Desk {
    pub journal: Journal,
    lane: Lane,
    bell: Arc<(Mutex<u64>, Condvar)>,
}

/// Opens the journal on `disk` and gives what was replayed.
pub fn open(disk: &FakeDisk, options: Options) -> Result<(Desk, Ledger, Recovery), Fault> {
    open_on(Arc::new(disk.clone()), options)
}

pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<(Desk, Ledger, Recovery), Fault> {
    let mut ledger = Ledger::default();
    let (journal, recovery) = journal::open(options, disk, Arc::new(ToySeal), &mut ledger)?;
    let bell = Arc::new((Mutex::new(0), Condvar::new()));
    let ringer = bell.clone();
    let wake = move || {
        *ringer.0.lock().unwrap() += 1;
        ringer.1.notify_all();
    };
    let lane = journal.lane(0, Arc::new(wake));
    Ok((Desk { journal, lane, bell }, ledger, recovery))
}

impl Desk {
    pub fn submit(&self, frame: Frame, class: Class) {
        self.lane.submit(frame, class);
    }

    /// The next frame that comes back.
    pub fn wait(&self) -> Commit {
        let mut rung = self.bell.0.lock().unwrap();
        loop {
            if let Some(commit) = self.lane.take() {
                return commit;
            }
            rung = self.bell.1.wait(rung).unwrap();
        }
    }

    pub fn commit(&self, frame: Frame, class: Class) -> Commit {
        self.submit(frame, class);
        self.wait()
    }

    /// Commits `frame`, which must become durable, and gives the positions.
    pub fn commit_durable(&self, frame: Frame) -> Vec<Lsn> {
        match self.commit(frame, Class::Normal) {
            Commit::Durable(committed) => committed.tokens().map(|(_, _, lsn)| lsn).collect(),
            Commit::Full(_) => panic!("the disk is full"),
            Commit::Failed(_) => panic!("the journal failed"),
        }
    }

    pub fn close(self) -> Result<(), Fault> {
        self.journal.close()
    }
}

/// Payload of record `number`: its number and a length that varies.
pub fn payload(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(8 + (number as usize * 37) % 150, number as u8);
    bytes
}

/// A frame with the records `numbers`; every third carries a secret.
pub fn frame(numbers: std::ops::Range<u64>) -> Frame {
    let mut frame = Frame::new();
    for number in numbers {
        let secret = [SECRET; 10];
        let kind = (number % 5) as u8 + 1;
        let secret = (number % 3 == 0).then_some(&secret[..]);
        frame.append(kind, number, secret, |out| out.extend_from_slice(&payload(number)));
    }
    frame
}

/// The numbers of the records in `ledger`, which must be whole.
pub fn numbers(ledger: &Ledger) -> Vec<u64> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes[..8].try_into().unwrap());
    ledger
        .lines
        .iter()
        .map(|(kind, bytes, _)| {
            let number = number(bytes);
            assert_eq!((&payload(number), (number % 5) as u8 + 1), (bytes, *kind), "record {number}");
            number
        })
        .collect()
}

/// Whether `numbers` is 0, 1, 2 … without a gap.
pub fn is_prefix(numbers: &[u64]) -> bool {
    numbers.iter().copied().eq(0..numbers.len() as u64)
}

pub fn segment_path(segment: u32) -> std::path::PathBuf {
    Path::new(DIR).join(format!("segment-{segment:08}.journal"))
}
