//! A disk that is full, a disk that loses what it was given, a worker that breaks.
//! Never a fault inside the service: a small file system and a disk of the tests' own. Guards: nothing is acknowledged that
//! is not durable, what is owed is served while there is room, and the process ends loudly when it cannot go on.

use crate::stories::HARBOUR_CARD;
use books::SwitchBook;
use books::switch_book::State;
use issuer_sim::{IssuerConfig, Listen, Simulator};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::wait_for;
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::{Process, root};
use tests::shop::Shop;
use tests::terminal::Terminal;

/// A disk that can be filled: a small file system where one may be mounted, else the tests' own.
enum SmallDisk {
    /// It goes with the value.
    Mounted {
        at: PathBuf,
    },
    Played {
        trigger: PathBuf,
    },
}

impl SmallDisk {
    fn new(shop: &Shop, size: &str) -> Self {
        let at = shop.journal();
        std::fs::create_dir_all(&at).unwrap();
        let options = format!(
            "size={size},mode=0700,uid={},gid={}",
            rustix::process::getuid(),
            rustix::process::getgid()
        );
        let mount = |program: &str, first: &[&str]| {
            let done = Command::new(program)
                .args(first)
                .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
                .arg(&at)
                .output();
            done.is_ok_and(|done| done.status.success())
        };
        if mount("mount", &[]) || mount("sudo", &["-n", "mount"]) {
            return Self::Mounted { at };
        }
        println!("no file system may be mounted here: the disk of the tests' own plays full");
        Self::Played { trigger: shop.dir.path().join("trigger") }
    }

    fn serve(&self, shop: &Shop) -> Process {
        match self {
            Self::Mounted { .. } => Process::serve(&shop.file()),
            Self::Played { .. } => faulty(shop).0,
        }
    }

    /// Takes everything that is free; it is free again when the file is removed.
    fn fill(&self) -> PathBuf {
        let at = match self {
            Self::Mounted { at } => at,
            Self::Played { trigger } => {
                pull(trigger, "full");
                return trigger.clone();
            }
        };
        let path = at.join("filler");
        let mut file = File::create(&path).unwrap();
        let mut chunk = vec![0_u8; 65_536];
        while !chunk.is_empty() {
            if file.write_all(&chunk).is_err() {
                chunk.truncate(chunk.len() / 2);
            }
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let Self::Mounted { at } = self else { return };
        let unmount = |program: &str, first: &[&str]| {
            Command::new(program)
                .args(first)
                .arg("--lazy")
                .arg(&*at)
                .status()
                .is_ok_and(|done| done.success())
        };
        let gone = unmount("umount", &[]) || unmount("sudo", &["-n", "umount"]);
        if !std::thread::panicking() {
            assert!(gone, "the file system stays mounted at {}", at.display());
        }
    }
}

#[test]
fn a_full_disk_declines_what_is_new_serves_what_is_owed_and_goes_on_with_space() {
    full_and_free_again(SmallDisk::new);
}

/// The same where nothing may be mounted, so that it is known to hold there.
#[test]
fn a_disk_played_full_is_served_likewise() {
    full_and_free_again(|shop, _| SmallDisk::Played { trigger: shop.dir.path().join("trigger") });
}

fn full_and_free_again(disk: impl Fn(&Shop, &str) -> SmallDisk) {
    let issuer =
        Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    shop.plain = true;
    shop.edits = vec![("segment_bytes = 1_048_576", "segment_bytes = 262_144")];
    let disk = disk(&shop, "4m");
    let process = disk.serve(&shop);
    process.ready();
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    let first = Ask::purchase(HARBOUR_CARD, 1, 100);
    assert_eq!(line.ask(&first).unwrap().code.as_str(), "00");

    let filler = disk.fill();
    let mut stan = 1;
    let mut buy = |line: &mut Terminal| {
        stan += 1;
        line.ask(&Ask::purchase(HARBOUR_CARD, stan, 100)).unwrap().code.to_string()
    };
    let refused = (0..20_000).map(|_| buy(&mut line)).find(|code| code != "00");
    assert_eq!(refused.as_deref(), Some("96"), "the segments that were there are used up");
    let (status, why) = process.get("/readyz").unwrap();
    assert!(status == 503 && why.contains("disk is full"), "{status} {why}");
    assert_eq!(process.get("/livez").map(|(status, _)| status), Some(200), "nobody should kill it");

    assert_eq!(
        line.ask(&first.reversed()).unwrap().code.as_str(),
        "00",
        "a reversal is served from the reserve"
    );
    wait_for("the issuer's acknowledgement", || issuer.control("harbour").unwrap().totals().reversals == 1);
    assert_eq!(buy(&mut line), "96");
    let net = |totals: issuer_sim::Totals| totals.debited - totals.reversed;
    let held = net(issuer.control("harbour").unwrap().totals());

    std::fs::remove_file(filler).unwrap();
    let mut bought = 0;
    wait_for("service again", || {
        bought += i64::from(buy(&mut line) == "00");
        bought > 0
    });
    process.ready();
    assert_eq!(net(issuer.control("harbour").unwrap().totals()), held + 100 * bought, "96 reached no issuer");
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    let book = SwitchBook::of_journal(&shop.journal()).unwrap();
    let standing: i64 = book.transactions.values().filter(|e| e.stands()).map(|e| e.final_amount()).sum();
    assert_eq!((standing, book.findings.len()), (held + 100 * bought, 0), "{:?}", book.findings);
    assert!(books::journal::verify(&shop.journal()).unwrap().sound);
}

/// The switch on a disk that fails once the trigger says so.
fn faulty(shop: &Shop) -> (Process, PathBuf) {
    let trigger = shop.dir.path().join("trigger");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-switch"));
    command.arg(shop.file()).arg(&trigger);
    (Process::start(command), trigger)
}

/// Written aside first: nobody reads half a word.
fn pull(trigger: &Path, word: &str) {
    std::fs::write(trigger.with_extension("new"), word).unwrap();
    std::fs::rename(trigger.with_extension("new"), trigger).unwrap();
}

#[test]
fn a_failed_sync_leaves_its_batch_unanswered_ends_the_process_and_is_settled_by_a_restart() {
    let issuer = Scripted::start();
    let mut shop = Shop::new(issuer.address);
    shop.plain = true;
    let (process, trigger) = faulty(&shop);
    process.ready();
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    let asks = [1, 2].map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100));
    line.send_all(&asks).unwrap();
    let under_way = [issuer.asked(), issuer.asked()];
    pull(&trigger, "sync");
    under_way[0].answer("00");
    under_way[1].answer("51");
    assert!(line.hear().is_err(), "neither the approval nor the decline was told");
    let (status, log) = process.ended();
    assert!(!status.success() && log.contains("the journal failed"), "{status}\n{log}");

    let process = Process::serve(&shop.file());
    // One after the other: it is one card.
    let mut reversed = BTreeSet::new();
    while reversed.len() < asks.len() {
        let reversal = issuer.asked();
        assert!(reversal.is_reversal(), "what was in doubt is taken back");
        reversed.insert(*reversal.request.rrn.expect("our reference").as_bytes());
        reversal.answer("00");
    }
    process.ready();
    wait_for("nothing owed", || testkit::metric(&process.metrics(), "pointsman_saf_depth", &[]) == 0.0);
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    for ask in &asks {
        assert_eq!(line.ask(ask).unwrap().code.as_str(), "91", "a repeat hears of no approval");
    }
    process.terminate();
    assert!(process.ended().0.success());
    let book = SwitchBook::of_journal(&shop.journal()).unwrap();
    let states: Vec<_> = book.transactions.values().map(|entry| entry.state).collect();
    assert_eq!((states, book.findings.len()), (vec![State::Reversed; 2], 0), "{:?}", book.findings);
}

