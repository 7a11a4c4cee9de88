//! The main line over plain sockets on port 0: one terminal, the switch, one scripted issuer. Whole-switch stories with
//! TLS, faults and books are in the workspace's `tests/`; this one is the first to say when the wiring is broken.

use bytes::BytesMut;
use framing::{Envelope, Framing, Next};
use iso8583::{Dialect, Index, Reply, Writer, answer, decode, request, write_reply};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use switch::config::Config;
use terms::{Answer, Mti, ResponseCode};

const PAN: &str = "6224240000000018";

/// Reads one frame's body; blocks until it is whole.
fn read_frame(stream: &mut TcpStream, framing: &Framing, rest: &mut Vec<u8>) -> Option<(Envelope, Vec<u8>)> {
    loop {
        match framing.next(rest).unwrap() {
            Next::Frame { consumed, envelope, body } => {
                let body = rest[body].to_vec();
                rest.drain(..consumed);
                return Some((envelope, body));
            }
            Next::KeepAlive { consumed } => drop(rest.drain(..consumed)),
            Next::Incomplete { .. } => {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
                rest.extend_from_slice(&chunk[..read]);
            }
        }
    }
}

/// An issuer that approves everything and tells what it was asked: MTI and amount.
fn issuer(dialect: &'static str) -> (u16, Receiver<(Mti, i64)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let dialect = Dialect::builtin(dialect).unwrap();
        let framing = Framing::by_name("binary2").unwrap();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut rest = Vec::new();
            while let Some((envelope, body)) = read_frame(&mut stream, &framing, &mut rest) {
                let mut index = Index::new();
                decode(&dialect, &body, &mut index).unwrap();
                let asked = request(&dialect, &Default::default(), &body, &index).unwrap();
                let _ = tell.send((asked.mti, asked.amount));
                let mut reply = Reply::new(ResponseCode::approved());
                reply.approval_code = asked.kind.moves_money().then_some(terms::ApprovalCode(*b"A12345"));
                let mut out = BytesMut::new();
                let write = |out: &mut BytesMut| {
                    write_reply(&dialect, &body, &index, &reply, out).unwrap();
                };
                framing.write(&mut out, &envelope.reply(), write).unwrap();
                if stream.write_all(&out).is_err() {
                    break;
                }
            }
        }
    });
    (port, told)
}

