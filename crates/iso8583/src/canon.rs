//! Messages to what the engine knows: [`Request`] and [`Answer`], the same whatever dialect brought them.
//! Never keeps track data, PIN or chip data. Guards: a request that comes out had MTI, STAN and (where a terminal
//! speaks) terminal that could be read; keys are computed here and nowhere else.

use crate::dialect::{Dialect, Part, Reference};
use crate::error::DecodeError;
use crate::index::Index;
use crate::keys::{KeyParts, KeyValues, named_acquirer};
use crate::tlv::find_ber;
use crate::view::View;
use terms::{
    Answer, ApprovalCode, Arpc, Check, Currency, EntryMode, Expiry, Flags, Kind, Minor, OriginalRef, Pan,
    ProcessingCode, Request, ResponseCode, Rrn, SlotKey, Stan, Text, TransmissionTime,
};

/// Data of the chip, and the issuer's cryptogram in it (EMV book 3, annex A).
pub(crate) const CHIP: u8 = 55;
pub(crate) const ARPC: &[u8] = &[0x91];

/// What a listener knows that a message may leave out.
#[derive(Clone, Copy, Debug, Default)]
pub struct CanonDefaults {
    /// The acquirer of messages without DE 32.
    pub acquirer: Text<11>,
}

/// The request in `bytes`, which `index` was filled from. `token` is left for the holder of the key.
///
/// # Errors
/// A missing or zero STAN, a missing terminal where one speaks, a field whose value means nothing.
#[inline]
pub fn request(
    dialect: &Dialect,
    defaults: &CanonDefaults,
    bytes: &[u8],
    index: &Index,
) -> Result<Request, DecodeError> {
    let view = View::new(dialect, bytes, index);
    let request = any_request(&view, defaults)?;
    // Acquirers and issuers keep a line alive without being a terminal.
    let speaks_for_terminal = matches!(request.mti.class_digit(), 1 | 2 | 4);
    if speaks_for_terminal && request.terminal.trimmed().is_empty() {
        return Err(DecodeError::missing(&view, 41, "a terminal"));
    }
    Ok(request)
}

/// As [`request`], an issuer's own: it may know a transaction by our numbers alone, without a terminal.
///
/// # Errors
/// As [`request`], but for the terminal.
pub fn issuers_request(dialect: &Dialect, bytes: &[u8], index: &Index) -> Result<Request, DecodeError> {
    any_request(&View::new(dialect, bytes, index), &CanonDefaults::default())
}

/// Our STAN and DE 7 of the message that DE 90 is about, if it says both.
pub fn named_number(dialect: &Dialect, bytes: &[u8], index: &Index) -> Option<(Stan, TransmissionTime)> {
    let named = OriginalData::read(&View::new(dialect, bytes, index), dialect.roles.original_data)?;
    Some((Stan::new(named.stan)?, TransmissionTime(named.transmission))).filter(|(_, at)| at.0 != 0)
}

#[inline]
fn any_request(view: &View<'_>, defaults: &CanonDefaults) -> Result<Request, DecodeError> {
    let (dialect, index) = (view.dialect, view.index);
    let mut request = Request::new(index.mti(), Kind::Unknown, stan(view)?);
    numbers(view, &mut request)?;
    card(view, &mut request)?;
    parties(view, defaults, &mut request);
    request.flags = flags(view, &request);
    let code = request.processing_code.kind();
    request.kind = dialect.kind(request.mti, code, request.condition, request.function, request.network_code);
    keys(view, &mut request);
    Ok(request)
}

