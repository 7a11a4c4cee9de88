//! Repair and purge as an operator does them, on a journal of two business days.

use engine::State;
use engine::record::{AUDIT, Audit, Charged, Intent, Outcome, Record, Serial, Told};
use journal::testing::Ledger;
use journal::{Class, Commit, Frame, Journal, Lane, Lsn, Options, RealDisk, RecordBuf};
use keys::{DataKeys, KeyFile, Sealer};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, mpsc};
use terms::{
    BusinessDay, Check, Currency, Kind, Mti, Pan, Request, Rrn, SlotKey, Stan, Text, TransmissionTime,
};

const CONFIG: &str = r#"
[admin]
listen = "127.0.0.1:0"

[journal]
dir = "journal"
mirror = "mirror"
key_file = "keys"
segment_bytes = 1_048_576
keep_days = 400

[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"

[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "cn"
terminals = "any"

[[issuer]]
name = "harbour"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"

[[issuer.link]]
name = "a"
address = "127.0.0.1:9"

[[route]]
prefix = "6224"
issuer = "harbour"
scheme = "CUP"
"#;

const PAN: &[u8] = b"6224242900000113";
/// Noon of 2025-06-30 in Shanghai.
const NOON: i64 = 1_751_256_000_000;
const DAY_MS: i64 = 86_400_000;

/// Exit status and everything that was printed.
fn pointsman(place: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    let output = command.current_dir(place).args(args).env("NO_COLOR", "1").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

struct Desk {
    journal: Journal,
    lane: Lane,
    back: mpsc::Receiver<()>,
    sealer: Arc<Sealer>,
    ledger: Ledger,
}

impl Desk {
    fn open(place: &Path) -> Self {
        let dir = place.join("journal");
        std::fs::create_dir_all(&dir).unwrap();
        let keys = KeyFile::load(&place.join("keys"), &dir).unwrap();
        let sealer = Arc::new(Sealer::new(DataKeys::open(&dir, 1, keys.kek()).unwrap()).unwrap());
        let mut ledger = Ledger::default();
        let options = Options {
            mirror: Some(place.join("mirror")),
            node: 1,
            segment_bytes: 1 << 20,
            reserve_bytes: 1 << 17,
            ..Options::new(&dir)
        };
        let seal = Arc::clone(&sealer) as Arc<dyn journal::Seal>;
        let (journal, _) = journal::open(options, Arc::new(RealDisk), seal, &mut ledger).unwrap();
        let (bell, back) = mpsc::channel();
        let lane = journal.lane(0, Arc::new(move || bell.send(()).unwrap()));
        Self { journal, lane, back, sealer, ledger }
    }

    fn commit(&self, frame: Frame) -> Vec<Lsn> {
        self.lane.submit(frame, Class::Normal);
        self.back.recv().unwrap();
        let Some(Commit::Durable(done)) = self.lane.take() else { panic!("not durable") };
        done.tokens().map(|(.., lsn)| lsn).collect()
    }

    fn begin(&self, number: u64, wall_ms: i64) -> Lsn {
        let mut frame = Frame::new();
        intent(number, wall_ms).append(&mut frame, number);
        self.commit(frame)[0]
    }

    fn end(&self, number: u64, intent_lsn: Lsn, wall_ms: i64) {
        let mut frame = Frame::new();
        outcome(number, intent_lsn, wall_ms).append_to(&mut frame, number);
        self.commit(frame);
    }

    fn pan_at(&self, lsn: Lsn) -> Option<Pan> {
        let mut buf = RecordBuf::new();
        let reader = self.journal.reader();
        let (_, payload, secret) = reader.read(lsn, &mut buf).ok()?;
        Intent::read(payload, secret?).unwrap().request.pan
    }
}

fn intent(number: u64, wall_ms: i64) -> Intent {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
    request.pan = Pan::new(PAN);
    (request.slot, request.repeat) = (SlotKey(number), Check(1));
    (request.amount, request.currency) = (1250, Currency::CNY);
    request.acquirer = Text::cut("12345678");
    request.terminal = Text::cut("T0000001");
    request.merchant = Text::cut("M00000000000001");
    Intent {
        serial: Serial::new(1, 0, number),
        wall_ms,
        issuer: 1,
        link: 2,
        stan: Stan::MIN,
        transmission: TransmissionTime(630_040_000),
        rrn: Rrn::issue(181, 1, 1),
        issuer_day: BusinessDay::from_civil(2025, 6, 30),
        acquirer_day: BusinessDay::from_civil(2025, 6, 30),
        issuer_calendar: 3,
        acquirer_calendar: 4,
        charged: Charged::NONE,
        foreign: false,
        listener: 0,
        request,
        named: None,
    }
}

fn outcome(number: u64, intent_lsn: Lsn, wall_ms: i64) -> Outcome {
    Outcome {
        serial: Serial::new(1, 0, number),
        slot: SlotKey(number),
        repeat: Check(1),
        intent_lsn,
        wall_ms,
        state: State::Approved,
        told: Told::NOTHING,
        approval_code: None,
        approved_amount: None,
        reason: None,
        approval_seen: true,
        terminal_reason: None,
        arpc: None,
        advised: None,
    }
}

/// A purchase of 30 June that is settled, one of 1 July that is not.
fn written(place: &Path) -> [Lsn; 2] {
    std::fs::write(place.join("pointsman.toml"), CONFIG).unwrap();
    assert_eq!(pointsman(place, &["keys", "init", "keys"]).0, 0);
    let desk = Desk::open(place);
    desk.sealer.roll(BusinessDay::from_civil(2025, 6, 30)).unwrap();
    let first = desk.begin(11, NOON);
    desk.end(11, first, NOON + 900);
    desk.sealer.roll(BusinessDay::from_civil(2025, 7, 1)).unwrap();
    let second = desk.begin(12, NOON + DAY_MS);
    desk.journal.close().unwrap();
    [first, second]
}

fn is_sound(place: &Path) {
    for dir in ["journal", "mirror"] {
        let (status, text) = pointsman(place, &["journal", "verify", dir]);
        assert!(status == 0 && text.contains("the journal is sound"), "{dir}: {text}");
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_purge_takes_the_card_numbers_of_a_day_and_leaves_the_chain() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let [first, second] = written(place);
    let purge = |day| pointsman(place, &["journal", "purge", "--config", "pointsman.toml", "--day", day]);
    let (status, text) = purge("2025-06-30");
    assert!(status == 0 && text.contains("2025-06-30"), "{text}");
    is_sound(place);
    let desk = Desk::open(place);
    assert_eq!((desk.pan_at(first), desk.pan_at(second)), (None, Pan::new(PAN)));
    let audits = desk.ledger.lines.iter().filter(|line| line.0 == AUDIT);
    let texts: Vec<_> = audits.map(|line| Audit::read(&line.1).unwrap().text.to_owned()).collect();
    assert_eq!(texts, ["purge: data keys through 2025-06-30 destroyed"]);
    desk.journal.close().unwrap();
    // The other day's purchase is in doubt: its reversal needs the card.
    let (status, text) = purge("2025-07-01");
    assert!(
        status == 1 && text.contains("1 transactions of 2025-07-01 or before are open or owed"),
        "{text}"
    );
    let (status, text) = purge("2149-06-01");
    assert!(status == 1 && text.contains("2149-06-01 has not ended"), "{text}");
    assert_eq!(purge("2025-02-30").0, 2, "no such day");
    let desk = Desk::open(place);
    assert_eq!(desk.pan_at(second), Pan::new(PAN));
}

#[test]
fn a_repair_puts_right_what_rots_in_one_copy_and_names_what_rots_in_both() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    written(place);
    let repair = || pointsman(place, &["journal", "repair", "--config", "pointsman.toml"]);
    let (status, text) = repair();
    assert!(
        status == 0 && text.contains("3 batches, sound in both copies: nothing had to be repaired"),
        "{text}"
    );
    let copies = ["journal", "mirror"].map(|dir| place.join(dir).join("segment-00000000.journal"));
    flip(&copies[0], 4096 + 150);
    flip(&copies[1], 4608 + 150);
    let (status, text) = repair();
    assert!(status == 0 && text.contains("2 places repaired"), "{text}");
    is_sound(place);
    copies.iter().for_each(|copy| flip(copy, 4096 + 150));
    let (status, text) = repair();
    assert!(status == 1 && text.contains("segment 0 at offset 4096: batch 1, from record 1 on"), "{text}");
}
