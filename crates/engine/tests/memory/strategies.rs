//! Every value a record can hold, at random.

use engine::effect::ReversalReason;
use engine::record::{
    Ack, Advised, Batch, BatchWhat, Charged, Charges, Compared, Day, Drawn, Intent, Late, Linked, Obligation,
    Outcome, Parked, Part, Refused, Resolve, Serial, Told, Tombstone, Undelivered, Unmatched,
    UnmatchedReason, Unsettled, Who,
};
use engine::state::State;
use engine::{NamedOriginal, Verdict};
use journal::Lsn;
use limits::{Charge, LimitKey};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use terms::batch::{BatchSide, BatchTotals, Side, Totals, UPLOAD_LINES_MAX, UploadLine};
use terms::{
    ApprovalCode, Arpc, BusinessDay, CardToken, Check, Currency, EntryMode, Expiry, Flags, InternalCause,
    Kind, Minor, Mti, OriginalRef, Pan, ProcessingCode, Request, ResponseCode, Rrn, SlotKey, Stan, Text,
    TransmissionTime,
};

pub(crate) fn text<const N: usize>() -> impl Strategy<Value = Text<N>> {
    vec(any::<u8>(), 0..=N).prop_map(|bytes| Text::new(&bytes).unwrap())
}

pub(crate) fn code() -> impl Strategy<Value = ResponseCode> {
    vec(any::<u8>(), 1..=4).prop_map(|bytes| ResponseCode::new(&bytes).unwrap())
}

pub(crate) fn stan() -> impl Strategy<Value = Stan> {
    (1..=999_999_u32).prop_map(|stan| Stan::new(stan).unwrap())
}

pub(crate) fn amount() -> impl Strategy<Value = Minor> {
    prop_oneof![0..1_000_000_i64, 0..(1_i64 << 48), Just((1 << 48) - 1)]
}

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    (0..=999_u16).prop_map(|numeric| Currency::new(numeric).unwrap())
}

fn mti() -> impl Strategy<Value = Mti> {
    (0..10_000_u16).prop_map(|n| {
        let digit = |place: u16| (n / place % 10) + u16::from(b'0');
        Mti::from_ascii([1000, 100, 10, 1].map(|place| digit(place) as u8)).unwrap()
    })
}

fn serial() -> impl Strategy<Value = Serial> {
    any::<u64>().prop_map(Serial)
}

fn slot() -> impl Strategy<Value = SlotKey> {
    any::<u64>().prop_map(SlotKey)
}

fn check() -> impl Strategy<Value = Check> {
    any::<u32>().prop_map(Check)
}

fn lsn() -> impl Strategy<Value = Lsn> {
    (0..Lsn::END.0).prop_map(Lsn)
}

fn wall() -> impl Strategy<Value = i64> {
    0..(1_i64 << 48)
}

fn state() -> impl Strategy<Value = State> {
    select(&State::ALL[..])
}

fn verdict() -> impl Strategy<Value = Verdict> {
    select(&[Verdict::Approves, Verdict::Declines, Verdict::InDoubt, Verdict::Neither][..])
}

fn reason() -> impl Strategy<Value = ReversalReason> {
    use ReversalReason as R;
    select(
        &[
            R::Terminal,
            R::Timeout,
            R::LinkLost,
            R::Undelivered,
            R::BadAnswer,
            R::Restart,
            R::Contradiction,
            R::Issuer,
        ][..],
    )
}

fn told() -> impl Strategy<Value = Told> {
    (of(select(InternalCause::ALL)), of(code())).prop_map(|(cause, code)| Told { cause, code })
}

fn approval_code() -> impl Strategy<Value = ApprovalCode> {
    any::<[u8; 6]>().prop_map(ApprovalCode)
}

fn pan() -> impl Strategy<Value = Pan> {
    vec(0_u8..10, 8..=19).prop_map(|digits| {
        let digits: Vec<u8> = digits.iter().map(|digit| digit + b'0').collect();
        Pan::new(&digits).unwrap()
    })
}

fn expiry() -> impl Strategy<Value = Expiry> {
    (0..100_u16, 1..=12_u16).prop_map(|(year, month)| Expiry::new(year * 100 + month).unwrap())
}

