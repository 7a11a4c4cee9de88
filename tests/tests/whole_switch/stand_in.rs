//! Stand-in from end to end: approved in the issuer's stead, said so to the terminal, told to the issuer when it is back.
//! Never more than its own ceilings allow. Guards: what it approves is debited once, and terminals, journal and issuer agree.

use crate::operations::{BALANCE, Market};
use crate::stories::{HARBOUR_CARD, Stage};
use books::shapes::TerminalState;
use books::switch_book::State;
use std::time::Duration;
use terms::{Kind, Mti};
use testkit::{metric, wait_for};
use tests::message::Ask;
use tests::shop::Shop;

const STANDS: &str = "pointsman_stand_in_total";
const APPROVED: &str = "outcome=\"approved\"";
const DECLINED: &str = "outcome=\"declined\"";
/// Where a UnionPay terminal is told that its issuer was not asked, behind three characters of DE 63.
const FLAG: &str = "STAND-IN";

/// 50.00 of one transaction, 90.00 of a card and day.
fn with_stand_in(shop: &mut Shop) {
    shop.edits.push(("[[issuer.link]]", "[issuer.stand_in]\nlimits = \"stand-in\"\n[[issuer.link]]"));
    shop.edits.push(("[[issuer]]", CEILINGS));
}

const CEILINGS: &str = r#"[[limits]]
name = "stand-in"
currency = "CNY"
single = "50.00"
daily = "90.00"
count = 10
[[issuer]]"#;

#[test]
fn while_its_issuer_is_down_a_sale_is_approved_flagged_and_told_when_it_is_back() {
    let mut market = Market::open_with(with_stand_in);
    let issuer = market.issuer.control("harbour").unwrap().clone();
    let asked = Ask::purchase(HARBOUR_CARD, 1, 100);
    market.ask(&asked, TerminalState::Approved, "00");
    let text = market.till.ask_field(&asked, 63).unwrap();
    assert!(text.is_none_or(|text| !text.contains(FLAG)), "the issuer itself approved this one");

    issuer.cut_link(Duration::from_secs(3_600));
    let of =
        |market: &Market, family: &str, labels: &[&str]| metric(&market.switch.metrics(), family, labels);
    wait_for("the link is down", || of(&market, "pointsman_link_up", &[]) == 0.0);
    let sale = Ask::purchase(HARBOUR_CARD, 2, 4_000);
    market.ask(&sale, TerminalState::Approved, "00");
    let text = market.till.ask_field(&sale, 63).unwrap().expect("it is said");
    assert!(text.ends_with(FLAG), "{text:?}");
    market.ask(&Ask::purchase(HARBOUR_CARD, 3, 5_001), TerminalState::Approved, "91");
    market.ask(&Ask::purchase(HARBOUR_CARD, 4, 5_000), TerminalState::Approved, "00");
    market.ask(&Ask::purchase(HARBOUR_CARD, 5, 1), TerminalState::Approved, "91");
    let harbour = "issuer=\"harbour\"";
    assert_eq!(of(&market, STANDS, &[harbour, APPROVED]), 2.0, "its repeat is not counted");
    wait_for("over one ceiling, and over the other", || of(&market, STANDS, &[harbour, DECLINED]) == 2.0);
    wait_for("both are to be told", || of(&market, "pointsman_saf_depth", &[harbour]) == 2.0);
    assert_eq!(issuer.totals().debited, 100, "and none of it was yet");

    issuer.heal();
    let journal = market.close(BALANCE - 9_100);
    let told: Vec<_> = journal.transactions.values().filter(|entry| entry.advised.is_some()).collect();
    assert_eq!(told.iter().map(|entry| entry.amount).collect::<Vec<_>>(), [4_000, 5_000]);
    assert!(told.iter().all(|entry| entry.state == State::Approved && !entry.undone), "{told:#?}");
    assert_eq!(journal.transactions.len(), 3, "no INTENT for what was declined at the door");
}

#[test]
fn for_a_silent_issuer_the_request_is_taken_back_before_the_advice_goes() {
    let stage = Stage::with(|shop| {
        with_stand_in(shop);
        shop.timeout_ms = 300;
    });
    let mut till = stage.till();
    let sale = Ask::purchase(HARBOUR_CARD, 1, 4_000);
    till.send(&sale).unwrap();
    let request = stage.issuer.asked();
    let approved = till.hear().unwrap();
    assert_eq!(approved.code.as_str(), "00", "in its stead");
    assert!(till.ask_field(&sale, 63).unwrap().is_some_and(|text| text.ends_with(FLAG)));
    assert_eq!(stage.metric(STANDS, &[APPROVED]), 1.0);

    let reversal = stage.issuer.asked();
    assert!(reversal.is_reversal(), "{:?}", reversal.request);
    let (ours, theirs) = (reversal.request.rrn, request.request.rrn);
    assert_eq!((ours, reversal.request.amount), (theirs, 4_000), "of what it did not answer");
    reversal.answer("00");
    let advice = loop {
        let asked = stage.issuer.asked();
        if !asked.is_reversal() {
            break asked;
        }
        asked.answer("00");
    };
    assert_eq!((advice.request.mti, advice.request.kind), (Mti::of(0x0220), Kind::OfflineSale));
    assert_eq!((advice.request.amount, advice.request.rrn), (4_000, theirs));
    assert_ne!(advice.request.stan, request.request.stan, "a number of its own");
    advice.answer("00");
    let book = stage.book();
    let entry = book.transactions.values().next().unwrap();
    assert_eq!((entry.state, entry.undone, entry.refused), (State::Approved, true, false));
    assert_eq!((book.transactions.len(), book.findings.len()), (1, 0), "{:?}", book.findings);
}