fn config(dir: &std::path::Path, issuer_port: u16) -> Config {
    let keys = dir.join("keys");
    keys::KeyFile::generate(&keys).unwrap();
    let text = format!(
        r#"
[switch]
node = 1
workers = 2
drain_timeout_ms = 2000
[admin]
listen = "127.0.0.1:0"
[journal]
dir = "journal"
key_file = "keys"
segment_bytes = 1048576
reserve_bytes = 65536
index_entries = 10000
[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"
[[limits]]
name = "card"
currency = "CNY"
daily = "100.00"
[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "iso87-ascii"
framing = "binary2"
acquirer = "00010000"
calendar = "cn"
terminals = "any"
in_flight_per_connection = 4
[[issuer]]
name = "harbour"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"
timeout_ms = 5000
saf_max = 16
sign_on = true
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "127.0.0.1:{issuer_port}"
[[route]]
prefix = "6224"
issuer = "harbour"
scheme = "CUP"
card_type = "debit"
limits = "card"
[[merchant]]
id = "123456789123456"
acquirer = "00010000"
terminals = ["*"]
"#
    );
    let path = dir.join("pointsman.toml");
    std::fs::write(&path, &text).unwrap();
    Config::load(&path).unwrap_or_else(|errors| panic!("{errors:?}"))
}

struct Terminal {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Terminal {
    fn connect(address: std::net::SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream, rest: Vec::new() }
    }

    fn send(&mut self, mti: u16, stan: u64, amount: u64) -> Answer {
        self.send_as(b"T0000001", mti, stan, amount)
    }

    fn send_as(&mut self, terminal: &[u8; 8], mti: u16, stan: u64, amount: u64) -> Answer {
        let message = Self::message(terminal, mti, stan, amount);
        self.stream.write_all(&message).unwrap();
        self.receive()
    }

    fn receive(&mut self) -> Answer {
        let dialect = Dialect::builtin("iso87-ascii").unwrap();
        let framing = Framing::by_name("binary2").unwrap();
        let (_, body) = read_frame(&mut self.stream, &framing, &mut self.rest).expect("the switch answers");
        let mut index = Index::new();
        decode(&dialect, &body, &mut index).unwrap();
        answer(&dialect, &body, &index).unwrap()
    }

    fn message(terminal: &[u8; 8], mti: u16, stan: u64, amount: u64) -> BytesMut {
        let dialect = Dialect::builtin("iso87-ascii").unwrap();
        let framing = Framing::by_name("binary2").unwrap();
        let mut out = BytesMut::new();
        let mti = Mti::of(mti);
        let write = |out: &mut BytesMut| {
            let mut writer = Writer::new(&dialect, mti, out);
            writer
                .text(2, PAN.as_bytes())
                .number(3, 0)
                .number(4, amount)
                .number(7, 1_122_120_000)
                .number(11, stan);
            writer.number(12, 120_000).number(13, 1122).number(22, 12).number(25, 0);
            writer.text(41, terminal).text(42, b"123456789123456").number(49, 156);
            if mti.class_digit() == 4 {
                let original = format!("0200{stan:06}11221200000000000000000000000000");
                writer.text(90, &original.as_bytes()[..42]);
            }
            writer.finish().unwrap();
        };
        framing.write(&mut out, &Envelope::default(), write).unwrap();
        out
    }
}

#[test]
fn a_purchase_a_repeat_a_limit_and_a_reversal() {
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = issuer("iso87-binary");
    let running = switch::serve::start(config(dir.path(), port)).unwrap();
    assert_eq!(asked.recv().unwrap().0, Mti::of(0x0800), "the link signs on before traffic");
    wait_for(|| running.unready().is_empty());
    let mut terminal = Terminal::connect(running.listeners()[0].1);

    let first = terminal.send(0x0200, 1, 6_000);
    assert_eq!((first.mti, first.code.as_str(), first.amount), (Mti::of(0x0210), "00", Some(6_000)));
    assert_eq!(asked.recv().unwrap(), (Mti::of(0x0200), 6_000));

    let again = terminal.send(0x0200, 1, 6_000);
    assert_eq!(
        (again.code, again.rrn, again.approval_code),
        (first.code, first.rrn, first.approval_code),
        "replayed"
    );
    assert_eq!(terminal.send(0x0200, 1, 7_000).code.as_str(), "94", "same key, other content");
    assert_eq!(terminal.send(0x0200, 2, 6_000).code.as_str(), "61", "over the card's daily ceiling");

    let reversed = terminal.send(0x0400, 1, 6_000);
    assert_eq!((reversed.mti, reversed.code.as_str()), (Mti::of(0x0410), "00"));
    let (mti, amount) = asked.recv().unwrap();
    assert_eq!((mti.class_digit(), amount), (4, 6_000), "the issuer is told, and was told nothing else");
    wait_for(|| spent(&running) == 0);
    assert_eq!(terminal.send(0x0200, 3, 6_000).code.as_str(), "00", "the room is back");
    assert_eq!(terminal.send(0x0200, 1, 6_000).code.as_str(), "94", "never the old approval");

    let metrics = running.metrics();
    assert!(metrics.contains("pointsman_transactions_total"), "{metrics}");
    running.stop().unwrap();
}

/// 2026-11-22: the fate of a reply that crossed from worker 0 to worker 1 was told to the wrong one, and its
/// store-and-forward slot was never given back.
#[test]
fn slots_come_back_whichever_worker_owns_connection_and_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let (port, _asked) = issuer("iso87-binary");
    let running = switch::serve::start(config(dir.path(), port)).unwrap();
    wait_for(|| running.unready().is_empty());
    let address = running.listeners()[0].1;
    let mut connections: Vec<Terminal> = (0..6).map(|_| Terminal::connect(address)).collect();
    for n in 0..180 {
        let terminal = format!("T{:07}", n % 20);
        let connection = &mut connections[n % 6];
        let answer = connection.send_as(terminal.as_bytes().try_into().unwrap(), 0x0200, 100 + n as u64, 1);
        assert_eq!(answer.code.as_str(), "00", "purchase {n}: far more than 16 have gone before");
    }
    running.stop().unwrap();
}

/// 2026-11-22: a connection that had reached its bound was never read again.
#[test]
fn a_connection_that_reached_its_bound_goes_on_when_answers_have_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (port, _asked) = issuer("iso87-binary");
    let running = switch::serve::start(config(dir.path(), port)).unwrap();
    wait_for(|| running.unready().is_empty());
    let mut terminal = Terminal::connect(running.listeners()[0].1);
    let burst: Vec<u8> = (1..=20).flat_map(|stan| Terminal::message(b"T0000001", 0x0200, stan, 1)).collect();
    terminal.stream.write_all(&burst).unwrap();
    let mut stans: Vec<u32> = (0..20).map(|_| terminal.receive().stan.get()).collect();
    stans.sort_unstable();
    assert_eq!(stans, (1..=20).collect::<Vec<_>>(), "four at a time, all of them");
    running.stop().unwrap();
}

#[test]
fn what_was_spent_and_answered_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = issuer("iso87-binary");
    let running = switch::serve::start(config(dir.path(), port)).unwrap();
    wait_for(|| running.unready().is_empty());
    let mut terminal = Terminal::connect(running.listeners()[0].1);
    let first = terminal.send(0x0200, 1, 6_000);
    running.stop().unwrap();
    std::fs::remove_file(dir.path().join("keys.bak")).ok();

    let config =
        Config::load(&dir.path().join("pointsman.toml")).unwrap_or_else(|errors| panic!("{errors:?}"));
    let running = switch::serve::start(config).unwrap();
    wait_for(|| running.unready().is_empty());
    assert_eq!(spent(&running), 6_000);
    let mut terminal = Terminal::connect(running.listeners()[0].1);
    let again = terminal.send(0x0200, 1, 6_000);
    assert_eq!((again.code, again.rrn, again.approval_code), (first.code, first.rrn, first.approval_code));
    assert_eq!(terminal.send(0x0200, 2, 6_000).code.as_str(), "61");
    let purchases = asked.try_iter().filter(|(mti, _)| *mti == Mti::of(0x0200)).count();
    assert_eq!(purchases, 1, "a repeat is never a second debit");
    running.stop().unwrap();
}

/// The most that any counter holds.
fn spent(running: &switch::serve::Running) -> i64 {
    let mut most = 0;
    running.limits().for_each(|_, _, amount, _| most = most.max(amount));
    most
}

/// Waits until `holds`, for at most twenty seconds.
#[track_caller]
fn wait_for(holds: impl Fn() -> bool) {
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < until, "it never came about");
        std::thread::yield_now();
    }
}
