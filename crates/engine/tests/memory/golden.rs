//! The bytes of one record of each kind, written down: the second reader (crate `books`) is held to the same bytes.

use engine::Verdict;
use engine::effect::ReversalReason;
use engine::record::{
    Ack, Advised, Batch, BatchWhat, Charged, ChargedIn, Charges, Compared, Config, Day, Drawn, Intent, Late,
    Linked, Obligation, Outcome, Parked, Part, Record, Refused, Resolve, Serial, Told, Tombstone,
    Undelivered, Unmatched, UnmatchedReason, Unsettled, Who,
};
use engine::state::State;
use journal::Lsn;
use limits::{Charge, LimitKey, Scope};
use terms::batch::{BatchSide, Side, Totals, UPLOAD_LINES_MAX, UploadLine};
use terms::{
    ApprovalCode, Arpc, BusinessDay, CardToken, Check, Currency, EntryMode, Expiry, Flags, InternalCause,
    Kind, Mti, OriginalRef, ProcessingCode, Request, ResponseCode, Rrn, SlotKey, Stan, Text,
    TransmissionTime,
};

const SERIAL: Serial = Serial(0x0003_0400_0000_002A);
const SLOT: SlotKey = SlotKey(0x1122_3344_5566_7788);
const REPEAT: Check = Check(0xAABB_CCDD);
const INTENT_AT: Lsn = Lsn(0x0000_1234_5678);
const WALL: i64 = 1_763_774_115_000;

fn request() -> Request {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::new(7).unwrap());
    request.token = CardToken([0x5A; 16]);
    (request.amount, request.currency) = (1250, Currency::CNY);
    (request.billing_amount, request.billing_currency) = (180, Currency::USD);
    request.processing_code = ProcessingCode(1000);
    request.transmission = TransmissionTime(1_122_013_014);
    (request.local_time, request.local_date) = (93_014, 1122);
    (request.expiry, request.entry_mode, request.condition) = (Expiry::new(2806), EntryMode(51), 0);
    (request.function, request.batch, request.flags) = (22, 101, Flags(70));
    request.acquirer = Text::cut("12345678");
    request.terminal = Text::cut("T0000001");
    request.merchant = Text::cut("M00000000000001");
    (request.slot, request.repeat, request.alias) = (SLOT, REPEAT, Check(0x0102_0304));
    request.rrn = Some(Rrn::new(*b"TERMINALRRN1"));
    request.original = Some(original());
    request
}

fn advised() -> Option<Advised> {
    Some(Advised { stan: Stan::new(9).unwrap(), transmission: TransmissionTime(1_122_013_016) })
}

fn original() -> OriginalRef {
    OriginalRef { slot: SlotKey(0x8877_6655_4433_2211), repeat: Check(5), alias: Check(6), class: 2 }
}

fn intent() -> Intent {
    Intent {
        serial: SERIAL,
        wall_ms: WALL,
        issuer: 0x0000_0A11,
        link: 0x0000_0A12,
        stan: Stan::new(41).unwrap(),
        transmission: TransmissionTime(1_122_013_015),
        rrn: Rrn::issue(326, 42, 7),
        issuer_day: BusinessDay(9458),
        acquirer_day: BusinessDay(9457),
        issuer_calendar: 0xC1,
        acquirer_calendar: 0xC2,
        foreign: false,
        charged: Charged::NONE.with(Scope::Card, ChargedIn::Amount).with(Scope::Issuer, ChargedIn::Billing),
        listener: 1,
        request: request(),
        named: None,
    }
}

fn batch(what: BatchWhat) -> Batch {
    Batch { wall_ms: WALL, owner: 0x0102_0304_0506_0708, batch: 101, what }
}

fn who() -> Who {
    let Request { acquirer, terminal, merchant, .. } = request();
    Who { acquirer, terminal, merchant }
}

fn settled() -> BatchWhat {
    let domestic = |amount, count| Totals { debits: Side { amount, count }, credits: Side::default() };
    let results = [Compared::Different, Compared::Equal];
    let (theirs, ours) = ([domestic(1250, 1), Totals::default()], [domestic(2500, 2), Totals::default()]);
    BatchWhat::Settled { who: who(), results, day: BusinessDay(9458), theirs, ours }
}

