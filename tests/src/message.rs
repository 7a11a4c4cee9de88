//! Messages as terminals send them, and the way frames are read.
//! Never clever: a message has the fields a terminal of its dialect sends, no more. Guards: a repeat is the same bytes.

use bytes::BytesMut;
use framing::{Envelope, Framing, Next};
use iso8583::{Dialect, Index, View, Writer, answer, decode};
use std::io::{self, Read};
use std::sync::Arc;
use terms::{Answer, Mti, Now};

/// A dialect in its framing.
#[derive(Clone)]
pub struct Speech {
    /// What is said.
    pub dialect: Arc<Dialect>,
    /// How it is cut.
    pub framing: Framing,
}

/// A request of a terminal.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Message type, e.g. `0x0200`.
    pub mti: u16,
    /// DE 3.
    pub code: u64,
    /// DE 4, minor units; 0 sends none.
    pub amount: u64,
    /// DE 11.
    pub stan: u32,
    /// DE 2.
    pub pan: String,
    /// DE 35.
    pub track2: Option<String>,
    /// DE 32; most terminals have none.
    pub acquirer: Option<String>,
    /// DE 41.
    pub terminal: String,
    /// DE 42.
    pub merchant: String,
    /// DE 52, any eight bytes.
    pub pin: Option<[u8; 8]>,
    /// DE 25.
    pub condition: u64,
    /// DE 60.1; 0 takes what goes with the processing code. Of an upload's end: DE 60.3.
    pub function: u8,
    /// STAN of the original: DE 61, or DE 90.
    pub original: Option<u32>,
    /// DE 39 of a UnionPay terminal's reversal.
    pub reason: &'static str,
    /// DE 37: names the original by what its answer said.
    pub rrn: Option<String>,
    /// DE 12 as hhmmss.
    pub local_time: u64,
    /// DE 48 of a settlement or an upload, or of anything an acquirer sends.
    pub totals: Option<String>,
    /// DE 55 of a UnionPay terminal, with DE 23.
    pub chip: Option<Vec<u8>>,
}

impl Speech {
    /// By names.
    ///
    /// # Panics
    /// If there are none such.
    pub fn new(dialect: &str, framing: &str) -> Self {
        Self { dialect: Dialect::builtin(dialect).unwrap(), framing: Framing::by_name(framing).unwrap() }
    }

    /// `iso87-ascii` behind a two byte length: acquirers.
    pub fn acquirer() -> Self {
        Self::new("iso87-ascii", "binary2")
    }

    /// UnionPay POS with TPDU and header.
    pub fn unionpay() -> Self {
        Self::new("unionpay-pos", "unionpay")
    }

    /// The frame of a message.
    ///
    /// # Panics
    /// If the message does not fit the dialect.
    pub fn frame(&self, ask: &Ask) -> Vec<u8> {
        let mut out = BytesMut::new();
        let unionpay = self.dialect.name() == "unionpay-pos";
        let write = |out: &mut BytesMut| {
            if unionpay { ask.unionpay(&self.dialect, out) } else { ask.plain(&self.dialect, out) }
        };
        self.framing.write(&mut out, &Envelope::request([0x06, 0x03], [0, 0]), write).unwrap();
        out.to_vec()
    }

