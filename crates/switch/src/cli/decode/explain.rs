//! Which framing and dialect explain bytes to the last one, and what they then say.
//! Never prints. Guards: nothing is left over, in no frame and behind none.

use super::named;
use crate::cli::Failure;
use crate::config;
use framing::{Envelope, Framing, Header, LengthForm, Next};
use iso8583::{DecodeError, Description, Dialect, describe};
use std::ops::Range;
use std::sync::Arc;

/// Which framing was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum Wanted {
    /// Whichever fits.
    Auto,
    /// A bare message.
    Bare,
    /// This one.
    Named(Framing),
}

impl Wanted {
    /// From `auto`, `none` or a name.
    pub(in crate::cli) fn parse(name: &str) -> Result<Self, Failure> {
        match name {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::Bare),
            // Bounds are a listener's; here whatever the length says is looked at.
            _ => framing(name).map(|framing| Self::Named(Framing { max_frame: u32::MAX, ..framing })),
        }
    }
}

/// A framing by name.
pub(in crate::cli) fn framing(name: &str) -> Result<Framing, Failure> {
    Framing::by_name(name).ok_or_else(|| {
        let expected = config::expected(name, Framing::names());
        Failure::new(format!("no framing \"{name}\", {expected}"))
    })
}

/// Messages and what explains them.
#[derive(Debug)]
pub(in crate::cli) struct Explained {
    /// `None`: a bare message.
    pub framing: Option<Framing>,
    /// The one under which all of them decode.
    pub dialect: Arc<Dialect>,
    /// In the order of the bytes.
    pub messages: Vec<Message>,
}

impl Explained {
    /// `none` or the framing's name.
    pub(super) fn framing_name(&self) -> String {
        self.framing.map_or("none".to_owned(), |framing| framing.to_string())
    }
}

/// One message and what stood around it.
#[derive(Debug)]
pub(in crate::cli) struct Message {
    /// Hex digits, where the framing has one.
    pub tpdu: Option<String>,
    /// Likewise.
    pub header: Option<String>,
    /// Every field.
    pub description: Description,
}

/// Explains `bytes` by `dialect` (or any) under the wanted framing.
pub(in crate::cli) fn explain(
    bytes: &[u8],
    dialect: Option<&Arc<Dialect>>,
    wanted: Wanted,
    clear: bool,
) -> Result<Explained, Failure> {
    match wanted {
        Wanted::Bare => under(bytes, None, dialect, clear),
        Wanted::Named(framing) => under(bytes, Some(framing), dialect, clear),
        Wanted::Auto => {
            let framings = framing::detect(bytes).into_iter().map(|candidate| Some(candidate.framing));
            let mut tried = Vec::new();
            for framing in framings.chain([None]) {
                match under(bytes, framing, dialect, clear) {
                    Ok(explained) => return Ok(explained),
                    Err(failure) => tried.push((framing, failure)),
                }
            }
            Err(nothing_fits(bytes, &tried, dialect))
        }
    }
}

/// What is wrong under the likeliest framing and as a bare message.
fn nothing_fits(
    bytes: &[u8],
    tried: &[(Option<Framing>, Failure)],
    dialect: Option<&Arc<Dialect>>,
) -> Failure {
    let mut text = format!("no framing makes this a message of {}", named(dialect));
    if tried.len() == 1 {
        let asked: Vec<String> = LengthForm::ALL.into_iter().filter_map(|form| asks(bytes, form)).collect();
        let found = if asked.is_empty() { "none in any form".to_owned() } else { asked.join(", ") };
        let count = bytes.len();
        text.push_str(&format!(
            "\n  framed: expected a length prefix for the {count} bytes there are, found {found}"
        ));
    }
    for (framing, failure) in tried.iter().take(1).chain(tried.iter().skip(1).last()) {
        let name = framing.map_or("none".to_owned(), |framing| framing.to_string());
        text.push_str(&format!("\n  framing {name}: {failure}"));
    }
    Failure::new(text)
}

