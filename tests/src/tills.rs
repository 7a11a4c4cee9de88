//! Terminals that keep the rules, at work on a switch that comes and goes: they ask until they are answered, or reverse
//! until that is answered.
//! Never trusts what it has not heard. Guards: what every terminal holds approved is known at every moment, also while the
//! switch is dead.

use crate::message::{Ask, LOCAL_DATE, LOCAL_TIME, MARKET, Speech};
use crate::terminal::Terminal;
use books::shapes::{IssuerBook, TerminalBook, TerminalEntry, TerminalState};
use books::{Comparison, SwitchBook, compare};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use terms::Answer;
use testkit::{Chance, PATIENCE};

/// Where the switch is, while it is there, and what its terminals hold.
pub struct Door {
    /// Opened so many times, and where.
    at: Mutex<(u64, Option<SocketAddr>)>,
    moved: Condvar,
    answers: AtomicU64,
    done: AtomicBool,
    /// Approved sales that nobody has begun to reverse: terminal and STAN, with the amount.
    held: Mutex<BTreeMap<(String, u32), i64>>,
    /// How long a terminal waits for an answer; `None` takes silence of a line that stands for a failure of the switch.
    patience: Option<Duration>,
}

impl Door {
    /// Closed. On a line that only breaks, silence is an error; with a `patience`, a terminal gives up after it.
    pub fn new(patience: Option<Duration>) -> Self {
        let (at, moved, held) = (Mutex::new((0, None)), Condvar::new(), Mutex::default());
        Self { at, moved, answers: AtomicU64::new(0), done: AtomicBool::new(false), held, patience }
    }

    /// The switch listens here.
    pub fn open(&self, address: SocketAddr) {
        let mut at = locked(&self.at);
        *at = (at.0 + 1, Some(address));
        self.moved.notify_all();
    }

    /// The switch is gone.
    pub fn close(&self) {
        locked(&self.at).1 = None;
    }

    /// No sale is begun after this.
    pub fn done(&self) {
        self.done.store(true, Ordering::Release);
    }

    /// Heard so far, by all.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    /// What terminals hold approved now. Each was durable before its terminal heard of it.
    pub fn held(&self) -> BTreeMap<(String, u32), i64> {
        locked(&self.held).clone()
    }

    /// Connects to whatever is there, or will be.
    fn connect(&self) -> Terminal {
        loop {
            let at = locked(&self.at);
            let (at, waited) = self.moved.wait_timeout_while(at, PATIENCE, |at| at.1.is_none()).unwrap();
            assert!(!waited.timed_out(), "the switch did not come back");
            let address = at.1.expect("waited for");
            drop(at);
            // It may be gone again by now: then the door is about to close.
            match Terminal::plain(address, &Speech::acquirer()) {
                Ok(mut terminal) => {
                    terminal.wait_at_most(self.patience.unwrap_or(PATIENCE)).expect("a socket takes a time");
                    return terminal;
                }
                Err(_) => std::thread::yield_now(),
            }
        }
    }
}

/// Terminals at work, each on a thread of its own.
pub struct Tills(Vec<JoinHandle<Vec<Sale>>>);

impl Tills {
    /// `count` of them; they begin as soon as the door opens.
    pub fn open(count: usize, door: &Arc<Door>, chance: &mut Chance) -> Self {
        let till = |number| {
            let (door, chance) = (Arc::clone(door), chance.branch());
            std::thread::spawn(move || Till::new(number, door, chance).trade())
        };
        Self((0..count).map(till).collect())
    }

    /// Waits until each has ended its sale; what they sold.
    ///
    /// # Panics
    /// If one of them found something wrong.
    pub fn close(self) -> Vec<Sale> {
        self.0.into_iter().flat_map(|till| till.join().expect("a till")).collect()
    }
}

/// One sale, as its terminal believes it ended.
pub struct Sale {
    /// What was asked.
    pub ask: Ask,
    /// How it ended.
    pub state: TerminalState,
    code: String,
    rrn: Option<String>,
}

/// A terminal.
struct Till {
    terminal: String,
    door: Arc<Door>,
    chance: Chance,
    line: Terminal,
    sales: Vec<Sale>,
}

impl Till {
    fn new(number: usize, door: Arc<Door>, chance: Chance) -> Self {
        let line = door.connect();
        Self { terminal: format!("T{number:07}"), door, chance, line, sales: Vec::new() }
    }

    /// Sells until it is told that the day is over.
    fn trade(mut self) -> Vec<Sale> {
        for stan in 1..999_999 {
            if self.door.done.load(Ordering::Acquire) {
                break;
            }
            let sale = self.sell(stan);
            self.sales.push(sale);
        }
        self.sales
    }

