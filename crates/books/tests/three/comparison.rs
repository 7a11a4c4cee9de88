//! Three books: both tables walked cell by cell, then stories.

use crate::writer::{Sale, ack, config, intent, obligation, outcome, parked, parked_advice};
use books::SwitchBook;
use books::compare::{Comparison, ItemKind, compare};
use books::shapes::{IssuerBook, IssuerEntry, IssuerKind, TerminalBook, TerminalEntry, TerminalState};

pub(crate) type Records = Vec<(u8, Vec<u8>)>;

pub(crate) fn fold(records: &[(u8, Vec<u8>)]) -> SwitchBook {
    SwitchBook::fold(records.iter().map(|(kind, payload)| (*kind, &payload[..]))).unwrap()
}

pub(crate) fn terminal(sale: &Sale, state: TerminalState) -> TerminalEntry {
    TerminalEntry {
        acquirer: "12345678".into(),
        terminal: "T0000001".into(),
        merchant: "M00000000000001".into(),
        batch: 0,
        stan: sale.stan,
        local_date: 1122,
        local_time: Some(sale.time),
        rrn: None,
        amount: sale.amount as i64,
        currency: 156,
        state,
        code: None,
        money: true,
    }
}

pub(crate) fn booking(sale: &Sale, kind: IssuerKind, amount: i64) -> IssuerEntry {
    IssuerEntry {
        issuer: "huaxia".into(),
        kind,
        stan: sale.link_stan,
        transmission: sale.transmission,
        rrn: Some(String::from_utf8(sale.rrn.to_vec()).unwrap()),
        amount,
        currency: 156,
        card: "622424******0113".into(),
        at: 1_763_774_115_000,
    }
}

/// A column of the tables: how a transaction stands in the journal, and what the issuer then rightly has.
const JOURNAL: [(&str, bool); 12] = [
    ("approved", true),
    ("declined by the issuer", false),
    ("declined by us", false),
    ("reversing, asked by the terminal", false),
    ("reversed, asked by the terminal", false),
    ("reversing after a time-out", false),
    ("reversed after a time-out", false),
    ("quarantined", false),
    ("stand-in", true),
    ("open", false),
    ("taken back by the issuer", false),
    ("not there", false),
];

fn journal(sale: &Sale, column: usize) -> Records {
    let approved = outcome(sale, 2, 255, Some("00"));
    let doubt = || outcome(sale, 4, 1, None);
    let mut records = vec![config()];
    records.extend(match column {
        0 => vec![intent(sale), approved],
        1 => vec![intent(sale), outcome(sale, 3, 255, Some("51"))],
        2 => vec![intent(sale), outcome(sale, 3, 255, None)],
        3 => vec![intent(sale), approved, obligation(sale, 0)],
        4 => vec![intent(sale), approved, obligation(sale, 0), ack(sale)],
        5 => vec![intent(sale), doubt()],
        6 => vec![intent(sale), doubt(), ack(sale)],
        7 => vec![intent(sale), doubt(), parked(sale)],
        8 => vec![intent(sale), outcome(sale, 7, 255, None)],
        9 => vec![intent(sale)],
        10 => vec![intent(sale), approved, obligation(sale, 7), ack(sale)],
        _ => vec![],
    });
    records
}

/// `.` fine, `!` disagreement, else the item's letter.
fn letter(comparison: &Comparison) -> char {
    assert!(comparison.disagreements.len() + comparison.items.len() <= 1, "{comparison:#?}");
    if !comparison.disagreements.is_empty() {
        return '!';
    }
    assert!(comparison.agree, "without a disagreement the sums meet: {comparison:#?}");
    match comparison.items.first().map(|item| item.kind) {
        None => '.',
        Some(ItemKind::UnconfirmedDelivery) => 'U',
        Some(ItemKind::StandInLoss) => 'S',
        Some(ItemKind::Quarantined) => 'Q',
        Some(ItemKind::TerminalBreach) => 'B',
        Some(ItemKind::IssuerContradiction) => 'C',
    }
}

