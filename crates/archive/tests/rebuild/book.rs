//! A journal with stories in it, and an archive beside it.

use archive::{Archiver, Place, Progress, View};
use engine::State;
use engine::effect::ReversalReason;
use engine::event::Verdict;
use engine::record::{
    Ack, Charged, Charges, Config, Drawn, Intent, Late, Linked, Obligation, Outcome, Parked, Record, Refused,
    Resolve, Serial, Told, Tombstone, Undelivered, Unmatched, UnmatchedReason, Unsettled,
};
use journal::testing::{FakeDisk, Ledger, ToySeal};
use journal::{Class, Commit, Disk, Frame, Journal, Lane, Lsn, Options};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use tempfile::TempDir;
use terms::{
    ApprovalCode, BusinessDay, CardToken, Check, Currency, InternalCause, Kind, Mti, OriginalRef, Request,
    ResponseCode, Rrn, SlotKey, Stan, Text, TransmissionTime, stable_id,
};

/// 2026-01-01 08:00 UTC.
pub const START: i64 = 1_767_254_400_000;
pub const CARD: [u8; 16] = [0xC4; 16];

/// Where each transaction's first record stands.
pub struct Book {
    pub disk: FakeDisk,
    journal: Journal,
    lane: Lane,
    bell: Arc<(Mutex<u64>, Condvar)>,
    pub dir: TempDir,
    pub written: u64,
}

/// What happens to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Approved,
    DeclinedByIssuer,
    TimedOut,
    ReversedByTerminal,
    Undelivered,
    Parked,
    Late,
    Refused,
    LookedFor,
    Tombstoned,
    Unmatched,
    Voided,
    Open,
    OfTheFuture,
}

pub const LIVES: [Life; 14] = [
    Life::Approved,
    Life::DeclinedByIssuer,
    Life::TimedOut,
    Life::ReversedByTerminal,
    Life::Undelivered,
    Life::Parked,
    Life::Late,
    Life::Refused,
    Life::LookedFor,
    Life::Tombstoned,
    Life::Unmatched,
    Life::Voided,
    Life::Open,
    Life::OfTheFuture,
];

impl Book {
    pub fn new() -> Self {
        Self::on(FakeDisk::new())
    }

    pub fn on(disk: FakeDisk) -> Self {
        let mut ledger = Ledger::default();
        let options = Options { segment_bytes: 131_072, reserve_bytes: 4096, ..Options::new(JOURNAL) };
        let (journal, _) =
            journal::open(options, Arc::new(disk.clone()), Arc::new(ToySeal), &mut ledger).unwrap();
        let bell = Arc::new((Mutex::new(0), Condvar::new()));
        let ringer = bell.clone();
        let wake = move || {
            *ringer.0.lock().unwrap() += 1;
            ringer.1.notify_all();
        };
        let lane = journal.lane(0, Arc::new(wake));
        Self { disk, journal, lane, bell, dir: tempfile::tempdir().unwrap(), written: 0 }
    }

    pub fn end(&self) -> Lsn {
        self.journal.reader().durable_end()
    }

    /// Makes a frame durable; positions of its records.
    pub fn commit(&mut self, fill: impl FnOnce(&mut Frame)) -> Vec<Lsn> {
        let mut frame = Frame::new();
        fill(&mut frame);
        self.lane.submit(frame, Class::Normal);
        let mut rung = self.bell.0.lock().unwrap();
        loop {
            if let Some(commit) = self.lane.take() {
                let Commit::Durable(committed) = commit else { panic!("the journal refused") };
                return committed.tokens().map(|(_, _, lsn)| lsn).collect();
            }
            rung = self.bell.1.wait(rung).unwrap();
        }
    }

    pub fn append(&mut self, record: &impl Record) -> Lsn {
        self.commit(|frame| record.append_to(frame, 0))[0]
    }

    pub fn name_things(&mut self) {
        let names = format!(
            "issuer {:08x} harbour\nlink {:08x} harbour/a\n",
            stable_id("harbour"),
            stable_id("harbour/a")
        );
        self.commit(|frame| {
            Config { wall_ms: START, version: 1, hash: 7, names: &names }.append(frame, 0);
        });
    }

