//! `kill -9` under load, again and again, on one journal; then the three books.
//! Never starts with an empty journal after the first round. Guards: what a terminal was told stands, what it was not told
//! is settled, and nobody is debited for a sale that was not made.

use crate::stories::no_key_was_used_twice;
use books::shapes::{TerminalBook, TerminalEntry, TerminalState};
use books::{SwitchBook, compare};
use issuer_sim::{Act, IssuerConfig, Listen, Mood, Simulator};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use terms::Answer;
use testkit::Chance;
use testkit::{PATIENCE, metric, wait_for};
use tests::message::{Ask, LOCAL_DATE, LOCAL_TIME, MARKET, Speech};
use tests::process::Process;
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn three_books_agree_after_fifty_kills() {
    let rounds = if std::env::var_os("POINTSMAN_LONG").is_some() { 1_000 } else { 50 };
    let mut chance = Chance::seeded();
    let issuer = Simulator::start(vec![(moody(), Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    (shop.plain, shop.timeout_ms) = (true, 300);
    // Ceilings bite now and then, so that a wrong counter shows.
    shop.daily = "2000.00";
    let file = shop.file();
    let door = Arc::new(Door::default());
    let tills: Vec<_> = (0..TILLS)
        .map(|number| {
            let (door, chance) = (Arc::clone(&door), chance.branch());
            std::thread::spawn(move || Till::new(number, door, chance).trade())
        })
        .collect();

    let mut process = open(&file, &door);
    for _ in 0..rounds {
        let (seen, more) = (door.answers(), 1 + chance.below(60));
        wait_for("answers", || door.answers() >= seen + more);
        spin(chance.below(20_000));
        door.close();
        process.kill_nine();
        process = open(&file, &door);
    }
    door.done.store(true, Ordering::Release);
    let sales: Vec<Sale> = tills.into_iter().flat_map(|till| till.join().unwrap()).collect();
    wait_for("every reversal acknowledged", || {
        let text = process.metrics();
        metric(&text, "pointsman_saf_depth", &[]) == 0.0 && metric(&text, "pointsman_in_flight", &[]) == 0.0
    });
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");

    let journal = SwitchBook::of_journal(&shop.journal()).unwrap();
    assert_eq!((journal.owed().count(), journal.open().count()), (0, 0), "nothing is left open");
    // A restart may take less than the second that DE 7 counts in.
    no_key_was_used_twice(&journal);
    let terminals = TerminalBook { entries: sales.iter().map(Sale::entry).collect() };
    let verdict = compare(&terminals, &journal, &issuer.control("harbour").unwrap().book());
    assert!(verdict.agree, "{verdict:#?}");
    assert!(verdict.items.is_empty(), "every terminal was told: {:#?}", verdict.items);
    println!("{rounds} kills, {} sales, {} transactions", sales.len(), verdict.transactions);
    counters_are_the_sums(&shop, &sales, &journal);
}

/// Every card's counter after a restart is what its terminals hold approved, of the last business day.
fn counters_are_the_sums(shop: &Shop, sales: &[Sale], journal: &SwitchBook) {
    let last = journal.transactions.values().map(|entry| entry.issuer_day).max().unwrap();
    let of_last = |sale: &&Sale| {
        sale.state == TerminalState::Approved
            && journal.transactions.values().any(|entry| {
                entry.issuer_day == last && entry.terminal == sale.ask.terminal && entry.stan == sale.ask.stan
            })
    };
    let mut cards: BTreeMap<&str, i64> = BTreeMap::new();
    for sale in sales.iter().filter(of_last) {
        *cards.entry(&sale.ask.pan).or_default() += sale.ask.amount as i64;
    }
    let running = switch::serve::start(shop.config()).unwrap();
    let mut spent = Vec::new();
    running.limits().for_each(|_, _, amount, _| spent.push(amount));
    running.stop().unwrap();
    spent.retain(|amount| *amount != 0);
    spent.sort_unstable();
    let mut held: Vec<i64> = cards.into_values().collect();
    held.sort_unstable();
    assert_eq!(spent, held, "the counters of the cards");
}

/// Mostly well, but it forgets answers, loses requests, says things twice and is slow.
fn moody() -> IssuerConfig {
    IssuerConfig::new("harbour", "iso87-binary")
        .seed(8583)
        .mood(Mood::decline("51").amount_ends("51"))
        .mood(Mood::new(Act::Drop).per_million(10_000))
        .mood(Mood::new(Act::Lose).per_million(10_000))
        .mood(Mood::new(Act::Twice).per_million(20_000))
        .mood(Mood::new(Act::Delay(Duration::from_millis(40))).per_million(30_000))
        .mood(Mood::new(Act::Delay(Duration::from_millis(400))).per_million(5_000))
}

fn open(file: &std::path::Path, door: &Door) -> Process {
    let process = Process::serve(file);
    process.ready();
    door.open(process.listener("acquirer"));
    process
}

/// A moment that no event marks.
fn spin(turns: u64) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

/// Where the switch is, while it is there.
#[derive(Default)]
struct Door {
    /// Opened so many times, and where.
    at: Mutex<(u64, Option<SocketAddr>)>,
    moved: Condvar,
    answers: AtomicU64,
    done: AtomicBool,
}

impl Door {
    fn open(&self, address: SocketAddr) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = (at.0 + 1, Some(address));
        self.moved.notify_all();
    }

    fn close(&self) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).1 = None;
    }

    fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    /// Connects to whatever is there, or will be.
    fn connect(&self) -> Terminal {
        loop {
            let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
            let (at, waited) = self.moved.wait_timeout_while(at, PATIENCE, |at| at.1.is_none()).unwrap();
            assert!(!waited.timed_out(), "the switch did not come back");
            let address = at.1.expect("waited for");
            drop(at);
            // It may be gone again by now: then the door is about to close.
            match Terminal::plain(address, &Speech::acquirer()) {
                Ok(terminal) => return terminal,
                Err(_) => std::thread::yield_now(),
            }
        }
    }
}

/// One sale, as its terminal believes it ended.
struct Sale {
    ask: Ask,
    state: TerminalState,
    code: String,
    rrn: Option<String>,
}

/// A terminal that keeps the rules: it asks until it is answered, or reverses until that is answered.
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
        let heard = self.line.ask(ask);
        match &heard {
            Ok(answer) => {
                assert_eq!(answer.stan.get(), ask.stan, "an answer to another question");
                self.door.answers.fetch_add(1, Ordering::AcqRel);
            }
            Err(fault) => {
                let silent = matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                assert!(!silent, "no answer to {} {}", ask.terminal, ask.stan);
                self.line = self.door.connect();
            }
        }
        heard
    }
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

/// Terminals at work.
const TILLS: usize = 6;