#[test]
fn terminals_against_journal_every_cell() {
    use TerminalState as T;
    //  columns as in JOURNAL
    let table = [
        (Some(T::Approved), ".!!BB!!!.!C!"),
        (Some(T::Declined), "B.......B!.."),
        (Some(T::Reversed), "!.......!!.."),
        (Some(T::Unknown), "U.......U!.."),
        (None, "!.......!..."),
    ];
    let sale = Sale::number(7);
    for (state, expected) in table {
        for (column, ((name, debited), expected)) in JOURNAL.iter().zip(expected.chars()).enumerate() {
            let terminals =
                TerminalBook { entries: state.map(|state| terminal(&sale, state)).into_iter().collect() };
            let debit = debited.then(|| booking(&sale, IssuerKind::Debit, 1250));
            let issuers = IssuerBook { entries: debit.into_iter().collect() };
            let comparison = compare(&terminals, &fold(&journal(&sale, column)), &issuers);
            assert_eq!(letter(&comparison), expected, "terminal {state:?}, journal {name}: {comparison:#?}");
        }
    }
}

#[test]
fn issuers_against_journal_every_cell() {
    use IssuerKind::{Debit, Reversal};
    //  columns as in JOURNAL
    let table: [(&[(IssuerKind, i64)], &str); 7] = [
        (&[], "!.......S..."),
        (&[(Debit, 1250)], ".C!!C!CQ.!C!"),
        (&[(Debit, 1250), (Reversal, 1250)], "!.......S..!"),
        (&[(Debit, 1250), (Debit, 1250)], "!!!!!!!!!!!!"),
        (&[(Debit, 1249)], "!C!!C!CQ!!C!"),
        (&[(Reversal, 1250)], "!!!!!!!!!!!!"),
        (&[(Debit, 1250), (Reversal, 1250), (Debit, 1250)], ".C!!C!CQ.!C!"),
    ];
    let sale = Sale::number(7);
    for (bookings, expected) in table {
        for (column, ((name, approved), expected)) in JOURNAL.iter().zip(expected.chars()).enumerate() {
            let state = if *approved { TerminalState::Approved } else { TerminalState::Declined };
            // What was never journaled and what is open has no terminal here: this table is about the issuers.
            let entries = (column < 9).then(|| terminal(&sale, state)).into_iter().collect();
            let entries_of = bookings.iter().map(|(kind, amount)| booking(&sale, *kind, *amount));
            let issuers = IssuerBook { entries: entries_of.collect() };
            let comparison = compare(&TerminalBook { entries }, &fold(&journal(&sale, column)), &issuers);
            let several = comparison.disagreements.len() > 1 && column == 11;
            let found = if several { '!' } else { letter(&comparison) };
            assert_eq!(found, expected, "issuer {bookings:?}, journal {name}: {comparison:#?}");
        }
    }
}

#[test]
fn a_day_of_trade_agrees_to_the_cent() {
    let (mut records, mut terminals, mut issuers) =
        (vec![config()], TerminalBook::default(), IssuerBook::default());
    let mut sum = 0;
    for number in 1..=300 {
        let sale = Sale { amount: u64::from(number) * 17 + 1, ..Sale::number(number) };
        let amount = sale.amount as i64;
        let column = [0, 1, 0, 2, 4, 0, 6][number as usize % 7];
        records.extend(journal(&sale, column).into_iter().skip(1));
        if matches!(column, 0 | 4) {
            issuers.entries.push(booking(&sale, IssuerKind::Debit, amount));
        }
        if column == 4 {
            issuers.entries.push(booking(&sale, IssuerKind::Reversal, amount));
        }
        let state = match column {
            0 => TerminalState::Approved,
            4 | 6 => TerminalState::Reversed,
            _ => TerminalState::Declined,
        };
        sum += if column == 0 { amount } else { 0 };
        terminals.entries.push(terminal(&sale, state));
    }
    let comparison = compare(&terminals, &fold(&records), &issuers);
    assert!(comparison.agree && comparison.items.is_empty(), "{:#?}", comparison.disagreements);
    let sums = comparison.sums[&156];
    assert_eq!((sums.terminals, sums.journal, sums.issuers), (sum, sum, sum));
    assert_eq!(comparison.transactions, 300);
    // One cent off at one issuer is found, and named.
    issuers.entries[0].amount += 1;
    let comparison = compare(&terminals, &fold(&records), &issuers);
    assert!(!comparison.agree);
    assert_eq!(comparison.disagreements.len(), 1);
}

