//! A small world to trade in: two issuers on three links, cards, terminals, requests and answers.

use engine::{IssuerTerms, LinkTerms, ListenerTerms, Snapshot, StandInTerms};
use limits::{Ceilings, OtherCurrency, Rule};
use routing::{Range, RangeRow, Scheme, Span, Table};
use std::collections::HashMap;
use terms::{
    Answer, ApprovalCode, CalendarIx, CardToken, Check, Currency, EntryMode, Flags, IssuerIx, KeyHasher,
    Kind, LinkIx, Minor, Mti, OriginalRef, Pan, ProcessingCode, Request, ResponseCode, SlotKey, Stan, Text,
};

/// Issuer's deadline, milliseconds.
pub const TIMEOUT: u64 = 1_000;
/// Deadline of a reversal's acknowledgement.
pub const REVERSAL_TIMEOUT: u64 = 2_000;
/// Time an undelivered approval waits.
pub const GRACE: u64 = 5_000;
/// Messages about what is owed that may be out at once.
pub const SAF_WINDOW: u32 = 4;
/// Bad answers to a reversal that are put up with, and one more.
pub const QUARANTINE_AFTER: u8 = 3;
/// First and longest back-off.
pub const RETRY: (u32, u32) = (500, 8_000);

/// Issuer 0 takes cards that begin with 4 and has links 0 and 1; issuer 1 takes 5 and has link 2. `ceiling` is a card's
/// daily amount in renminbi.
pub fn snapshot(ceiling: Minor) -> Snapshot {
    let limits = Ceilings { currency: Currency::CNY, single: None, daily: Some(ceiling), count: None };
    let row = |line, span, issuer| {
        let mut range = Range::of(IssuerIx(issuer), Scheme::UnionPay);
        (range.limits, range.expiry, range.check_digit) = (Some(0), issuer == 1, issuer == 1);
        RangeRow { span: Span::parse(span).unwrap(), line, range }
    };
    Snapshot {
        version: 1,
        routes: Table::build(vec![row(1, "4", 0), row(2, "5", 1)]).unwrap(),
        issuers: vec![issuer("a", &[0, 1]), issuer("b", &[2])],
        links: vec![link("a/1", 0), link("a/2", 0), link("b/1", 1)],
        card_ceilings: vec![Rule::new(limits, OtherCurrency::Refuse).unwrap()],
        merchants: HashMap::default(),
        terminals: HashMap::default(),
        calendars: vec![terms::stable_id("day")],
    }
}

fn issuer(name: &str, links: &[u16]) -> IssuerTerms {
    IssuerTerms {
        id: terms::stable_id(name),
        timeout_ms: TIMEOUT as u32,
        reversal_timeout_ms: REVERSAL_TIMEOUT as u32,
        retry_first_ms: RETRY.0,
        retry_max_ms: RETRY.1,
        saf_window: SAF_WINDOW,
        quarantine_after: QUARANTINE_AFTER,
        grace_ms: GRACE as u32,
        require_approval_code: false,
        calendar: CalendarIx(0),
        ceilings: None,
        completion_percent: 115,
        stand_in: None,
        links: links.iter().copied().map(LinkIx).collect(),
    }
}

/// Purchases everywhere but at merchants of category 6011, `single` each and `daily` a card and day, in renminbi.
pub fn stand_in(single: Minor, daily: Minor) -> StandInTerms {
    let (single, daily) = (Some(single), Some(daily));
    let ceilings = Ceilings { currency: Currency::CNY, single, daily, count: Some(100) };
    StandInTerms {
        kinds: vec![Kind::Purchase],
        merchants: Vec::new(),
        never: vec![6_011],
        rule: Rule::new(ceilings, OtherCurrency::Refuse).unwrap(),
    }
}

fn link(name: &str, issuer: u16) -> LinkTerms {
    LinkTerms { id: terms::stable_id(name), issuer: IssuerIx(issuer), pin_passthrough: false }
}

/// Anybody may trade.
pub fn listener() -> ListenerTerms {
    ListenerTerms {
        acquirer: Text::cut("00010000"),
        calendar: CalendarIx(0),
        answer_within_ms: 5_000,
        pin_passthrough: false,
        partial_approvals: false,
        registered_only: false,
    }
}