#[test]
fn a_worker_that_panics_ends_the_process_with_a_status_and_a_word() {
    let issuer = Scripted::start();
    let mut shop = Shop::new(issuer.address);
    shop.plain = true;
    let (process, trigger) = faulty(&shop);
    process.ready();
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    let ask = Ask::purchase(HARBOUR_CARD, 1, 100);
    line.send(&ask).unwrap();
    issuer.asked().answer("00");
    assert_eq!(line.hear().unwrap().code.as_str(), "00");
    pull(&trigger, "read");
    // Whichever it hears: the answer was told before, and only the journal knows it now.
    let _ = line.ask(&ask);
    let (status, log) = process.ended();
    assert!(!status.success() && log.contains("a worker panicked"), "{status}\n{log}");

    std::fs::remove_file(&trigger).unwrap();
    let process = Process::serve(&shop.file());
    process.ready();
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    assert_eq!(line.ask(&ask).unwrap().code.as_str(), "00", "the approval stands and is replayed");
}

#[test]
fn the_service_has_no_failing_disk() {
    let words = [&b"faulty-switch"[..], b"the disk lost it", b"the disk panics"];
    let holds = |path: &Path, word: &[u8]| {
        std::fs::read(path).unwrap().windows(word.len()).any(|window| window == word)
    };
    let ours = Path::new(env!("CARGO_BIN_EXE_faulty-switch"));
    for word in words {
        assert!(holds(ours, word), "the word would be found: {}", String::from_utf8_lossy(word));
        assert!(!holds(tests::process::binary(), word), "{}", String::from_utf8_lossy(word));
    }
    let manifest = std::fs::read_to_string(root().join("crates/switch/Cargo.toml")).unwrap();
    let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names: Vec<_> =
        features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["default", "demo"], "no feature of the service makes anything fail");
}