fn lines() -> BatchWhat {
    let mut lines = [UploadLine::default(); UPLOAD_LINES_MAX];
    lines[0] = UploadLine { stan: 7, amount: 1250 };
    BatchWhat::Lines { who: who(), lines, count: 1 }
}

fn withdrawn() -> BatchWhat {
    BatchWhat::Withdrawn { foreign: true, side: BatchSide::Credit, amount: 1250, serial: SERIAL }
}

fn told() -> Told {
    Told { cause: Some(InternalCause::IssuerTimeout), code: Some(ResponseCode::of("68")) }
}

fn outcome() -> Outcome {
    Outcome {
        serial: SERIAL,
        slot: SLOT,
        repeat: REPEAT,
        intent_lsn: INTENT_AT,
        wall_ms: WALL + 1,
        state: State::Reversing,
        told: told(),
        approval_code: Some(ApprovalCode(*b"A1B2C3")),
        approved_amount: Some(1000),
        reason: Some(ReversalReason::Timeout),
        approval_seen: true,
        terminal_reason: Some(ResponseCode::of("98")),
        arpc: None,
        advised: None,
    }
}

fn obligation(owed: Unsettled) -> Obligation {
    Obligation { serial: SERIAL, slot: SLOT, repeat: REPEAT, wall_ms: WALL + 2, owed }
}

fn reverse(part: Option<Part>, first_reason: Option<ReversalReason>) -> Unsettled {
    let charge = |key, amount| Charge { key: LimitKey(key), day: BusinessDay(9458), amount };
    Unsettled::Reverse {
        intent_lsn: INTENT_AT,
        reason: ReversalReason::Terminal,
        terminal_reason: Some(ResponseCode::of("98")),
        told: told(),
        approval_seen: true,
        charges: [charge(7, 1250), charge(9, 180)].into_iter().collect::<Charges>(),
        part,
        issuer: 0xA1,
        owner: 0xF0F1,
        token: CardToken([0x5A; 16]),
        resolves: Serial(77),
        advised: None,
        advice_first: false,
        first_reason,
        request_only: false,
    }
}

fn request_alone() -> Unsettled {
    match reverse(None, None) {
        Unsettled::Reverse {
            intent_lsn,
            reason,
            terminal_reason,
            told,
            approval_seen,
            charges,
            part,
            issuer,
            owner,
            token,
            resolves,
            ..
        } => Unsettled::Reverse {
            intent_lsn,
            reason,
            terminal_reason,
            told,
            approval_seen,
            charges,
            part,
            issuer,
            owner,
            token,
            resolves,
            advised: advised(),
            advice_first: false,
            first_reason: None,
            request_only: true,
        },
        look_up => look_up,
    }
}

fn resolve() -> Unsettled {
    Unsettled::Resolve(Resolve {
        original: original(),
        terminal_reason: Some(ResponseCode::of("A0")),
        amount: 1250,
        currency: Currency::CNY,
        stan: Stan::new(7).unwrap(),
        batch: 101,
        acquirer: Text::cut("12345678"),
        terminal: Text::cut("T0000001"),
        merchant: Text::cut("M00000000000001"),
    })
}

fn hex(record: &impl Record) -> String {
    let mut out = Vec::new();
    record.write(&mut out);
    spell(&out)
}