    /// Reads one frame; `None` where the peer has closed.
    ///
    /// # Errors
    /// What the socket says; a frame of another framing is `InvalidData`.
    pub fn read(&self, from: &mut impl Read, rest: &mut Vec<u8>) -> io::Result<Option<(Envelope, Vec<u8>)>> {
        loop {
            let next = self.framing.next(rest);
            match next.map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault.to_string()))? {
                Next::Frame { consumed, envelope, body } => {
                    let body = rest[body].to_vec();
                    rest.drain(..consumed);
                    return Ok(Some((envelope, body)));
                }
                Next::KeepAlive { consumed } => drop(rest.drain(..consumed)),
                Next::Incomplete { .. } => {
                    let mut chunk = [0; 16_384];
                    match from.read(&mut chunk)? {
                        0 => return Ok(None),
                        read => rest.extend_from_slice(&chunk[..read]),
                    }
                }
            }
        }
    }

    /// A field of a message as text.
    ///
    /// # Panics
    /// If the switch sent what its dialect does not allow.
    pub fn text(&self, body: &[u8], field: u8) -> Option<String> {
        Some(String::from_utf8_lossy(&self.content(body, field)?).into_owned())
    }

    /// A field of a message as bytes.
    ///
    /// # Panics
    /// If the switch sent what its dialect does not allow.
    pub fn content(&self, body: &[u8], field: u8) -> Option<Vec<u8>> {
        let mut index = Index::new();
        decode(&self.dialect, body, &mut index).unwrap();
        let mut content = [0; 999];
        let len = View::new(&self.dialect, body, &index).content(field, &mut content)?;
        Some(content[..len].to_vec())
    }

    /// The frame of a message of network management, with DE 70.
    ///
    /// # Panics
    /// If the dialect has no such message.
    pub fn network(&self, mti: u16, stan: u32, code: u64, now: &Now) -> Vec<u8> {
        let mut out = BytesMut::new();
        let write = |out: &mut BytesMut| {
            let mut writer = Writer::new(&self.dialect, Mti::of(mti), out);
            writer.number(7, u64::from(now.transmission.0)).number(11, u64::from(stan)).number(70, code);
            writer.finish().unwrap();
        };
        self.framing.write(&mut out, &Envelope::request([0, 0], [0, 0]), write).unwrap();
        out.to_vec()
    }

    /// The frame of an issuer's own reversal of what it knows by this STAN and DE 7: DE 90 and nothing else, and DE 37 if given.
    ///
    /// # Panics
    /// If the dialect has no such message.
    pub fn taken_back(&self, (stan, at): (u32, u32), rrn: Option<&str>, own: u32, now: &Now) -> Vec<u8> {
        let mut out = BytesMut::new();
        let write = |out: &mut BytesMut| {
            let mut writer = Writer::new(&self.dialect, Mti::of(0x0420), out);
            writer.number(7, u64::from(now.transmission.0)).number(11, u64::from(own));
            if let Some(rrn) = rrn {
                writer.text(37, rrn.as_bytes());
            }
            writer.text(90, format!("0200{stan:06}{at:010}{:022}", 0).as_bytes());
            writer.finish().unwrap();
        };
        self.framing.write(&mut out, &Envelope::request([0, 0], [0, 0]), write).unwrap();
        out.to_vec()
    }

    /// DE 39 of the answers in whole frames.
    ///
    /// # Panics
    /// If the switch sent what its dialect does not allow.
    pub fn codes(&self, frames: &[u8]) -> Vec<String> {
        let (mut at, mut codes, mut index) = (0, Vec::new(), Index::new());
        while let Ok(Next::Frame { consumed, body, .. }) = self.framing.next(&frames[at..]) {
            let body = &frames[at + body.start..at + body.end];
            decode(&self.dialect, body, &mut index).unwrap();
            if !index.mti().is_request() {
                codes.push(answer(&self.dialect, body, &index).unwrap().code.to_string());
            }
            at += consumed;
        }
        codes
    }

    /// An answer from its bytes.
    ///
    /// # Panics
    /// If the switch sent what its dialect does not allow.
    pub fn answer(&self, body: &[u8]) -> Answer {
        let mut index = Index::new();
        decode(&self.dialect, body, &mut index).unwrap();
        answer(&self.dialect, body, &index).unwrap()
    }
}

impl Ask {
    /// A purchase at terminal `T0000001` of the market.
    pub fn purchase(pan: &str, stan: u32, amount: u64) -> Self {
        Self {
            mti: 0x0200,
            code: 0,
            amount,
            stan,
            pan: pan.into(),
            track2: None,
            acquirer: None,
            terminal: "T0000001".into(),
            merchant: MARKET.into(),
            pin: None,
            condition: 0,
            function: 0,
            original: None,
            reason: "98",
            rrn: None,
            local_time: LOCAL_TIME,
            totals: None,
            chip: None,
        }
    }

    /// A void of this purchase, or a cancellation of this pre-authorization.
    #[must_use]
    pub fn voided(&self, stan: u32) -> Self {
        let function = if self.mti == 0x0100 { 11 } else { 23 };
        self.follow(self.mti, 200_000, function, stan)
    }