#[test]
fn items_lead_from_one_book_to_the_next() {
    let (lost, kept, stuck) = (Sale::number(1), Sale::number(2), Sale::number(3));
    let mut records = journal(&lost, 0);
    records.extend(journal(&kept, 4));
    records.extend(journal(&stuck, 7));
    let terminals = TerminalBook {
        entries: vec![
            terminal(&lost, TerminalState::Unknown),
            terminal(&kept, TerminalState::Approved),
            terminal(&stuck, TerminalState::Declined),
        ],
    };
    let debits = [lost, stuck].map(|sale| booking(&sale, IssuerKind::Debit, 1250));
    let comparison = compare(&terminals, &fold(&records), &IssuerBook { entries: debits.to_vec() });
    let kinds: Vec<_> = comparison.items.iter().map(|item| (item.kind, item.amount)).collect();
    assert_eq!(
        kinds,
        [
            (ItemKind::UnconfirmedDelivery, 1250),
            (ItemKind::TerminalBreach, 1250),
            (ItemKind::Quarantined, 1250)
        ]
    );
    let sums = comparison.sums[&156];
    assert_eq!((sums.terminals, sums.terminal_items, sums.journal), (1250, 0, 1250));
    assert_eq!((sums.issuers, sums.issuer_items), (2500, -1250));
    assert!(comparison.agree);
}

#[test]
fn what_an_issuer_approves_again_was_reversed_for_its_first_reason() {
    let sale = Sale::number(1);
    let terminals = TerminalBook { entries: vec![terminal(&sale, TerminalState::Approved)] };
    let approved = outcome(&sale, 2, 255, Some("00"));
    let mut records = vec![config(), intent(&sale), approved, obligation(&sale, 0), ack(&sale)];
    records.extend([obligation(&sale, 6), ack(&sale)]);
    // It took its sale back and kept what it had sold, whatever the issuer said afterwards.
    assert_eq!(letter(&compare(&terminals, &fold(&records), &IssuerBook::default())), 'B');
}

#[test]
fn what_stands_and_is_parked_waits_for_its_issuer() {
    let sale = Sale::number(1);
    let terminals = TerminalBook { entries: vec![terminal(&sale, TerminalState::Approved)] };
    let stands = [config(), intent(&sale), outcome(&sale, 7, 255, None)];
    for (more, expected) in [(None, 'S'), (Some(parked_advice(&sale)), 'Q')] {
        let records: Vec<_> = stands.iter().cloned().chain(more).collect();
        let book = fold(&records);
        assert_eq!(letter(&compare(&terminals, &book, &IssuerBook::default())), expected);
        assert_eq!(book.owed().count(), 1);
        let debit = IssuerBook { entries: vec![booking(&sale, IssuerKind::Debit, 1250)] };
        assert_eq!(letter(&compare(&terminals, &book, &debit)), '.');
    }
}