fn original() -> impl Strategy<Value = OriginalRef> {
    (slot(), check(), check(), any::<u8>()).prop_map(|(slot, repeat, alias, class)| OriginalRef {
        slot,
        repeat,
        alias,
        class,
    })
}

fn money() -> impl Strategy<Value = (Minor, Currency)> {
    (amount(), currency())
}

prop_compose! {
    fn named()(
        mti in mti(), kind in select(Kind::ALL), stan in stan(), pan in of(pan()), token in any::<[u8; 16]>(),
        (amount, currency) in money(), billing in of(money()), acquirer in text::<11>(),
        terminal in text::<16>(), merchant in text::<15>(), processing_code in 0..1_000_000_u32,
    ) -> Request {
        let mut request = Request::new(mti, kind, stan);
        (request.pan, request.token) = (pan, CardToken(token));
        (request.amount, request.currency) = (amount, currency);
        (request.billing_amount, request.billing_currency) = billing.unwrap_or_default();
        (request.acquirer, request.terminal, request.merchant) = (acquirer, terminal, merchant);
        request.processing_code = ProcessingCode(processing_code);
        request
    }
}

prop_compose! {
    /// A request as an INTENT can keep it.
    pub(crate) fn request()(
        named in named(), transmission in any::<u32>(), local_time in prop_oneof![0..240_000_u32, Just(u32::MAX)],
        local_date in 0..1232_u16, expiry in of(expiry()), entry_mode in any::<u16>(), condition in any::<u8>(),
        function in any::<u8>(), batch in 0..1_000_000_u32, flags in any::<u16>(),
        (slot, repeat, alias) in (slot(), check(), check()), rrn in of(any::<[u8; 12]>()),
    ) -> Request {
        let mut request = named;
        request.transmission = TransmissionTime(transmission);
        (request.local_time, request.local_date, request.expiry) = (local_time, local_date, expiry);
        (request.entry_mode, request.condition) = (EntryMode(entry_mode), condition);
        (request.function, request.batch, request.flags) = (function, batch, Flags(flags));
        (request.slot, request.repeat, request.alias) = (slot, repeat, alias);
        request.rrn = rrn.map(Rrn::new);
        request
    }
}

prop_compose! {
    fn advised()(stan in stan(), transmission in any::<u32>()) -> Advised {
        Advised { stan, transmission: TransmissionTime(transmission) }
    }
}

prop_compose! {
    fn named_original()(
        mti in mti(), stan in stan(), transmission in any::<u32>(), batch in 0..1_u32 << 24, local_date in any::<u16>(),
    ) -> NamedOriginal {
        let (transmission, acquirer) = (TransmissionTime(transmission), Text::EMPTY);
        NamedOriginal { mti, stan, transmission, acquirer, batch, local_date }
    }
}

prop_compose! {
    pub(crate) fn intent()(
        serial in serial(), wall_ms in wall(), (issuer, link) in any::<(u32, u32)>(), stan in stan(),
        transmission in any::<u32>(), rrn in any::<[u8; 12]>(), days in any::<(u16, u16)>(),
        calendars in any::<(u32, u32)>(), charged in any::<u8>(), listener in any::<u16>(), request in request(),
        original in of(original()), foreign in any::<bool>(), named in of(named_original()),
    ) -> Intent {
        Intent {
            serial, wall_ms, issuer, link, stan, transmission: TransmissionTime(transmission), rrn: Rrn::new(rrn),
            issuer_day: BusinessDay(days.0), acquirer_day: BusinessDay(days.1),
            issuer_calendar: calendars.0, acquirer_calendar: calendars.1, charged: Charged(charged), foreign, listener,
            request: Request { original, ..request },
            named: named.map(|named| NamedOriginal { acquirer: request.acquirer, ..named }),
        }
    }
}

/// What an OUTCOME has room for.
fn short_code() -> impl Strategy<Value = ResponseCode> {
    "[0-9A-Z]{1,3}".prop_map(|code| ResponseCode::of(&code))
}

