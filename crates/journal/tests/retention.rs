//! Segments go when they are past retention, archived and needed by nothing; what is left starts and reads as before.

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use common::{frame, numbers, small};
use journal::testing::{Crash, FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Fault, Find, Kind, Lsn, Options, Projection, RecordBuf, Stepped, open_stepped};

/// A ledger that needs one record until it is told otherwise.
#[derive(Clone, Default)]
struct Owing {
    ledger: Ledger,
    needs: Arc<AtomicU64>,
}

impl Projection for Owing {
    fn apply(&mut self, kind: Kind, payload: &[u8], lsn: Lsn) {
        self.ledger.apply(kind, payload, lsn);
    }

    fn snapshot(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.ledger.snapshot(out)
    }

    fn restore(&mut self, input: &mut dyn io::Read) -> io::Result<()> {
        self.ledger.restore(input)
    }

    fn oldest_needed(&self) -> Lsn {
        Lsn(self.needs.load(Relaxed))
    }
}

struct House {
    disk: FakeDisk,
    /// Segments below this may go.
    given_up: Arc<AtomicU32>,
    needs: Arc<AtomicU64>,
    written: u64,
    positions: Vec<Lsn>,
}

impl House {
    fn new() -> Self {
        let (given_up, needs) = (Arc::default(), Arc::default());
        Self { disk: FakeDisk::new(), given_up, needs, written: 0, positions: Vec::new() }
    }

    fn options(&self) -> Options {
        let (given_up, needs) = (self.given_up.clone(), self.needs.clone());
        Options {
            key: Some(|_, payload| Some(u64::from(payload[0]))),
            retire: Some(Box::new(move |segment, path: &Path| {
                assert!(path.ends_with(format!("segment-{segment:08}.journal")));
                segment < given_up.load(Relaxed)
            })),
            fresh: Some(Box::new(move || Box::new(Owing { needs: needs.clone(), ..Owing::default() }))),
            ..small()
        }
    }

    fn open(&self) -> Result<(Stepped, Ledger), Fault> {
        let mut ledger = Ledger::default();
        let (journal, _) =
            open_stepped(self.options(), Arc::new(self.disk.clone()), Arc::new(ToySeal), &mut ledger)?;
        Ok((journal, ledger))
    }

    /// Commits so many frames of two records, with upkeep behind each.
    fn write(&mut self, frames: u64) {
        let (mut journal, _) = self.open().unwrap();
        let lane = journal.lane(0, Arc::new(|| {}));
        for _ in 0..frames {
            lane.submit(frame(self.written..self.written + 2), Class::Normal);
            journal.step();
            let Some(Commit::Durable(done)) = lane.take() else { panic!("record {}", self.written) };
            self.positions.extend(done.tokens().map(|(.., lsn)| lsn));
            self.written += 2;
            journal.tidy();
        }
        journal.close().unwrap();
    }

    fn segments(&self) -> Vec<u32> {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = |name: String| name.strip_prefix("segment-")?.strip_suffix(".journal")?.parse().ok();
        self.disk.paths().iter().filter_map(|path| number(name(path))).collect()
    }
}

#[test]
fn nothing_goes_before_the_caller_gives_it_up() {
    let mut house = House::new();
    house.write(60);
    assert_eq!(house.segments()[0], 0);
    house.given_up.store(3, Relaxed);
    house.write(20);
    assert_eq!(house.segments()[0], 3);
}

#[test]
fn what_is_owed_keeps_its_segment_and_all_behind_it() {
    let mut house = House::new();
    house.given_up.store(u32::MAX, Relaxed);
    house.needs.store(2 * 8192 + 4224, Relaxed);
    house.write(80);
    assert_eq!(house.segments()[0], 2);
    house.needs.store(0, Relaxed);
    house.write(30);
    assert!(house.segments()[0] > 3, "{:?}", house.segments());
}

#[test]
fn what_is_left_starts_reads_and_finds() {
    let mut house = House::new();
    house.given_up.store(u32::MAX, Relaxed);
    house.write(90);
    let first = house.segments()[0];
    assert!(first > 4, "{:?}", house.segments());
    let (mut journal, ledger) = house.open().unwrap();
    assert_eq!(numbers(&ledger), Vec::from_iter(0..house.written), "the state is of all that ever was");
    journal.tidy();
    let (reader, mut buf) = (journal.reader(), RecordBuf::new());
    for (number, lsn) in house.positions.iter().enumerate() {
        let is_kept = lsn.segment(8192) >= first;
        assert_eq!(reader.read(*lsn, &mut buf).is_ok(), is_kept, "record {number}");
        let found = reader.find(number as u64);
        assert_eq!(found, if is_kept { Find::Found(vec![*lsn]) } else { Find::Missing }, "key {number}");
    }
}

#[test]
fn without_a_usable_checkpoint_a_shortened_log_is_refused() {
    let mut house = House::new();
    house.given_up.store(u32::MAX, Relaxed);
    house.write(90);
    for path in house.disk.paths().iter().filter(|path| path.to_str().unwrap().contains("checkpoint-")) {
        house.disk.overwrite(path, b"gone".to_vec());
    }
    assert!(matches!(house.open(), Err(Fault::Damaged { segment: 0, .. })));
}

#[test]
fn a_crash_while_segments_go_leaves_a_journal() {
    let mut house = House::new();
    house.write(60);
    house.given_up.store(u32::MAX, Relaxed);
    house.disk.keep_images();
    house.write(12);
    let images = house.disk.images();
    assert!(house.segments()[0] > 3 && images.len() > 20);
    for (sync, image) in images.into_iter().enumerate() {
        for seed in 0..4 {
            let crashed = House { disk: image.after(Crash::Scatter { seed }), ..House::new() };
            let (_, ledger) =
                crashed.open().unwrap_or_else(|fault| panic!("sync {sync}, seed {seed}: {fault}"));
            assert!(numbers(&ledger).len() >= 120, "sync {sync}, seed {seed}");
        }
    }
}
