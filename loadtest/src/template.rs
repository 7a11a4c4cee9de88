//! Messages that are encoded once and patched for each transaction.
//! Never asks the dialect while load runs. Guards: every message that leaves decodes under its dialect, because only digits of
//! fixed width and the terminal's number change.

use crate::config::{FleetConfig, FleetFault};
use bytes::BytesMut;
use framing::{Envelope, Framing};
use iso8583::{Dialect, Index, Writer, decode};
use terms::Mti;

/// What stands in one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub stan: u32,
    pub amount: u32,
    pub card: u64,
    pub terminal: u32,
    /// MMDDhhmmss of the request (of the original, in a reversal).
    pub transmission: u32,
    pub batch: u32,
}

/// All messages of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Templates {
    pub purchase: Template,
    /// The purchase once more, with the repeat's message type where the dialect has one.
    pub repeat: Template,
    pub balance: Template,
    pub reversal: Template,
    pub sign_in: Template,
    /// Whether requests carry DE 12 and 13.
    pub dated: bool,
}

/// One message, framed.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    spots: Vec<(What, Spot)>,
}

/// Digits, or the terminal's identification.
#[derive(Clone, Copy, Debug)]
enum What {
    Stan,
    Amount,
    Card,
    Terminal,
    Transmission,
    Time,
    Date,
    Batch,
}

/// Where in the frame, how many bytes, and whether two digits share a byte.
#[derive(Clone, Copy, Debug)]
struct Spot {
    at: usize,
    len: usize,
    packed: bool,
}

impl Templates {
    pub(crate) fn new(
        config: &FleetConfig,
        dialect: &Dialect,
        framing: &Framing,
    ) -> Result<Self, FleetFault> {
        let maker = Maker { config, dialect, framing, unionpay: dialect.name() == "unionpay-pos" };
        let make = |message, mti| maker.template(message, Mti::of(mti));
        Ok(Self {
            purchase: make("purchase", 0x0200)?,
            repeat: make("repeat", if maker.unionpay { 0x0200 } else { 0x0201 })?,
            balance: make("balance", 0x0200)?,
            reversal: make("reversal", 0x0400)?,
            sign_in: make("sign-in", 0x0800)?,
            dated: !maker.unionpay,
        })
    }
}

impl Template {
    /// Appends the message.
    #[inline]
    pub(crate) fn write(&self, fill: &Fill, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let frame = &mut out[start..];
        for (what, spot) in &self.spots {
            let place = &mut frame[spot.at..spot.at + spot.len];
            let value = match what {
                What::Stan => u64::from(fill.stan),
                What::Amount => u64::from(fill.amount),
                What::Card => fill.card,
                What::Terminal => u64::from(fill.terminal),
                What::Transmission => u64::from(fill.transmission),
                What::Time => u64::from(fill.transmission % 1_000_000),
                What::Date => u64::from(fill.transmission / 1_000_000),
                What::Batch => u64::from(fill.batch),
            };
            if spot.packed { put_packed(value, place) } else { put_ascii(value, place) }
        }
    }
}

/// Writes the samples that the templates are cut from.
struct Maker<'a> {
    config: &'a FleetConfig,
    dialect: &'a Dialect,
    framing: &'a Framing,
    unionpay: bool,
}

