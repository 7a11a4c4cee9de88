//! Answers on the wire: the usual one straight into the output, the moody ones by way of a scratch buffer.
//! Never decides anything. Guards: a frame that cannot be written leaves the output as it was.

use crate::issuer::{Later, Message, Replies, approval_code};
use crate::mood::Act;
use crate::random::Random;
use bytes::BytesMut;
use framing::{Envelope, Framing, Violation};
use iso8583::{
    Dialect, EncodeError, Index, NetworkOf, Patch, Reply, write_network, write_refusal, write_reply,
};
use std::sync::Arc;
use terms::{Minor, Mti, Now, ResponseCode, Stan, Text};

/// What is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub code: ResponseCode,
    /// Number of the approval: DE 38.
    pub approval: Option<u32>,
    /// Balance for DE 54.
    pub available: Option<Minor>,
}

impl Said {
    pub(crate) const fn code(code: ResponseCode) -> Self {
        Self { code, approval: None, available: None }
    }

    pub(crate) const fn approved(code: ResponseCode, approval: u32) -> Self {
        Self { code, approval: Some(approval), available: None }
    }

    fn reply(&self) -> Reply<'static> {
        Reply { approval_code: self.approval.map(approval_code), ..Reply::new(self.code) }
    }
}

/// Writes answers in one dialect and framing.
pub(crate) struct Teller {
    pub dialect: Arc<Dialect>,
    pub framing: Framing,
    /// Where a twisted answer is made.
    scratch: BytesMut,
    index: Box<Index>,
}

/// A message that does not fit its dialect or its frame. Nothing is sent then.
struct Unwritten;

impl From<Violation> for Unwritten {
    fn from(_: Violation) -> Self {
        Self
    }
}

impl From<EncodeError> for Unwritten {
    fn from(_: EncodeError) -> Self {
        Self
    }
}

impl Teller {
    pub(crate) fn new(dialect: Arc<Dialect>, framing: Framing) -> Self {
        Self { dialect, framing, scratch: BytesMut::new(), index: Box::new(Index::new()) }
    }

    pub(crate) fn tell(
        &mut self,
        said: &Said,
        act: Option<Act>,
        message: &Message<'_>,
        random: &mut Random,
        replies: &mut Replies,
    ) {
        match act {
            Some(Act::Delay(after)) => {
                let mut frame = BytesMut::new();
                self.plain(said, message, &mut frame);
                replies.later.push(Later { after, frame: frame.freeze() });
            }
            Some(Act::Twice) => {
                self.plain(said, message, &mut replies.now);
                self.plain(said, message, &mut replies.now);
            }
            Some(Act::Garbage) => self.noise(message.envelope, random, &mut replies.now),
            Some(act) if is_twist(act) => {
                self.twisted(said, Some(act), message, &mut replies.now);
            }
            _ => self.plain(said, message, &mut replies.now),
        }
    }

    fn plain(&mut self, said: &Said, message: &Message<'_>, out: &mut BytesMut) {
        if said.available.is_some() {
            return self.twisted(said, None, message, out);
        }
        let reply = said.reply();
        // An answer that cannot be written is an answer that does not come; the peer's deadline deals with it.
        let _ = self.framing.try_write(out, &message.envelope.reply(), |out: &mut BytesMut| {
            write_reply(&self.dialect, message.body, message.index, &reply, out)?;
            Ok::<_, Unwritten>(())
        });
    }

