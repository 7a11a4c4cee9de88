//! What the codec's benchmark measures, as plain functions, so that wall time (`benches/codec.rs`) and instructions
//! (`examples/codec_steps.rs` under callgrind) are of the same bodies: a purchase of 22 fields is decoded, made a request,
//! written from its canonical content, forwarded, answered.

use bytes::BytesMut;
use iso8583::{
    CanonDefaults, Dialect, Forward, Index, Patch, Reply, Value, Writer, answer, decode, forward, locate,
    reply_from_answer, request, write_reply,
};
use std::hint::black_box;
use std::sync::Arc;
use terms::{Mti, ResponseCode, Rrn, Stan, Text, TransmissionTime};

/// Fields of a chip purchase, by number; a dialect takes those that it has.
pub fn purchase(dialect: &Dialect, out: &mut BytesMut) {
    let mut chip = [0x9F_u8; 120];
    chip[..4].copy_from_slice(&[0x9F, 0x26, 0x08, 0x95]);
    let mut writer = Writer::new(dialect, Mti::of(0x0200), out);
    let has = |n| dialect.has_field(n);
    writer.text(2, b"6224242900000113").number(3, 0).number(4, 12_500);
    if has(7) {
        writer.number(7, 1_122_194_502);
    }
    writer.number(11, 403).number(12, 194_502).number(13, 1122).number(14, 2812);
    if has(18) {
        writer.number(18, 5411);
    }
    writer.number(22, 51).number(23, 1).number(25, 0).number(26, 12).text(32, b"4812345");
    writer.text(
        35,
        if has(7) { b"6224242900000113=28122011234567" } else { b"6224242900000113D28122011234567" },
    );
    writer.text(37, b"032600000403").text(41, b"10000019").text(42, b"850100082410002").number(49, 156);
    writer.binary(52, &[0xD1, 0xEE, 0xF4, 0x19, 0xD0, 0xAE, 0x26, 0x09]).number(53, 2_600_000_000_000_000);
    writer.binary(55, &chip);
    if !has(7) {
        writer.text(60, b"22000024000600");
    }
    writer.binary(64, &[0x38; 8]).finish().expect("the purchase fits the dialect");
}

/// Twenty fields of a purchase with a magnetic stripe, in characters that every codec of ISO 8583:1987 understands.
pub const PLAIN: [(u8, &str); 20] = [
    (2, "6224242900000113"),
    (3, "000000"),
    (4, "000000012500"),
    (7, "1122194502"),
    (11, "000403"),
    (12, "194502"),
    (13, "1122"),
    (14, "2812"),
    (18, "5411"),
    (22, "021"),
    (23, "001"),
    (25, "00"),
    (26, "12"),
    (32, "4812345"),
    (35, "6224242900000113=28122011234567"),
    (37, "032600000403"),
    (41, "10000019"),
    (42, "850100082410002"),
    (43, "POINTSMAN STORES          SHANGHAI    CN"),
    (49, "156"),
];

/// [`PLAIN`] as a program has it: numbers where fields are digits of one length, text elsewhere; what the dialect has of it.
pub fn plain(dialect: &Dialect) -> Vec<(u8, Value<'static>)> {
    let value = |(n, content): (u8, &'static str)| match content.parse() {
        Ok(number) if ![2, 32, 37, 41, 42].contains(&n) => (n, Value::Number(number)),
        _ => (n, Value::Content(content.as_bytes())),
    };
    PLAIN.into_iter().filter(|(n, _)| dialect.has_field(*n)).map(value).collect()
}