impl Maker<'_> {
    fn template(&self, message: &'static str, mti: Mti) -> Result<Template, FleetFault> {
        let mut body = BytesMut::new();
        let mut writer = Writer::new(self.dialect, mti, &mut body);
        match (message, self.unionpay) {
            ("sign-in", true) => self.unionpay_sign_in(&mut writer),
            ("sign-in", false) => self.iso_sign_in(&mut writer),
            (_, true) => self.unionpay(message, &mut writer),
            (_, false) => self.iso(message, &mut writer),
        }
        let written = writer.finish();
        written.map_err(|source| FleetFault::Template {
            dialect: self.dialect.name().to_owned(),
            message,
            source,
        })?;
        self.cut(&body)
    }

    fn iso(&self, message: &str, writer: &mut Writer<'_>) {
        let balance = message == "balance";
        writer.text(2, CARD).number(3, if balance { 310_000 } else { 0 }).number(4, 0);
        writer.number(7, 101_000_000).number(11, 1).number(12, 0).number(13, 101).number(14, 4_912);
        writer.number(18, 5_999).number(19, 156).number(22, 51).number(23, 1).number(24, 3).number(25, 0);
        self.acquirer(writer);
        writer.text(41, TERMINAL);
        self.merchant(writer);
        writer.text(43, NAME).number(49, u64::from(self.config.currency));
        if message == "reversal" {
            // MTI, STAN and DE 7 of the original; zeros for the acquirer mean "the one of this message".
            writer.text(90, b"020000000101010000000000000000000000000000");
        }
    }

    fn iso_sign_in(&self, writer: &mut Writer<'_>) {
        writer.number(7, 101_000_000).number(11, 1);
        self.acquirer(writer);
        writer.text(41, TERMINAL);
        self.merchant(writer);
        writer.number(70, 1);
    }

    fn unionpay(&self, message: &str, writer: &mut Writer<'_>) {
        let (code, kind) = if message == "balance" { (310_000, "01") } else { (0, "22") };
        writer.text(2, CARD).number(3, code).number(4, 0).number(11, 1).number(14, 4_912);
        writer.text(22, b"021").number(25, 0);
        self.acquirer(writer);
        if message == "reversal" {
            // 98: the terminal got no answer (UnionPay POS, reasons of reversals).
            writer.text(39, b"98");
        }
        writer.text(41, TERMINAL);
        self.merchant(writer);
        writer.text(49, format!("{:03}", self.config.currency).as_bytes());
        writer.text(60, format!("{kind}000001000").as_bytes());
    }

    fn unionpay_sign_in(&self, writer: &mut Writer<'_>) {
        writer.number(11, 1).text(41, TERMINAL);
        self.merchant(writer);
        writer.text(60, b"00000001003").text(63, b"001");
    }

    fn acquirer(&self, writer: &mut Writer<'_>) {
        if self.config.send_acquirer {
            writer.text(32, self.config.acquirer.as_bytes());
        }
    }

    fn merchant(&self, writer: &mut Writer<'_>) {
        writer.text(42, format!("{:<15}", self.config.merchant).as_bytes());
    }

    /// Frames the sample and finds what changes in it.
    fn cut(&self, body: &BytesMut) -> Result<Template, FleetFault> {
        let mut index = Index::new();
        let own = |found: String| FleetFault::Setting {
            what: "dialect",
            expected: "messages of ours that it can read, with numbers in ASCII or packed".into(),
            found,
        };
        decode(self.dialect, body, &mut index).map_err(|fault| own(fault.to_string()))?;
        let mut bytes = BytesMut::new();
        let envelope = Envelope::request([0, 0], [0, 0]);
        let framed =
            self.framing.write(&mut bytes, &envelope, |out: &mut BytesMut| out.extend_from_slice(body));
        framed.map_err(|fault| own(fault.to_string()))?;
        let ahead = self.framing.around() - usize::from(self.framing.trailer.is_some());
        let mut spots = Vec::new();
        for (n, what, from, len) in SPOTS {
            let skipped = matches!(what, What::Batch) && !self.unionpay;
            let (Some(raw), Some(at)) = (index.raw(n, body), index.offset(n)) else { continue };
            if skipped {
                continue;
            }
            let units = index.units(n).unwrap_or(0);
            let packed = raw.len() < units;
            if !packed && !raw.is_ascii() {
                return Err(own(self.dialect.name().to_owned()));
            }
            let (from, len) = if packed { (from / 2, len / 2) } else { (from, len) };
            spots.push((what, Spot { at: ahead + at + from, len, packed }));
        }
        Ok(Template { bytes: bytes.to_vec(), spots })
    }
}

