//! A switch's side of the conversation: writes requests in any dialect and reads what comes back.

use bytes::BytesMut;
use framing::{Envelope, Framing, Next};
use iso8583::{Dialect, Index, NetworkOf, View, Writer};
use issuer_sim::{Issuer, Replies, Session};
use std::sync::Arc;
use terms::{Answer, Mti, Now, Stan, Text, Tick, TransmissionTime};

pub const CARD: &str = "6224242900000113";
pub const DE7: u32 = 1_122_013_015;

/// What a request says; the rest is always the same.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub mti: u16,
    pub code: u32,
    pub card: &'static str,
    pub amount: u64,
    pub stan: u32,
    pub transmission: u32,
    pub rrn: Option<[u8; 12]>,
    pub terminal: [u8; 8],
    /// STAN of the original: DE 90 with the same DE 7 as `transmission`.
    pub original: Option<u32>,
    /// DE 95.
    pub replacement: Option<u64>,
    /// DE 25.
    pub condition: u64,
}

pub fn ask(mti: u16, stan: u32, amount: u64) -> Ask {
    Ask {
        mti,
        code: 0,
        card: CARD,
        amount,
        stan,
        transmission: DE7,
        rrn: None,
        terminal: *b"T0000001",
        original: None,
        replacement: None,
        condition: 0,
    }
}

/// The message, without envelope.
pub fn write(dialect: &Dialect, ask: &Ask) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(dialect, Mti::of(ask.mti), &mut out);
    writer.text(2, ask.card.as_bytes()).number(3, u64::from(ask.code)).number(4, ask.amount);
    if dialect.has_field(7) {
        writer.number(7, u64::from(ask.transmission));
    }
    writer.number(11, u64::from(ask.stan)).number(12, 93_015).number(13, 1122).number(25, ask.condition);
    writer.text(32, b"12345678");
    if let Some(rrn) = &ask.rrn {
        writer.text(37, rrn);
    }
    writer.text(41, &ask.terminal).text(42, b"M00000000000001").number(49, 156);
    if !dialect.has_field(70) {
        let function = if ask.code == 310_000 { b"01000001000" } else { b"22000001000" };
        writer.text(60, function);
    }
    if let (Some(original), true) = (ask.original, dialect.has_field(90)) {
        let text = format!("0200{original:06}{:010}{:022}", ask.transmission, 0);
        writer.text(90, text.as_bytes());
    }
    if let Some(amount) = ask.replacement {
        writer.text(95, format!("{amount:012}000000000000C00000000C00000000").as_bytes());
    }
    writer.finish().unwrap();
    out
}

/// An answer: the same with a code.
pub fn write_coded(dialect: &Dialect, ask: &Ask, code: &str) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(dialect, Mti::of(ask.mti), &mut out);
    writer.number(7, u64::from(ask.transmission)).number(11, u64::from(ask.stan));
    writer.text(39, code.as_bytes()).text(41, &ask.terminal);
    writer.finish().unwrap();
    out
}

pub fn network(dialect: &Dialect, code: u16, stan: u32) -> BytesMut {
    let mut out = BytesMut::new();
    let of = NetworkOf {
        mti: Mti::of(0x0800),
        stan: Stan::new(stan).unwrap(),
        transmission: TransmissionTime(DE7),
        code,
        terminal: Text::cut("T0000001"),
        merchant: Text::cut("M00000000000001"),
        batch: 1,
    };
    iso8583::write_network(dialect, &of, &mut out).unwrap();
    out
}

/// One answer with the fields that only its bytes have.
#[derive(Clone, Debug)]
pub struct Heard {
    pub answer: Answer,
    pub additional: Option<Vec<u8>>,
}

impl Heard {
    pub fn code(&self) -> String {
        self.answer.code.to_string()
    }
}

/// Every frame of `bytes`; a frame that is no message is `None`.
pub fn hear(dialect: &Dialect, framing: &Framing, mut bytes: &[u8]) -> Vec<Option<Heard>> {
    let mut heard = Vec::new();
    while !bytes.is_empty() {
        let Ok(Next::Frame { consumed, body, .. }) = framing.next(bytes) else { panic!("a broken frame") };
        heard.push(read(dialect, &bytes[body]));
        bytes = &bytes[consumed..];
    }
    heard
}

pub fn read(dialect: &Dialect, body: &[u8]) -> Option<Heard> {
    let mut index = Index::new();
    iso8583::decode(dialect, body, &mut index).ok()?;
    let answer = iso8583::answer(dialect, body, &index).ok()?;
    let mut content = [0; 120];
    let additional = View::new(dialect, body, &index).content(54, &mut content);
    Some(Heard { answer, additional: additional.map(|len| content[..len].to_vec()) })
}

/// An issuer without a socket.
pub struct Desk {
    pub issuer: Issuer,
    pub session: Session,
    pub dialect: Arc<Dialect>,
    /// Milliseconds of the wall clock.
    pub at: i64,
}

impl Desk {
    pub fn new(config: issuer_sim::IssuerConfig) -> Self {
        let issuer = Issuer::new(config).unwrap();
        let dialect = Arc::clone(issuer.dialect());
        Self { issuer, session: Session::default(), dialect, at: 1_763_774_115_000 }
    }

    pub fn replies(&mut self, body: &[u8]) -> Replies {
        let mut replies = Replies::default();
        let now = Now::at(Tick(0), self.at);
        self.at += 1;
        self.issuer.on_frame(&mut self.session, body, &Envelope::default(), &now, &mut replies);
        replies
    }

    pub fn say(&mut self, body: &[u8]) -> Vec<Option<Heard>> {
        let replies = self.replies(body);
        hear(&self.dialect, self.issuer.framing(), &replies.now)
    }

    pub fn ask(&mut self, ask: &Ask) -> Vec<Option<Heard>> {
        let body = write(&self.dialect.clone(), ask);
        self.say(&body)
    }

    /// The code of the one answer there must be.
    pub fn code(&mut self, ask: &Ask) -> String {
        match &self.ask(ask)[..] {
            [Some(heard)] => heard.code(),
            other => panic!("expected one answer, found {}", other.len()),
        }
    }
}