    /// A refund of a part of this.
    #[must_use]
    pub fn refunded(&self, stan: u32, amount: u64) -> Self {
        Self { amount, condition: 0, ..self.follow(0x0220, 200_000, 25, stan) }
    }

    /// A completion of this pre-authorization.
    #[must_use]
    pub fn completed(&self, stan: u32, amount: u64) -> Self {
        Self { amount, ..self.follow(0x0200, 0, 20, stan) }
    }

    /// A completion of this pre-authorization, told after the fact.
    #[must_use]
    pub fn noticed(&self, stan: u32, amount: u64) -> Self {
        Self { amount, ..self.follow(0x0220, 0, 24, stan) }
    }

    /// An adjustment of this offline sale.
    #[must_use]
    pub fn adjusted(&self, stan: u32, amount: u64) -> Self {
        Self { amount, ..self.follow(0x0220, 0, 34, stan) }
    }

    /// A sale that the terminal has approved by itself.
    pub fn offline(pan: &str, stan: u32, amount: u64) -> Self {
        Self { mti: 0x0220, function: 30, ..Self::purchase(pan, stan, amount) }
    }

    /// What a chip's scripts came to.
    pub fn script_result(pan: &str, stan: u32) -> Self {
        Self { mti: 0x0620, ..Self::purchase(pan, stan, 0) }
    }

