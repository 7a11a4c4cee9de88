//! INTENT: what is about to be sent to an issuer, complete enough to reverse, replay and un-charge it without configuration.
//! Never holds a card number in its payload (that is the sealed secret), nor track or PIN data at all; chip data only of a notice of
//! script results, whose content it is, sealed and without what is a card's secret.
//! Guards: at most 184 bytes for a request without an original, so that record and header fit 192.

use super::wire::{Pen, Reading, flag};
use super::{Damaged, INTENT, Record, Serial};
use crate::flow::NamedOriginal;
use journal::{Frame, Kind, Lsn};
use limits::{Charge, LimitKey, Rule, Scope};
use terms::{
    BusinessDay, CardToken, Check, Currency, EntryMode, Expiry, Flags, Mti, OriginalRef, Pan, ProcessingCode,
    Request, Rrn, SlotKey, Stan, TransmissionTime,
};

/// In which money a counter was charged; two bits of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ChargedIn {
    /// DE 4, on the holder's own counter.
    Amount = 1,
    /// DE 6, on the holder's own counter.
    Billing = 2,
    /// DE 4, on the holder's counter of that currency.
    Apart = 3,
}

impl ChargedIn {
    /// What [`Rule::demand`] charges under `rule` for an amount and a billing amount in these currencies.
    pub fn under(rule: &Rule, amount: Currency, billing: Currency) -> Self {
        match rule.ceilings().currency {
            own if own == amount => Self::Amount,
            own if own == billing => Self::Billing,
            _ => Self::Apart,
        }
    }
}

/// Which counters were charged and in which money: two bits per scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charged(pub u8);

impl Charged {
    /// No counter.
    pub const NONE: Self = Self(0);

    /// With one more scope.
    #[must_use]
    pub const fn with(self, scope: Scope, charged_in: ChargedIn) -> Self {
        Self(self.0 | (charged_in as u8) << (2 * scope as u8))
    }

    /// How `scope` was charged; `None` if it was not.
    pub const fn of(self, scope: Scope) -> Option<ChargedIn> {
        match self.0 >> (2 * scope as u8) & 3 {
            1 => Some(ChargedIn::Amount),
            2 => Some(ChargedIn::Billing),
            3 => Some(ChargedIn::Apart),
            _ => None,
        }
    }
}

/// One INTENT.
///
/// Of `request` everything is kept but the network code, the reason and the replacement amount: kinds that carry those
/// (0800, 0400) never have an INTENT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intent {
    /// The transaction's number for ever.
    pub serial: Serial,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// `stable_id` of the issuer's name.
    pub issuer: u32,
    /// `stable_id` of "issuer/link".
    pub link: u32,
    /// Our STAN on that link.
    pub stan: Stan,
    /// Our DE 7 on that link.
    pub transmission: TransmissionTime,
    /// Our DE 37.
    pub rrn: Rrn,
    /// Business day of card and issuer counters.
    pub issuer_day: BusinessDay,
    /// Business day of merchant and terminal counters.
    pub acquirer_day: BusinessDay,
    /// `stable_id` of the issuer's calendar.
    pub issuer_calendar: u32,
    /// `stable_id` of the acquirer's calendar.
    pub acquirer_calendar: u32,
    /// What was reserved.
    pub charged: Charged,
    /// Not a domestic card: it has totals of its own in its batch.
    pub foreign: bool,
    /// Listener it came through, in the order of the configuration of that time.
    pub listener: u16,
    /// The terminal's request. After reading without the secret its card number is absent.
    pub request: Request,
    /// How the issuer knows the original of an advice, which is sent when that may be long gone.
    pub named: Option<NamedOriginal>,
}

/// Length of the sealed part: the card number as an integer, and its count of digits.
pub const SECRET_BYTES: usize = 9;