/// The answer in `bytes`, which `index` was filled from.
///
/// # Errors
/// A missing or zero STAN, a field whose value means nothing.
#[inline]
pub fn answer(dialect: &Dialect, bytes: &[u8], index: &Index) -> Result<Answer, DecodeError> {
    let view = View::new(dialect, bytes, index);
    let roles = &dialect.roles;
    let code =
        view.text::<4>(roles.code).and_then(|code| ResponseCode::new(code.as_bytes())).unwrap_or_default();
    let mut answer = Answer::new(index.mti(), stan(&view)?, code);
    answer.transmission = TransmissionTime(view.number(7).unwrap_or(0) as u32);
    answer.approval_code = view.text::<6>(roles.approval_code).and_then(approval_code);
    if let Some(chip) = index.raw(CHIP, bytes) {
        answer.arpc = find_ber(chip, ARPC).and_then(Arpc::new);
    }
    answer.pan = if view.has(2) { Some(pan(&view)?) } else { None };
    answer.processing_code = view.number(3).map(|code| ProcessingCode(code as u32));
    answer.amount = amount(&view, 4)?;
    answer.currency = currency(&view, 49)?;
    answer.rrn = rrn(&view);
    answer.terminal = view.text(41);
    answer.merchant = view.text(42);
    answer.batch = role(&view, roles.batch).map(|batch| batch as u32);
    answer.network_code = role(&view, roles.network_code).map(|code| code as u16);
    Ok(answer)
}

fn stan(view: &View<'_>) -> Result<Stan, DecodeError> {
    let value = view.number(11).and_then(|value| u32::try_from(value).ok());
    value.and_then(Stan::new).ok_or_else(|| DecodeError::missing(view, 11, "a number 1 to 999999"))
}

#[inline]
fn numbers(view: &View<'_>, request: &mut Request) -> Result<(), DecodeError> {
    let roles = &view.dialect.roles;
    let small = |n: u8, absent: u32| view.number(n).map_or(absent, |value| value as u32);
    request.processing_code = ProcessingCode(small(3, 0));
    request.amount = amount(view, 4)?.unwrap_or(0);
    request.currency = currency(view, 49)?.unwrap_or(Currency::NONE);
    if view.has(6) {
        request.billing_amount = amount(view, 6)?.unwrap_or(0);
        request.billing_currency = currency(view, 51)?.unwrap_or(Currency::NONE);
    }
    request.transmission = TransmissionTime(small(7, 0));
    request.local_time = small(12, u32::MAX);
    request.local_date = small(13, 0) as u16;
    request.entry_mode = EntryMode(small(22, 0) as u16);
    request.condition = small(25, u32::from(u8::MAX)) as u8;
    request.function = role(view, roles.function).unwrap_or(0) as u8;
    request.batch = role(view, roles.batch).unwrap_or(0) as u32;
    request.network_code = role(view, roles.network_code).unwrap_or(0) as u16;
    if view.has(95) {
        request.replacement_amount = replacement(view)?;
    }
    Ok(())
}

/// DE 95 holds four amounts; the first, n 12, is what the transaction is to be instead.
fn replacement(view: &View<'_>) -> Result<Minor, DecodeError> {
    let first = view.part_number(Part { field: 95, from: 0, len: 12 });
    let bad = || DecodeError::value(view, 95, "an amount in its first 12 digits");
    first.map(|value| value as Minor).ok_or_else(bad)
}

fn amount(view: &View<'_>, n: u8) -> Result<Option<Minor>, DecodeError> {
    let Some(value) = view.number(n) else { return Ok(None) };
    let bad = || DecodeError::value(view, n, "an amount of at most 12 digits");
    Minor::try_from(value).ok().filter(|value| *value <= terms::money::AMOUNT_MAX).map(Some).ok_or_else(bad)
}

fn currency(view: &View<'_>, n: u8) -> Result<Option<Currency>, DecodeError> {
    if !view.has(n) {
        return Ok(None);
    }
    let code = view.number(n).and_then(|code| Currency::new(code as u16));
    let bad = || DecodeError::value(view, n, "a numeric currency code");
    code.map(Some).ok_or_else(bad)
}

#[inline]
fn card(view: &View<'_>, request: &mut Request) -> Result<(), DecodeError> {
    if view.has(2) {
        request.pan = Some(pan(view)?);
    }
    if let Some(yymm) = view.number(14).filter(|yymm| *yymm != 0) {
        let bad = || DecodeError::value(view, 14, "a year and a month");
        request.expiry = Some(Expiry::new(yymm as u16).ok_or_else(bad)?);
    }
    if view.has(35) && (request.pan.is_none() || request.expiry.is_none()) {
        from_track(view, request)?;
    }
    Ok(())
}

