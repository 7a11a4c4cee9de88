//! A request in canonical form: what the engine sees of a message, whatever dialect brought it.
//!
//! Never holds track data, PIN blocks, chip data or any text of unbounded length: those stay in the wire bytes and travel
//! by patching. Guards: a `Request` that exists had an MTI, a STAN and a terminal that could be read.

use crate::{
    CardToken, Check, Currency, EntryMode, Expiry, Kind, Minor, Mti, OriginalRef, Pan, ProcessingCode,
    ResponseCode, Rrn, SlotKey, Stan, Text, TransmissionTime,
};

/// What else the message carried, as bits: facts that rules ask for without reading the secret itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// DE 52 is present.
    pub const PIN: Self = Self(1);
    /// DE 35 or 36 is present.
    pub const TRACK: Self = Self(2);
    /// DE 55 is present.
    pub const CHIP: Self = Self(4);
    /// DE 64 or 128 is present.
    pub const MAC: Self = Self(8);
    /// The terminal can take a partial approval.
    pub const PARTIAL_CAPABLE: Self = Self(16);
    /// DE 95 is present.
    pub const REPLACEMENT: Self = Self(32);
    /// DE 4 is present.
    pub const AMOUNT: Self = Self(64);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One request, advice or reversal from a terminal, an acquirer or (unsolicited) an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// As it came, repeats still marked.
    pub mti: Mti,
    /// What it asks for, by the dialect's table.
    pub kind: Kind,
    /// DE 2, else the track's; `None` where the message has no card.
    pub pan: Option<Pan>,
    /// Token of `pan`, filled in by the shell (it holds the key); [`CardToken::NONE`] without a card.
    pub token: CardToken,
    /// DE 3.
    pub processing_code: ProcessingCode,
    /// DE 4, minor units of `currency`; 0 if absent.
    pub amount: Minor,
    /// DE 49.
    pub currency: Currency,
    /// DE 6, 0 if absent.
    pub billing_amount: Minor,
    /// DE 51.
    pub billing_currency: Currency,
    /// DE 7.
    pub transmission: TransmissionTime,
    /// DE 11: the terminal's.
    pub stan: Stan,
    /// DE 12 as hhmmss; `u32::MAX` if absent.
    pub local_time: u32,
    /// DE 13 as MMDD; 0 if absent.
    pub local_date: u16,
    /// DE 14, else the track's.
    pub expiry: Option<Expiry>,
    /// DE 22.
    pub entry_mode: EntryMode,
    /// DE 25 as a number; 255 if absent.
    pub condition: u8,
    /// DE 32, else the listener's acquirer (filled in by the shell).
    pub acquirer: Text<11>,
    /// DE 37 as the terminal sent it (references to an original).
    pub rrn: Option<Rrn>,
    /// DE 39: the reason of a reversal.
    pub reason: Option<ResponseCode>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
    /// DE 60.1 (UnionPay message type), 0 if absent.
    pub function: u8,
    /// DE 60.2 (UnionPay batch number), 0 if absent.
    pub batch: u32,
    /// DE 60.3 or DE 70: network management code, 0 if absent.
    pub network_code: u16,
    /// DE 95: replacement amount of a partial reversal, 0 if absent.
    pub replacement_amount: Minor,
    /// What else was there.
    pub flags: Flags,
    /// Where this transaction lives.
    pub slot: SlotKey,
    /// Same slot and same check: the same request again.
    pub repeat: Check,
    /// How a DE 90 would name this one.
    pub alias: Check,
    /// Which original is meant, for reversals, voids, completions and refunds.
    pub original: Option<OriginalRef>,
}

impl Request {
    /// The least a request can be; builders and decoders start here.
    pub fn new(mti: Mti, kind: Kind, stan: Stan) -> Self {
        Self {
            mti,
            kind,
            pan: None,
            token: CardToken::NONE,
            processing_code: ProcessingCode(0),
            amount: 0,
            currency: Currency::NONE,
            billing_amount: 0,
            billing_currency: Currency::NONE,
            transmission: TransmissionTime::NONE,
            stan,
            local_time: u32::MAX,
            local_date: 0,
            expiry: None,
            entry_mode: EntryMode(0),
            condition: u8::MAX,
            acquirer: Text::EMPTY,
            rrn: None,
            reason: None,
            terminal: Text::EMPTY,
            merchant: Text::EMPTY,
            function: 0,
            batch: 0,
            network_code: 0,
            replacement_amount: 0,
            flags: Flags(0),
            slot: SlotKey(0),
            repeat: Check::ANY,
            alias: Check::ANY,
            original: None,
        }
    }

    /// What is compared when the same key comes again: amount, currency, processing code, card token.
    pub fn content(&self) -> Check {
        let mut hasher = crate::KeyHasher::new(0xC0);
        hasher.number(self.amount as u64);
        hasher.number(u64::from(self.currency.numeric()) << 32 | u64::from(self.processing_code.0));
        hasher.part(&self.token.0);
        hasher.check()
    }

    /// Which shard owns this transaction: hash of acquirer, DE 41, DE 42 (trailing spaces do not count).
    pub fn owner(&self) -> u64 {
        let mut hasher = crate::KeyHasher::new(0x0E);
        hasher.part(self.acquirer.trimmed());
        hasher.part(self.terminal.trimmed());
        hasher.part(self.merchant.trimmed());
        hasher.finish()
    }
}
