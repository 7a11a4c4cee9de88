//! Messages that are ours from the first byte: reversals of what we owe, and network management.
//! Never needs the original's bytes: a journal keeps no wire message. Guards: the form is the dialect's, not the code's.

use crate::dialect::{Dialect, Reference, ReversalStan};
use crate::error::EncodeError;
use crate::index::Bits;
use crate::named::Named;
use crate::number::write_ascii;
use crate::write::Writer;
use bytes::BytesMut;
use terms::{
    ApprovalCode, Currency, EntryMode, Expiry, Minor, Mti, Pan, ProcessingCode, ResponseCode, Rrn, Stan,
    Text, TransmissionTime,
};

/// An original that must be undone, as the journal kept it.
#[derive(Clone, Copy, Debug)]
pub struct ReversalOf {
    /// Message type that the original went out with.
    pub original_mti: Mti,
    /// DE 2.
    pub pan: Option<Pan>,
    /// DE 3.
    pub processing_code: ProcessingCode,
    /// DE 4.
    pub amount: Minor,
    /// DE 49; [`Currency::NONE`] leaves it out.
    pub currency: Currency,
    /// DE 11 that the original went out with: ours.
    pub stan: Stan,
    /// DE 11 of the reversal itself, where the dialect gives it one of its own.
    pub stan_new: Stan,
    /// DE 7 that the original went out with.
    pub transmission: TransmissionTime,
    /// DE 7 of the reversal itself.
    pub transmission_new: TransmissionTime,
    /// DE 12 as hhmmss; `u32::MAX` leaves it out.
    pub local_time: u32,
    /// DE 13 as MMDD; 0 leaves it out.
    pub local_date: u16,
    /// DE 14.
    pub expiry: Option<Expiry>,
    /// DE 22; 0 leaves it out.
    pub entry_mode: EntryMode,
    /// DE 25; 255 leaves it out.
    pub condition: u8,
    /// DE 32, also in DE 90; empty leaves it out.
    pub acquirer: Text<11>,
    /// DE 37.
    pub rrn: Option<Rrn>,
    /// DE 38, if there was an approval.
    pub approval_code: Option<ApprovalCode>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
    /// Why, in the field of the dialect's reversal form.
    pub reason: ResponseCode,
    /// UnionPay 60.2.
    pub batch: u32,
    /// UnionPay 60.1.
    pub function: u8,
    /// Not the first attempt.
    pub repeat: bool,
    /// DE 95: what the transaction is to be instead; `None` for a full reversal.
    pub replacement_amount: Option<Minor>,
}

/// Appends the reversal of an original to `out` and returns the bytes written.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
pub fn write_reversal(dialect: &Dialect, of: &ReversalOf, out: &mut BytesMut) -> Result<usize, EncodeError> {
    let form = &dialect.reversal;
    let mti = if of.repeat { form.repeat_mti.unwrap_or(form.mti) } else { form.mti };
    let mut writer = Writer::new(dialect, mti, out);
    for n in Bits::new(form.fields) {
        if n == form.reason {
            writer.text(n, of.reason.as_bytes());
        } else {
            field(dialect, of, n, &mut writer);
        }
    }
    writer.finish()
}

/// One field of a reversal; nothing where the original had none.
pub(crate) fn field(dialect: &Dialect, of: &ReversalOf, n: u8, writer: &mut Writer<'_>) {
    let roles = &dialect.roles;
    let mut number = |there: bool, value: u64| {
        if there {
            writer.number(n, value);
        }
    };
    match n {
        2 => pan(of, writer),
        3 => number(true, u64::from(of.processing_code.0)),
        4 => number(true, of.amount.unsigned_abs()),
        7 => number(true, u64::from(of.transmission_new.0)),
        11 => number(true, u64::from(stan(dialect, of).get())),
        12 => number(of.local_time != u32::MAX, u64::from(of.local_time)),
        13 => number(of.local_date != 0, u64::from(of.local_date)),
        14 => number(of.expiry.is_some(), of.expiry.map_or(0, |expiry| u64::from(expiry.yymm()))),
        22 => number(of.entry_mode.0 != 0, u64::from(of.entry_mode.0)),
        25 => number(of.condition != u8::MAX, u64::from(of.condition)),
        32 => text(of.acquirer.as_bytes(), n, writer),
        41 => text(of.terminal.as_bytes(), n, writer),
        42 => text(of.merchant.as_bytes(), n, writer),
        49 => number(of.currency != Currency::NONE, u64::from(of.currency.numeric())),
        95 => replacement(of, writer),
        _ if n == roles.rrn => text(of.rrn.as_ref().map_or(&[], |rrn| &rrn.as_bytes()[..]), n, writer),
        _ if n == roles.approval_code => {
            text(of.approval_code.as_ref().map_or(&[], |code| &code.0[..]), n, writer)
        }
        _ if n == roles.original_data && dialect.reversal.reference == Reference::OriginalData => {
            original_data(of, n, writer);
        }
        _ if roles.batch.is_some_and(|part| part.field == n) => {
            batch(dialect, of.function, of.batch, 0, writer)
        }
        _ => {}
    }
}

