//! What the duplicate index costs: a look-up that misses and the insert behind it, among a million and ten million
//! entries, one by one and with the batch touched first.
//! Run: `cargo bench -p benches --bench index`. Never asserts a time; figures go to `RESULTS.md`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::{Entry, Index, State};
use journal::Lsn;
use std::hint::black_box;
use terms::{Check, Kind, Mti, Request, SlotKey, Stan};

/// Slots are hashes: uniform.
fn slot(number: u64) -> SlotKey {
    let mut word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    SlotKey(word ^ word >> 31)
}

fn request(number: u64) -> Request {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
    (request.slot, request.repeat) = (slot(number), Check(1));
    request
}

/// Both generations half full on average: what an index is in service.
fn filled(entries: u64) -> Index {
    let mut index = Index::new(entries as usize, i64::MAX);
    index.advance(1);
    for number in 0..entries * 3 / 4 {
        let entry = Entry::settled(&request(number), State::Approved, Lsn(number + 1));
        index.insert(entry).expect("settled entries give way");
    }
    index
}

fn find_and_insert(criterion: &mut Criterion) {
    for (name, entries) in [("1 M", 1_000_000_u64), ("10 M", 10_000_000)] {
        let mut index = filled(entries);
        let mut number = entries;
        let template = Entry::settled(&request(0), State::Approved, Lsn(1));
        let mut group = criterion.benchmark_group(format!("index of {name} entries"));
        group.bench_function("find (a miss) + insert", |bencher| {
            let mut request = request(0);
            bencher.iter(|| {
                number += 1;
                request.slot = slot(number);
                assert!(index.find_repeat(&request).is_none());
                black_box(index.insert(Entry { slot: request.slot, ..template })).expect("room");
            });
        });
        group.throughput(Throughput::Elements(BATCH));
        group.bench_function("the same, 512 touched first (per batch)", |bencher| {
            let mut request = request(0);
            bencher.iter_batched(
                || {
                    number += BATCH;
                    number
                },
                |from| {
                    (from..from + BATCH).for_each(|number| index.touch(slot(number)));
                    for number in from..from + BATCH {
                        request.slot = slot(number);
                        assert!(index.find_repeat(&request).is_none());
                        black_box(index.insert(Entry { slot: request.slot, ..template })).expect("room");
                    }
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

const BATCH: u64 = 512;

fn records(criterion: &mut Criterion) {
    use engine::record::{Charged, Intent, Record, Serial};
    use terms::{BusinessDay, Currency, Rrn, Text, TransmissionTime};
    let mut request = request(7);
    (request.amount, request.currency) = (1250, Currency::CNY);
    request.acquirer = Text::cut("12345678");
    request.terminal = Text::cut("T0000001");
    request.merchant = Text::cut("M00000000000001");
    let intent = Intent {
        serial: Serial::new(1, 0, 1),
        wall_ms: 1,
        issuer: 1,
        link: 2,
        stan: Stan::MIN,
        transmission: TransmissionTime(1_122_013_015),
        rrn: Rrn::issue(326, 1, 1),
        issuer_day: BusinessDay(9458),
        acquirer_day: BusinessDay(9458),
        issuer_calendar: 3,
        acquirer_calendar: 4,
        charged: Charged::NONE,
        foreign: false,
        listener: 0,
        request,
        named: None,
    };
    let mut out = Vec::with_capacity(1 << 16);
    criterion.bench_function("write an INTENT", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(&intent).write(&mut out);
        });
    });
    criterion.bench_function("read an INTENT", |bencher| bencher.iter(|| Intent::read(black_box(&out), &[])));
}

criterion_group!(benches, records, find_and_insert);
criterion_main!(benches);