    fn sell(&mut self, stan: u32) -> Sale {
        let pan = format!("62242400000000{:02}", self.chance.below(40));
        let amount = 100 + self.chance.below(2_000);
        let ask = Ask::purchase(&pan, stan, amount).at(&self.terminal);
        let gives_up = self.chance.percent(30);
        let answer = loop {
            match self.once(&ask) {
                Ok(answer) => break Some(answer),
                // Nobody knows what became of it: ask again, or take it back.
                Err(_) if gives_up => break None,
                Err(_) => {}
            }
        };
        let Some(answer) = answer else { return self.reverse(ask) };
        if answer.code.as_str() != "00" {
            return sale(ask, TerminalState::Declined, &answer);
        }
        locked(&self.door.held).insert((ask.terminal.clone(), stan), amount as i64);
        if self.chance.percent(10) {
            let again = self.insist(&ask);
            assert_eq!(
                (again.code, again.rrn, again.amount),
                (answer.code, answer.rrn, answer.amount),
                "a repeat"
            );
        }
        if self.chance.percent(15) { self.reverse(ask) } else { sale(ask, TerminalState::Approved, &answer) }
    }

    fn reverse(&mut self, ask: Ask) -> Sale {
        locked(&self.door.held).remove(&(ask.terminal.clone(), ask.stan));
        let answer = self.insist(&ask.reversed());
        assert!(["00", "25"].contains(&answer.code.as_str()), "a reversal is never declined: {answer:?}");
        sale(ask, TerminalState::Reversed, &answer)
    }

    fn insist(&mut self, ask: &Ask) -> Answer {
        loop {
            if let Ok(answer) = self.once(ask) {
                return answer;
            }
        }
    }

    /// Sends and hears; a broken line is replaced.
    fn once(&mut self, ask: &Ask) -> io::Result<Answer> {
        let heard = self.ask(ask);
        match &heard {
            Ok(_) => {
                self.door.answers.fetch_add(1, Ordering::AcqRel);
            }
            Err(fault) => {
                let silent = matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                let bears_it = self.door.patience.is_some();
                assert!(!silent || bears_it, "no answer to {} {}", ask.terminal, ask.stan);
                self.line = self.door.connect();
            }
        }
        heard
    }

    /// Where a line may say things twice, an answer to an earlier question is passed over.
    fn ask(&mut self, ask: &Ask) -> io::Result<Answer> {
        let mut answer = self.line.ask(ask)?;
        while !answers(&answer, ask) {
            assert!(self.door.patience.is_some(), "an answer to another question: {answer:?}");
            answer = self.line.hear()?;
        }
        Ok(answer)
    }
}

fn answers(answer: &Answer, ask: &Ask) -> bool {
    answer.stan.get() == ask.stan && answer.mti.bcd() == ask.mti + 0x10
}

fn sale(ask: Ask, state: TerminalState, answer: &Answer) -> Sale {
    let rrn = answer.rrn.map(|rrn| String::from_utf8_lossy(rrn.as_bytes()).into_owned());
    Sale { ask, state, code: answer.code.as_str().to_owned(), rrn }
}

impl Sale {
    fn entry(&self) -> TerminalEntry {
        TerminalEntry {
            acquirer: "00020000".into(),
            terminal: self.ask.terminal.clone(),
            merchant: MARKET.into(),
            batch: 0,
            stan: self.ask.stan,
            local_date: LOCAL_DATE as u16,
            local_time: Some(LOCAL_TIME as u32),
            rrn: self.rrn.clone(),
            amount: self.ask.amount as i64,
            currency: 156,
            state: self.state,
            code: Some(self.code.clone()),
            money: true,
        }
    }
}

/// The three books, when all is quiet: they agree to the cent without an open item, and nothing is open or owed.
///
/// # Panics
/// If they do not.
pub fn books_agree(sales: &[Sale], journal: &Path, issuer: &IssuerBook) -> (SwitchBook, Comparison) {
    let journal = SwitchBook::of_journal(journal).unwrap();
    assert_eq!((journal.owed().count(), journal.open().count()), (0, 0), "nothing is left open");
    let terminals = TerminalBook { entries: sales.iter().map(Sale::entry).collect() };
    let verdict = compare(&terminals, &journal, issuer);
    assert!(verdict.agree, "{verdict:#?}");
    assert!(verdict.items.is_empty(), "every terminal was told: {:#?}", verdict.items);
    (journal, verdict)
}

/// The three books in the middle of it, the switch being dead: what a terminal holds approved stands in the journal, and
/// its issuer has debited at least that much.
///
/// # Panics
/// If it does not.
pub fn nothing_told_is_lost(held: &BTreeMap<(String, u32), i64>, journal: &Path, debited: i64) {
    let journal = SwitchBook::of_journal(journal).unwrap();
    assert!(journal.findings.is_empty(), "{:?}", journal.findings);
    let standing: BTreeMap<(&str, u32), i64> = journal
        .transactions
        .values()
        .filter(|entry| entry.stands())
        .map(|entry| ((entry.terminal.as_str(), entry.stan), entry.final_amount()))
        .collect();
    for ((terminal, stan), amount) in held {
        assert_eq!(standing.get(&(terminal.as_str(), *stan)), Some(amount), "{terminal} {stan} was approved");
    }
    let told: i64 = held.values().sum();
    assert!(debited >= told, "terminals hold {told}, the issuer debited {debited}");
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
