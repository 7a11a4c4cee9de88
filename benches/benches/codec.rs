//! What one message costs in `iso8583`, per dialect. The bodies stand in `benches::codec`, the figures and their machine
//! in `RESULTS.md`.

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

criterion_group!(benches, codec);
criterion_main!(benches);
