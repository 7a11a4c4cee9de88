//! What is said of one business day and of a batch: everything of that day, nothing of another.

use crate::comparison::{booking, fold, terminal};
use crate::writer::{Batch, Sale, ack, batch, config, day, intent, obligation, outcome, parked};
use books::shapes::{IssuerBook, IssuerEntry, IssuerKind, TerminalBook, TerminalState};
use books::{ItemKind, Question, Report, SwitchBook};

/// The business day after the one of all sales.
const NEXT: u16 = 9459;
/// When it began.
const CUTOVER: u64 = 1_763_780_000_000;

/// 7 of the first day, approved; 8 of the second, parked with the issuer's debit; a stray booking on the second.
fn two_days() -> (SwitchBook, TerminalBook, IssuerBook) {
    let (first, second) = (Sale::number(7), Sale { day: NEXT, ..Sale::number(8) });
    let journal = [
        config(),
        day(0, 9458),
        intent(&first),
        outcome(&first, 2, 255, Some("00")),
        day(CUTOVER, NEXT),
        intent(&second),
        outcome(&second, 4, 1, None),
        parked(&second),
    ];
    let terminals =
        vec![terminal(&first, TerminalState::Approved), terminal(&second, TerminalState::Declined)];
    let stray = IssuerEntry {
        at: CUTOVER as i64 + 1,
        ..booking(&Sale { link_stan: 9, ..Sale::number(9) }, IssuerKind::Debit, 50)
    };
    let issuers =
        vec![booking(&first, IssuerKind::Debit, 1250), booking(&second, IssuerKind::Debit, 1250), stray];
    (fold(&journal), TerminalBook { entries: terminals }, IssuerBook { entries: issuers })
}

fn of(day: Option<u16>) -> Report {
    let (switch, terminals, issuers) = two_days();
    Report::of(&Question { terminals: Some(&terminals), switch: &switch, issuers: &issuers, day })
}

#[test]
fn a_day_has_its_own_sums_items_and_disagreements() {
    let first = of(Some(9458));
    assert!(first.agree && first.items.is_empty() && first.disagreements.is_empty(), "{first:#?}");
    assert_eq!((first.transactions, first.lines.len()), (1, 1));
    let line = &first.lines[0];
    assert_eq!((line.day.as_deref(), line.issuer.as_deref()), (Some("2025-11-22"), Some("huaxia")));
    assert_eq!((line.sums.terminals, line.sums.journal, line.sums.issuers), (1250, 1250, 1250));
    assert_eq!((line.total.approved, line.total.approved_count), (1250, 1));

    let second = of(Some(NEXT));
    assert_eq!((second.agree, second.transactions), (false, 1));
    assert_eq!(second.items[0].kind, ItemKind::Quarantined);
    assert_eq!(second.disagreements.len(), 1, "the stray booking is of the day on which it was booked");
    assert_eq!(second.disagreements[0].day.as_deref(), Some("2025-11-23"));
    assert_eq!(second.sums[&156].issuers - second.sums[&156].journal, 1300);

    let all = of(None);
    assert_eq!((all.transactions, all.lines.len(), all.items.len()), (2, 2, 1));
    assert_eq!((all.disagreements.len(), all.agree), (1, false));
    assert_eq!(of(Some(9000)).transactions, 0, "and nothing of a day without any");
}

#[test]
fn an_open_item_names_its_transaction_its_cause_and_whose_move_it_is() {
    let item = &of(None).items[0];
    assert_eq!((item.rrn.as_str(), item.stan, item.terminal.as_str()), ("326000000008", 8, "T0000001"));
    assert_eq!((item.card.as_deref(), item.issuer.as_str()), (Some("622424******0113"), "huaxia"));
    assert!(item.cause.contains("did not answer in time"), "{}", item.cause);
    assert_eq!(item.next.who, "operator");
}

#[test]
fn a_card_number_that_a_book_should_not_have_is_masked() {
    let (switch, terminals, mut issuers) = two_days();
    issuers.entries.iter_mut().for_each(|entry| entry.card = "6224240000000113".into());
    let report =
        Report::of(&Question { terminals: Some(&terminals), switch: &switch, issuers: &issuers, day: None });
    assert_eq!(report.items[0].card.as_deref(), Some("622424******0113"));
}