    /// Lets one transaction live; where its first record stands.
    pub fn live(&mut self, life: Life) -> Lsn {
        self.written += 1;
        let number = self.written;
        let at = START + number as i64 * 1_000;
        match life {
            Life::Refused => return self.append(&refused(number, at)),
            Life::Unmatched => return self.append(&unmatched(number, at)),
            Life::LookedFor => {
                let first = self.append(&looked_for(number, at));
                self.append(&tombstone(number, at + 50));
                return first;
            }
            Life::Tombstoned => return self.append(&tombstone(number, at)),
            _ => {}
        }
        let intent = intent(number, at);
        let lsn = self.commit(|frame| intent.append(frame, 0))[0];
        let of = Of { intent: &intent, lsn };
        match life {
            Life::Approved => drop(self.append(&of.outcome(State::Approved, at + 120))),
            Life::DeclinedByIssuer => {
                let told = Told { cause: None, code: Some(ResponseCode::of("51")) };
                self.append(&Outcome { told, approval_code: None, ..of.outcome(State::Declined, at + 90) });
            }
            Life::TimedOut => self.reversed(&of, ReversalReason::Timeout, Some(InternalCause::IssuerTimeout)),
            Life::ReversedByTerminal => self.reversed(&of, ReversalReason::Terminal, None),
            Life::Undelivered => {
                self.append(&of.outcome(State::Approved, at + 120));
                self.append(&Undelivered {
                    serial: intent.serial,
                    slot: SlotKey(number),
                    repeat: Check(1),
                    intent_lsn: lsn,
                    wall_ms: at + 121,
                });
                self.append(&of.owed(ReversalReason::Undelivered, at + 5_000));
            }
            Life::Parked => {
                self.append(&of.outcome(State::Reversing, at + 500));
                self.append(&of.owed(ReversalReason::Timeout, at + 500));
                self.append(&Parked {
                    serial: intent.serial,
                    slot: SlotKey(number),
                    repeat: Check(1),
                    intent_lsn: lsn,
                    wall_ms: at + 9_000,
                    answers: 5,
                    code: Some(ResponseCode::of("12")),
                    told: Told::NOTHING,
                    advice: false,
                });
            }
            Life::Late => {
                self.reversed(&of, ReversalReason::Timeout, Some(InternalCause::IssuerTimeout));
                self.append(&Late {
                    serial: intent.serial,
                    slot: SlotKey(number),
                    repeat: Check(1),
                    intent_lsn: lsn,
                    wall_ms: at + 30_000,
                    verdict: Verdict::Approves,
                    code: Some(ResponseCode::approved()),
                    approval_code: None,
                    amount: Some(1_250),
                });
            }
            Life::Voided => {
                self.append(&of.outcome(State::Approved, at + 120));
                let void = self.written + 1;
                self.live(Life::Approved);
                self.append(&Linked {
                    serial: intent.serial,
                    slot: SlotKey(number),
                    repeat: Check(1),
                    intent_lsn: lsn,
                    wall_ms: at + 60_000,
                    taken_back: false,
                    drawn: Drawn { taken: 0, voided: true, completed: false },
                    told: Told { cause: None, code: Some(ResponseCode::approved()) },
                    approval_code: None,
                    approved_amount: None,
                    operation: Serial::new(1, 0, void),
                    charges: Charges::NONE,
                    advised: None,
                });
            }
            Life::OfTheFuture => drop(self.commit(|frame| {
                let serial = intent.serial.0;
                frame.append(200, 0, None, |out| {
                    out.extend_from_slice(&serial.to_le_bytes());
                    out.extend_from_slice(b"from a newer version");
                });
                frame.append(201, 1, None, |out| out.extend_from_slice(b"of nobody"));
            })),
            _ => {}
        }
        lsn
    }

    fn reversed(&mut self, of: &Of<'_>, reason: ReversalReason, cause: Option<InternalCause>) {
        let at = of.intent.wall_ms;
        let told = Told { cause, code: None };
        let outcome = of.outcome(State::Reversing, at + 500);
        self.append(&Outcome { told, approval_code: None, reason: Some(reason), ..outcome });
        self.append(&of.owed(reason, at + 500));
        self.append(&Ack {
            serial: of.intent.serial,
            slot: SlotKey(1),
            repeat: Check(1),
            intent_lsn: of.lsn,
            wall_ms: at + 900,
            state: State::Reversed,
            code: Some(ResponseCode::approved()),
            told,
            approval_code: None,
            amount: None,
            refused: false,
            advised: None,
        });
    }

    pub fn place(&self) -> Place {
        place(&self.disk, &self.dir.path().join("archive"))
    }

    /// Catches up with all that is durable.
    pub fn archive(&self) -> Progress {
        catch_up(self.place(), Some(self.end()))
    }

    pub fn view(&self) -> View {
        View::open(&self.place().dir).unwrap()
    }
}

pub fn place(disk: &FakeDisk, dir: &Path) -> Place {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Place { dir: dir.to_owned(), journal: vec![PathBuf::from(JOURNAL)], disk, keep_days: None }
}

pub fn catch_up(place: Place, until: Option<Lsn>) -> Progress {
    let mut archiver = Archiver::open(place).unwrap().unwrap();
    loop {
        let progress = archiver.step(until).unwrap();
        if progress.is_done {
            archiver.close().unwrap();
            return progress;
        }
    }
}