const HAS_BILLING: u8 = 1;
const HAS_RRN: u8 = 2;
const HAS_ORIGINAL: u8 = 4;
const IS_FOREIGN: u8 = 8;
const HAS_NAMED: u8 = 16;
/// Where the names of a transaction are in the payload.
const ISSUER_AT: usize = 56;
const STAN_AT: usize = 64;
const TRANSMISSION_AT: usize = 68;
const RRN_AT: usize = 116;
const NO_TIME: u32 = 0xFF_FFFF;
const ORIGINAL_BYTES: usize = 17;
const RRN_BYTES: usize = 12;
const NAMED_BYTES: usize = 14;

/// Longest payload of a request that names no original and brings no RRN.
pub const INTENT_BYTES_MAX: usize = 128 + 11 + 16 + 15 + 8;
const _: () = assert!(INTENT_BYTES_MAX <= 184, "an INTENT and its header fit 192 bytes");

impl Intent {
    /// The card number for the sealed part; `None` for the rare request without a card.
    pub fn secret(&self) -> Option<[u8; SECRET_BYTES]> {
        let (value, len) = self.request.pan?.parts();
        let mut secret = [len; SECRET_BYTES];
        secret[..8].copy_from_slice(&value.to_le_bytes());
        Some(secret)
    }

    /// Appends the record and its sealed card number.
    pub fn append(&self, frame: &mut Frame, token: u64) {
        let secret = self.secret();
        frame.append(INTENT, token, secret.as_ref().map(|secret| &secret[..]), |out| self.write(out));
    }

    /// The same with what it carries, sealed behind the card number.
    /// # Panics
    /// If `content` is longer than [`crate::CONTENT_MAX`].
    pub fn append_with(&self, frame: &mut Frame, token: u64, content: &[u8]) {
        if content.is_empty() {
            return self.append(frame, token);
        }
        let end = SECRET_BYTES + content.len();
        let mut secret = [0; journal::SECRET_MAX];
        secret[..SECRET_BYTES].copy_from_slice(&self.secret().unwrap_or_default());
        secret[SECRET_BYTES..end].copy_from_slice(content);
        frame.append(INTENT, token, Some(&secret[..end]), |out| self.write(out));
    }

    /// What an opened secret holds behind the card number.
    pub fn content(secret: &[u8]) -> &[u8] {
        secret.get(SECRET_BYTES..).unwrap_or_default()
    }

    /// Reads a payload and its opened secret (empty if it could not or need not be opened: then `pan` is `None`).
    /// # Errors
    /// [`Damaged`] where the bytes are not what [`Record::write`] wrote.
    pub fn read(payload: &[u8], secret: &[u8]) -> Result<Self, Damaged> {
        let mut intent = <Self as Record>::read(payload)?;
        intent.request.pan = pan_of(secret)?;
        Ok(intent)
    }

    /// The canonical request, as it was admitted.
    pub fn request(&self) -> Request {
        self.request
    }

    /// What was charged to which counter: what a release must give back.
    pub fn charges(&self) -> impl Iterator<Item = Charge> + '_ {
        Scope::ALL.into_iter().filter_map(|scope| Some(self.charge(scope, self.charged.of(scope)?)))
    }

    /// What is held since the INTENT: nothing for a type that posts its charges when it is approved.
    pub fn held(&self) -> impl Iterator<Item = Charge> + '_ {
        self.charges().filter(|_| !self.request.kind.posts_on_approval())
    }

    /// What is charged when stand-in approves it: its own counter of the card.
    pub fn stand_in(&self) -> Charge {
        let key = LimitKey::stand_in(&self.request.token, self.issuer_calendar);
        Charge { key, day: self.issuer_day, amount: self.request.amount }
    }

    fn charge(&self, scope: Scope, charged_in: ChargedIn) -> Charge {
        let day = match scope {
            Scope::Card | Scope::Issuer => self.issuer_day,
            Scope::Merchant | Scope::Terminal => self.acquirer_day,
        };
        let key = self.limit_key(scope);
        match charged_in {
            ChargedIn::Amount => Charge { key, day, amount: self.request.amount },
            ChargedIn::Billing => Charge { key, day, amount: self.request.billing_amount },
            ChargedIn::Apart => {
                Charge { key: key.in_currency(self.request.currency), day, amount: self.request.amount }
            }
        }
    }

    fn limit_key(&self, scope: Scope) -> LimitKey {
        let (acquirer, merchant) = (self.request.acquirer.as_bytes(), self.request.merchant.as_bytes());
        let terminal = self.request.terminal.as_bytes();
        match scope {
            Scope::Card => LimitKey::card(&self.request.token, self.issuer_calendar),
            Scope::Merchant => LimitKey::merchant(acquirer, merchant, self.acquirer_calendar),
            Scope::Terminal => LimitKey::terminal(acquirer, merchant, terminal, self.acquirer_calendar),
            Scope::Issuer => LimitKey::issuer(self.issuer, self.issuer_calendar),
        }
    }
}

