//! One transaction in 32 bytes.
//! Never holds more of a card than its first six and last four digits. Guards: what is packed opens to the same again.

use terms::{Currency, Minor, Pan, ResponseCode, Rrn};

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    /// Nothing was booked.
    Declined,
    /// Money was taken.
    Debited,
    /// Money was given: a void or a refund.
    Credited,
    /// Taken, and given back whole.
    Reversed,
    /// Taken, and given back in part.
    PartlyReversed,
    /// Reversed before it came.
    Tombstone,
}

const STATES: [State; 6] = [
    State::Declined,
    State::Debited,
    State::Credited,
    State::Reversed,
    State::PartlyReversed,
    State::Tombstone,
];

/// An entry to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct New {
    pub stan: u32,
    pub transmission: u32,
    pub rrn: Option<Rrn>,
    pub amount: Minor,
    pub currency: Currency,
    pub pan: Option<Pan>,
    pub code: ResponseCode,
    pub state: State,
    /// Milliseconds since 1970-01-01 UTC.
    pub at: i64,
}

/// An entry as it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub stan: u32,
    pub transmission: u32,
    pub rrn: Option<Rrn>,
    pub amount: Minor,
    pub currency: Currency,
    pub card: Card,
    pub code: ResponseCode,
    pub state: State,
    pub at: i64,
}

/// First six and last four digits, and how many there are between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Card(u64);

impl Card {
    fn of(pan: Option<Pan>) -> Self {
        let Some(pan) = pan else { return Self(0) };
        // As the card shows itself: short numbers show their last four only.
        let first = if pan.len() >= 13 { pan.prefix(6) } else { 0 };
        Self(first << 19 | u64::from(pan.last4()) << 5 | pan.len() as u64)
    }
}

impl core::fmt::Display for Card {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (first, last, len) = (self.0 >> 19, self.0 >> 5 & 0x3FFF, (self.0 & 31) as usize);
        match len {
            0..=3 => Ok(()),
            4..=12 => write!(f, "{:*>1$}{last:04}", "", len - 4),
            _ => write!(f, "{first:06}{:*>1$}{last:04}", "", len - 10),
        }
    }
}

/// 32 bytes: RRN 64; amount 40, currency 10, code 14; card 39, STAN 20, state 4; DE 7 32; time 32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    rrn: u64,
    amount: u64,
    card: u64,
    transmission: u32,
    /// Milliseconds since the first entry: 49 days.
    at: u32,
}

const _: () = assert!(size_of::<Packed>() == 32);

impl Packed {
    pub(super) fn close(new: &New, epoch: i64, codes: &mut Vec<ResponseCode>, odd: &mut Vec<Rrn>) -> Self {
        let currency = u64::from(new.currency.numeric());
        Self {
            rrn: close_rrn(new.rrn, odd),
            amount: new.amount.unsigned_abs() << 24 | currency << 14 | intern(new.code, codes),
            card: Card::of(new.pan).0 << 24 | u64::from(new.stan) << 4 | new.state as u64,
            transmission: new.transmission,
            at: u32::try_from(new.at.saturating_sub(epoch).max(0)).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn open(&self, epoch: i64, codes: &[ResponseCode], odd: &[Rrn]) -> Entry {
        Entry {
            stan: self.stan(),
            transmission: self.transmission,
            rrn: open_rrn(self.rrn, odd),
            amount: (self.amount >> 24) as Minor,
            currency: Currency::new((self.amount >> 14 & 0x3FF) as u16).unwrap_or(Currency::NONE),
            card: Card(self.card >> 24),
            code: codes.get((self.amount & 0x3FFF) as usize).copied().unwrap_or_default(),
            state: STATES[(self.card & 0xF) as usize],
            at: epoch + i64::from(self.at),
        }
    }

    pub(super) const fn stan(&self) -> u32 {
        (self.card >> 4 & 0xF_FFFF) as u32
    }

    pub(super) const fn transmission(&self) -> u32 {
        self.transmission
    }

    pub(super) const fn set_state(&mut self, state: State) {
        self.card = self.card & !0xF | state as u64;
    }
}

/// Number of a code. An issuer uses a few dozen; the last number is shared if there were more than fit.
fn intern(code: ResponseCode, codes: &mut Vec<ResponseCode>) -> u64 {
    let found = codes.iter().position(|known| *known == code);
    let at = found.unwrap_or_else(|| {
        if codes.len() < CODES {
            codes.push(code);
        }
        codes.len() - 1
    });
    at as u64
}

/// The switch's RRNs are a day and a number of nine base-36 digits: 57 bits. Others are kept aside.
fn close_rrn(rrn: Option<Rrn>, odd: &mut Vec<Rrn>) -> u64 {
    let Some(rrn) = rrn else { return NO_RRN };
    let Some(number) = number_of(rrn) else {
        odd.push(rrn);
        return ODD_RRN | (odd.len() - 1) as u64;
    };
    number
}

fn number_of(rrn: Rrn) -> Option<u64> {
    let (day, rest) = rrn.as_bytes().split_at(3);
    let mut number = 0;
    for byte in day {
        number = number * 10 + u64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    for byte in rest {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            _ => return None,
        };
        number = number * 36 + u64::from(digit);
    }
    Some(number)
}

fn open_rrn(packed: u64, odd: &[Rrn]) -> Option<Rrn> {
    if packed == NO_RRN {
        return None;
    }
    if packed & ODD_RRN != 0 {
        return odd.get((packed & !ODD_RRN) as usize).copied();
    }
    let (mut rest, mut bytes) = (packed, [0; 12]);
    for slot in bytes[3..].iter_mut().rev() {
        *slot = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(rest % 36) as usize];
        rest /= 36;
    }
    for slot in bytes[..3].iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    Some(Rrn::new(bytes))
}

const NO_RRN: u64 = u64::MAX;
const ODD_RRN: u64 = 1 << 62;
const CODES: usize = 1 << 14;
const _: () = assert!(terms::money::AMOUNT_MAX < 1 << 40);