#[inline]
fn put_ascii(mut value: u64, place: &mut [u8]) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[inline]
fn put_packed(mut value: u64, place: &mut [u8]) {
    for byte in place.iter_mut().rev() {
        let two = (value % 100) as u8;
        *byte = ((two / 10) << 4) | (two % 10);
        value /= 100;
    }
}

/// Field, what it is, first digit or character, how many: all even where they may be packed.
const SPOTS: [(u8, What, usize, usize); 10] = [
    (2, What::Card, 0, 16),
    (4, What::Amount, 0, 12),
    (7, What::Transmission, 0, 10),
    (11, What::Stan, 0, 6),
    (12, What::Time, 0, 6),
    (13, What::Date, 0, 4),
    // The letter in front stays.
    (41, What::Terminal, 1, 7),
    (60, What::Batch, 2, 6),
    (90, What::Stan, 4, 6),
    (90, What::Transmission, 10, 10),
];
const CARD: &[u8] = b"6224240000000018";
const TERMINAL: &[u8] = b"T0000001";
/// DE 43 has 40 characters.
const NAME: &[u8] = b"LOAD TEST TERMINAL     SHANGHAI       CN";
const _: () = assert!(NAME.len() == 40 && CARD.len() == 16);

#[cfg(test)]
mod tests {
    use super::*;
    use framing::Next;
    use iso8583::{CanonDefaults, request};
    use terms::Kind;

    const FILL: Fill = Fill {
        stan: 987_654,
        amount: 12_351,
        card: 6_224_249_999_999_994,
        terminal: 7_654_321,
        transmission: 1_122_235_958,
        batch: 42,
    };

    #[test]
    fn every_message_of_every_dialect_says_what_it_was_filled_with() {
        for (name, framing) in
            [("unionpay-pos", "unionpay"), ("iso87-ascii", "ascii4+etx"), ("iso87-binary", "binary2")]
        {
            let (dialect, framing) = (Dialect::builtin(name).unwrap(), Framing::by_name(framing).unwrap());
            for send_acquirer in [false, true] {
                let config = FleetConfig { send_acquirer, ..FleetConfig::new(vec![], None, name) };
                let all = Templates::new(&config, &dialect, &framing).unwrap();
                for (template, kind) in [
                    (&all.purchase, Kind::Purchase),
                    (&all.repeat, Kind::Purchase),
                    (&all.balance, Kind::Balance),
                    (&all.reversal, Kind::Reversal),
                    (&all.sign_in, Kind::SignOn),
                ] {
                    check(template, kind, &dialect, &framing);
                }
            }
        }
    }

    fn check(template: &Template, kind: Kind, dialect: &Dialect, framing: &Framing) {
        let mut out = b"before".to_vec();
        template.write(&FILL, &mut out);
        let Ok(Next::Frame { consumed, body, .. }) = framing.next(&out[6..]) else { panic!("no frame") };
        assert_eq!(consumed, out.len() - 6);
        let (mut index, body) = (Index::new(), &out[6..][body]);
        decode(dialect, body, &mut index).unwrap();
        let said = request(dialect, &CanonDefaults::default(), body, &index).unwrap();
        assert_eq!((said.kind, said.stan.get()), (kind, FILL.stan), "{}", dialect.name());
        assert_eq!(said.terminal.as_str(), "T7654321");
        if kind == Kind::SignOn {
            return;
        }
        assert_eq!((said.amount, said.pan.unwrap().parts().0), (12_351, FILL.card));
        match dialect.name() {
            "unionpay-pos" => assert_eq!(said.batch, 42),
            _ => assert_eq!(
                (said.transmission.0, said.local_time, said.local_date),
                (1_122_235_958, 235_958, 1_122)
            ),
        }
        assert_eq!(kind == Kind::Reversal, said.original.is_some());
    }
}