impl Record for Intent {
    const KIND: Kind = INTENT;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<{ INTENT_BYTES_MAX + RRN_BYTES + ORIGINAL_BYTES + NAMED_BYTES }>::new();
        write_fixed(self, &mut pen);
        write_tail(&self.request, &mut pen);
        write_named(self.named.as_ref(), &mut pen);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(INTENT, payload);
        let (mut intent, has_named) = read_fixed(&mut reading)?;
        if has_named {
            intent.named = Some(read_named(&mut reading, &intent.request)?);
        }
        reading.end()?;
        Ok(intent)
    }

    fn transaction(&self) -> Option<(Serial, SlotKey, Check)> {
        Some((self.serial, self.request.slot, self.request.repeat))
    }

    fn intent(&self) -> Option<Lsn> {
        None
    }
}

/// Keys of what a payload is called, without reading the rest of it.
pub(super) fn names(payload: &[u8]) -> [Option<u64>; 2] {
    let number = |at: usize, len: usize| {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(payload.get(at..at + len)?);
        Some(u64::from_le_bytes(bytes))
    };
    let rrn = payload.get(RRN_AT..RRN_AT + RRN_BYTES).and_then(|bytes| bytes.try_into().ok());
    let stan = number(STAN_AT, 3).and_then(|stan| terms::Stan::new(stan as u32));
    let key = stan.zip(number(ISSUER_AT, 4)).zip(number(TRANSMISSION_AT, 4));
    let number =
        key.map(|((stan, issuer), at)| super::number_key(issuer as u32, stan, TransmissionTime(at as u32)));
    [rrn.map(|rrn| super::rrn_key(terms::Rrn::new(rrn))), number]
}

fn present(request: &Request) -> u8 {
    let billing = request.billing_amount != 0 || request.billing_currency != Currency::NONE;
    flag(billing, HAS_BILLING)
        | flag(request.rrn.is_some(), HAS_RRN)
        | flag(request.original.is_some(), HAS_ORIGINAL)
}

fn write_fixed<const N: usize>(intent: &Intent, pen: &mut Pen<N>) {
    let request = &intent.request;
    pen.u64(intent.serial.0);
    pen.u64(request.slot.0);
    pen.u32(request.repeat.0);
    pen.u32(request.alias.0);
    pen.wall(intent.wall_ms);
    pen.u8(request.kind.number());
    pen.u8(present(request) | flag(intent.foreign, IS_FOREIGN) | flag(intent.named.is_some(), HAS_NAMED));
    pen.array(request.token.0);
    pen.amount(request.amount);
    pen.u16(request.currency.numeric());
    pen.u32(intent.issuer);
    pen.u32(intent.link);
    pen.u24(intent.stan.get());
    pen.u8(request.condition);
    pen.u32(intent.transmission.0);
    pen.u32(intent.issuer_calendar);
    pen.u32(intent.acquirer_calendar);
    pen.u16(intent.issuer_day.0);
    pen.u16(intent.acquirer_day.0);
    pen.u8(intent.charged.0);
    pen.u8(request.function);
    pen.u16(request.mti.bcd());
    pen.u24(request.stan.get());
    pen.u8((request.acquirer.len() | request.merchant.len() << 4) as u8);
    pen.u32(request.transmission.0);
    pen.u24(if request.local_time == u32::MAX { NO_TIME } else { request.local_time });
    pen.u8(request.terminal.len() as u8);
    pen.u16(request.local_date);
    pen.u16(request.expiry.map_or(0, Expiry::yymm));
    pen.u16(request.entry_mode.0);
    pen.u16(request.flags.0);
    pen.u24(request.processing_code.0);
    pen.u16(intent.listener);
    pen.u24(request.batch);
    pen.array(*intent.rrn.as_bytes());
}

