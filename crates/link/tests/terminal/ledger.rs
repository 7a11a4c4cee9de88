//! Scripts for a terminal's connection, one line an act; what follows `->` is everything that came of it, in order.

use bytes::BytesMut;
use framing::{Envelope, FrameLimits, Framing, Next};
use iso8583::Index;
use iso8583::{CanonDefaults, Dialect, EncodeError, Writer};
use link::{Decoded, Refused, TerminalConfig, TerminalSession, TerminalSink, Violation};
use std::sync::Arc;
use terms::{Mti, Text, Tick};

/// What the session told, in words; envelopes to answer under.
#[derive(Default)]
pub struct Told {
    pub lines: Vec<String>,
    pub envelopes: Vec<Envelope>,
}

impl TerminalSink for Told {
    fn request(&mut self, message: Decoded<'_>) {
        assert!(message.index.size() == message.body.len(), "body and index belong together");
        let request = message.request;
        assert_eq!(request.acquirer, Text::cut("12345678"), "the listener's acquirer stands in for DE 32");
        self.lines.push(format!("request {} {}", request.mti, request.stan));
        self.envelopes.push(message.envelope);
    }

    fn refused(&mut self, message: Refused<'_>) {
        let trusted = message.trusted;
        self.lines.push(format!("refused {} {}: {}", trusted.mti, trusted.stan, message.error));
        self.envelopes.push(message.envelope);
    }
}

/// A session and the world around it.
pub struct Ledger {
    pub session: TerminalSession,
    pub now: Tick,
    dialect: Arc<Dialect>,
    framing: Framing,
    told: Told,
}

/// Plays a script; every line must come out as it says.
pub fn check(script: &str) {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut ledger = Ledger::open(lines.next().expect("a script begins with its listener"));
    for line in lines {
        let (act, expected) = line.split_once("->").unwrap_or((line, ""));
        assert_eq!(ledger.act(act.trim()), expected.trim(), "{line}");
    }
}

impl Ledger {
    pub fn open(line: &str) -> Self {
        let unionpay = line.contains("unionpay");
        let dialect =
            Dialect::builtin(if unionpay { "unionpay-pos" } else { "iso87-ascii" }).expect("built in");
        let framing = Framing::by_name(if unionpay { "unionpay" } else { "binary2" }).expect("built in");
        let config = TerminalConfig {
            dialect: Arc::clone(&dialect),
            framing,
            defaults: CanonDefaults { acquirer: Text::cut("12345678") },
            limits: FrameLimits {
                idle_us: 60_000_000,
                output_full: value(line, "output").unwrap_or(4_096) as usize,
                ..FrameLimits::default()
            },
            in_flight_max: value(line, "in-flight").unwrap_or(4) as u32,
            bad_max: 1,
        };
        let session = TerminalSession::new(Arc::new(config), Tick(0));
        Self { session, now: Tick(0), dialect, framing, told: Told::default() }
    }

    pub fn act(&mut self, act: &str) -> String {
        let words: Vec<_> = act.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        let outcome = match words[0] {
            "at" => {
                self.now = Tick(number(1) * 1000);
                self.session.on_time(self.now)
            }
            "established" => {
                self.session.on_established(self.now);
                Ok(())
            }
            "hear" => self.hear(&words[1..]),
            "hear-bytes" => self.session.on_bytes(
                act["hear-bytes".len()..].trim().as_bytes(),
                self.now,
                &mut Index::new(),
                &mut self.told,
            ),
            "resume" => self.session.on_bytes(&[], self.now, &mut Index::new(), &mut self.told),
            "reply" => {
                self.reply();
                Ok(())
            }
            "fail-reply" => {
                let failed = self.session.reply(&Envelope::default(), |_| Err("no such field"));
                self.told.lines.extend(failed.err().map(|error| error.to_string()));
                Ok(())
            }
            "forgo" => {
                self.session.forgo();
                Ok(())
            }
            "backlog" => {
                self.session.on_output(number(1) as usize, self.now);
                Ok(())
            }
            "queued" => {
                self.session.queued(number(1), number(2));
                Ok(())
            }
            "taken" => return tickets(|out| self.session.taken(number(1), out)),
            "died" => return tickets(|out| self.session.died(out)),
            "wants" => return if self.session.wants_input() { "input".into() } else { "nothing".into() },
            "inside" => return if self.session.inside_frame() { "a frame".into() } else { "nothing".into() },
            "next" => return self.next(),
            other => panic!("no such act: {other}"),
        };
        self.outcome(outcome)
    }

