//! `kill -9` under load, again and again, on one journal: at random times, at named moments of its disk, and while a start
//! reads the journal again; the books are read after every kill, the three of them compared at the end.
//! Never starts with an empty journal after the first round. Guards: what a terminal was told stands, what it was not told
//! is settled, and nobody is debited for a sale that was not made.

use crate::stories::no_key_was_used_twice;
use books::SwitchBook;
use books::shapes::TerminalState;
use issuer_sim::{Act, IssuerConfig, Listen, Mood, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Chance, metric, wait_for};
use tests::failpoints::Failpoint;
use tests::process::Process;
use tests::shop::Shop;
use tests::tills::{Door, Sale, Tills, books_agree, nothing_told_is_lost};

#[test]
fn three_books_agree_after_fifty_kills() {
    let long = std::env::var_os("POINTSMAN_LONG").is_some();
    let mut run = Run::open(&mut Chance::seeded());
    let moments: Vec<Failpoint> = Failpoint::all().collect();
    let first = run.chance.below(moments.len() as u64) as usize;
    let mut hit = BTreeSet::new();
    for round in 0..if long { 1_000 } else { 50 } {
        // Of five rounds two are killed at a random time, two at a named moment, one while it starts.
        match round % 5 {
            0 | 2 => run.kill_at_random(),
            1 | 3 => {
                hit.extend(run.kill_at(moments[(first + round / 5 * 2 + round % 5 / 2) % moments.len()]))
            }
            _ => {
                let moment = *run.chance.pick(&moments);
                hit.extend(run.kill_while_starting(moment));
            }
        }
        nothing_told_is_lost(&run.door.held(), &run.shop.journal(), run.debited());
    }
    println!("killed at {} named moments of {}: {hit:?}", hit.len(), moments.len());
    assert!(hit.len() >= if long { 25 } else { 8 }, "only {hit:?}");
    run.ends();
}

/// The switch between its terminals and its issuer, killed and started again.
struct Run {
    issuer: Simulator,
    shop: Shop,
    file: PathBuf,
    door: Arc<Door>,
    tills: Tills,
    chance: Chance,
    kills: u32,
}

impl Run {
    fn open(chance: &mut Chance) -> Self {
        let issuer = Simulator::start(vec![(moody(), Listen::loopback())]).unwrap();
        let mut shop = Shop::new(issuer.address("harbour").unwrap());
        (shop.plain, shop.timeout_ms) = (true, 300);
        // Ceilings bite now and then, so that a wrong counter shows.
        shop.daily = "2000.00";
        // Segments and checkpoints end often, so that their moments come.
        shop.edits =
            vec![("segment_bytes = 1_048_576", "segment_bytes = 262_144\ncheckpoint_bytes = 65_536")];
        let (file, door) = (shop.file(), Arc::new(Door::new(None)));
        let tills = Tills::open(TILLS, &door, chance);
        Self { issuer, shop, file, door, tills, chance: chance.branch(), kills: 0 }
    }

    fn kill_at_random(&mut self) {
        let process = Process::serve(&self.file);
        self.serve(&process);
        let (seen, more) = (self.door.answers(), 1 + self.chance.below(60));
        wait_for("answers", || self.door.answers() >= seen + more);
        spin(self.chance.below(20_000));
        self.door.close();
        process.kill_nine();
        self.kills += 1;
    }

    /// Under load; its name, if the moment came before a good many answers did.
    fn kill_at(&mut self, moment: Failpoint) -> Option<String> {
        let moment = moment.time(1 + self.chance.below(3));
        let trigger = self.shop.dir.path().join("trigger");
        let _ = std::fs::remove_file(&trigger);
        let mut process = Process::start(killing(&self.file, &trigger, moment));
        self.serve(&process);
        std::fs::write(&trigger, "arm").unwrap();
        let seen = self.door.answers();
        wait_for("the moment, or answers", || process.is_gone() || self.door.answers() >= seen + 600);
        self.door.close();
        let came = process.is_gone();
        process.kill_nine();
        self.kills += 1;
        came.then(|| moment.name())
    }

    /// While it reads the journal again, twice in a row; its name, if the moment came.
    fn kill_while_starting(&mut self, moment: Failpoint) -> Option<String> {
        let trigger = self.shop.dir.path().join("trigger");
        std::fs::write(&trigger, "arm").unwrap();
        let mut came = None;
        for _ in 0..2 {
            let moment = moment.time(1 + self.chance.below(4));
            match Process::try_start(killing(&self.file, &trigger, moment)) {
                Ok(process) => process.kill_nine(),
                Err((status, log)) => {
                    assert_eq!(status.code(), None, "killed, and not ended by itself: {log}");
                    came = Some(moment.name());
                }
            }
            self.kills += 1;
        }
        came
    }

    fn serve(&self, process: &Process) {
        process.ready();
        self.door.open(process.listener("acquirer"));
    }

    fn debited(&self) -> i64 {
        let totals = self.issuer.control("harbour").unwrap().totals();
        totals.debited - totals.reversed
    }

    /// Everything owed is acknowledged, and the three books agree.
    fn ends(self) {
        let process = Process::serve(&self.file);
        self.serve(&process);
        self.door.done();
        let sales = self.tills.close();
        wait_for("every reversal acknowledged", || {
            let text = process.metrics();
            metric(&text, "pointsman_saf_depth", &[]) == 0.0
                && metric(&text, "pointsman_in_flight", &[]) == 0.0
        });
        process.terminate();
        let (status, log) = process.ended();
        assert!(status.success(), "{log}");
        let issuer = self.issuer.control("harbour").unwrap().book();
        let (journal, verdict) = books_agree(&sales, &self.shop.journal(), &issuer);
        // A restart may take less than the second that DE 7 counts in.
        no_key_was_used_twice(&journal);
        println!("{} kills, {} sales, {} transactions", self.kills, sales.len(), verdict.transactions);
        counters_are_the_sums(&self.shop, &sales, &journal);
    }
}

/// The switch on a disk on which it dies at `moment`, counted from when the trigger says so.
fn killing(file: &Path, trigger: &Path, moment: Failpoint) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-switch"));
    command.arg(file).arg(trigger).arg(moment.to_string());
    command
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

/// A moment that no event marks.
fn spin(turns: u64) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

/// Terminals at work.
const TILLS: usize = 6;