struct Of<'a> {
    intent: &'a Intent,
    lsn: Lsn,
}

impl Of<'_> {
    fn outcome(&self, state: State, wall_ms: i64) -> Outcome {
        Outcome {
            serial: self.intent.serial,
            slot: SlotKey(1),
            repeat: Check(1),
            intent_lsn: self.lsn,
            wall_ms,
            state,
            told: Told { cause: None, code: Some(ResponseCode::approved()) },
            approval_code: Some(ApprovalCode(*b"A12345")),
            approved_amount: None,
            reason: None,
            approval_seen: state == State::Approved,
            terminal_reason: None,
            arpc: None,
            advised: None,
        }
    }

    fn owed(&self, reason: ReversalReason, wall_ms: i64) -> Obligation {
        let owed = Unsettled::Reverse {
            intent_lsn: self.lsn,
            reason,
            terminal_reason: None,
            told: Told::NOTHING,
            approval_seen: false,
            charges: Charges::NONE,
            part: None,
            issuer: stable_id("harbour"),
            owner: 1,
            token: CardToken(CARD),
            resolves: Serial::NONE,
            advised: None,
            advice_first: false,
            first_reason: None,
            request_only: false,
        };
        Obligation { serial: self.intent.serial, slot: SlotKey(1), repeat: Check(1), wall_ms, owed }
    }
}

fn terminal(number: u64) -> Text<16> {
    Text::cut(&format!("T000000{}", number % 3))
}

fn stan(number: u64) -> Stan {
    Stan::new(number as u32).unwrap()
}

fn intent(number: u64, wall_ms: i64) -> Intent {
    let request = Request::new(Mti::of(0x0200), Kind::Purchase, stan(number));
    let request = Request {
        token: CardToken(CARD),
        amount: 1_250,
        currency: Currency::new(156).unwrap(),
        acquirer: Text::cut("00010000"),
        terminal: terminal(number),
        merchant: Text::cut("850100082410002"),
        slot: SlotKey(number),
        batch: 1,
        ..request
    };
    Intent {
        serial: Serial::new(1, 0, number),
        wall_ms,
        issuer: stable_id("harbour"),
        link: stable_id("harbour/a"),
        stan: stan(number + 1_000),
        transmission: TransmissionTime::NONE,
        rrn: Rrn::issue(1, number, number as u32),
        issuer_day: BusinessDay::from_civil(2026, 1, 1),
        acquirer_day: BusinessDay::from_civil(2026, 1, 1),
        issuer_calendar: 1,
        acquirer_calendar: 1,
        charged: Charged::NONE,
        foreign: false,
        listener: 0,
        request,
        named: None,
    }
}

fn refused(number: u64, wall_ms: i64) -> Refused {
    Refused {
        wall_ms,
        mti: Mti::of(0x0200),
        kind: Kind::Purchase,
        told: Told::ours(InternalCause::OverDailyAmount),
        issuer: stable_id("harbour"),
        stan: stan(number),
        amount: 990_000,
        currency: Currency::new(156).unwrap(),
        token: CardToken(CARD),
        batch: 1,
        remaining: 0,
        acquirer: Text::cut("00010000"),
        terminal: terminal(number),
        merchant: Text::cut("850100082410002"),
    }
}

fn unmatched(number: u64, wall_ms: i64) -> Unmatched {
    Unmatched {
        wall_ms,
        link: stable_id("harbour/a"),
        mti: Mti::of(0x0210),
        stan: stan(number),
        transmission: TransmissionTime::NONE,
        verdict: Verdict::Approves,
        reason: UnmatchedReason::NoSuchRequest,
        code: Some(ResponseCode::approved()),
        amount: 0,
        terminal: Text::EMPTY,
    }
}

fn looked_for(number: u64, wall_ms: i64) -> Obligation {
    let resolve = Resolve {
        original: original(number),
        terminal_reason: None,
        amount: 1_250,
        currency: Currency::new(156).unwrap(),
        stan: stan(number),
        batch: 1,
        acquirer: Text::cut("00010000"),
        terminal: terminal(number),
        merchant: Text::cut("850100082410002"),
    };
    let owed = Unsettled::Resolve(resolve);
    Obligation { serial: Serial::new(1, 0, number), slot: SlotKey(number), repeat: Check(1), wall_ms, owed }
}

fn tombstone(number: u64, wall_ms: i64) -> Tombstone {
    let (serial, owner) = (Serial::new(1, 0, number), intent(number, wall_ms).request.owner());
    Tombstone { serial, original: original(number), wall_ms, owner, batch: 1 }
}

fn original(number: u64) -> OriginalRef {
    OriginalRef { slot: SlotKey(number), repeat: Check(1), alias: Check(2), class: 2 }
}

const JOURNAL: &str = "/journal";
