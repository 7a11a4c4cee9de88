//! More owed than the slab could ever hold: what is owed to an issuer survives `kill -9`, takes its slots again, and drains
//! a window at a time in little memory. `POINTSMAN_LONG=1` does it with a million and prints rate and memory.
//! Never asserts how long it took. Guards: every reversal is acknowledged once in the journal, however often it was sent.

use books::SwitchBook;
use books::switch_book::State;
use engine::effect::ReversalReason;
use engine::record::{Charged, Intent, Outcome, Record, Serial, Told, slot_of};
use engine::{Ledger, LedgerOptions};
use issuer_sim::{IssuerConfig, Listen, Simulator};
use journal::{Class, Commit, Frame, Journal, Lane, Lsn, Options, RealDisk};
use keys::{DataKeys, KeyFile, Sealer};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;
use terms::{
    BusinessDay, Check, Currency, InternalCause, Kind, Mti, Pan, ProcessingCode, Request, Rrn, SlotKey, Stan,
    Text, TransmissionTime, stable_id,
};
use testkit::{metric, wait_for};
use tests::process::Process;
use tests::shop::Shop;

#[test]
fn what_is_owed_survives_kill_nine_and_drains() {
    let owed = if std::env::var_os("POINTSMAN_LONG").is_some() { 1_000_000 } else { 3_000 };
    let issuer = Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]);
    let issuer = issuer.unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    shop.plain = true;
    shop.edits = vec![
        ("segment_bytes = 1_048_576", "segment_bytes = 67_108_864"),
        ("index_entries = 100_000", "index_entries = 4_000_000"),
        ("retry_max_ms = 200", "retry_max_ms = 200\nsaf_max = 4_000_000\nsaf_window = 2_048"),
    ];
    let file = shop.file();
    let idle = idle_kib(&issuer, &shop);
    Past::open(&shop).owe(owed);

    let (begun, process) = (Instant::now(), Process::serve(&file));
    println!("{owed} owed: ready after {} ms", begun.elapsed().as_millis());
    let asked = || issuer.control("harbour").unwrap().totals().unknown_originals;
    wait_for("a tenth of it", || asked() > u64::from(owed) / 10);
    process.kill_nine();
    let process = Process::serve(&file);
    let (drain, left) = (Instant::now(), u64::from(owed) - asked());
    let mut last = asked();
    while last < u64::from(owed) {
        wait_for("more of it", || asked() > last);
        last = asked();
    }
    wait_for("the last acknowledgement", || depth(&process) == 0.0);
    let seconds = drain.elapsed().as_secs_f64();
    let peak = peak_kib(process.id());
    println!(
        "{left} left after kill -9, {:.0} a second, peak {peak} KiB, idle {idle} KiB",
        left as f64 / seconds
    );
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");

    let book = SwitchBook::of_journal(&shop.journal()).unwrap();
    let reversed = book.transactions.values().filter(|entry| entry.state == State::Reversed).count();
    assert_eq!((reversed, book.findings.len()), (owed as usize, 0), "{:?}", book.findings.first());
    let allowed = WORK_KIB + u64::from(owed) * DEBT_BYTES / 1024;
    assert!(peak < idle + allowed, "{peak} KiB for {owed} owed, {idle} KiB for none");
}

/// What the same switch needs that owes nothing.
fn idle_kib(issuer: &Simulator, like: &Shop) -> u64 {
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    (shop.plain, shop.edits) = (like.plain, like.edits.clone());
    let process = Process::serve(&shop.file());
    process.ready();
    let idle = peak_kib(process.id());
    process.terminate();
    assert!(process.ended().0.success());
    idle
}

/// Two windows of messages with their content, what is read from the journal at a time, and what links hold.
const WORK_KIB: u64 = 32 * 1024;
/// A debt and its entry in the index, twice: in what a start reads, and with the worker that it is given to.
const DEBT_BYTES: u64 = 2 * (engine::DEBT_BYTES as u64 + 2 * 42);

fn depth(process: &Process) -> f64 {
    metric(&process.metrics(), "pointsman_saf_depth", &[])
}

/// The most memory the process ever had.
pub(crate) fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("Linux tells");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A journal as a switch would have left it that was killed after so many time-outs.
struct Past {
    journal: Journal,
    lane: Lane,
    bell: Arc<(Mutex<()>, Condvar)>,
}