#[test]
fn a_stan_used_again_is_told_by_time_or_by_rrn() {
    let first = Sale::number(7);
    let second = Sale { serial: 8, time: 101_500, rrn: *b"326000000008", link_stan: 2000, ..first };
    let mut records = journal(&first, 0);
    records.extend(journal(&second, 1));
    let book = fold(&records);
    let issuers = IssuerBook { entries: vec![booking(&first, IssuerKind::Debit, 1250)] };
    let mut entries =
        vec![terminal(&second, TerminalState::Declined), terminal(&first, TerminalState::Approved)];
    assert!(compare(&TerminalBook { entries: entries.clone() }, &book, &issuers).agree);
    for (entry, sale) in entries.iter_mut().zip([second, first]) {
        (entry.local_time, entry.rrn) = (None, Some(String::from_utf8(sale.rrn.to_vec()).unwrap()));
    }
    assert!(compare(&TerminalBook { entries: entries.clone() }, &book, &issuers).agree);
    entries[1].rrn = Some("326000000999".into());
    assert!(!compare(&TerminalBook { entries }, &book, &issuers).agree, "an approval nobody journaled");
}

#[test]
fn two_links_of_one_issuer_may_use_a_number_in_the_same_second() {
    let first = Sale::number(1);
    let second = Sale { link_stan: first.link_stan, amount: 99, ..Sale::number(2) };
    let mut records = journal(&first, 0);
    records.extend(journal(&second, 0));
    let terminals = TerminalBook {
        entries: [first, second].map(|sale| terminal(&sale, TerminalState::Approved)).to_vec(),
    };
    let mut issuers = IssuerBook {
        entries: vec![booking(&first, IssuerKind::Debit, 1250), booking(&second, IssuerKind::Debit, 99)],
    };
    assert!(compare(&terminals, &fold(&records), &issuers).agree);
    issuers.entries[0].rrn = None;
    let comparison = compare(&terminals, &fold(&records), &issuers);
    assert!(comparison.disagreements[0].what.contains("more than one transaction"));
}

#[test]
fn balances_are_listed_and_not_compared() {
    let sale = Sale { kind: 8, amount: 0, ..Sale::number(1) };
    let entry = TerminalEntry { money: false, ..terminal(&sale, TerminalState::Approved) };
    let comparison =
        compare(&TerminalBook { entries: vec![entry] }, &fold(&journal(&sale, 0)), &IssuerBook::default());
    assert_eq!((comparison.agree, comparison.transactions), (true, 0));
}

#[test]
fn books_come_as_json() {
    let terminals: TerminalBook = serde_json::from_str(
        r#"{"entries": [{"acquirer": "12345678", "terminal": "T0000001", "merchant": "M00000000000001", "batch": 1,
            "stan": 7, "local_date": 1122, "local_time": 93015, "rrn": "326000000007", "amount": 1250,
            "currency": 156, "state": "approved", "code": "00"}]}"#,
    )
    .unwrap();
    assert!(terminals.entries[0].money && terminals.entries[0].state == TerminalState::Approved);
    let issuers: IssuerBook = serde_json::from_str(
        r#"{"entries": [{"issuer": "huaxia", "kind": "reversal", "stan": 41, "transmission": 1122013015,
            "amount": 1250, "currency": 156, "card": "622424******0113", "at": 1763774115000}]}"#,
    )
    .unwrap();
    assert_eq!(issuers.entries[0].kind, IssuerKind::Reversal);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terminals.json");
    std::fs::write(&path, serde_json::to_vec(&terminals).unwrap()).unwrap();
    assert_eq!(TerminalBook::load(&path).unwrap(), terminals);
    std::fs::write(&path, b"{}").unwrap();
    let fault = TerminalBook::load(&path).unwrap_err().to_string();
    assert!(fault.ends_with("is not of the expected shape"), "{fault}");
    let comparison = compare(&TerminalBook::default(), &SwitchBook::default(), &IssuerBook::default());
    let json = serde_json::to_string(&comparison).unwrap();
    assert_eq!(json, r#"{"agree":true,"sums":{},"items":[],"disagreements":[],"transactions":0}"#);
}