    /// The terminal's repeat of this advice.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { mti: self.mti + 1, ..self.clone() }
    }

    /// A void of this completion.
    #[must_use]
    pub fn undone(&self, stan: u32) -> Self {
        self.follow(0x0200, 200_000, 21, stan)
    }

    /// A pre-authorization.
    pub fn pre_authorization(pan: &str, stan: u32, amount: u64) -> Self {
        let sale = Self::purchase(pan, stan, amount);
        Self { mti: 0x0100, code: 30_000, condition: 6, function: 10, ..sale }
    }

    /// A settlement of the first batch: domestic debits and credits, nothing else.
    pub fn settlement(stan: u32, debits: (u64, u32), credits: (u64, u32)) -> Self {
        let ((debited, count), (credited, back)) = (debits, credits);
        let totals = format!("{debited:012}{count:03}{credited:012}{back:03}0{:030}0", 0);
        Self { mti: 0x0500, totals: Some(totals), ..Self::purchase("", stan, 0) }
    }

    /// An upload: STAN and amount of each line.
    pub fn upload(stan: u32, lines: &[(u32, u64)]) -> Self {
        let line = |(stan, amount): &(u32, u64)| format!("00{stan:06}{:020}{amount:012}", 0);
        let totals = format!("{:02}{}", lines.len(), lines.iter().map(line).collect::<String>());
        Self { mti: 0x0320, totals: Some(totals), ..Self::purchase("", stan, 0) }
    }

    /// The end of an upload that followed a difference.
    pub fn upload_end(stan: u32, lines: u32) -> Self {
        let totals = Some(format!("{lines:04}"));
        Self { mti: 0x0320, function: 202, totals, ..Self::purchase("", stan, 0) }
    }

    /// The same of one that takes the totals for equal.
    #[must_use]
    pub fn equal(self) -> Self {
        Self { function: 207, ..self }
    }

    fn follow(&self, mti: u16, code: u64, function: u8, stan: u32) -> Self {
        Self { mti, code, function, stan, original: Some(self.stan), ..self.clone() }
    }

    /// A balance enquiry.
    pub fn balance(pan: &str, stan: u32) -> Self {
        Self { code: 310_000, ..Self::purchase(pan, stan, 0) }
    }

    /// A sign-in.
    pub fn sign_in(stan: u32) -> Self {
        Self { mti: 0x0800, ..Self::purchase("", stan, 0) }
    }

    /// The terminal's reversal of this request: same STAN.
    pub fn reversed(&self) -> Self {
        Self { mti: 0x0400, ..self.clone() }
    }

    /// Its original named by what that one's answer said, wherever it was made.
    #[must_use]
    pub fn naming(mut self, rrn: &str) -> Self {
        self.rrn = Some(rrn.into());
        self
    }

    /// At another terminal.
    #[must_use]
    pub fn at(mut self, terminal: &str) -> Self {
        self.terminal = terminal.into();
        self
    }

    fn plain(&self, dialect: &Dialect, out: &mut BytesMut) {
        let mut writer = Writer::new(dialect, Mti::of(self.mti), out);
        self.head(&mut writer);
        writer.number(7, TRANSMISSION).number(11, u64::from(self.stan));
        writer.number(12, self.local_time).number(13, LOCAL_DATE).number(22, 12).number(25, self.condition);
        self.track(&mut writer);
        self.reference(&mut writer);
        self.who(&mut writer);
        if let Some(text) = &self.totals {
            writer.text(48, text.as_bytes());
        }
        writer.number(49, 156);
        self.secrets(&mut writer);
        if let Some(original) = self.original.filter(|_| self.mti != 0x0400 && self.rrn.is_none()) {
            writer.text(90, format!("0200{original:06}{TRANSMISSION:010}{:022}", 0).as_bytes());
        }
        if self.mti == 0x0400 {
            writer.text(90, format!("0200{:06}{TRANSMISSION:010}{:022}", self.stan, 0).as_bytes());
        }
        writer.finish().unwrap();
    }

    fn unionpay(&self, dialect: &Dialect, out: &mut BytesMut) {
        let mut writer = Writer::new(dialect, Mti::of(self.mti), out);
        if self.mti == 0x0800 {
            writer.number(11, u64::from(self.stan));
            self.who(&mut writer);
            writer.text(60, b"00000000001");
            writer.finish().unwrap();
            return;
        }
        if let Some(totals) = &self.totals {
            let code = if self.function == 0 { 201 } else { self.function };
            writer.number(11, u64::from(self.stan));
            self.who(&mut writer);
            writer.text(48, totals.as_bytes()).text(49, b"156");
            writer.text(60, format!("00000001{code}").as_bytes());
            writer.finish().unwrap();
            return;
        }
        self.head(&mut writer);
        writer.number(11, u64::from(self.stan)).text(22, b"021");
        if self.chip.is_some() {
            writer.number(23, 1);
        }
        writer.number(25, self.condition);
        self.track(&mut writer);
        self.reference(&mut writer);
        if self.mti == 0x0400 {
            writer.text(39, self.reason.as_bytes());
        }
        self.who(&mut writer);
        writer.text(49, b"156");
        self.secrets(&mut writer);
        if let Some(chip) = &self.chip {
            writer.binary(55, chip);
        }
        let function = match (self.function, self.code) {
            (0, 0) => 22,
            (0, _) => 1,
            (function, _) => function,
        };
        writer.text(60, format!("{function:02}000001").as_bytes());
        if let Some(original) = self.original {
            writer.text(61, format!("000001{original:06}{LOCAL_DATE:04}").as_bytes());
        }
        writer.finish().unwrap();
    }

    fn head(&self, writer: &mut Writer<'_>) {
        writer.text(2, self.pan.as_bytes()).number(3, self.code);
        if self.amount != 0 {
            writer.number(4, self.amount);
        }
    }

    fn track(&self, writer: &mut Writer<'_>) {
        if let Some(acquirer) = &self.acquirer {
            writer.text(32, acquirer.as_bytes());
        }
        if let Some(track) = &self.track2 {
            writer.text(35, track.as_bytes());
        }
    }

    fn reference(&self, writer: &mut Writer<'_>) {
        if let Some(rrn) = self.rrn.as_ref().filter(|_| self.mti != 0x0400) {
            writer.text(37, rrn.as_bytes());
        }
    }

    fn who(&self, writer: &mut Writer<'_>) {
        writer.text(41, self.terminal.as_bytes()).text(42, self.merchant.as_bytes());
    }

    fn secrets(&self, writer: &mut Writer<'_>) {
        if let Some(pin) = &self.pin {
            writer.binary(52, pin);
        }
    }
}

/// DE 42 of the merchant that every terminal here belongs to unless it says otherwise.
pub const MARKET: &str = "123456789123456";
/// DE 13 of every message.
pub const LOCAL_DATE: u64 = 1_122;
/// DE 12 of every message.
pub const LOCAL_TIME: u64 = 120_000;
const TRANSMISSION: u64 = 1_122_120_000;