impl Past {
    fn open(shop: &Shop) -> Self {
        let dir = shop.journal();
        std::fs::create_dir_all(&dir).unwrap();
        let keys = KeyFile::load(&shop.dir.path().join("pointsman.keys"), &dir).unwrap();
        let sealer = Sealer::new(DataKeys::open(&dir, 1, keys.kek()).unwrap()).unwrap();
        let options = Options {
            node: 1,
            key: Some(slot_of),
            segment_bytes: 64 << 20,
            reserve_bytes: 1 << 16,
            ..Options::new(&dir)
        };
        let mut ledger = Ledger::new(LedgerOptions { index_entries: 1 << 16, index_window_ms: 600_000 });
        sealer.roll(BusinessDay(9_000)).unwrap();
        let (journal, _) = journal::open(options, Arc::new(RealDisk), Arc::new(sealer), &mut ledger).unwrap();
        let bell = Arc::new((Mutex::new(()), Condvar::new()));
        let ringer = Arc::clone(&bell);
        let wake = move || {
            let _held = ringer.0.lock().unwrap();
            ringer.1.notify_all();
        };
        let lane = journal.lane(0, Arc::new(wake));
        Self { journal, lane, bell }
    }

    /// INTENT and OUTCOME of so many purchases that were not answered in time.
    fn owe(self, count: u32) {
        let numbers: Vec<u32> = (1..=count).collect();
        for some in numbers.chunks(500) {
            let mut frame = Frame::new();
            let intents: Vec<Intent> = some.iter().map(|number| intent(&self.journal, *number)).collect();
            intents.iter().for_each(|intent| intent.append(&mut frame, 1));
            let positions = self.commit(frame, Class::Normal);
            let mut frame = Frame::new();
            for (intent, lsn) in intents.iter().zip(positions) {
                timed_out(intent, lsn).append_to(&mut frame, 1);
            }
            self.commit(frame, Class::Owed);
        }
        // Killed: nothing is closed.
        std::mem::forget(self.lane);
        drop(self.journal);
    }

    fn commit(&self, frame: Frame, class: Class) -> Vec<Lsn> {
        self.lane.submit(frame, class);
        let mut held = self.bell.0.lock().unwrap();
        loop {
            match self.lane.take() {
                Some(Commit::Durable(committed)) => {
                    return committed.tokens().map(|(_, _, lsn)| lsn).collect();
                }
                Some(_) => panic!("the disk has room"),
                None => held = self.bell.1.wait(held).unwrap(),
            }
        }
    }
}

/// A purchase of 1.00 at one of a thousand terminals, on one of a hundred thousand cards.
fn intent(journal: &Journal, number: u32) -> Intent {
    let stan = Stan::new((number - 1) % Stan::COUNT + 1).unwrap();
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, stan);
    request.pan = Pan::new(format!("62240000{:08}", number % 100_000).as_bytes());
    request.token.0[..4].copy_from_slice(&(number % 100_000).to_le_bytes());
    (request.amount, request.currency) = (100, Currency::CNY);
    request.processing_code = ProcessingCode(0);
    request.acquirer = Text::cut("00020000");
    request.terminal = Text::cut(&format!("T{:07}", number % 1_000));
    request.merchant = Text::cut("123456789123456");
    (request.slot, request.repeat) = (SlotKey(u64::from(number) << 20 | 7), Check(number));
    Intent {
        serial: Serial::new(journal.epoch(), 0, u64::from(number)),
        wall_ms: now_ms(),
        issuer: stable_id("harbour"),
        link: stable_id("harbour/a"),
        stan,
        transmission: TransmissionTime(1_122_000_000 + number / Stan::COUNT),
        rrn: Rrn::issue(326, u64::from(number), stan.get()),
        issuer_day: BusinessDay(9_000),
        acquirer_day: BusinessDay(9_000),
        issuer_calendar: stable_id("cn"),
        acquirer_calendar: stable_id("cn"),
        charged: Charged::NONE,
        foreign: false,
        listener: 1,
        request,
        named: None,
    }
}

fn timed_out(intent: &Intent, intent_lsn: Lsn) -> Outcome {
    Outcome {
        serial: intent.serial,
        slot: intent.request.slot,
        repeat: intent.request.repeat,
        intent_lsn,
        wall_ms: intent.wall_ms,
        state: engine::State::Reversing,
        told: Told::ours(InternalCause::IssuerTimeout),
        approval_code: None,
        approved_amount: None,
        reason: Some(ReversalReason::Timeout),
        approval_seen: false,
        terminal_reason: None,
        arpc: None,
        advised: None,
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock after 1970").as_millis() as i64
}