#[inline]
fn pan(view: &View<'_>) -> Result<Pan, DecodeError> {
    let len = view.index.units(2).unwrap_or(0) as u8;
    let bad = || DecodeError::value(view, 2, "a card number of 8 to 19 digits");
    view.number(2).and_then(|value| Pan::from_parts(value, len)).ok_or_else(bad)
}

/// Track 2: card number, separator, expiry.
fn from_track(view: &View<'_>, request: &mut Request) -> Result<(), DecodeError> {
    let mut track = [0; 40];
    let bad = || DecodeError::value(view, 35, "a card number of 8 to 19 digits");
    let len = view.content(35, &mut track).ok_or_else(bad)?;
    let track = &track[..len];
    let separator = track.iter().position(|byte| matches!(byte, b'=' | b'D')).unwrap_or(len);
    if request.pan.is_none() {
        request.pan = Some(Pan::new(&track[..separator]).ok_or_else(bad)?);
    }
    if request.expiry.is_none()
        && let Some(yymm) = track.get(separator + 1..separator + 5)
        && yymm.iter().all(u8::is_ascii_digit)
    {
        request.expiry = Expiry::new(crate::number::characters(yymm) as u16);
    }
    Ok(())
}

#[inline]
fn parties(view: &View<'_>, defaults: &CanonDefaults, request: &mut Request) {
    let roles = &view.dialect.roles;
    let named = if roles.acquirer == 0 { None } else { view.text(roles.acquirer) };
    request.acquirer = named.filter(|named| !named.trimmed().is_empty()).unwrap_or(defaults.acquirer);
    request.terminal = view.text(41).unwrap_or(Text::EMPTY);
    request.merchant = view.text(42).unwrap_or(Text::EMPTY);
    request.rrn = rrn(view);
    request.reason = view.text::<4>(roles.code).and_then(|code| ResponseCode::new(code.as_bytes()));
}

fn rrn(view: &View<'_>) -> Option<Rrn> {
    let text = view.text::<12>(view.dialect.roles.rrn)?;
    text.as_bytes().try_into().ok().map(Rrn::new)
}

fn approval_code(text: Text<6>) -> Option<ApprovalCode> {
    text.as_bytes().try_into().ok().map(ApprovalCode)
}

fn role(view: &View<'_>, part: Option<Part>) -> Option<u64> {
    part.and_then(|part| view.part_number(part))
}

#[inline]
fn flags(view: &View<'_>, request: &Request) -> Flags {
    let mut flags = Flags(0);
    let mut set = |there: bool, flag: Flags| {
        if there {
            flags = flags.with(flag);
        }
    };
    set(view.has(52), Flags::PIN);
    set(view.has(35) || view.has(36) || view.has(45), Flags::TRACK);
    set(view.has(55), Flags::CHIP);
    set(view.has(64) || view.has(128), Flags::MAC);
    set(view.has(95), Flags::REPLACEMENT);
    set(view.has(4), Flags::AMOUNT);
    let _ = request;
    flags
}

/// Slot, repeat and alias of this request, and the original that it means.
#[inline]
fn keys(view: &View<'_>, request: &mut Request) {
    let rules = &view.dialect.keys;
    let (acquirer, terminal, merchant) = (request.acquirer, request.terminal, request.merchant);
    let values = KeyValues {
        acquirer: named_acquirer(&acquirer),
        terminal: terminal.trimmed(),
        merchant: merchant.trimmed(),
        batch: request.batch,
        stan: request.stan.get(),
        local_time: request.local_time,
        local_date: request.local_date,
        transmission: request.transmission.0,
        class: request.mti.class_digit(),
    };
    request.slot = values.slot(rules.slot);
    request.repeat = values.repeat(rules.repeat);
    request.alias = values.alias(rules.alias);
    let ways = match request.kind {
        Kind::Reversal => &rules.reversal,
        Kind::PurchaseVoid | Kind::PreAuthCancel | Kind::Completion | Kind::CompletionVoid => &rules.related,
        Kind::CompletionAdvice | Kind::Adjustment | Kind::Refund => &rules.related,
        _ => return,
    };
    request.original = ways.iter().find_map(|way| original(view, request, &values, *way));
}