    fn next(&self) -> String {
        match self.session.next_timeout() {
            Tick(u64::MAX) => "never".into(),
            Tick(at) => (at / 1000).to_string(),
        }
    }

    /// Several messages in one read: `0200/5` is a request under STAN 5, `keep-alive`, `bad/6`, `noise`, and so on.
    fn hear(&mut self, messages: &[&str]) -> Result<(), Violation> {
        let mut bytes = BytesMut::new();
        let envelope = Envelope::request([0, 6], [0, 9]);
        for message in messages {
            if *message == "keep-alive" {
                self.framing.keepalive(&mut bytes);
                continue;
            }
            let body = body(&self.dialect, message);
            self.framing.write(&mut bytes, &envelope, |out| out.extend_from_slice(&body)).expect("fits");
        }
        self.session.on_bytes(&bytes, self.now, &mut Index::new(), &mut self.told)
    }

    fn reply(&mut self) {
        let envelope = self.told.envelopes.remove(0).reply();
        let dialect = &self.dialect;
        let replied = self.session.reply(&envelope, |out| write(dialect, 0x0210, 1, false, out));
        replied.expect("fits");
    }

    fn outcome(&mut self, outcome: Result<(), Violation>) -> String {
        let mut lines = std::mem::take(&mut self.told.lines);
        lines.extend(self.sent());
        lines.extend(outcome.err().map(|violation| format!("dead: {violation}")));
        lines.join("; ")
    }

    fn sent(&mut self) -> Vec<String> {
        let bytes = self.session.output().split();
        let (mut rest, mut lines) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let consumed = match self.framing.next(rest).expect("what we write can be read") {
                Next::Incomplete { .. } => panic!("a whole frame"),
                Next::KeepAlive { consumed } => {
                    lines.push("keep-alive".to_owned());
                    consumed
                }
                Next::Frame { consumed, envelope, .. } => {
                    let to = if self.framing.tpdu {
                        format!(" to {:?}", envelope.destination())
                    } else {
                        String::new()
                    };
                    lines.push(format!("reply{to}"));
                    consumed
                }
            };
            rest = &rest[consumed..];
        }
        lines
    }
}

/// The bytes of one message of a script.
pub fn body(dialect: &Dialect, message: &str) -> BytesMut {
    let mut out = BytesMut::new();
    let (kind, stan) = message.split_once('/').unwrap_or((message, "1"));
    let stan = stan.parse().expect("a STAN");
    match kind {
        "noise" => out.extend_from_slice(b"no message"),
        // One byte too many at the end: type, STAN and terminal can be read, the message is bad.
        "bad" => {
            write(dialect, 0x0200, stan, true, &mut out).expect("fields of the dialect");
            out.extend_from_slice(b"?");
        }
        mti => {
            let mti = u16::from_str_radix(mti, 16).expect("an MTI");
            write(dialect, mti, stan, true, &mut out).expect("fields of the dialect");
        }
    }
    out
}

fn write(
    dialect: &Dialect,
    mti: u16,
    stan: u64,
    terminal: bool,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut writer = Writer::new(dialect, Mti::of(mti), out);
    writer.number(3, 0).number(11, stan);
    if terminal {
        writer.text(41, b"TERM0001");
    }
    writer.finish().map(drop)
}

fn tickets(fill: impl FnOnce(&mut Vec<u64>)) -> String {
    let mut out = Vec::new();
    fill(&mut out);
    let shown: Vec<_> = out.iter().map(u64::to_string).collect();
    shown.join(" ")
}

fn value(line: &str, name: &str) -> Option<u64> {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    Some(word.parse().unwrap_or_else(|_| panic!("{name} in: {line}")))
}
