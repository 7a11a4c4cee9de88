//! The whole switch with clocks that stand still until a story moves them: workers, sessions, engine, journal and recovery
//! are those that serve; connections are in memory, issuers are `issuer-sim`, nothing goes wrong by itself.
//! Never reads a clock of the machine. Guards: between two moves of the clock everything that can happen has happened.

use crate::message::{Ask, Speech};
use crate::sim::bank::Bank;
use crate::sim::disk::{PageCache, PageDisk};
use crate::sim::dose::IssuerDose;
use crate::sim::pipe::{Noticed, Pipe};
use crate::sim::scene::Ground;
use books::SwitchBook;
use books::journal::records;
use books::record::Payload;
use issuer_sim::Mood;
use journal::testing::ToySeal;
use std::sync::Arc;
use switch::config::Config;
use switch::serve::stepped::{self, Hands, Line, Stepped};
use telemetry::Families;
use terms::{Kind, LinkIx, ListenerIx, Mti, Now, Request, Stan, Text, Tick};

/// A switch, an acquirer's line and a UnionPay terminal's, two issuers.
pub struct Paused {
    ground: Ground,
    config: Config,
    disk: PageDisk,
    hands: Arc<Hands>,
    families: Arc<Families>,
    host: Option<Stepped>,
    tick_us: u64,
    wall_ms: i64,
    /// "harbour" (cards 6224) and "meadow" (cards 5413).
    pub banks: Vec<Bank>,
    /// By number: issuers' links first, then the listeners' lines.
    wires: Vec<Wire>,
    /// DE 37 of the last answer that had one.
    rrn: String,
    /// What issuers were answered to what they asked themselves: DE 39.
    told: Vec<String>,
    /// What issuers say later: when, on which wire.
    later: Vec<(u64, usize, Vec<u8>)>,
}

struct Wire {
    pipe: Pipe,
    line: Line,
    speech: Speech,
    heard: Vec<u8>,
}

impl Wire {
    /// A terminal's line that was idle too long is given up; it calls again.
    fn renew(&mut self, host: &mut Stepped) {
        let Line::Terminal(worker, slot) = self.line else { panic!("a link was given up") };
        host.hang_up(worker, slot);
        let listener = ListenerIx(if self.speech.dialect.name() == "unionpay-pos" { 0 } else { 1 });
        self.pipe = Pipe::new(0, &Noticed::default());
        self.line = host.accept(worker, listener, self.pipe.end()).expect("there is room");
    }
}

/// Zone and cutover of an institution.
pub type Institution = (&'static str, &'static str);

/// Cards of the two issuers.
pub const CARDS: [&str; 2] = ["6224245739172641", "5413330000000019"];

const ISSUERS: [(&str, &str); 2] = [("harbour", "iso87-binary"), ("meadow", "iso87-ascii")];

impl Paused {
    /// Opens at a moment (UTC). `home` is the calendar of harbour, its cards and all terminals, `away` meadow's. Each card has
    /// 100.00 a day.
    ///
    /// # Panics
    /// If it does not start.
    pub fn open(utc: &str, home: Institution, away: Institution) -> Self {
        let ground = Ground::new();
        let config = ground.config(&text(home, away));
        let banks = ISSUERS.iter().map(|(name, dialect)| Bank::new(name, dialect, &IssuerDose::calm(), 1));
        let mut paused = Self {
            banks: banks.collect(),
            families: stepped::families(&config).expect("few labels"),
            disk: PageDisk::new(PageCache::KeptClean),
            hands: Arc::default(),
            host: None,
            tick_us: 1,
            wall_ms: millis(utc),
            wires: Vec::new(),
            rrn: String::new(),
            told: Vec::new(),
            later: Vec::new(),
            config,
            ground,
        };
        paused.start();
        paused
    }

    fn start(&mut self) {
        self.hands.set(Tick(self.tick_us), self.wall_ms);
        let ground = stepped::Ground {
            disk: Arc::new(self.disk.clone()),
            seal: Arc::new(ToySeal),
            tokenizer: self.ground.tokenizer(),
            hands: Arc::clone(&self.hands),
            families: Arc::clone(&self.families),
        };
        let mut host = Stepped::open(self.config.clone(), ground).expect("it starts");
        let noticed = Noticed::default();
        self.wires.clear();
        for (at, (_, dialect)) in ISSUERS.iter().enumerate() {
            let (pipe, link) = (Pipe::new(at as u32, &noticed), LinkIx(at as u16));
            self.banks[at].accept(at as u32);
            host.connecting(link);
            host.connected(link, pipe.end());
            let speech = Speech::new(dialect, "binary2");
            self.wires.push(Wire { pipe, line: Line::Link(link), speech, heard: Vec::new() });
        }
        for (at, speech) in [Speech::unionpay(), Speech::acquirer()].into_iter().enumerate() {
            let pipe = Pipe::new((2 + at) as u32, &noticed);
            let line = host.accept(0, ListenerIx(at as u16), pipe.end()).expect("there is room");
            self.wires.push(Wire { pipe, line, speech, heard: Vec::new() });
        }
        self.host = Some(host);
        self.settle();
    }