/// Where a transaction lives that came in `dialect`, by what an issuer says of it: DE 32, 41 and 42 as they were, the
/// terminal's `stan`, and the batch number that no issuer knows (left out where the dialect has none).
pub fn slot_named(dialect: &Dialect, said: &Request, stan: u32, batch: u32) -> SlotKey {
    let values = KeyValues {
        acquirer: named_acquirer(&said.acquirer),
        terminal: said.terminal.trimmed(),
        merchant: said.merchant.trimmed(),
        batch,
        stan,
        local_time: said.local_time,
        local_date: said.local_date,
        transmission: 0,
        class: 0,
    };
    values.slot(dialect.keys.slot)
}

/// The original by one way of naming it; `None` if the message does not use that way.
fn original(view: &View<'_>, request: &Request, own: &KeyValues<'_>, way: Reference) -> Option<OriginalRef> {
    let (rules, roles) = (&view.dialect.keys, &view.dialect.roles);
    let by_stan = |values: &KeyValues<'_>, alias: KeyParts, class: u8| OriginalRef {
        slot: values.slot(rules.slot),
        repeat: Check::ANY,
        alias: values.alias(alias),
        class,
    };
    match way {
        Reference::None => None,
        Reference::SameKey => Some(by_stan(own, KeyParts::default(), 0)),
        Reference::OurRrn => {
            let stan = request.rrn?.stan().filter(|stan| *stan != 0)?;
            Some(by_stan(&KeyValues { stan, ..*own }, KeyParts::default(), 0))
        }
        Reference::BatchAndStan => {
            let batch = view.part_number(roles.original_batch?)? as u32;
            let stan = view.part_number(roles.original_stan?)? as u32;
            Some(by_stan(&KeyValues { batch, stan, ..*own }, KeyParts::default(), 0))
        }
        Reference::OriginalData => {
            let named = OriginalData::read(view, roles.original_data)?;
            let acquirer = match named_acquirer(&named.acquirer) {
                [] => own.acquirer,
                named => named,
            };
            let values = KeyValues { acquirer, stan: named.stan, transmission: named.transmission, ..*own };
            Some(by_stan(&values, rules.alias, named.class))
        }
    }
}

/// DE 90: MTI 4, STAN 6, DE 7 10, acquirer 11, forwarder 11 digits.
struct OriginalData {
    class: u8,
    stan: u32,
    transmission: u32,
    acquirer: Text<11>,
}

impl OriginalData {
    fn read(view: &View<'_>, field: u8) -> Option<Self> {
        let number = |from, len| view.part_number(Part { field, from, len });
        let stan = number(4, 6)? as u32;
        let mut acquirer = [0; 11];
        let len = view.part(Part { field, from: 20, len: 11 }, &mut acquirer)?;
        Some(Self {
            class: (number(0, 4)? / 100 % 10) as u8,
            stan: (stan != 0).then_some(stan)?,
            transmission: number(10, 10)? as u32,
            acquirer: Text::new(&acquirer[..len])?,
        })
    }
}

/// What of a malformed message can still be believed: enough to answer it with 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// A request's.
    pub mti: terms::Mti,
    /// DE 11.
    pub stan: Stan,
    /// DE 41.
    pub terminal: Text<16>,
}

/// Reads MTI, STAN and terminal out of bytes that [`crate::decode`] refused, as far as lengths can be followed.
/// `None` if one of them cannot be trusted, or if this is no request: then there is nothing to answer.
pub fn trusted(dialect: &Dialect, bytes: &[u8]) -> Option<Trusted> {
    let mut index = Index::new();
    if !crate::decode::salvage(dialect, bytes, &mut index) || !index.mti().is_request() {
        return None;
    }
    let view = View::new(dialect, bytes, &index);
    let terminal: Text<16> = view.text(41)?;
    let known = matches!(index.mti().class_digit(), 1..=6 | 8);
    let trusted = Trusted { mti: index.mti(), stan: stan(&view).ok()?, terminal };
    (known && !terminal.trimmed().is_empty()).then_some(trusted)
}