prop_compose! {
    pub(crate) fn outcome()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
        state in state(), told in told(), approval_code in of(approval_code()), approved_amount in of(amount()),
        reason in of(reason()), approval_seen in any::<bool>(), terminal_reason in of(short_code()),
        arpc in of(vec(any::<u8>(), 8..=Arpc::MAX)), advised in of(advised()),
    ) -> Outcome {
        Outcome {
            serial, slot, repeat, intent_lsn, wall_ms, state, told, approval_code, approved_amount, reason,
            approval_seen, terminal_reason, arpc: arpc.and_then(|value| Arpc::new(&value)), advised,
        }
    }
}

fn charge() -> impl Strategy<Value = Charge> {
    (any::<u128>(), any::<u16>(), amount()).prop_map(|(key, day, amount)| Charge {
        key: LimitKey(key),
        day: BusinessDay(day),
        amount,
    })
}

prop_compose! {
    fn reverse()(
        intent_lsn in lsn(), reason in reason(), terminal_reason in of(code()), told in told(),
        approval_seen in any::<bool>(), charges in vec(charge(), 0..=4), resolves in serial(),
        part in of((amount(), amount()).prop_map(|(before, stays)| Part { before, stays })),
        issuer in any::<u32>(), owner in any::<u64>(), token in any::<[u8; 16]>().prop_map(CardToken),
        advised in of(advised()), (advice_first, first_reason) in (any::<bool>(), of(reason())),
        alone in any::<bool>(),
    ) -> Unsettled {
        let charges: Charges = charges.into_iter().collect();
        Unsettled::Reverse {
            intent_lsn, reason, terminal_reason, told, approval_seen, charges, part, issuer, owner, token, resolves,
            advised, advice_first, first_reason, request_only: alone && part.is_none(),
        }
    }
}

prop_compose! {
    fn resolve()(
        original in original(), terminal_reason in of(code()), (amount, currency) in money(), stan in stan(),
        batch in 0..1_000_000_u32, acquirer in text::<11>(), terminal in text::<16>(), merchant in text::<15>(),
    ) -> Unsettled {
        Unsettled::Resolve(Resolve {
            original, terminal_reason, amount, currency, stan, batch, acquirer, terminal, merchant,
        })
    }
}

prop_compose! {
    pub(crate) fn obligation()(
        serial in serial(), slot in slot(), repeat in check(), wall_ms in wall(),
        owed in prop_oneof![reverse(), resolve()],
    ) -> Obligation {
        Obligation { serial, slot, repeat, wall_ms, owed }
    }
}

prop_compose! {
    pub(crate) fn ack()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
        state in state(), code in of(code()), told in told(), approval_code in of(approval_code()),
        amount in of(amount()), refused in any::<bool>(), advised in of(advised()),
    ) -> Ack {
        Ack { serial, slot, repeat, intent_lsn, wall_ms, state, code, told, approval_code, amount, refused, advised }
    }
}

prop_compose! {
    pub(crate) fn tombstone()(
        serial in serial(), original in original(), wall_ms in wall(), owner in any::<u64>(), batch in any::<u32>(),
    ) -> Tombstone {
        Tombstone { serial, original, wall_ms, owner, batch }
    }
}

prop_compose! {
    pub(crate) fn refused()(
        wall_ms in wall(), mti in mti(), kind in select(Kind::ALL), told in told(), issuer in any::<u32>(),
        stan in stan(), (amount, currency) in money(), token in any::<[u8; 16]>(), batch in 0..1_000_000_u32,
        remaining in amount(), (acquirer, terminal, merchant) in (text::<11>(), text::<16>(), text::<15>()),
    ) -> Refused {
        let token = CardToken(token);
        Refused {
            wall_ms, mti, kind, told, issuer, stan, amount, currency, token, batch, remaining, acquirer, terminal, merchant,
        }
    }
}

prop_compose! {
    pub(crate) fn late()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
        verdict in verdict(), code in of(code()), approval_code in of(approval_code()), amount in of(amount()),
    ) -> Late {
        Late { serial, slot, repeat, intent_lsn, wall_ms, verdict, code, approval_code, amount }
    }
}

