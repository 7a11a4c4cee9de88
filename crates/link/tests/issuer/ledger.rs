//! Scripts for a link to an issuer, one line an act; what follows `->` is everything that came of it, in order.

use bytes::BytesMut;
use framing::{Envelope, Framing, Next};
use iso8583::{DecodeError, Dialect, EncodeError, Index, View, Writer, decode};
use link::{IssuerLinkConfig, IssuerSession, IssuerSink, LinkKey, Reason, Violation};
use std::sync::Arc;
use terms::{Answer, Mti, Now, Request, Tick};

/// What the session told, in words.
#[derive(Default)]
pub struct Told(pub Vec<String>);

impl IssuerSink for Told {
    fn answer(&mut self, answer: &Answer, raw: &[u8], index: &Index) {
        assert!(index.size() == raw.len(), "raw bytes and index belong together");
        self.0.push(format!("answer {} {} {}", answer.mti, answer.stan, answer.code));
    }

    fn unmatched(&mut self, reason: Reason, answer: Option<&Answer>, _: &[u8], _: &Index) {
        let stan = answer.map_or_else(|| "without STAN".to_owned(), |answer| answer.stan.to_string());
        self.0.push(format!("unmatched {stan}: {reason}"));
    }

    fn request(&mut self, request: &Request, _: Envelope, raw: &[u8], index: &Index) {
        assert!(index.size() == raw.len(), "raw bytes and index belong together");
        self.0.push(format!("request {} {}", request.mti, request.stan));
    }

    fn unreadable(&mut self, _: &DecodeError) {
        self.0.push("unreadable".to_owned());
    }

    fn echoed(&mut self) {
        self.0.push("echoed".to_owned());
    }

    fn up(&mut self) {
        self.0.push("up".to_owned());
    }

    fn down(&mut self) {
        self.0.push("down".to_owned());
    }
}

/// A session and the world around it.
pub struct Ledger {
    pub session: IssuerSession,
    pub now: Now,
    dialect: Arc<Dialect>,
    framing: Framing,
    told: Told,
}

/// Plays a script; every line must come out as it says.
pub fn check(script: &str) {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut ledger = Ledger::open(lines.next().expect("a script begins with its link"));
    for line in lines {
        let (act, expected) = line.split_once("->").unwrap_or((line, ""));
        assert_eq!(ledger.act(act.trim()), expected.trim(), "{line}");
    }
}

impl Ledger {
    pub fn open(line: &str) -> Self {
        let unionpay = line.contains("unionpay");
        let dialect =
            Dialect::builtin(if unionpay { "unionpay-pos" } else { "iso87-binary" }).expect("built in");
        let framing = Framing::by_name(if unionpay { "unionpay" } else { "binary2" }).expect("built in");
        let key = LinkKey::of(&dialect);
        let config = IssuerLinkConfig {
            link_key: LinkKey { terminal: line.contains("de41") || key.terminal, ..key },
            sign_on: line.contains("sign-on"),
            sign_on_timeout_ms: 5_000,
            echo_every_ms: value(line, "echo").unwrap_or(0),
            echo_timeout_ms: 3_000,
            steady_echoes: value(line, "steady").unwrap_or(0) as u32,
            backoff_first_ms: 1_000,
            backoff_max_ms: 8_000,
            output_max: value(line, "output").unwrap_or(1 << 20) as usize,
            bad_max: 2,
            ..IssuerLinkConfig::new(Arc::clone(&dialect), framing)
        };
        config.check().expect("network management can be written");
        let session = IssuerSession::new(Arc::new(config), 7);
        let mut ledger = Self { session, now: Now::default(), dialect, framing, told: Told::default() };
        ledger.set_time(0);
        ledger
    }

    pub fn act(&mut self, act: &str) -> String {
        let words: Vec<_> = act.split_whitespace().collect();
        let outcome = match words[0] {
            "at" => {
                self.set_time(words[1].parse().expect("milliseconds"));
                self.session.on_time(&self.now, &mut self.told)
            }
            "connect" => {
                self.session.on_connecting(&self.now);
                Ok(())
            }
            "connected" => {
                self.session.on_connected(&self.now, &mut self.told);
                Ok(())
            }
            "hear" => self.hear(act, &words),
            "hear-keep-alive" => self.hear_bytes(|framing, _, out| framing.keepalive(out)),
            "hear-garbage" => self.hear_bytes(|framing, envelope, out| {
                framing.write(out, envelope, |out| out.extend_from_slice(b"no message")).expect("fits");
            }),
            "hear-bytes" => {
                let bytes = BytesMut::from(act["hear-bytes".len()..].trim().as_bytes());
                self.session.on_bytes(&bytes, &self.now, &mut Index::new(), &mut self.told)
            }
            "send" => {
                self.send();
                Ok(())
            }
            "backlog" => {
                self.session.on_output(words[1].parse().expect("bytes"), &self.now);
                Ok(())
            }
            "sign-off" => {
                self.session.sign_off(&self.now);
                Ok(())
            }
            "probe" => {
                self.session.probe(&self.now);
                Ok(())
            }
            "disconnect" => return self.disconnect(),
            "state" => return self.state(),
            "next" => {
                return self.session.next_timeout().map_or("never".into(), |at| (at.0 / 1000).to_string());
            }
            other => panic!("no such act: {other}"),
        };
        self.outcome(outcome)
    }

