//! One transaction as its terminal says it: its request, another under the same key, its reversal.
//! Never decides what is said next. Guards: a repeat is the same bytes.

use super::flows::{FLOWS, Flow};
use crate::message::{MARKET, Speech};
use bytes::BytesMut;
use framing::Envelope;
use iso8583::Writer;
use terms::Mti;

/// One transaction as its terminal says it.
#[derive(Clone, Debug)]
pub struct Sale {
    /// Its kind, in [`FLOWS`].
    pub flow: usize,
    /// DE 2.
    pub pan: String,
    /// DE 4.
    pub amount: u64,
    /// DE 11.
    pub stan: u32,
    /// DE 60.2.
    pub batch: u32,
    /// DE 7 as the terminal says it: MMDDhhmmss.
    pub transmission: u64,
    /// DE 41.
    pub terminal: String,
    /// What it is about, where it follows an earlier transaction.
    pub of: Option<Of>,
    /// No switch may approve it: it asks for more than there is, or for what is over.
    pub hopeless: bool,
}

/// How an operation names its original.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    /// Place in the terminal's roll.
    pub at: usize,
    /// Message type.
    pub mti: u16,
    /// DE 11.
    pub stan: u32,
    /// DE 60.2.
    pub batch: u32,
    /// DE 7.
    pub transmission: u64,
}

impl Sale {
    /// Its kind.
    pub fn kind(&self) -> &'static Flow {
        &FLOWS[self.flow]
    }

    /// How an operation names it, its place in the roll being `at`.
    pub fn named(&self, at: usize) -> Of {
        let Self { stan, batch, transmission, .. } = *self;
        Of { at, mti: self.kind().mti, stan, batch, transmission }
    }

    /// The frame of its request.
    pub fn request(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, self.kind().mti, self.amount, None)
    }

    /// The frame of another request under the same key.
    pub fn contradiction(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, self.kind().mti, self.amount + 1, None)
    }

    /// The frame of its reversal.
    pub fn reversal(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, 0x0400, self.amount, None)
    }

    /// The frame of a reversal of a part: this stays.
    pub fn reversal_to(&self, speech: &Speech, stays: u64) -> Vec<u8> {
        self.frame(speech, 0x0400, self.amount, Some(stays))
    }

    fn frame(&self, speech: &Speech, mti: u16, amount: u64, stays: Option<u64>) -> Vec<u8> {
        let pos = speech.dialect.name() == "unionpay-pos";
        let code = if pos { self.kind().pos.0 } else { self.kind().acquirer.0 };
        framed(speech, mti, |writer| {
            writer.text(2, self.pan.as_bytes()).number(3, code);
            if amount > 0 {
                writer.number(4, amount);
            }
            if pos { self.pos(mti, writer) } else { self.acquirer(mti, writer, stays) }
        })
    }

    fn acquirer(&self, mti: u16, writer: &mut Writer<'_>, stays: Option<u64>) {
        writer.number(7, self.transmission).number(11, u64::from(self.stan));
        writer.number(12, self.transmission % 1_000_000).number(13, self.transmission / 1_000_000);
        writer.number(22, 51).number(25, self.kind().acquirer.1);
        writer.text(41, self.terminal.as_bytes()).text(42, MARKET.as_bytes()).number(49, 156);
        let means = if mti == 0x0400 { Some(self.named(0)) } else { self.of };
        if let Some(Of { mti, stan, transmission, .. }) = means {
            writer.text(90, format!("{mti:04x}{stan:06}{transmission:010}{:022}", 0).as_bytes());
        }
        if let Some(stays) = stays {
            writer.text(95, format!("{stays:012}{:030}", 0).as_bytes());
        }
    }

    fn pos(&self, mti: u16, writer: &mut Writer<'_>) {
        writer.number(11, u64::from(self.stan)).text(22, b"021").text(25, b"00");
        if mti == 0x0400 {
            writer.text(39, b"98");
        }
        writer.text(41, self.terminal.as_bytes()).text(42, MARKET.as_bytes()).text(49, b"156");
        writer.text(60, format!("{}{:06}", self.kind().pos.1, self.batch).as_bytes());
        if let Some(Of { stan, batch, transmission, .. }) = self.of.filter(|_| mti != 0x0400) {
            writer.text(61, format!("{batch:06}{stan:06}{:04}", transmission / 1_000_000).as_bytes());
        }
    }
}

/// A message of a terminal, in its frame.
pub fn framed(speech: &Speech, mti: u16, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = BytesMut::new();
    let write = |out: &mut BytesMut| {
        let mut writer = Writer::new(&speech.dialect, Mti::of(mti), out);
        fill(&mut writer);
        writer.finish().expect("a terminal says what its dialect has");
    };
    let written = speech.framing.write(&mut out, &Envelope::request([0x06, 0x03], [0, 0]), write);
    written.expect("it fits a frame");
    out.to_vec()
}
