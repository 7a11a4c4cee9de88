//! The message to send: what its type usually carries, changed by what the user gave.
//! Never takes card data from an argument. Guards: the message decodes again before it is sent.

use crate::cli::args::Send;
use crate::cli::{Failure, input};
use bytes::BytesMut;
use clap::ValueEnum;
use iso8583::{Dialect, Index, Writer, decode};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use terms::{Mti, Now, Tick};

/// Types of message with the fields they usually have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// 0200, processing code 000000
    Purchase,
    /// 0100, held for a later completion
    PreAuth,
    /// 0200, processing code 31
    Balance,
    /// 0400; name the original by the same --field 11, or by 37 or 90 as the dialect asks
    Reversal,
    /// 0800
    SignOn,
    /// 0820 or 0800
    SignOff,
    /// 0800 or 0820, network code 301
    Echo,
}

/// A message ready to be framed.
pub(super) struct Outgoing {
    /// Its type.
    pub mti: Mti,
    /// Its DE 11.
    pub stan: u64,
    /// As on the wire, without framing.
    pub body: BytesMut,
}

type Fields = BTreeMap<u8, Vec<u8>>;

impl Outgoing {
    /// The preset's fields, changed by `--pan` and `--field`.
    pub(super) fn build(args: &Send, dialect: &Dialect) -> Result<Self, Failure> {
        let unionpay = dialect.name().starts_with("unionpay");
        let mti = args.mti.as_deref().unwrap_or(preset_mti(args.kind, unionpay));
        let mti = <[u8; 4]>::try_from(mti.as_bytes()).ok().and_then(Mti::from_ascii);
        let mti = mti.ok_or_else(|| Failure::new("--mti: expected four decimal digits"))?;
        let mut fields = usual(args, unionpay, clocks());
        fields.retain(|n, _| dialect.has_field(*n));
        if let Some(from) = &args.pan {
            fields.insert(2, pan(from)?);
        }
        for given in &args.fields {
            let (n, value) = field(given)?;
            match value.is_empty() {
                true => fields.remove(&n),
                false => fields.insert(n, value),
            };
        }
        Self::write(dialect, mti, &fields)
    }

    fn write(dialect: &Dialect, mti: Mti, fields: &Fields) -> Result<Self, Failure> {
        let mut body = BytesMut::new();
        let mut writer = Writer::new(dialect, mti, &mut body);
        for (n, content) in fields {
            writer.binary(*n, content);
        }
        writer.finish().map_err(|error| Failure::because("the message cannot be written", error))?;
        decode(dialect, &body, &mut Index::new())
            .map_err(|error| Failure::because("the message would not be understood", error))?;
        let stan = fields.get(&11).and_then(|stan| std::str::from_utf8(stan).ok()?.parse().ok());
        let stan = stan.ok_or_else(|| Failure::new("--field 11: expected a number"))?;
        Ok(Self { mti, stan, body })
    }
}

fn preset_mti(preset: Preset, unionpay: bool) -> &'static str {
    match (preset, unionpay) {
        (Preset::Purchase | Preset::Balance, _) => "0200",
        (Preset::PreAuth, _) => "0100",
        (Preset::Reversal, _) => "0400",
        (Preset::SignOn, _) | (Preset::SignOff | Preset::Echo, false) => "0800",
        (Preset::SignOff | Preset::Echo, true) => "0820",
    }
}

/// What a message of this type usually carries; fields that the dialect lacks are dropped later.
fn usual(args: &Send, unionpay: bool, now: Now) -> Fields {
    let mut fields = Fields::new();
    let mut set = |n: u8, value: String| fields.insert(n, value.into_bytes());
    set(7, format!("{:010}", now.transmission.0));
    set(11, format!("{:06}", stan(now)));
    set(41, args.terminal.clone());
    set(42, args.merchant.clone());
    let network = match args.kind {
        Preset::SignOn => Some("001"),
        Preset::SignOff => Some("002"),
        Preset::Echo => Some("301"),
        _ => None,
    };
    if let Some(code) = network {
        set(
            if unionpay { 60 } else { 70 },
            if unionpay { format!("00000001{code}") } else { code.to_owned() },
        );
        if unionpay {
            set(63, "001".into());
        }
        return fields;
    }
    let (code, function, condition) = match args.kind {
        Preset::Balance => ("310000", "01", "00"),
        Preset::PreAuth => ("030000", "10", "06"),
        _ => ("000000", "22", "00"),
    };
    set(3, code.into());
    set(4, "000000000100".into());
    set(12, format!("{:06}", now.transmission.0 % 1_000_000));
    set(13, format!("{:04}", now.transmission.0 / 1_000_000));
    set(22, "012".into());
    set(25, condition.into());
    set(49, "156".into());
    if args.kind == Preset::Balance {
        set(4, String::new());
    }
    if args.kind == Preset::Reversal {
        set(39, "98".into());
    }
    if unionpay {
        // 60.1 type, 60.2 batch, 60.3 network code, 60.4 terminal reads chips and stripes.
        set(60, format!("{function}0000010005"));
        // A terminal leaves its clock to the answer.
        set(12, String::new());
        set(13, String::new());
    }
    fields.retain(|_, value| !value.is_empty());
    fields
}

fn clocks() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now::at(Tick(0), i64::try_from(since.as_millis()).unwrap_or(0))
}

/// A number that differs from that of the message before: tenths of seconds, around in a day.
fn stan(now: Now) -> i64 {
    now.wall_ms / 100 % 999_999 + 1
}

fn pan(from: &str) -> Result<Vec<u8>, Failure> {
    let text = input::secret(from)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::new(format!(
            "--pan {from}: expected the digits of a card number and nothing else"
        )));
    }
    Ok(text.into_bytes())
}

/// `N=VALUE`, `N=hex:BYTES`, `N=@FILE`; an empty value takes the field out.
fn field(given: &str) -> Result<(u8, Vec<u8>), Failure> {
    // What was given may hold a secret, so that only the number of the field is shown.
    let parsed = given.split_once('=').and_then(|(n, value)| Some((n.parse::<u8>().ok()?, value)));
    let (n, value) = parsed
        .filter(|(n, _)| (2..=iso8583::FIELD_MAX).contains(n))
        .ok_or_else(|| Failure::new("--field: expected N=VALUE with N from 2 to 192"))?;
    let read = value.strip_prefix('@').map(input::secret).transpose()?;
    if read.is_none() && CARD_DATA.contains(&n) && !value.is_empty() {
        let text =
            "holds card data, expected it in a file or on standard input: arguments are seen by others";
        return Err(Failure::new(format!("--field {n}: {text} (--field {n}=@FILE or {n}=@-)")));
    }
    let text = read.as_deref().unwrap_or(value);
    let content = match text.strip_prefix("hex:") {
        Some(digits) => input::unhex(digits.as_bytes()),
        None => Some(text.as_bytes().to_vec()),
    };
    Ok((
        n,
        content
            .ok_or_else(|| Failure::new(format!("--field {n}: expected pairs of hex digits after hex:")))?,
    ))
}

/// Fields that hold a card number, a track, a PIN block or chip data with one of them.
const CARD_DATA: [u8; 10] = [2, 34, 35, 36, 45, 52, 55, 96, 102, 103];