#[test]
fn without_the_terminals_book_journal_and_issuers_are_compared() {
    let (switch, _, mut issuers) = two_days();
    let ask = |issuers: &IssuerBook| {
        Report::of(&Question { terminals: None, switch: &switch, issuers, day: Some(9458) })
    };
    let report = ask(&issuers);
    assert!(report.agree && !report.with_terminals, "{report:#?}");
    issuers.entries.remove(0);
    assert!(!ask(&issuers).agree, "an approval that its issuer has not booked");
}

/// Sales 1 to 3 of batch 5, 12.50 each: the third was taken back. Then the terminal says what it says.
fn batch_of(says: &[Batch<'_>]) -> Report {
    let sales = [1, 2, 3].map(|number| Sale { batch: 5, ..Sale::number(number) });
    let mut journal = vec![config()];
    for sale in &sales {
        journal.extend([intent(sale), outcome(sale, 2, 255, Some("00"))]);
    }
    journal.extend([obligation(&sales[2], 0), ack(&sales[2])]);
    journal.extend(says.iter().map(|says| batch(5, says)));
    let booked = sales[..2].iter().map(|sale| booking(sale, IssuerKind::Debit, 1250)).collect();
    let (switch, issuers) = (fold(&journal), IssuerBook { entries: booked });
    Report::of(&Question { terminals: None, switch: &switch, issuers: &issuers, day: None })
}

const OURS: (u64, u32) = (2500, 2);
const DIFFERENT: [u8; 2] = [2, 1];

#[test]
fn an_upload_explains_which_transactions_differ() {
    let settled = || Batch::Settled(DIFFERENT, (4450, 4), OURS);
    let lines = [(1, 1250), (2, 1300), (3, 1250), (9, 650)];
    let report =
        batch_of(&[settled(), Batch::Lines(&lines), Batch::Lines(&lines[3..]), Batch::End(4, false)]);
    assert!(report.agree, "a line sent again counts once: {:?}", report.disagreements);
    let told = &report.batches[0];
    assert_eq!((told.totals, told.uploaded, told.ended), (Some("different"), 4, Some(4)));
    assert_eq!((told.theirs[0], told.ours[0]), ((4450, 4), OURS));
    let explained: Vec<_> =
        told.differences.iter().map(|one| (one.stan, one.terminal, one.journal, &*one.cause)).collect();
    let never = "the switch never had it, or refused it before it asked an issuer";
    assert_eq!(
        explained,
        [
            (2, Some(1300), Some(1250), "the amounts differ"),
            (3, Some(1250), None, "taken back: the terminal asked for it"),
            (9, Some(650), None, never),
        ]
    );
    assert_eq!(told.next.unwrap().who, "acquirer");
    assert_eq!(batch_of(&[settled()]).batches[0].next.unwrap().who, "terminal", "it has not uploaded yet");
}

#[test]
fn an_upload_that_ends_otherwise_than_it_went_is_a_finding() {
    let settled = |results| Batch::Settled(results, OURS, OURS);
    let lines = [(1, 1250), (2, 1250)];
    let good = batch_of(&[settled([1, 1]), Batch::Lines(&lines), Batch::End(2, true)]);
    assert!(good.agree && good.batches[0].next.is_none(), "{good:#?}");
    for (results, end, expected) in [
        ([1, 1], Batch::End(3, true), "the terminal says it uploaded 3 lines, 2 came"),
        (DIFFERENT, Batch::End(2, true), "the upload ends as equal (207), the totals were different"),
        ([1, 1], Batch::End(2, false), "the upload ends as different (202), the totals were equal"),
    ] {
        let report = batch_of(&[settled(results), Batch::Lines(&lines), end]);
        let found: Vec<&str> = report.disagreements.iter().map(|one| &*one.what).collect();
        assert_eq!((found, report.agree), (vec![expected], false));
        assert!(report.disagreements[0].transaction.contains("batch 000005 of T0000001"));
    }
}
