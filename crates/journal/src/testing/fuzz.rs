//! Body of the fuzz target for recovery: a plain function that unit tests run too.
//! Guards: no bytes make an open panic; what it replays was written, whole and in order, or it refuses.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::{Crash, FakeDisk, Ledger, ToySeal};
use crate::disk::read_all;
use crate::format::{
    BATCH_HEADER_BYTES, BatchHeader, Chain, SEGMENT_HEADER_BYTES, SegmentHeader, records, u16_at, u32_at,
    u64_at,
};
use crate::{Class, Disk, Fault, Frame, Lsn, Options, Recovery, open_stepped};

const DIR: &str = "/fuzz";
const SEGMENT: u64 = 8192;
const BODY_AT: usize = SEGMENT_HEADER_BYTES as usize + BATCH_HEADER_BYTES;

/// Opens a journal made of `data`; the first byte says how.
pub fn fuzz_journal(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => rot(data),
        1 => crafted(data),
        _ => anything(data),
    }
}

fn options() -> Options {
    Options { node: 3, segment_bytes: SEGMENT, reserve_bytes: 0, ..Options::new(DIR) }
}

fn open(disk: &FakeDisk) -> Result<(Ledger, Recovery), Fault> {
    let mut ledger = Ledger::default();
    let opened = open_stepped(options(), Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger)?;
    Ok((ledger, opened.1))
}

/// A journal of three segments with what is in it.
fn sample() -> &'static (FakeDisk, Ledger) {
    static SAMPLE: OnceLock<(FakeDisk, Ledger)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = FakeDisk::new();
        let (mut journal, _) =
            open_stepped(options(), Arc::new(disk.clone()), Arc::new(ToySeal), &mut Ledger::default())
                .expect("a new journal");
        let lane = journal.lane(0, Arc::new(|| {}));
        for number in 0..18_u8 {
            let mut frame = Frame::new();
            frame.append(1 + number % 4, 0, (number % 3 == 0).then_some(&[number; 9]), |out| {
                out.resize(out.len() + 40 + 17 * usize::from(number), number);
            });
            frame.append(7, 0, None, |out| out.push(number));
            lane.submit(frame, Class::Normal);
            journal.step();
        }
        drop(journal);
        let (ledger, _) = open(&disk.after(Crash::KeepAll)).expect("what was written");
        (disk, ledger)
    })
}

/// The sample with bytes changed: seven of `data` for each place (which file, where, a word to mix in).
fn rot(data: &[u8]) {
    let (disk, written) = sample();
    let disk = disk.after(Crash::KeepAll);
    let paths: Vec<_> = disk.paths();
    let changes = data.chunks_exact(7).take(8);
    // Each can spoil two neighbours, and the last groups are witnesses for those before them.
    let hidden = 2 * 2 * changes.len();
    for change in changes {
        let path = &paths[usize::from(change[0]) % paths.len()];
        let mut bytes = disk.content(path).expect("a file of the list");
        let at = usize::from(u16_at(change, 1)) % bytes.len().max(1);
        bytes.iter_mut().skip(at).zip(&change[3..]).for_each(|(byte, mixed)| *byte ^= mixed);
        disk.overwrite(path, bytes);
    }
    let Ok((ledger, first)) = open(&disk) else { return };
    let kept = ledger.lines.len();
    assert!(ledger.lines == written.lines[..kept], "only what was written, and from its beginning");
    assert!(kept + hidden >= written.lines.len(), "only the last groups can pass for torn: {kept} records");
    let (again, second) = open(&disk).expect("what was opened can be opened again");
    assert!(again == ledger && second.epoch == first.epoch + 1 && second.cut.is_none());
}

/// A batch whose checksums hold, with any lengths, numbers and records.
fn crafted(data: &[u8]) {
    let Some((head, body)) = data.split_at_checked(40) else { return };
    let body = &body[..body.len().min(SEGMENT as usize - BODY_AT)];
    let header_of = |like: u8, value: u64, expected: u64| if like & 1 == 0 { expected } else { value };
    let mut header = BatchHeader {
        node: header_of(head[0], u64::from(u16_at(head, 8)), 3) as u16,
        epoch: header_of(head[1], u64::from(u32_at(head, 10)), 1) as u32,
        records: header_of(head[2], u64::from(u32_at(head, 14)), records(body).count() as u64) as u32,
        batch: header_of(head[3], u64_at(head, 18), 1),
        first_record: header_of(head[4], u64_at(head, 26), 1),
        body: header_of(head[5], u64::from(u32_at(head, 34)), body.len() as u64) as u32,
        sealed: header_of(head[6], u64::from(u16_at(head, 38)), 0) as u32,
        lsn: Lsn(header_of(head[7], u64_at(head, 26), SEGMENT_HEADER_BYTES)),
        durable: 1,
        previous: [0; 32],
        hash: [0; 32],
        crc: 0,
    };
    let covered = body.len().min(header.body as usize);
    let rendered = header.finish(&body[..covered], &body[covered..]);
    let segment =
        SegmentHeader { node: 3, epoch: 1, segment: 0, segment_bytes: SEGMENT, chain: Chain::GENESIS };
    let mut bytes = segment.render();
    bytes.extend_from_slice(&rendered);
    bytes.extend_from_slice(body);
    bytes.resize(SEGMENT as usize, 0);
    let Ok((ledger, recovery)) = open(&with_segment(bytes)) else { return };
    if recovery.batches > 0 {
        assert!(
            (header.node, header.batch, header.first_record, header.lsn.0) == (3, 1, 1, SEGMENT_HEADER_BYTES)
        );
        assert!(header.epoch <= 1 && ledger.lines.len() == header.records as usize);
        let bytes: usize =
            ledger.lines.iter().map(|(_, payload, _)| (8 + payload.len()).next_multiple_of(8)).sum();
        assert!(bytes.abs_diff(header.body as usize) < 8, "{bytes} bytes of records in {}", header.body);
    }
}

/// Any bytes as the first segment.
fn anything(data: &[u8]) {
    let disk = with_segment(data[..data.len().min(SEGMENT as usize)].to_vec());
    if let Ok((ledger, _)) = open(&disk) {
        assert!(open(&disk).expect("what was opened can be opened again").0 == ledger);
    }
}

/// A disk with an epoch of 1 and this segment 0.
fn with_segment(bytes: Vec<u8>) -> FakeDisk {
    static EPOCH: OnceLock<Vec<u8>> = OnceLock::new();
    let path = |name: &str| Path::new(DIR).join(name);
    let epoch = EPOCH.get_or_init(|| {
        let disk = FakeDisk::new();
        open(&disk).expect("a new journal");
        let file = disk.open(&path("epoch")).expect("a journal has an epoch");
        read_all(&*file).expect("a file of 24 bytes")
    });
    let disk = FakeDisk::new();
    disk.overwrite(&path("epoch"), epoch.clone());
    disk.overwrite(&path("segment-00000000.journal"), bytes);
    disk
}
