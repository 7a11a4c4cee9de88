//! What one message costs in `iso8583`, per dialect: a purchase of 22 fields is decoded, made a request, written from
//! its canonical content, forwarded, answered. Figures and their machine stand in `RESULTS.md`.

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use iso8583::{
    CanonDefaults, Dialect, Forward, Index, Patch, Reply, Writer, decode, forward, reply_from_answer,
    request, write_reply,
};
use std::hint::black_box;
use std::sync::Arc;
use terms::{Mti, ResponseCode, Rrn, Stan, Text, TransmissionTime};

/// Fields of a chip purchase, by number; a dialect takes those that it has.
fn purchase(dialect: &Dialect, out: &mut BytesMut) {
    let mut chip = [0x9F_u8; 120];
    chip[..4].copy_from_slice(&[0x9F, 0x26, 0x08, 0x95]);
    let mut writer = Writer::new(dialect, Mti::of(0x0200), out);
    let has = |n| dialect.has_field(n);
    writer.text(2, b"6224242900000113").number(3, 0).number(4, 12_500);
    if has(7) {
        writer.number(7, 1_122_194_502);
    }
    writer.number(11, 403).number(12, 194_502).number(13, 1122).number(14, 2812);
    if has(18) {
        writer.number(18, 5411);
    }
    writer.number(22, 51).number(23, 1).number(25, 0).number(26, 12).text(32, b"4812345");
    writer.text(
        35,
        if has(7) { b"6224242900000113=28122011234567" } else { b"6224242900000113D28122011234567" },
    );
    writer.text(37, b"032600000403").text(41, b"10000019").text(42, b"850100082410002").number(49, 156);
    writer.binary(52, &[0xD1, 0xEE, 0xF4, 0x19, 0xD0, 0xAE, 0x26, 0x09]).number(53, 2_600_000_000_000_000);
    writer.binary(55, &chip);
    if !has(7) {
        writer.text(60, b"22000024000600");
    }
    writer.binary(64, &[0x38; 8]).finish().expect("the purchase fits the dialect");
}

struct Bench {
    dialect: Arc<Dialect>,
    bytes: BytesMut,
    index: Index,
    answer: BytesMut,
    answer_index: Index,
}

impl Bench {
    fn new(name: &str) -> Self {
        let dialect = Dialect::builtin(name).expect("a built-in dialect");
        let (mut bytes, mut index) = (BytesMut::new(), Index::new());
        purchase(&dialect, &mut bytes);
        decode(&dialect, &bytes, &mut index).expect("the purchase decodes");
        let (mut answer, mut answer_index) = (BytesMut::new(), Index::new());
        write_reply(&dialect, &bytes, &index, &approval(), &mut answer).expect("the answer fits");
        decode(&dialect, &answer, &mut answer_index).expect("the answer decodes");
        Self { dialect, bytes, index, answer, answer_index }
    }
}

fn approval() -> Reply<'static> {
    Reply { rrn: Some(Rrn::issue(326, 7, 403)), ..Reply::new(ResponseCode::approved()) }
}

fn ours() -> Forward {
    let stan = Stan::new(77_123).expect("a STAN");
    Forward { rrn: Some(Rrn::issue(326, 7, 403)), ..Forward::new(stan, TransmissionTime(1_122_194_503)) }
}

fn codec(c: &mut Criterion) {
    for name in Dialect::builtin_names() {
        let bench = Bench::new(name);
        reading(c, name, &bench);
        writing(c, name, &bench);
    }
    crossing(c);
}

fn reading(c: &mut Criterion, name: &str, bench: &Bench) {
    let mut group = c.benchmark_group(format!("codec/{name}"));
    let mut index = Index::new();
    group.bench_function("decode", |b| {
        b.iter(|| decode(&bench.dialect, black_box(&bench.bytes), &mut index).is_ok());
    });
    let defaults = CanonDefaults { acquirer: Text::cut("48120000") };
    group.bench_function("request", |b| {
        b.iter(|| request(&bench.dialect, &defaults, black_box(&bench.bytes), &bench.index));
    });
    group.finish();
}

fn writing(c: &mut Criterion, name: &str, bench: &Bench) {
    let mut group = c.benchmark_group(format!("codec/{name}"));
    let mut out = BytesMut::with_capacity(4096);
    group.bench_function("encode", |b| {
        b.iter(|| {
            out.clear();
            purchase(&bench.dialect, black_box(&mut out));
        });
    });
    group.bench_function("patch", |b| {
        b.iter(|| {
            out.clear();
            let mut patch = Patch::new();
            patch.set_number(11, black_box(77_123)).set_text(37, b"326000000403");
            patch.apply(&bench.dialect, &bench.bytes, &bench.index, &mut out)
        });
    });
    group.bench_function("forward", |b| {
        let ours = ours();
        b.iter(|| {
            out.clear();
            forward(&bench.dialect, black_box(&bench.bytes), &bench.index, &bench.dialect, &ours, &mut out)
        });
    });
    group.bench_function("reply", |b| {
        let approval = approval();
        b.iter(|| {
            out.clear();
            write_reply(&bench.dialect, black_box(&bench.bytes), &bench.index, &approval, &mut out)
        });
    });
    group.bench_function("reply-from-answer", |b| {
        let approval = approval();
        let (request, answer) = ((&bench.bytes, &bench.index), (&bench.answer, &bench.answer_index));
        let dialect = &bench.dialect;
        b.iter(|| {
            out.clear();
            reply_from_answer(
                dialect,
                request.0,
                request.1,
                dialect,
                black_box(answer.0),
                answer.1,
                &approval,
                &mut out,
            )
        });
    });
    group.finish();
}

/// A UnionPay terminal in front of an issuer that speaks packed ISO 8583:1987.
fn crossing(c: &mut Criterion) {
    let (terminal, issuer) =
        (Bench::new("unionpay-pos"), Dialect::builtin("iso87-binary").expect("a built-in dialect"));
    let mut out = BytesMut::with_capacity(4096);
    let ours = ours();
    c.bench_function("codec/unionpay-pos to iso87-binary/forward", |b| {
        b.iter(|| {
            out.clear();
            forward(&terminal.dialect, black_box(&terminal.bytes), &terminal.index, &issuer, &ours, &mut out)
        });
    });
}

criterion_group!(benches, codec);
criterion_main!(benches);
