//! From `kill -9` to a switch that could answer: the journal opened, the ledger rebuilt from checkpoint and tail, shards
//! and counters handed out. The log holds so many approved purchases, all of them still known as duplicates.
//! Run: `cargo bench -p benches --bench recovery [-- PURCHASES]`, in `POINTSMAN_BENCH_DIR` or the build's directory.
//! Never asserts a time; figures go to `RESULTS.md`.

use engine::record::{Charged, ChargedIn, Intent, Outcome, Record, Serial, Told};
use engine::{Ledger, LedgerOptions, State};
use journal::testing::ToySeal;
use journal::{Class, Commit, Frame, Journal, Lane, Lsn, Options, RealDisk, Recovery, open};
use limits::{Scope, Store};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use terms::{
    BusinessDay, Check, Currency, Kind, Mti, Pan, Request, Rrn, SlotKey, Stan, Text, TransmissionTime,
};

const TURN: u64 = 256;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, filler, count, dir] = &words[..]
        && filler == "fill"
    {
        fill(count.parse().expect("a number"), Path::new(dir));
    }
    let count: u64 = words.iter().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000_000);
    let base =
        std::env::var_os("POINTSMAN_BENCH_DIR").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let dir = base.join(format!("recovery-{}", std::process::id()));
    let me = std::env::current_exe().expect("this program");
    let started = Instant::now();
    let status = Command::new(me).args(["fill", &count.to_string()]).arg(&dir).status().expect("a child");
    println!("{count} purchases written in {:.1?}, then {status}", started.elapsed());
    for _ in 0..3 {
        restart(count, &dir);
    }
    std::fs::remove_dir_all(&dir).expect("the journal's directory");
}

/// Time this thread has had a processor: what a restart takes where nobody else wants one.
fn ran() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0))
}

fn opened(count: u64, dir: &Path) -> (Journal, Recovery, Ledger) {
    let remember = LedgerOptions { index_entries: 2 * count as usize, index_window_ms: i64::MAX };
    let mut ledger = Ledger::new(remember);
    let options = Options {
        key: Some(engine::record::slot_of),
        fresh: Some(Box::new(move || Box::new(Ledger::new(remember)))),
        ..Options::new(dir)
    };
    let (journal, report) =
        open(options, Arc::new(RealDisk), Arc::new(ToySeal), &mut ledger).expect("a journal");
    (journal, report, ledger)
}

fn restart(count: u64, dir: &Path) {
    let (started, ran) = (Instant::now(), ran());
    let (journal, report, ledger) = opened(count, dir);
    let opened = (started.elapsed(), self::ran() - ran);
    let known = ledger.index().len();
    let reader = journal.reader();
    let parts = ledger
        .into_parts(2, |lsn| {
            let mut buf = journal::RecordBuf::new();
            let (_, payload, secret) = reader.read(lsn, &mut buf).ok()?;
            Intent::read(payload, secret.unwrap_or(&[])).ok()
        })
        .expect("every INTENT");
    let limits = Store::new(count as usize + 1024);
    for spent in &parts.spent {
        limits.restore(spent.key, spent.day, spent.amount, spent.count).expect("room");
    }
    println!(
        "restart: {:.0?} ({:.0?} of processor) in all, {:.0?} ({:.0?}) of it checkpoint and tail ({} records behind {}); \
         {known} duplicates, {} counters",
        started.elapsed(),
        self::ran() - ran,
        opened.0,
        opened.1,
        report.records,
        report.checkpoint.unwrap_or(Lsn::NONE),
        parts.spent.len(),
    );
    // As after a kill: the next one finds the same.
    drop(journal);
}

/// Writes the log and dies in the middle of it, as far as the journal can tell.
fn fill(count: u64, dir: &Path) -> ! {
    let (journal, ..) = opened(count, dir);
    let me = std::thread::current();
    let lane = journal.lane(0, Arc::new(move || me.unpark()));
    for first in (0..count).step_by(TURN as usize) {
        let mut frame = Frame::new();
        (first..first + TURN).for_each(|number| intent(number).append(&mut frame, number));
        let mut settled = Frame::new();
        for (number, lsn) in commit(&lane, frame) {
            outcome(number, lsn).append_to(&mut settled, number);
        }
        commit(&lane, settled);
    }
    // What the keeper has begun it may finish: the moment of the kill is any.
    std::thread::sleep(Duration::from_secs(1));
    std::process::abort()
}

fn commit(lane: &Lane, frame: Frame) -> Vec<(u64, Lsn)> {
    lane.submit(frame, Class::Normal);
    loop {
        match lane.take() {
            Some(Commit::Durable(done)) => {
                return done.tokens().map(|(token, _, lsn)| (token, lsn)).collect();
            }
            Some(_) => panic!("the journal failed"),
            None => std::thread::park(),
        }
    }
}

/// Slots are hashes: uniform.
fn slot(number: u64) -> SlotKey {
    let mut word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    SlotKey(word ^ word >> 31)
}

fn intent(number: u64) -> Intent {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
    request.pan = Pan::new(b"6224242900000113");
    // Two purchases a card.
    request.token.0 = u128::from(slot(number / 2).0).to_le_bytes();
    (request.slot, request.repeat) = (slot(number), Check(1));
    (request.amount, request.currency) = (1250, Currency::CNY);
    request.acquirer = Text::cut("12345678");
    request.terminal = Text::cut("T0000001");
    request.merchant = Text::cut("M00000000000001");
    Intent {
        serial: Serial::new(1, 0, number),
        wall_ms: 1,
        issuer: 1,
        link: 2,
        stan: Stan::MIN,
        transmission: TransmissionTime(1_122_013_015),
        rrn: Rrn::issue(326, 1, 1),
        issuer_day: BusinessDay(9458),
        acquirer_day: BusinessDay(9458),
        issuer_calendar: 3,
        acquirer_calendar: 4,
        charged: Charged::NONE.with(Scope::Card, ChargedIn::Amount),
        foreign: false,
        listener: 0,
        request,
        named: None,
    }
}

fn outcome(number: u64, intent_lsn: Lsn) -> Outcome {
    Outcome {
        serial: Serial::new(1, 0, number),
        slot: slot(number),
        repeat: Check(1),
        intent_lsn,
        wall_ms: 1,
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