fn stan(dialect: &Dialect, of: &ReversalOf) -> Stan {
    match dialect.reversal.stan {
        ReversalStan::Own => of.stan_new,
        ReversalStan::Original => of.stan,
    }
}

pub(crate) fn text(value: &[u8], n: u8, writer: &mut Writer<'_>) {
    if !value.is_empty() {
        writer.text(n, value);
    }
}

fn pan(of: &ReversalOf, writer: &mut Writer<'_>) {
    let mut digits = [0; 19];
    if let Some(pan) = of.pan {
        let len = pan.digits(&mut digits);
        writer.text(2, &digits[..len]);
    }
}

/// MTI, STAN, DE 7, acquirer and forwarder of the original, in digits.
fn original_data(of: &ReversalOf, n: u8, writer: &mut Writer<'_>) {
    let named = Named {
        mti: of.original_mti,
        stan: of.stan,
        transmission: of.transmission,
        acquirer: of.acquirer,
        batch: of.batch,
        local_date: of.local_date,
    };
    let mut digits = [b'0'; Named::DIGITS];
    named.original_data(&mut digits);
    writer.text(n, &digits);
}

/// Amount, then nothing in another currency and no fees.
fn replacement(of: &ReversalOf, writer: &mut Writer<'_>) {
    let Some(amount) = of.replacement_amount else { return };
    let mut text = *b"000000000000000000000000C00000000C00000000";
    write_ascii(amount.unsigned_abs(), &mut text[..12]);
    writer.text(95, &text);
}

/// The field that holds function, batch and network code, as far as the dialect has them there.
fn batch(dialect: &Dialect, function: u8, batch: u32, network: u16, writer: &mut Writer<'_>) {
    let roles = &dialect.roles;
    let Some(home) = roles.batch else { return };
    let (mut digits, mut end) = ([b'0'; 64], 0);
    let values = [
        (roles.function, u64::from(function)),
        (roles.batch, u64::from(batch)),
        (roles.network_code, u64::from(network)),
    ];
    for (part, value) in values {
        let Some(part) = part.filter(|part| part.field == home.field && part.len > 0) else { continue };
        let (from, to) = (usize::from(part.from), usize::from(part.from + part.len));
        if let Some(slot) = digits.get_mut(from..to) {
            write_ascii(value, slot);
            end = end.max(to);
        }
    }
    writer.text(home.field, &digits[..end]);
}

/// A network management message: sign-on, sign-off, echo.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOf {
    /// 0800, or 0820 where the dialect wants an advice.
    pub mti: Mti,
    /// DE 11.
    pub stan: Stan,
    /// DE 7, where the dialect has it.
    pub transmission: TransmissionTime,
    /// DE 70 or 60.3: 1 sign-on, 2 sign-off, 301 echo.
    pub code: u16,
    /// DE 41; empty leaves it out.
    pub terminal: Text<16>,
    /// DE 42; empty leaves it out.
    pub merchant: Text<15>,
    /// UnionPay 60.2.
    pub batch: u32,
}

/// Appends a network management message to `out` and returns the bytes written.
///
/// # Errors
/// Content that does not fit the dialect; `out` is then as it was.
pub fn write_network(dialect: &Dialect, of: &NetworkOf, out: &mut BytesMut) -> Result<usize, EncodeError> {
    let roles = &dialect.roles;
    let mut writer = Writer::new(dialect, of.mti, out);
    if dialect.has_field(7) {
        writer.number(7, u64::from(of.transmission.0));
    }
    writer.number(11, u64::from(of.stan.get()));
    text(of.terminal.as_bytes(), 41, &mut writer);
    text(of.merchant.as_bytes(), 42, &mut writer);
    match (roles.network_code, roles.batch) {
        (Some(code), Some(home)) if code.field == home.field => {
            batch(dialect, 0, of.batch, of.code, &mut writer)
        }
        (Some(code), _) if code.is_whole() => _ = writer.number(code.field, u64::from(of.code)),
        _ => {}
    }
    writer.finish()
}