/// How many bytes the first frame would have if its length were of this form; `None` where it is no number at all.
fn asks(bytes: &[u8], length: LengthForm) -> Option<String> {
    let framing = Framing { length, max_frame: u32::MAX, ..Framing::default() };
    let (Next::Incomplete { need: asked } | Next::Frame { consumed: asked, .. }) =
        framing.next(bytes).ok()?
    else {
        return None;
    };
    (bytes.len() >= length.size()).then(|| format!("one for {asked} ({framing})"))
}

/// Explains `bytes` under one framing.
fn under(
    bytes: &[u8],
    framing: Option<Framing>,
    dialect: Option<&Arc<Dialect>>,
    clear: bool,
) -> Result<Explained, Failure> {
    let frames = match framing {
        None => vec![(Envelope::default(), 0..bytes.len())],
        Some(framing) => frames(bytes, framing)?,
    };
    let Some((_, front)) = frames.first() else { return Err(Failure::new("no message, only keep-alives")) };
    let likely = match dialect {
        Some(dialect) => vec![Arc::clone(dialect)],
        None => iso8583::detect(&bytes[front.clone()]),
    };
    let mut wrong = None;
    for dialect in likely {
        match messages(bytes, framing, &frames, &dialect, clear) {
            Ok(messages) => return Ok(Explained { framing, dialect, messages }),
            Err(failure) => wrong = wrong.or(Some(failure)),
        }
    }
    Err(wrong.unwrap_or_else(|| Failure::new(format!("the message is none of {}", named(dialect)))))
}

/// Every frame of `bytes`, which must end where the last one does.
fn frames(bytes: &[u8], framing: Framing) -> Result<Vec<(Envelope, Range<usize>)>, Failure> {
    let (mut at, mut frames) = (0, Vec::new());
    while at < bytes.len() {
        let place = || format!("frame {} at byte {at}", frames.len() + 1);
        match framing.next(&bytes[at..]) {
            Err(violation) => return Err(Failure::because(place(), violation)),
            Ok(Next::Incomplete { need }) => {
                let found = bytes.len() - at;
                let text = format!("{}: its length asks for {need} bytes in all, found {found}", place());
                return Err(Failure::new(text));
            }
            Ok(Next::KeepAlive { consumed }) => at += consumed,
            Ok(Next::Frame { consumed, envelope, body }) => {
                frames.push((envelope, at + body.start..at + body.end));
                at += consumed;
            }
        }
    }
    Ok(frames)
}

fn messages(
    bytes: &[u8],
    framing: Option<Framing>,
    frames: &[(Envelope, Range<usize>)],
    dialect: &Dialect,
    clear: bool,
) -> Result<Vec<Message>, Failure> {
    let has_tpdu = framing.is_some_and(|framing| framing.tpdu);
    let has_header = framing.is_some_and(|framing| framing.header == Header::UnionPay6);
    let one = |(number, (envelope, body)): (usize, &(Envelope, Range<usize>))| {
        let described = describe(dialect, &bytes[body.clone()], clear);
        let description = described.map_err(|error| wrong(number + 1, frames.len(), dialect, error))?;
        let tpdu = has_tpdu.then(|| hex(&envelope.tpdu));
        let header = has_header.then(|| hex(&envelope.header));
        Ok(Message { tpdu, header, description })
    };
    frames.iter().enumerate().map(one).collect()
}

/// Names the field as the dialect does: a number alone sends people to the manual.
fn wrong(number: usize, of: usize, dialect: &Dialect, error: DecodeError) -> Failure {
    let which = if of > 1 { format!("message {number} of {of}, ") } else { String::new() };
    let name = match dialect.field_name(error.field) {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    Failure::new(format!("{which}{}: {error}{name}", dialect.name()))
}

pub(in crate::cli) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