prop_compose! {
    pub(crate) fn linked()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
        taken_back in any::<bool>(), taken in amount(), voided in any::<bool>(), completed in any::<bool>(),
        (told, approval_code, approved_amount) in (told(), of(approval_code()), of(amount())),
        operation in serial(), charges in vec(charge(), 0..=4), advised in of(advised()),
    ) -> Linked {
        let (drawn, charges) = (Drawn { taken, voided, completed }, charges.into_iter().collect());
        Linked {
            serial, slot, repeat, intent_lsn, wall_ms, taken_back, drawn, told, approval_code, approved_amount, operation,
            charges, advised,
        }
    }
}

fn side() -> impl Strategy<Value = Side> {
    (amount(), 0..1_u32 << 24).prop_map(|(amount, count)| Side { amount, count })
}

fn totals() -> impl Strategy<Value = BatchTotals> {
    let group = || (side(), side()).prop_map(|(debits, credits)| Totals { debits, credits });
    (group(), group()).prop_map(|(domestic, others)| [domestic, others])
}

fn who() -> impl Strategy<Value = Who> {
    (text::<11>(), text::<16>(), text::<15>()).prop_map(|(acquirer, terminal, merchant)| Who {
        acquirer,
        terminal,
        merchant,
    })
}

fn compared() -> impl Strategy<Value = Compared> {
    select(&[Compared::Equal, Compared::Different, Compared::Failed][..])
}

fn batch_what() -> impl Strategy<Value = BatchWhat> {
    let settled = (who(), compared(), compared(), any::<u16>(), totals(), totals());
    let line = || (0..1_000_000_u32, amount()).prop_map(|(stan, amount)| UploadLine { stan, amount });
    prop_oneof![
        settled.prop_map(|(who, one, other, day, theirs, ours)| {
            BatchWhat::Settled { who, results: [one, other], day: BusinessDay(day), theirs, ours }
        }),
        (who(), vec(line(), 0..=UPLOAD_LINES_MAX)).prop_map(|(who, given)| {
            let mut lines = [UploadLine::default(); UPLOAD_LINES_MAX];
            lines[..given.len()].copy_from_slice(&given);
            BatchWhat::Lines { who, lines, count: given.len() as u8 }
        }),
        (who(), 0..1_u32 << 24, any::<bool>()).prop_map(|(who, count, equal)| BatchWhat::End {
            who,
            count,
            equal
        }),
        (any::<bool>(), any::<bool>(), amount(), serial()).prop_map(|(foreign, debit, amount, serial)| {
            let side = if debit { BatchSide::Debit } else { BatchSide::Credit };
            BatchWhat::Withdrawn { foreign, side, amount, serial }
        }),
    ]
}

prop_compose! {
    pub(crate) fn batch()(
        wall_ms in wall(), owner in any::<u64>(), batch in 0..1_u32 << 24, what in batch_what(),
    ) -> Batch {
        Batch { wall_ms, owner, batch, what }
    }
}

prop_compose! {
    pub(crate) fn unmatched()(
        wall_ms in wall(), link in any::<u32>(), mti in mti(), stan in stan(), transmission in any::<u32>(),
        verdict in verdict(), reason in select(&[
            UnmatchedReason::NoSuchRequest, UnmatchedReason::NoStan, UnmatchedReason::NoTransmission,
            UnmatchedReason::NoTerminal, UnmatchedReason::WrongClass,
        ][..]),
        code in of(code()), amount in amount(), terminal in text::<16>(),
    ) -> Unmatched {
        let transmission = TransmissionTime(transmission);
        Unmatched { wall_ms, link, mti, stan, transmission, verdict, reason, code, amount, terminal }
    }
}

prop_compose! {
    pub(crate) fn undelivered()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
    ) -> Undelivered {
        Undelivered { serial, slot, repeat, intent_lsn, wall_ms }
    }
}

prop_compose! {
    pub(crate) fn parked()(
        serial in serial(), slot in slot(), repeat in check(), intent_lsn in lsn(), wall_ms in wall(),
        answers in 0..128_u8, code in of(code()), told in told(), advice in any::<bool>(),
    ) -> Parked {
        Parked { serial, slot, repeat, intent_lsn, wall_ms, answers, code, told, advice }
    }
}

pub(crate) fn day() -> impl Strategy<Value = Day> {
    (wall(), any::<u32>(), any::<u16>()).prop_map(|(wall_ms, calendar, day)| Day {
        wall_ms,
        calendar,
        day: BusinessDay(day),
    })
}