    /// The process is killed and started again at the same moment; its disk keeps what was written.
    pub fn restart(&mut self) {
        self.host = None;
        self.later.clear();
        (0..self.banks.len()).for_each(|at| self.banks[at].cut(at as u32));
        self.disk.process_died();
        self.start();
    }

    /// Both clocks go on to this moment (UTC); what was due meanwhile happens then.
    ///
    /// # Panics
    /// If that was before.
    pub fn until(&mut self, utc: &str) {
        let wall_ms = millis(utc);
        let passed = u64::try_from(wall_ms - self.wall_ms).expect("time goes on");
        (self.wall_ms, self.tick_us) = (wall_ms, self.tick_us + passed * 1_000);
        self.settle();
    }

    /// What an issuer does from now on.
    pub fn mood(&mut self, bank: usize, moods: Vec<Mood>) {
        self.banks[bank].issuer.set_moods(moods);
    }

    /// An issuer tells of its cutover (0800, DE 70 201); the code that it is told, once that may be told.
    pub fn cuts_over(&mut self, bank: usize, stan: u32) -> Option<String> {
        let now = Now::at(Tick(self.tick_us), self.wall_ms);
        let frame = self.wires[bank].speech.network(0x0800, stan, 201, &now);
        self.wires[bank].pipe.arrive(&frame);
        self.settle();
        self.told.pop()
    }

    /// An issuer takes back by itself what it was asked for last with this amount, and says so by our numbers; the code that it
    /// is told.
    ///
    /// # Panics
    /// If it was asked for nothing of that amount.
    pub fn takes_back(&mut self, bank: usize, amount: i64, rrn: Option<&str>) -> Option<String> {
        let now = Now::at(Tick(self.tick_us), self.wall_ms);
        let book = self.banks[bank].issuer.book();
        let asked = book.entries.iter().rfind(|entry| entry.amount == amount).expect("it was asked for it");
        let number = (asked.stan, asked.transmission);
        let frame = self.wires[bank].speech.taken_back(number, rrn, 77, &now);
        self.wires[bank].pipe.arrive(&frame);
        self.settle();
        self.told.pop()
    }

    /// A message of the acquirer's, and the code of its answer; none if there is none yet.
    pub fn ask(&mut self, ask: &Ask) -> Option<String> {
        self.ask_on(3, ask)
    }

    /// The same of the UnionPay terminal's.
    pub fn till(&mut self, ask: &Ask) -> Option<String> {
        self.ask_on(2, ask)
    }

    fn ask_on(&mut self, wire: usize, ask: &Ask) -> Option<String> {
        let frame = self.wires[wire].speech.frame(ask);
        self.wires[wire].pipe.arrive(&frame);
        self.settle();
        self.heard(wire)
    }

    /// The code of the acquirer's next answer.
    pub fn hear(&mut self) -> Option<String> {
        self.heard(3)
    }

    fn heard(&mut self, wire: usize) -> Option<String> {
        self.heard_of(wire).map(|(_, code)| code)
    }

    /// STAN and code of the next answer on a line.
    fn heard_of(&mut self, wire: usize) -> Option<(u32, String)> {
        let Wire { speech, heard, .. } = &mut self.wires[wire];
        let (_, body) = speech.read(&mut &[][..], heard).expect("no file is read")?;
        let answer = speech.answer(&body);
        self.rrn = answer.rrn.map_or(std::mem::take(&mut self.rrn), |rrn| rrn.to_string());
        Some((answer.stan.get(), answer.code.to_string()))
    }

    /// DE 37 of the last answer that had one.
    pub fn rrn(&self) -> String {
        self.rrn.clone()
    }

    /// Messages of the acquirer's that arrive at the same moment; the answers that come at once, by STAN.
    pub fn ask_together(&mut self, asks: &[Ask]) -> Vec<(u32, String)> {
        for ask in asks {
            let frame = self.wires[3].speech.frame(ask);
            self.wires[3].pipe.arrive(&frame);
        }
        self.settle();
        let mut heard: Vec<_> = std::iter::from_fn(|| self.heard_of(3)).collect();
        heard.sort();
        heard
    }

    /// Which worker has the transactions of the acquirer's terminal.
    pub fn shard(&self, ask: &Ask) -> usize {
        let mut request = Request::new(Mti::of(ask.mti), Kind::Unknown, Stan::MIN);
        request.acquirer = Text::cut("00020000");
        (request.terminal, request.merchant) = (Text::cut(&ask.terminal), Text::cut(&ask.merchant));
        engine::shard_of(request.owner(), self.config.workers)
    }