fn spell(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn all() -> Vec<(&'static str, String)> {
    let (serial, slot, repeat, intent_lsn, wall_ms) = (SERIAL, SLOT, REPEAT, INTENT_AT, WALL + 3);
    let code = Some(ResponseCode::of("25"));
    let terminal = Text::cut("T0000001");
    let (acquirer, merchant) = (Text::cut("12345678"), Text::cut("M00000000000001"));
    let stan = Stan::new(41).unwrap();
    let ack = Ack {
        serial,
        slot,
        repeat,
        intent_lsn,
        wall_ms,
        state: State::Reversed,
        code,
        told: told(),
        approval_code: Some(ApprovalCode(*b"A1B2C3")),
        amount: Some(900),
        refused: false,
        advised: None,
    };
    let tombstone = Tombstone { serial, original: original(), wall_ms, owner: 0xF0F1, batch: 101 };
    let late = Late {
        serial,
        slot,
        repeat,
        intent_lsn,
        wall_ms,
        verdict: Verdict::Approves,
        code,
        approval_code: None,
        amount: Some(1250),
    };
    let unmatched = Unmatched {
        wall_ms,
        link: 0xA12,
        mti: Mti::of(0x0210),
        stan,
        transmission: TransmissionTime(1_122_013_015),
        verdict: Verdict::Approves,
        reason: UnmatchedReason::NoTerminal,
        code,
        amount: 1250,
        terminal,
    };
    let refused = Refused {
        wall_ms,
        mti: Mti::of(0x0200),
        kind: Kind::Purchase,
        told: Told::ours(InternalCause::OverDailyAmount),
        issuer: 0xA11,
        stan,
        amount: 1250,
        currency: Currency::CNY,
        token: CardToken([0x5A; 16]),
        batch: 101,
        remaining: 250,
        acquirer,
        terminal,
        merchant,
    };
    let linked = Linked {
        serial,
        slot,
        repeat,
        intent_lsn,
        wall_ms,
        taken_back: true,
        drawn: Drawn { taken: 900, voided: true, completed: false },
        told: told(),
        approval_code: Some(ApprovalCode(*b"A1B2C3")),
        approved_amount: None,
        operation: Serial(0x0003_0400_0000_002B),
        charges: [Charge { key: LimitKey(7), day: BusinessDay(9458), amount: 1250 }].into_iter().collect(),
        advised: None,
    };
    let (answers, told, advice) = (3, told(), false);
    let parked = Parked { serial, slot, repeat, intent_lsn, wall_ms, answers, code, told, advice };
    let mut config = Vec::new();
    let names = "issuer 00000a11 huaxia\nlink 00000a12 huaxia/one\ncalendar 000000c1 cn\n";
    Config { wall_ms, version: 2, hash: 0x0102_0304_0506_0708, names }.write(&mut config);
    vec![
        ("INTENT", hex(&intent())),
        ("OUTCOME", hex(&outcome())),
        (
            "OUTCOME with a cryptogram",
            hex(&Outcome { arpc: Arpc::new(b"\xA1\xB2\xC3\xD4\xE5\xF6\x07\x1800"), ..outcome() }),
        ),
        (
            "OUTCOME of an advice",
            hex(&Outcome { state: State::StipApproved, advised: advised(), ..outcome() }),
        ),
        ("REFUSED", hex(&refused)),
        ("OBLIGATION reverse", hex(&obligation(reverse(None, None)))),
        (
            "OBLIGATION reverse in part",
            hex(&obligation(reverse(Some(Part { before: 1250, stays: 900 }), None))),
        ),
        ("OBLIGATION reverse again", hex(&obligation(reverse(None, Some(ReversalReason::Timeout))))),
        ("OBLIGATION reverse the request", hex(&obligation(request_alone()))),
        ("OBLIGATION look up", hex(&obligation(resolve()))),
        ("ACK", hex(&ack)),
        ("ACK of an advice", hex(&Ack { state: State::Approved, refused: true, advised: advised(), ..ack })),
        ("TOMBSTONE", hex(&tombstone)),
        ("LATE", hex(&late)),
        ("UNMATCHED", hex(&unmatched)),
        ("UNDELIVERED", hex(&Undelivered { serial, slot, repeat, intent_lsn, wall_ms })),
        ("PARKED", hex(&parked)),
        ("PARKED of an advice", hex(&Parked { advice: true, ..parked })),
        ("DAY", hex(&Day { wall_ms, calendar: 0xC1, day: BusinessDay(9459) })),
        ("CONFIG", spell(&config)),
        ("LINKED", hex(&linked)),
        ("BATCH settled", hex(&batch(settled()))),
        ("BATCH lines", hex(&batch(lines()))),
        ("BATCH end", hex(&batch(BatchWhat::End { who: who(), count: 300, equal: true }))),
        ("BATCH withdrawn", hex(&batch(withdrawn()))),
    ]
}

#[test]
fn every_kind_has_its_bytes() {
    let golden = include_str!("golden.txt");
    let lines: Vec<_> = golden.lines().filter_map(|line| line.split_once(": ")).collect();
    let written = all();
    assert_eq!(written.len(), lines.len());
    for ((name, bytes), (expected_name, expected)) in written.iter().zip(lines) {
        assert_eq!((*name, bytes.as_str()), (expected_name, expected));
    }
}
