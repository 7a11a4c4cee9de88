//! A table is swapped as a whole under readers: each look-up sees the old one or the new one, never a mixture.

use arc_swap::ArcSwap;
use routing::{Range, RangeRow, Scheme, Span, Table};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use terms::{IssuerIx, Pan};

/// A table of 1,000 ranges that all belong to `issuer`.
fn table(issuer: u16) -> Arc<Table> {
    let row = |line: usize| RangeRow {
        span: Span::parse(&format!("{line:06}")).unwrap(),
        line,
        range: Range::of(IssuerIx(issuer), Scheme::UnionPay),
    };
    Arc::new(Table::build((1..=1000).map(row).collect()).unwrap())
}

#[test]
fn a_reader_sees_one_table_or_the_next() {
    let (shared, done) = (ArcSwap::new(table(0)), AtomicBool::new(false));
    let start = Barrier::new(4);
    let pans: Vec<_> =
        (1..=1000).map(|bin: u64| Pan::from_parts(bin * 10_000_000_000, 16).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                start.wait();
                let mut newest = 0;
                while !done.load(Ordering::Relaxed) {
                    let table = shared.load();
                    let issuers: Vec<_> = pans.iter().map(|pan| table.find(*pan).unwrap().issuer.0).collect();
                    assert!(issuers.iter().all(|issuer| *issuer == issuers[0]) && issuers[0] >= newest);
                    newest = issuers[0];
                }
            });
        }
        start.wait();
        (1..=200).for_each(|issuer| shared.store(table(issuer)));
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(shared.load().find(pans[0]).unwrap().issuer, IssuerIx(200));
}