fn write_tail<const N: usize>(request: &Request, pen: &mut Pen<N>) {
    pen.bytes(request.acquirer.as_bytes());
    pen.bytes(request.terminal.as_bytes());
    pen.bytes(request.merchant.as_bytes());
    let present = present(request);
    if present & HAS_BILLING != 0 {
        pen.amount(request.billing_amount);
        pen.u16(request.billing_currency.numeric());
    }
    if let Some(rrn) = request.rrn {
        pen.array(*rrn.as_bytes());
    }
    if let Some(original) = request.original {
        write_original(&original, pen);
    }
}

/// Fourteen bytes; the acquirer is the advice's own.
fn write_named<const N: usize>(named: Option<&NamedOriginal>, pen: &mut Pen<N>) {
    if let Some(named) = named {
        pen.u16(named.mti.bcd());
        pen.u24(named.stan.get());
        pen.u32(named.transmission.0);
        pen.u24(named.batch);
        pen.u16(named.local_date);
    }
}

fn read_named(reading: &mut Reading<'_>, request: &Request) -> Result<NamedOriginal, Damaged> {
    let mti = Mti::new(reading.u16()?);
    Ok(NamedOriginal {
        mti: reading.expect(mti, "an MTI")?,
        stan: read_stan(reading)?,
        transmission: TransmissionTime(reading.u32()?),
        acquirer: request.acquirer,
        batch: reading.u24()?,
        local_date: reading.u16()?,
    })
}

/// Seventeen bytes: slot, repeat, alias, class.
pub(super) fn write_original<const N: usize>(original: &OriginalRef, pen: &mut Pen<N>) {
    pen.u64(original.slot.0);
    pen.u32(original.repeat.0);
    pen.u32(original.alias.0);
    pen.u8(original.class);
}

pub(super) fn read_original(reading: &mut Reading<'_>) -> Result<OriginalRef, Damaged> {
    Ok(OriginalRef {
        slot: SlotKey(reading.u64()?),
        repeat: Check(reading.u32()?),
        alias: Check(reading.u32()?),
        class: reading.u8()?,
    })
}

