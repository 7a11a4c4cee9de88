//! What one message costs in `iso8583`, per dialect, and what twenty fields of it cost another codec. The bodies stand in
//! `benches::codec`, the figures and their machine in `RESULTS.md`.

#[path = "../examples/rival/mod.rs"]
mod rival;

use benches::codec::{Codec, STEPS};
use criterion::{Criterion, criterion_group, criterion_main};
use iso8583::Dialect;

fn codec(c: &mut Criterion) {
    for name in Dialect::builtin_names() {
        let mut bench = Codec::new(name);
        let mut group = c.benchmark_group(format!("codec/{name}"));
        for (step, run) in STEPS {
            group.bench_function(step, |b| b.iter(|| run(&mut bench)));
        }
        group.finish();
    }
}

/// Compare with `codec/iso87-ascii/plain-decode` and `plain-encode`: the same bytes.
fn rivals(c: &mut Criterion) {
    let bytes = rival::pack();
    assert_eq!(bytes, Codec::new("iso87-ascii").plain_bytes, "both write the same message");
    let mut group = c.benchmark_group("codec/i8583");
    group.bench_function("plain-decode", |b| b.iter(|| rival::unpack(&bytes)));
    group.bench_function("plain-encode", |b| b.iter(rival::pack));
    group.finish();
}

criterion_group!(benches, codec, rivals);
criterion_main!(benches);