/// A purchase and its answer in one dialect, and where results go.
pub struct Codec {
    /// What both are written in.
    pub dialect: Arc<Dialect>,
    /// The purchase.
    pub bytes: BytesMut,
    index: Index,
    answer: BytesMut,
    answer_index: Index,
    scratch: Index,
    out: BytesMut,
    ours: Forward,
    approval: Reply<'static>,
    plain: Vec<(u8, Value<'static>)>,
    /// [`PLAIN`] in the dialect.
    pub plain_bytes: BytesMut,
}

/// One thing to measure.
pub type Step = fn(&mut Codec) -> bool;

/// All of them, by name.
pub const STEPS: [(&str, Step); 12] = [
    ("decode", Codec::decode),
    ("locate", Codec::locate),
    ("request", Codec::request),
    ("answer", Codec::answer),
    ("encode", Codec::encode),
    ("patch", Codec::patch),
    ("forward", Codec::forward),
    ("reply", Codec::reply),
    ("reply-from-answer", Codec::reply_from_answer),
    ("cross", Codec::cross),
    ("plain-decode", Codec::plain_decode),
    ("plain-encode", Codec::plain_encode),
];

impl Codec {
    /// # Panics
    /// If no dialect has this name.
    pub fn new(name: &str) -> Self {
        let dialect = Dialect::builtin(name).expect("a built-in dialect");
        let approval = Reply { rrn: Some(Rrn::issue(326, 7, 403)), ..Reply::new(ResponseCode::approved()) };
        let stan = Stan::new(77_123).expect("a STAN");
        let ours = Forward {
            rrn: Some(Rrn::issue(326, 7, 403)),
            ..Forward::new(stan, TransmissionTime(1_122_194_503))
        };
        let (mut bytes, mut index) = (BytesMut::new(), Index::new());
        purchase(&dialect, &mut bytes);
        decode(&dialect, &bytes, &mut index).expect("the purchase decodes");
        let (mut answer, mut answer_index) = (BytesMut::new(), Index::new());
        write_reply(&dialect, &bytes, &index, &approval, &mut answer).expect("the answer fits");
        decode(&dialect, &answer, &mut answer_index).expect("the answer decodes");
        let (scratch, out) = (Index::new(), BytesMut::with_capacity(4096));
        let (plain, mut plain_bytes) = (plain(&dialect), BytesMut::new());
        Writer::new(&dialect, Mti::of(0x0200), &mut plain_bytes).fields(&plain).finish().expect("it fits");
        Self { dialect, bytes, index, answer, answer_index, scratch, out, ours, approval, plain, plain_bytes }
    }

    /// Bytes to an index of fields.
    #[inline]
    pub fn decode(&mut self) -> bool {
        decode(&self.dialect, black_box(&self.bytes), &mut self.scratch).is_ok()
    }

    /// The same for bytes that were decoded before.
    #[inline]
    pub fn locate(&mut self) -> bool {
        locate(&self.dialect, black_box(&self.bytes), &mut self.scratch).is_ok()
    }

    /// The engine's request, keys included.
    #[inline]
    pub fn request(&mut self) -> bool {
        let defaults = CanonDefaults { acquirer: Text::cut("48120000") };
        black_box(request(&self.dialect, &defaults, black_box(&self.bytes), &self.index)).is_ok()
    }

    /// The engine's answer.
    #[inline]
    pub fn answer(&mut self) -> bool {
        black_box(answer(&self.dialect, black_box(&self.answer), &self.answer_index)).is_ok()
    }

    /// The purchase from its canonical content.
    #[inline]
    pub fn encode(&mut self) -> bool {
        self.out.clear();
        purchase(&self.dialect, black_box(&mut self.out));
        !self.out.is_empty()
    }

    /// Two fields changed.
    #[inline]
    pub fn patch(&mut self) -> bool {
        self.out.clear();
        let mut patch = Patch::new();
        patch.set_number(11, black_box(77_123)).set_text(37, b"326000000403");
        patch.apply(&self.dialect, &self.bytes, &self.index, &mut self.out).is_ok()
    }

    /// The request as an issuer of the same dialect gets it.
    #[inline]
    pub fn forward(&mut self) -> bool {
        self.out.clear();
        let (dialect, bytes) = (&self.dialect, black_box(&self.bytes));
        forward(dialect, bytes, &self.index, dialect, &self.ours, &mut self.out).is_ok()
    }

    /// An answer from the request alone.
    #[inline]
    pub fn reply(&mut self) -> bool {
        self.out.clear();
        let bytes = black_box(&self.bytes);
        write_reply(&self.dialect, bytes, &self.index, &self.approval, &mut self.out).is_ok()
    }

    /// The terminal's answer from the issuer's.
    #[inline]
    pub fn reply_from_answer(&mut self) -> bool {
        self.out.clear();
        let (dialect, answer) = (&self.dialect, black_box(&self.answer));
        let (request, index) = (&self.bytes, &self.index);
        let (said, out) = (&self.approval, &mut self.out);
        reply_from_answer(dialect, request, index, dialect, answer, &self.answer_index, said, out).is_ok()
    }

    /// The request as an issuer that speaks packed ISO 8583:1987 gets it.
    #[inline]
    pub fn cross(&mut self) -> bool {
        self.out.clear();
        let issuer = Dialect::builtin("iso87-binary").expect("a built-in dialect");
        forward(&self.dialect, black_box(&self.bytes), &self.index, &issuer, &self.ours, &mut self.out)
            .is_ok()
    }

    /// As [`Codec::decode`] for the 20 fields of [`PLAIN`].
    #[inline]
    pub fn plain_decode(&mut self) -> bool {
        decode(&self.dialect, black_box(&self.plain_bytes), &mut self.scratch).is_ok()
    }

    /// The 20 fields of [`PLAIN`] written.
    #[inline]
    pub fn plain_encode(&mut self) -> bool {
        self.out.clear();
        Writer::new(&self.dialect, Mti::of(0x0200), &mut self.out)
            .fields(black_box(&self.plain))
            .finish()
            .is_ok()
    }
}