    /// Everything that can happen at this moment happens.
    fn settle(&mut self) {
        self.hands.set(Tick(self.tick_us), self.wall_ms);
        loop {
            let host = self.host.as_mut().expect("it runs");
            let lines: Vec<Line> = self.wires.iter().map(|wire| wire.line).chain(host.calls()).collect();
            for line in lines {
                if host.poll(line) {
                    self.wires.iter_mut().filter(|wire| wire.line == line).for_each(|wire| wire.renew(host));
                }
            }
            let more = (0..host.workers()).fold(false, |more, worker| {
                let rung = host.rung(worker);
                host.turn(worker) || rung || more
            });
            let committed = host.commit();
            if !self.carry() && !more && !committed {
                return;
            }
        }
    }

    /// Bytes go on to where they belong; tells whether there were any.
    fn carry(&mut self) -> bool {
        let now = Now::at(Tick(self.tick_us), self.wall_ms);
        let mut any = false;
        for at in 0..self.wires.len() {
            let bytes = self.wires[at].pipe.collect();
            any |= !bytes.is_empty();
            match self.banks.get_mut(at) {
                None => self.wires[at].heard.extend_from_slice(&bytes),
                Some(bank) => {
                    self.told.extend(self.wires[at].speech.codes(&bytes));
                    let (said, later) = bank.hear(at as u32, &bytes, &now);
                    self.wires[at].pipe.arrive(&said);
                    let due = |after: std::time::Duration| self.tick_us + after.as_micros() as u64;
                    self.later.extend(later.into_iter().map(|one| (due(one.after), at, one.frame.to_vec())));
                }
            }
        }
        for (_, at, frame) in self.later.extract_if(.., |(due, ..)| *due <= self.tick_us) {
            self.wires[at].pipe.arrive(&frame);
            any = true;
        }
        any
    }

    /// Closes the switch; the journal as the second reader sees it, and its DAY records as `calendar day`, in order.
    ///
    /// # Panics
    /// If the journal cannot be read.
    pub fn book(mut self) -> (SwitchBook, Vec<String>) {
        self.host.take().expect("it runs").close().expect("the journal closes");
        let dir = tempfile::tempdir().expect("a directory");
        for (path, bytes) in self.disk.files() {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let name = path.file_name().expect("a file");
            std::fs::write(dir.path().join(name), &bytes[..end]).expect("a file");
        }
        let names = ["home", "away", "harbour (told)", "meadow (told)"];
        let name = |number| names.into_iter().find(|name| terms::stable_id(name) == number).unwrap_or("?");
        let days = records(dir.path()).expect("a journal").filter_map(|record| {
            let record = record.expect("a record");
            match Payload::read(record.kind, &record.payload).expect("a payload") {
                Payload::Day(_, calendar, day) => {
                    Some(format!("{} {}", name(calendar), terms::BusinessDay(day)))
                }
                _ => None,
            }
        });
        let days = days.collect();
        (SwitchBook::of_journal(dir.path()).expect("a book"), days)
    }
}

fn millis(utc: &str) -> i64 {
    utc.parse::<jiff::Timestamp>().expect("a moment such as 2027-03-28T01:00:00Z").as_millisecond()
}

fn text(home: Institution, away: Institution) -> String {
    let mut text = HEAD.to_owned();
    for (name, (zone, cutover)) in [("home", home), ("away", away)] {
        text += &format!("[[calendar]]\nname = \"{name}\"\nzone = \"{zone}\"\ncutover = \"{cutover}\"\n");
    }
    let issuers = ISSUERS.iter().zip(["home", "away"]).zip(["6224", "5413"]);
    for (((name, dialect), calendar), prefix) in issuers {
        text += &ISSUER
            .replace("@NAME@", name)
            .replace("@DIALECT@", dialect)
            .replace("@CALENDAR@", calendar)
            .replace("@PREFIX@", prefix);
    }
    text + LISTENERS
}

const HEAD: &str = r#"
[switch]
node = 1
workers = 2
max_live = 4_096
limit_counters = 4_096
[admin]
listen = "127.0.0.1:0"
[journal]
dir = "journal"
key_file = "pointsman.keys"
segment_bytes = 1_048_576
reserve_bytes = 24_576
index_entries = 20_000
[[limits]]
name = "card"
currency = "CNY"
daily = "100.00"
"#;

const ISSUER: &str = r#"
[[issuer]]
name = "@NAME@"
dialect = "@DIALECT@"
framing = "binary2"
calendar = "@CALENDAR@"
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "127.0.0.1:9"
[[route]]
prefix = "@PREFIX@"
issuer = "@NAME@"
scheme = "CUP"
card_type = "debit"
limits = "card"
"#;

const LISTENERS: &str = r#"
[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "home"
terminals = "any"
idle_ms = 86_400_000
[[listener]]
name = "acquirer"
listen = "127.0.0.1:0"
dialect = "iso87-ascii"
framing = "binary2"
acquirer = "00020000"
calendar = "home"
terminals = "any"
idle_ms = 86_400_000
"#;
