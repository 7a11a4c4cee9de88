//! Network management as messages: sign-on, sign-off and echo of ours, answers to the issuer's.
//! Never carries a card or a key. Guards: only fields that the dialect has are written.

use super::config::IssuerLinkConfig;
use bytes::BytesMut;
use iso8583::{EncodeError, Index, Writer};
use terms::{Mti, Stan, TransmissionTime};

/// What we ask for. Codes are those of ISO 8583:1987 (DE 70) and of UnionPay POS (DE 60.3), which agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    SignOn,
    SignOff,
    Echo,
}

impl Ask {
    const fn code(self) -> u64 {
        match self {
            Self::SignOn => 1,
            Self::SignOff => 2,
            Self::Echo => 301,
        }
    }

    /// Where DE 60 holds the code, only the sign-on is an 0800 (UnionPay POS: sign-off and echo are 0820).
    const fn mti(self, code_in_60: bool) -> Mti {
        if code_in_60 && !matches!(self, Self::SignOn) { Mti::of(0x0820) } else { Mti::of(0x0800) }
    }
}

/// Writes our request.
pub(super) fn ask(
    config: &IssuerLinkConfig,
    ask: Ask,
    stan: Stan,
    transmission: TransmissionTime,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let dialect = &*config.dialect;
    let code_in_60 = !dialect.has_field(70);
    let mut writer = Writer::new(dialect, ask.mti(code_in_60), out);
    if dialect.has_field(7) {
        writer.number(7, u64::from(transmission.0));
    }
    writer.number(11, u64::from(stan.get()));
    let parties = [
        (32, config.acquirer.as_bytes()),
        (33, config.forwarder.as_bytes()),
        (41, config.terminal.as_bytes()),
        (42, config.merchant.as_bytes()),
    ];
    for (field, value) in parties {
        if !value.is_empty() && dialect.has_field(field) {
            writer.text(field, value);
        }
    }
    if code_in_60 {
        writer.text(60, &[&FUNCTION_AND_BATCH[..], &code_digits(ask.code())].concat());
    } else {
        writer.number(70, ask.code());
    }
    writer.finish().map(drop)
}

/// Writes the answer to the issuer's own network management: 00, with what it asked under.
pub(super) fn answer(
    config: &IssuerLinkConfig,
    body: &[u8],
    index: &Index,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut writer = Writer::new(&config.dialect, index.mti().answer(), out);
    for field in ECHOED {
        if field == CODE {
            writer.text(CODE, b"00");
        } else {
            writer.copy(field, body, index);
        }
    }
    writer.finish().map(drop)
}

fn code_digits(code: u64) -> [u8; 3] {
    [b'0' + (code / 100 % 10) as u8, b'0' + (code / 10 % 10) as u8, b'0' + (code % 10) as u8]
}

const CODE: u8 = 39;
/// What an answer says again, with the response code in its place.
const ECHOED: [u8; 13] = [7, 11, 12, 13, 24, 32, 33, 37, CODE, 41, 42, 60, 70];
/// DE 60.1 and 60.2 of network management: no transaction type, first batch.
const FUNCTION_AND_BATCH: [u8; 8] = *b"00000001";
