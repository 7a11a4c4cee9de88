//! The table against the plainest look-up there is: of all rows that hold the card, the narrowest.
//! A failing case prints itself and its seed.

use proptest::prelude::*;
use routing::{Range, RangeRow, Scheme, Span, Table};
use terms::{IssuerIx, Pan};

fn row(line: usize, text: &str) -> RangeRow {
    let range = Range::of(IssuerIx(line as u16), Scheme::UnionPay);
    RangeRow { span: Span::parse(text).unwrap(), line, range }
}

fn holds(span: &Span, pan: Pan) -> bool {
    usize::from(span.digits()) <= pan.len() && (span.low()..=span.high()).contains(&pan.bin12())
}

fn narrowest(rows: &[RangeRow], pan: Pan) -> Option<usize> {
    let holding = rows.iter().filter(|row| holds(&row.span, pan));
    holding.min_by_key(|row| row.span.high() - row.span.low()).map(|row| row.line)
}

/// Whether the rows make a table: any two of them nest or are apart, and no two are the same.
fn sound(rows: &[RangeRow]) -> bool {
    let ends = |row: &RangeRow| (row.span.low(), row.span.high());
    rows.iter().enumerate().all(|(at, one)| {
        rows[..at].iter().all(|other| {
            let ((a, b), (c, d)) = (ends(one), ends(other));
            let apart = b < c || d < a;
            let nests = (a <= c && d <= b) || (c <= a && b <= d);
            (apart || nests) && (a, b) != (c, d)
        })
    })
}

/// Spans over few digits, so that they meet often.
fn span() -> impl Strategy<Value = String> {
    prop_oneof![
        "[1-3]{1,6}",
        "[1-2]{7,12}",
        (1..400_u32, 0..40_u32).prop_map(|(low, more)| format!("{low:03}-{:03}", low + more)),
        "[1-3]{1,3}"
            .prop_flat_map(|start| (Just(start), 0..5_u32, 5..10_u32))
            .prop_map(|(start, low, high)| format!("{start}{low}..={start}{high}")),
    ]
}

proptest! {
    #[test]
    fn any_sound_table_answers_as_the_plainest(
        spans in proptest::collection::vec(span(), 0..40),
        cards in proptest::collection::vec("[1-3]{2}[0-4]{6,17}", 1..40),
    ) {
        let mut rows: Vec<RangeRow> = Vec::new();
        for (line, text) in (1..).zip(&spans) {
            rows.push(row(line, text));
            if !sound(&rows) {
                prop_assert!(Table::build(rows.clone()).is_err(), "{} must clash", text);
                rows.pop();
            }
        }
        let ends: Vec<_> = rows.iter().flat_map(|row| [row.span.low(), row.span.high()]).collect();
        let table = Table::build(rows.clone()).unwrap();
        let at_ends = ends.iter().map(|end| Pan::from_parts(end * 10_000, 16).unwrap());
        for pan in cards.iter().map(|card| Pan::new(card.as_bytes()).unwrap()).chain(at_ends) {
            let expected = narrowest(&rows, pan);
            prop_assert_eq!(table.find(pan).map(|range| usize::from(range.issuer.0)), expected);
            prop_assert_eq!(table.explain(pan).map(|(_, line)| line), expected);
        }
    }
}