fn read_fixed(reading: &mut Reading<'_>) -> Result<(Intent, bool), Damaged> {
    let serial = Serial(reading.u64()?);
    let (slot, repeat, alias) = (SlotKey(reading.u64()?), Check(reading.u32()?), Check(reading.u32()?));
    let wall_ms = reading.wall()?;
    let kind = terms::Kind::from_number(reading.u8()?);
    let kind = reading.expect(kind, "a kind of transaction")?;
    let present = reading.u8()?;
    let token = CardToken(reading.array()?);
    let amount = reading.amount()?;
    let currency = read_currency(reading)?;
    let (issuer, link) = (reading.u32()?, reading.u32()?);
    let our_stan = read_stan(reading)?;
    let condition = reading.u8()?;
    let transmission = TransmissionTime(reading.u32()?);
    let (issuer_calendar, acquirer_calendar) = (reading.u32()?, reading.u32()?);
    let (issuer_day, acquirer_day) = (BusinessDay(reading.u16()?), BusinessDay(reading.u16()?));
    let charged = Charged(reading.u8()?);
    let function = reading.u8()?;
    let mti = Mti::new(reading.u16()?);
    let mti = reading.expect(mti, "an MTI")?;
    let stan = read_stan(reading)?;
    let mut request = Request::new(mti, kind, stan);
    request.condition = condition;
    request.function = function;
    (request.slot, request.repeat, request.alias) = (slot, repeat, alias);
    (request.token, request.amount, request.currency) = (token, amount, currency);
    let (listener, rrn) = read_terminal(reading, present, &mut request)?;
    let intent = Intent {
        serial,
        wall_ms,
        issuer,
        link,
        stan: our_stan,
        transmission,
        rrn,
        issuer_day,
        acquirer_day,
        issuer_calendar,
        acquirer_calendar,
        charged,
        foreign: present & IS_FOREIGN != 0,
        listener,
        request,
        named: None,
    };
    Ok((intent, present & HAS_NAMED != 0))
}

fn read_terminal(
    reading: &mut Reading<'_>,
    present: u8,
    request: &mut Request,
) -> Result<(u16, Rrn), Damaged> {
    let lengths = usize::from(reading.u8()?);
    request.transmission = TransmissionTime(reading.u32()?);
    let local_time = reading.u24()?;
    request.local_time = if local_time == NO_TIME { u32::MAX } else { local_time };
    let terminal_len = usize::from(reading.u8()?);
    request.local_date = reading.u16()?;
    let expiry = reading.u16()?;
    request.expiry = if expiry == 0 { None } else { Some(reading.expect(Expiry::new(expiry), "an expiry")?) };
    request.entry_mode = EntryMode(reading.u16()?);
    request.flags = Flags(reading.u16()?);
    request.processing_code = ProcessingCode(reading.u24()?);
    let listener = reading.u16()?;
    request.batch = reading.u24()?;
    let rrn = Rrn::new(reading.array()?);
    request.acquirer = reading.sized(lengths & 15)?;
    request.terminal = reading.sized(terminal_len)?;
    request.merchant = reading.sized(lengths >> 4)?;
    read_present(reading, present, request)?;
    Ok((listener, rrn))
}

fn read_present(reading: &mut Reading<'_>, present: u8, request: &mut Request) -> Result<(), Damaged> {
    if present & HAS_BILLING != 0 {
        request.billing_amount = reading.amount()?;
        request.billing_currency = read_currency(reading)?;
    }
    if present & HAS_RRN != 0 {
        request.rrn = Some(Rrn::new(reading.array()?));
    }
    if present & HAS_ORIGINAL != 0 {
        request.original = Some(read_original(reading)?);
    }
    let known = present & !(HAS_BILLING | HAS_RRN | HAS_ORIGINAL | IS_FOREIGN | HAS_NAMED) == 0;
    reading.expect(known.then_some(()), "no other optional part")
}

pub(super) fn read_currency(reading: &mut Reading<'_>) -> Result<Currency, Damaged> {
    let currency = Currency::new(reading.u16()?);
    reading.expect(currency, "a currency below 1000")
}

pub(super) fn read_stan(reading: &mut Reading<'_>) -> Result<Stan, Damaged> {
    let stan = Stan::new(reading.u24()?);
    reading.expect(stan, "a STAN of 1 to 999999")
}

fn pan_of(secret: &[u8]) -> Result<Option<Pan>, Damaged> {
    if secret.is_empty() {
        return Ok(None);
    }
    let mut reading = Reading::new(INTENT, secret);
    let (value, len) = (reading.u64()?, reading.u8()?);
    if (value, len) == (0, 0) && !Intent::content(secret).is_empty() {
        return Ok(None);
    }
    reading.expect(Pan::from_parts(value, len).map(Some), "a sealed card number")
}
