//! The kinds of transaction that simulated terminals begin, as a table: one line per kind.
//! Never decides what a terminal does next. Guards: a kind is said the same way whoever says it, and a repeat is the same bytes.

use crate::message::Speech;
use bytes::BytesMut;
use framing::Envelope;
use iso8583::Writer;
use terms::Mti;

/// One kind of transaction.
#[derive(Debug)]
pub struct Flow {
    /// For people.
    pub name: &'static str,
    /// Message type.
    pub mti: u16,
    /// DE 3.
    pub code: u64,
    /// DE 60.1, where the dialect has it.
    pub function: &'static str,
    /// Whether a cardholder pays.
    pub money: bool,
    /// How often, among all.
    pub weight: u64,
}

impl Flow {
    /// It tells what has happened: no answer but a yes ends it.
    pub fn is_advice(&self) -> bool {
        self.mti & 0xF0 == 0x20
    }
}

/// Every kind that the switch serves.
pub const FLOWS: &[Flow] = &[
    Flow { name: "purchase", mti: 0x0200, code: 0, function: "22", money: true, weight: 72 },
    Flow { name: "pre-authorization", mti: 0x0100, code: 30_000, function: "10", money: true, weight: 15 },
    Flow { name: "offline sale", mti: 0x0220, code: 0, function: "30", money: true, weight: 8 },
    Flow { name: "balance", mti: 0x0200, code: 310_000, function: "01", money: false, weight: 5 },
];

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
    /// DE 42.
    pub merchant: &'static str,
}

impl Sale {
    /// Its kind.
    pub fn kind(&self) -> &'static Flow {
        &FLOWS[self.flow]
    }

    /// The frame of its request.
    pub fn request(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, self.kind().mti, self.amount)
    }

    /// The frame of another request under the same key.
    pub fn contradiction(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, self.kind().mti, self.amount + 1)
    }

    /// The frame of its reversal.
    pub fn reversal(&self, speech: &Speech) -> Vec<u8> {
        self.frame(speech, 0x0400, self.amount)
    }

    fn frame(&self, speech: &Speech, mti: u16, amount: u64) -> Vec<u8> {
        let mut out = BytesMut::new();
        let unionpay = speech.dialect.name() == "unionpay-pos";
        let write = |out: &mut BytesMut| {
            let mut writer = Writer::new(&speech.dialect, Mti::of(mti), out);
            writer.text(2, self.pan.as_bytes()).number(3, self.kind().code);
            if amount > 0 {
                writer.number(4, amount);
            }
            if unionpay {
                self.unionpay(mti, &mut writer)
            } else {
                self.plain(mti, &mut writer)
            }
            writer.finish().expect("a terminal says what its dialect has");
        };
        let written = speech.framing.write(&mut out, &Envelope::request([0x06, 0x03], [0, 0]), write);
        written.expect("it fits a frame");
        out.to_vec()
    }

    fn plain(&self, mti: u16, writer: &mut Writer<'_>) {
        writer.number(7, self.transmission).number(11, u64::from(self.stan));
        writer.number(12, self.transmission % 1_000_000).number(13, self.transmission / 1_000_000);
        writer.number(22, 51).number(25, 0);
        writer.text(41, self.terminal.as_bytes()).text(42, self.merchant.as_bytes()).number(49, 156);
        if mti == 0x0400 {
            let original = self.kind().mti;
            let data = format!("{original:04x}{:06}{:010}{:022}", self.stan, self.transmission, 0);
            writer.text(90, data.as_bytes());
        }
    }

    fn unionpay(&self, mti: u16, writer: &mut Writer<'_>) {
        writer.number(11, u64::from(self.stan)).text(22, b"021").text(25, b"00");
        if mti == 0x0400 {
            writer.text(39, b"98");
        }
        writer.text(41, self.terminal.as_bytes()).text(42, self.merchant.as_bytes()).text(49, b"156");
        writer.text(60, format!("{}{:06}", self.kind().function, self.batch).as_bytes());
    }
}
