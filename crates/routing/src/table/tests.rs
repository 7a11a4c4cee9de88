//! The table, line by line: rows, and which of them answers a card.

use super::*;
use crate::Scheme;
use terms::IssuerIx;

/// Rows from "span issuer" per line, numbered from 1.
fn rows(text: &str) -> Vec<RangeRow> {
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
    lines
        .map(|(line, text)| {
            let (span, issuer) = text.split_once(' ').unwrap();
            let range = Range::of(IssuerIx(issuer.parse().unwrap()), Scheme::UnionPay);
            RangeRow { span: Span::parse(span).unwrap(), line, range }
        })
        .collect()
}

#[track_caller]
fn check(table: &str, cards: &[(&str, Option<(u16, usize)>)]) {
    let table = Table::build(rows(table)).unwrap();
    for (card, expected) in cards {
        let pan = Pan::new(card.as_bytes()).unwrap();
        let found = table.find(pan).map(|range| range.issuer.0);
        assert_eq!(
            (found, table.explain(pan).map(|(_, line)| line)),
            (expected.map(|e| e.0), expected.map(|e| e.1))
        );
    }
}

#[track_caller]
fn refused(table: &str, why: &str) {
    assert_eq!(Table::build(rows(table)).unwrap_err().to_string(), why);
}

#[test]
fn the_narrowest_wins() {
    check(
        "6 1
         62 2
         622848 3
         622848..=622849 4
         622848123456 5
         4 6
         0 7",
        &[
            ("6011000000000004", Some((1, 1))),
            ("6200000000000005", Some((2, 2))),
            ("6299999999999999", Some((2, 2))),
            ("6300000000000000", Some((1, 1))),
            ("6228480000000000", Some((3, 3))),
            ("6228490000000000", Some((4, 4))),
            ("6228481234560000", Some((5, 5))),
            ("6228481234569999999", Some((5, 5))),
            ("6228481234550000", Some((3, 3))),
            ("6228481234570000", Some((3, 3))),
            ("6228500000000000", Some((2, 2))),
            ("4999999999999999", Some((6, 6))),
            ("5000000000000000", None),
            ("0000000000000000", Some((7, 7))),
            ("1000000000000000", None),
            ("9999999999999999", None),
        ],
    );
}

#[test]
fn nested_spans_may_share_their_ends() {
    check(
        "50..=59 1
         50 2
         5000 3
         59 4
         5999 5",
        &[
            ("500000000000", Some((3, 3))),
            ("500100000000", Some((2, 2))),
            ("510000000000", Some((1, 1))),
            ("590000000000", Some((4, 4))),
            ("599900000000", Some((5, 5))),
            ("600000000000", None),
        ],
    );
}

#[test]
fn a_short_card_is_not_taken_for_one_with_zeros() {
    check(
        "12 1
         12345678 2
         1234567800 3
         123456780000 4
         99999999999 5",
        &[
            ("12345678", Some((2, 2))),
            ("123456780", Some((2, 2))),
            ("1234567800", Some((3, 3))),
            ("12345678000", Some((3, 3))),
            ("123456780000", Some((4, 4))),
            ("12345679", Some((1, 1))),
            ("9999999999", None),
            ("99999999999", Some((5, 5))),
        ],
    );
}

#[test]
fn ranges_that_half_overlap_are_refused_with_both_lines() {
    refused(
        "541333..=541399 1
         541390..=541450 2",
        "range 541333..=541399 (line 1) overlaps 541390..=541450 (line 2)",
    );
    refused("622848 1\n 62 2\n 622848 3", "range 622848 (line 1) is the same as 622848 (line 3)");
    refused("540..=549 1\n 54 2", "range 540..=549 (line 1) is the same as 54 (line 2)");
    refused(
        "10..=30 1
         25..=40 2
         12..=13 3
         35..=50 4
         45 5
         12..=13 6",
        "range 12..=13 (line 3) is the same as 12..=13 (line 6); \
         range 10..=30 (line 1) overlaps 25..=40 (line 2)",
    );
    refused(
        "10..=30 1
         20..=28 2
         25..=40 3",
        "range 20..=28 (line 2) overlaps 25..=40 (line 3); range 10..=30 (line 1) overlaps 25..=40 (line 3)",
    );
}

#[test]
fn rows_that_say_the_same_share_one_range() {
    let many = (0..10_000).map(|prefix| format!("{prefix:04} {}", prefix % 3)).collect::<Vec<_>>().join("\n");
    let table = Table::build(rows(&many)).unwrap();
    assert_eq!((table.len(), table.ranges.len()), (10_000, 3));
    assert_eq!(table.find(Pan::new(b"7777000000000000").unwrap()).unwrap().issuer, IssuerIx(7777 % 3));
}

#[test]
fn an_empty_table_knows_no_card() {
    for table in [Table::empty(), Table::build(Vec::new()).unwrap()] {
        assert!(table.is_empty() && table.find(Pan::new(b"6228480000000000").unwrap()).is_none());
        assert!(table.explain(Pan::new(b"99999999").unwrap()).is_none());
    }
}

#[test]
fn more_rows_than_a_word_can_number_are_refused() {
    assert_eq!(
        TableFault::TooMany(ROWS_MAX + 1).to_string(),
        format!("{} ranges, expected at most 4194303", ROWS_MAX + 1)
    );
}

#[test]
fn the_key_is_the_first_twelve_digits() {
    for card in ["12345678", "12345678901", "123456789012", "1234567890123456", "9999999999999999999"] {
        let pan = Pan::new(card.as_bytes()).unwrap();
        assert_eq!(key(pan), pan.bin12(), "{} digits", card.len());
    }
}