    /// The usual answer, then changed where the mood (or a balance) wants it.
    fn twisted(&mut self, said: &Said, act: Option<Act>, message: &Message<'_>, out: &mut BytesMut) {
        let Self { dialect, framing, scratch, index } = self;
        scratch.clear();
        let made = write_reply(dialect, message.body, message.index, &said.reply(), scratch);
        if made.is_err() || iso8583::decode(dialect, scratch, index).is_err() {
            return;
        }
        let request = message.request;
        let balance = said.available.map(|amount| additional_amount(amount, request.currency.numeric()));
        let mut patch = Patch::new();
        match act {
            Some(Act::WrongAmount) => _ = patch.set_number(4, request.amount.unsigned_abs() + 1),
            Some(Act::WrongStan) => _ = patch.set_number(11, u64::from(request.stan.next().get())),
            Some(Act::WrongCard) => _ = patch.set_text(2, OTHER_CARD),
            Some(Act::WrongCurrency) => _ = patch.set_number(49, OTHER_CURRENCY),
            Some(Act::WrongRrn) => _ = patch.set_text(37, OTHERS_RRN),
            Some(Act::Part) => _ = patch.set_number(4, request.amount.unsigned_abs()),
            Some(Act::NoTerminal) => _ = patch.remove(41),
            Some(Act::Crossed) if dialect.has_field(37) => _ = patch.set_text(37, OTHERS_RRN),
            _ => {}
        }
        if let Some(balance) = balance.as_ref().filter(|_| dialect.has_field(54)) {
            patch.set_text(54, balance);
        }
        let _ = framing.try_write(out, &message.envelope.reply(), |out: &mut BytesMut| {
            patch.apply(dialect, scratch, index, out)?;
            Ok::<_, Unwritten>(())
        });
    }

    /// A good frame around bytes that are no message of any dialect.
    fn noise(&self, envelope: &Envelope, random: &mut Random, out: &mut BytesMut) {
        let bytes = [random.next() | 0xFF, random.next(), random.next()];
        let _ = self.framing.write(out, &envelope.reply(), |out| {
            bytes.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        });
    }

    /// The answer to bytes that are no message; false if nothing of them can be trusted.
    pub(crate) fn refuse(&self, body: &[u8], envelope: &Envelope, replies: &mut Replies) -> bool {
        let Some(trusted) = iso8583::trusted(&self.dialect, body) else { return false };
        let written = self.framing.try_write(&mut replies.now, &envelope.reply(), |out: &mut BytesMut| {
            write_refusal(&self.dialect, &trusted, &Reply::new(ResponseCode::of("30")), out)?;
            Ok::<_, Unwritten>(())
        });
        written.is_ok()
    }

    pub(crate) fn sign_off(&self, stan: u32, envelope: &Envelope, now: &Now, replies: &mut Replies) {
        let of = NetworkOf {
            mti: Mti::of(if self.dialect.has_field(70) { 0x0800 } else { 0x0820 }),
            stan: Stan::new(stan).unwrap_or(Stan::MIN),
            transmission: now.transmission,
            code: SIGN_OFF,
            terminal: Text::EMPTY,
            merchant: Text::EMPTY,
            batch: 0,
        };
        self.own(&envelope.reply(), &mut replies.now, |dialect, out| write_network(dialect, &of, out));
    }

    /// A message of our own. One that cannot be written is one that does not come.
    pub(crate) fn own(
        &self,
        envelope: &Envelope,
        out: &mut BytesMut,
        write: impl FnOnce(&Dialect, &mut BytesMut) -> Result<usize, EncodeError>,
    ) {
        let _ = self.framing.try_write(out, envelope, |out: &mut BytesMut| {
            write(&self.dialect, out)?;
            Ok::<_, Unwritten>(())
        });
    }
}

const fn is_twist(act: Act) -> bool {
    matches!(act, Act::WrongAmount | Act::WrongStan | Act::WrongCard | Act::WrongCurrency)
        || matches!(act, Act::WrongRrn | Act::Part | Act::NoTerminal | Act::Crossed)
}

/// One element of DE 54: account type 10, amount type 02 (available), currency, credit or debit, twelve digits.
fn additional_amount(amount: Minor, currency: u16) -> [u8; 20] {
    let mut text = *b"1002000C000000000000";
    put_digits(u64::from(currency), &mut text[4..7]);
    text[7] = if amount < 0 { b'D' } else { b'C' };
    put_digits(amount.unsigned_abs().min(terms::money::AMOUNT_MAX as u64), &mut text[8..]);
    text
}

fn put_digits(mut value: u64, out: &mut [u8]) {
    for slot in out.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

const SIGN_OFF: u16 = 2;
/// No switch issues it: there is no day 999.
const OTHERS_RRN: &[u8; 12] = b"999999999999";
/// Of no range that anybody routes.
const OTHER_CARD: &[u8] = b"9999990000000000";
/// Swiss francs.
const OTHER_CURRENCY: u64 = 756;