    fn set_time(&mut self, ms: u64) {
        self.now = Now::at(Tick(ms * 1000), 1_795_000_000_000 + ms as i64);
    }

    fn hear(&mut self, act: &str, words: &[&str]) -> Result<(), Violation> {
        let mti = Mti::from_ascii(words[1].as_bytes().try_into().expect("four digits")).expect("an MTI");
        let (dialect, now) = (Arc::clone(&self.dialect), self.now);
        let act = act.to_owned();
        self.hear_bytes(move |framing, envelope, out| {
            let written = framing.try_write(out, envelope, |out| {
                message(&dialect, mti, &act, &now, out).map_err(|error| panic!("{act}: {error}"))
            });
            let () = written.map_err(|error: framing::Violation| error).expect("fits");
        })
    }

    fn hear_bytes(
        &mut self,
        write: impl FnOnce(&Framing, &Envelope, &mut BytesMut),
    ) -> Result<(), Violation> {
        let mut bytes = BytesMut::new();
        write(&self.framing, &Envelope::request([0, 1], [0, 2]), &mut bytes);
        // In two reads, cut anywhere: a frame is a frame.
        let cut = (self.now.tick.0 / 1000) as usize % (bytes.len() + 1);
        self.session.on_bytes(&bytes[..cut], &self.now, &mut Index::new(), &mut self.told)?;
        self.session.on_bytes(&bytes[cut..], &self.now, &mut Index::new(), &mut self.told)
    }

    fn send(&mut self) {
        let (dialect, now) = (Arc::clone(&self.dialect), self.now);
        let sent = self.session.frame(|out| message(&dialect, Mti::of(0x0200), "send stan=77", &now, out));
        if let Err(error) = sent {
            self.told.0.push(error.to_string());
        }
    }

    fn disconnect(&mut self) -> String {
        let at = self.session.on_disconnected(&self.now);
        assert_eq!(self.session.reconnect_at(), Some(at));
        assert!(self.session.output().is_empty() && !self.session.is_up());
        let wait = at.since(self.now.tick) / 1000;
        match wait {
            500..=1000 => "first wait".into(),
            1001..=2000 => "second wait".into(),
            2001..=4000 => "third wait".into(),
            4001..=8000 => "longest wait".into(),
            other => format!("{other} ms"),
        }
    }

    fn state(&self) -> String {
        let up = if self.session.is_up() { "up" } else { "not up" };
        if self.session.is_signed_off() { format!("{up}, signed off") } else { up.into() }
    }

    /// What went out, then what was told, then what ended it.
    fn outcome(&mut self, outcome: Result<(), Violation>) -> String {
        let mut lines = self.sent();
        lines.append(&mut self.told.0);
        lines.extend(outcome.err().map(|violation| format!("dead: {violation}")));
        lines.join("; ")
    }

    fn sent(&mut self) -> Vec<String> {
        let bytes = self.session.output().split();
        let (mut rest, mut index, mut lines) = (&bytes[..], Index::new(), Vec::new());
        while !rest.is_empty() {
            let Ok(Next::Frame { consumed, body, .. }) = self.framing.next(rest) else {
                panic!("a whole frame")
            };
            let body = &rest[body];
            decode(&self.dialect, body, &mut index).expect("what we write can be read");
            let view = View::new(&self.dialect, body, &index);
            let stan = view.number(11).expect("a STAN");
            let code = view.text::<4>(39).map_or(String::new(), |code| format!(" {code}"));
            let network = view.number(70).map_or(String::new(), |code| format!(" {code:03}"));
            let private = view.text::<17>(60).map_or(String::new(), |text| format!(" {text}"));
            lines.push(format!("sends {} {stan:06}{code}{network}{private}", index.mti()));
            rest = &rest[consumed..];
        }
        lines
    }
}

/// A message with the fields that the act names; DE 7 and 41 unless it says otherwise.
pub fn message(
    dialect: &Dialect,
    mti: Mti,
    act: &str,
    now: &Now,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut writer = Writer::new(dialect, mti, out);
    if dialect.has_field(7) && !act.contains("without-de7") {
        writer.number(7, u64::from(now.transmission.0));
    }
    if !act.contains("without-de11") {
        writer.number(11, value(act, "stan").expect("a STAN"));
    }
    if let Some(code) = value(act, "code") {
        writer.text(39, format!("{code:02}").as_bytes());
    }
    if !act.contains("without-de41") {
        writer.text(41, b"TERM0001");
    }
    match value(act, "network") {
        Some(code) if dialect.has_field(70) => drop(writer.number(70, code)),
        Some(code) => drop(writer.text(60, format!("00000001{code:03}").as_bytes())),
        None => {}
    }
    writer.finish().map(drop)
}

fn value(line: &str, name: &str) -> Option<u64> {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    Some(word.parse().unwrap_or_else(|_| panic!("{name} in: {line}")))
}