/// A purchase of card `card` (below 10,000) at terminal `terminal`.
pub fn purchase(terminal: u16, stan: u32, amount: Minor, card: u16) -> Request {
    request(Mti::of(0x0200), Kind::Purchase, terminal, stan, amount, card)
}

/// Any request with a card.
pub fn request(mti: Mti, kind: Kind, terminal: u16, stan: u32, amount: Minor, card: u16) -> Request {
    let mut request = Request::new(mti, kind, Stan::new(stan).unwrap());
    request.pan = Pan::new(format!("400000000000{card:04}").as_bytes());
    request.token = token(card);
    (request.amount, request.currency) = (amount, Currency::CNY);
    request.processing_code = ProcessingCode(if kind == Kind::Balance { 310_000 } else { 0 });
    request.entry_mode = EntryMode(51);
    if amount != 0 {
        request.flags = request.flags.with(Flags::AMOUNT);
    }
    identify(&mut request, terminal);
    (request.slot, request.repeat) = (slot(terminal, stan), check(mti.class_digit(), terminal, stan));
    request
}

/// 0400 of `original`, or of what it would have been.
pub fn reversal(original: &Request) -> Request {
    let mut request = Request::new(Mti::of(0x0400), Kind::Reversal, original.stan);
    (request.amount, request.currency) = (original.amount, original.currency);
    (request.acquirer, request.terminal) = (original.acquirer, original.terminal);
    (request.merchant, request.slot) = (original.merchant, original.slot);
    request.repeat = Check(original.repeat.0 ^ 4);
    request.reason = ResponseCode::new(b"98");
    let class = original.mti.class_digit();
    let (slot, repeat) = (original.slot, original.repeat);
    request.original = Some(OriginalRef { slot, repeat, alias: Check::ANY, class });
    request
}

/// An operation of `kind` on `original`, by the same terminal.
pub fn operation(mti: Mti, kind: Kind, original: &Request, stan: u32, amount: Minor, card: u16) -> Request {
    let terminal = std::str::from_utf8(&original.terminal.as_bytes()[1..]).unwrap().trim().parse().unwrap();
    let mut operation = request(mti, kind, terminal, stan, amount, card);
    operation.processing_code = ProcessingCode(200_000);
    let (slot, repeat) = (original.slot, original.repeat);
    let class = original.mti.class_digit();
    operation.original = Some(OriginalRef { slot, repeat, alias: Check::ANY, class });
    operation
}

/// Sign-on, echo or sign-off.
pub fn network(kind: Kind, terminal: u16) -> Request {
    let mut request = Request::new(Mti::of(0x0800), kind, Stan::MIN);
    identify(&mut request, terminal);
    request
}

fn identify(request: &mut Request, terminal: u16) {
    request.batch = 1;
    request.acquirer = Text::cut("00010000");
    request.terminal = Text::cut(&format!("T{terminal:07}"));
    request.merchant = Text::cut("M00000000000001");
}

/// What the shell would compute from a card number.
pub fn token(card: u16) -> CardToken {
    let mut bytes = [0x5A; 16];
    bytes[..2].copy_from_slice(&card.to_le_bytes());
    CardToken(bytes)
}

pub fn slot(terminal: u16, stan: u32) -> SlotKey {
    let mut hasher = KeyHasher::new(1);
    hasher.number(u64::from(terminal) << 32 | u64::from(stan));
    hasher.slot()
}

fn check(class: u8, terminal: u16, stan: u32) -> Check {
    let mut hasher = KeyHasher::new(u64::from(class));
    hasher.number(u64::from(terminal) << 32 | u64::from(stan));
    hasher.check()
}

/// The issuer's answer to `request` that echoes what it got.
pub fn answer(request: &Request, code: &str) -> Answer {
    let mut answer = Answer::new(request.mti.answer(), request.stan, ResponseCode::of(code));
    (answer.amount, answer.pan) = (Some(request.amount), request.pan);
    answer.terminal = Some(request.terminal);
    if code == "00" {
        answer.approval_code = Some(ApprovalCode(*b"123456"));
    }
    answer
}
