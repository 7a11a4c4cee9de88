//! The archive of a real switch: searched while it runs, killed with it, compared with what the second reader knows.
//! Never a sleep. Guards: one timeline per transaction of the journal, no card number in any of its files.

use crate::promises::forms;
use crate::stories::HARBOUR_CARD;
use archive::{Found, Outcome, Search, View};
use books::SwitchBook;
use books::record::{Payload, state};
use issuer_sim::{IssuerConfig, Listen, Simulator};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::{metric, wait_for};
use tests::message::{Ask, Speech};
use tests::process::{Process, binary};
use tests::shop::{Shop, holds};
use tests::terminal::Terminal;

/// An issuer with one account, and a shop whose switch keeps an archive.
struct Stage {
    _issuer: Simulator,
    shop: Shop,
    file: PathBuf,
}

impl Stage {
    fn new(settings: &'static str) -> Self {
        let config = IssuerConfig::new("harbour", "iso87-binary").account(HARBOUR_CARD, 100_000);
        let issuer = Simulator::start(vec![(config, Listen::loopback())]).unwrap();
        let mut shop = Shop::new(issuer.address("harbour").unwrap());
        shop.edits.push(("[[calendar]]", settings));
        let file = shop.file();
        Self { _issuer: issuer, shop, file }
    }

    fn serve(&self) -> Process {
        let process = Process::serve(&self.file);
        process.ready();
        process
    }

    fn till(&self, process: &Process) -> Terminal {
        let client = self.shop.certificates.stranger();
        Terminal::tls(process.listener("pos"), &Speech::unionpay(), &client).unwrap()
    }

    fn dir(&self) -> PathBuf {
        self.shop.dir.path().join("archive")
    }

    /// `pointsman …` with the configuration; exit status and what it printed.
    fn pointsman(&self, words: &[&str], input: &str) -> (i32, String) {
        let mut command = Command::new(binary());
        command.args(words).arg("--config").arg(&self.file);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), said.into_owned())
    }

    fn json(&self, words: &[&str], input: &str) -> Value {
        let (status, said) = self.pointsman(&[words, &["--json"]].concat(), input);
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("status {status}: {said}"))
    }
}

/// Sales, a decline of the issuer, refusals, a reversal and a void; `stan` is the first of ten.
fn trade(stage: &Stage, process: &Process, stan: u32) {
    let mut till = stage.till(process);
    let mut told = |ask: &Ask, code: &str| assert_eq!(till.ask(ask).unwrap().code.as_str(), code, "{ask:?}");
    let track2 = Some(format!("{HARBOUR_CARD}={TRACK}"));
    told(&Ask { track2, ..Ask::purchase(HARBOUR_CARD, stan, 1_250) }, "00");
    told(&Ask { pin: Some(PIN), ..Ask::purchase(HARBOUR_CARD, stan + 8, 1_250) }, "57");
    told(&Ask::purchase(HARBOUR_CARD, stan + 1, 90_000_000), "51");
    told(&Ask::purchase("4539578763621486", stan + 2, 1_000), "15");
    let reversed = Ask::purchase(HARBOUR_CARD, stan + 3, 2_000);
    told(&reversed, "00");
    told(&reversed.reversed(), "00");
    let voided = Ask::purchase(HARBOUR_CARD, stan + 4, 3_000);
    told(&voided, "00");
    told(&voided.voided(stan + 5), "00");
    told(&Ask::purchase(HARBOUR_CARD, stan + 6, 1_000).reversed(), "00");
    told(&Ask::purchase(HARBOUR_CARD, stan + 7, 4_000), "00");
}

/// Waits until nothing is owed and everything is archived.
fn settled(stage: &Stage, process: &Process) {
    wait_for("all settled", || {
        let text = process.metrics();
        metric(&text, "pointsman_saf_depth", &[]) == 0.0 && metric(&text, "pointsman_in_flight", &[]) == 0.0
    });
    // A batch that is being written ends a reading: the journal is read until it stands still.
    wait_for("all archived", || {
        let records = books::journal::records(&stage.shop.journal()).unwrap();
        let count = records.map_while(Result::ok).count() as u64;
        let reached = View::open(&stage.dir()).and_then(|view| view.reach());
        reached.is_ok_and(|reach| reach.next_record == count + 1)
    });
}

fn all(dir: &Path) -> Vec<Found> {
    View::open(dir).unwrap().find(&Search { limit: 100_000, ..Search::default() }).unwrap()
}

/// Every transaction of the journal has one timeline, with the state and the records that the second reader saw.
fn agrees(stage: &Stage) {
    let found = all(&stage.dir());
    let view = View::open(&stage.dir()).unwrap();
    let book = SwitchBook::of_journal(&stage.shop.journal()).unwrap();
    let mut by_serial: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for one in &found {
        if let (Some(serial), true) = (&one.serial, one.rrn.is_some()) {
            by_serial.entry(serial).or_default().push(one);
        }
    }
    assert_eq!(by_serial.len(), book.transactions.len());
    for entry in book.transactions.values() {
        let [one] = by_serial[entry.serial.as_str()][..] else { panic!("{} twice", entry.serial) };
        let outcome = Outcome::from_name(one.outcome).unwrap();
        let state = match outcome {
            Outcome::Approved => books::switch_book::State::Approved,
            Outcome::Declined => books::switch_book::State::Declined,
            Outcome::Reversed => books::switch_book::State::Reversed,
            Outcome::Reversing => books::switch_book::State::Reversing,
            other => panic!("{} is {other:?}", entry.serial),
        };
        assert_eq!((state, one.rrn.as_deref()), (entry.state, Some(entry.rrn.as_str())), "{}", entry.serial);
        assert_eq!(one.notes.contains(&"voided"), entry.voided, "{}", entry.serial);
    }
    let (mut refused, mut records) = (0, 0);
    for record in books::journal::records(&stage.shop.journal()).unwrap() {
        let record = record.unwrap();
        records += 1;
        refused +=
            usize::from(matches!(Payload::read(record.kind, &record.payload).unwrap(), Payload::Refused(_)));
    }
    assert_eq!(found.iter().filter(|one| one.outcome == "refused").count(), refused);
    assert_eq!(view.reach().unwrap().next_record, records + 1, "every record of the journal, once");
    assert_eq!(state::REVERSED, 5);
}

/// The terminal hears 64; how much would have been taken is for whoever is asked.
#[test]
fn a_refund_beyond_its_original_is_told_with_what_was_left() {
    let stage = Stage::new(ARCHIVE);
    let process = stage.serve();
    let mut till = stage.till(&process);
    let sale = Ask::purchase(HARBOUR_CARD, 1, 6_000);
    for (ask, code) in [(&sale, "00"), (&sale.refunded(2, 1_000), "00"), (&sale.refunded(3, 5_001), "64")] {
        assert_eq!(till.ask(ask).unwrap().code.as_str(), code, "{ask:?}");
    }
    settled(&stage, &process);
    let refused = stage.json(&["txn", "find", "--stan", "3"], "");
    let one = &refused["transactions"][0];
    assert_eq!((one["outcome"].as_str(), one["cause"].as_str()), (Some("refused"), Some("over-original")));
    let (status, told) = stage.pointsman(&["txn", "find", "--cause", "over-original"], "");
    assert!(status == 0 && told.contains("left of the original 50.00"), "{told}");
    process.terminate();
    assert!(process.ended().0.success());
    let records = books::journal::records(&stage.shop.journal()).unwrap();
    let left: Vec<u64> = records
        .map(|record| record.unwrap())
        .filter_map(|record| match Payload::read(record.kind, &record.payload).unwrap() {
            Payload::Refused(refused) => Some(refused.remaining),
            _ => None,
        })
        .collect();
    assert_eq!(left, [5_000]);
}

#[test]
fn a_support_desk_finds_out_what_happened_while_the_switch_runs_and_after() {
    let stage = Stage::new(ARCHIVE);
    let process = stage.serve();
    trade(&stage, &process, 1);
    settled(&stage, &process);

    let declined = stage.json(&["txn", "find", "--stan", "2"], "");
    let [one] = &declined["transactions"].as_array().unwrap()[..] else { panic!("{declined}") };
    assert_eq!((one["outcome"].as_str(), one["code"].as_str()), (Some("declined"), Some("51")), "{one}");
    assert_eq!(
        (one["acts"]["cause"].as_str(), one["acts"]["who"][0].as_str()),
        (Some("funds"), Some("cardholder"))
    );
    let (status, told) = stage.pointsman(&["txn", "find", "--stan", "2"], "");
    for words in ["insufficient funds", "余额不足", "who acts: cardholder", "INTENT", "harbour/a", "OUTCOME"]
    {
        assert!(status == 0 && told.contains(words), "{words} in\n{told}");
    }

    assert_eq!(without_chance(&told, one).trim_end(), TOLD.trim_end(), "{told}");
    // What was said, as long as the ring has it: no field of it in clear.
    assert!(told.contains("reply at") && told.contains("= 622424******2641\n"), "{told}");
    let refused = stage.json(&["txn", "find", "--stan", "3"], "");
    let refused = refused["transactions"][0].clone();
    assert_eq!(refused["outcome"], "refused");
    let (_, told) = stage.pointsman(&["txn", "find", "--stan", "3"], "");
    assert!(told.contains("request at") && told.contains("39 ") && told.contains("= 15"), "{told}");
    let approved = stage.json(&["txn", "show", &rrn_of(&stage, 1)], "");
    assert!(approved["messages"]["answer"].is_string(), "every approval is sampled here: {approved}");
    assert!(approved["hops"].as_array().unwrap().iter().all(|hop| hop["at"].is_number()), "{approved}");

    let of_card = stage.json(&["txn", "find", "--pan", "-"], HARBOUR_CARD);
    let token = of_card["transactions"][0]["token"].as_str().unwrap().to_owned();
    let of_token = stage.json(&["txn", "find", "--token", &token], "");
    assert_eq!(of_card["transactions"], of_token["transactions"]);
    assert!(of_card["transactions"].as_array().unwrap().len() >= 6, "{of_card}");

    let rrn = one["rrn"].as_str().unwrap();
    assert_eq!(stage.json(&["txn", "show", rrn], "")["transaction"]["serial"], one["serial"]);
    explains(&stage, rrn);
    let by_cause = stage.json(&["txn", "find", "--cause", "no-such-issuer"], "");
    assert_eq!(by_cause["transactions"][0]["outcome"], "refused");
    let (status, nothing) = stage.pointsman(&["txn", "find", "--terminal", "99999999"], "");
    assert_eq!(status, 2);
    assert!(
        nothing.contains("nothing found: searched by terminal, from 20") && nothing.contains("up to date"),
        "{nothing}"
    );

    let (status, said) = stage.pointsman(&["archive", "rebuild"], "");
    assert!(status == 1 && said.contains("another process fills the archive"), "{said}");
    process.terminate();
    assert!(process.ended().0.success());
    agrees(&stage);
    let live = View::open(&stage.dir()).unwrap().dump().unwrap();
    let (status, said) = stage.pointsman(&["archive", "rebuild"], "");
    assert_eq!(status, 0, "{said}");
    assert_eq!(
        View::open(&stage.dir()).unwrap().dump().unwrap(),
        live,
        "what was filled live is what a rebuild makes"
    );
}

/// `explain --txn`: what happened hop by hop, why, who acts, what to try.
fn explains(stage: &Stage, rrn: &str) {
    let told = stage.json(&["explain", "--txn", rrn], "");
    assert_eq!((told["code"].as_str(), told["cause"].as_str()), (Some("51"), Some("funds")), "{told}");
    for key in ["who_acts", "cardholder", "merchant", "operator", "retry", "hops", "transaction"] {
        assert!(!told[key].is_null(), "{key} in {told}");
    }
    let (status, told) = stage.pointsman(&["explain", "--txn", rrn, "--lang", "zh"], "");
    for words in ["INTENT", "harbour/a", "OUTCOME", "余额不足", "谁来处理", "持卡人", "能否重试"]
    {
        assert!(status == 0 && told.contains(words), "{words} in\n{told}");
    }
    // What was refused at once has no number: the receipt has terminal and STAN.
    let ours = stage.json(&["explain", "--txn", "T0000001/000003"], "");
    assert_eq!(
        (ours["internal"].as_str(), ours["id"].as_str()),
        (Some("no-such-issuer"), Some("E07")),
        "{ours}"
    );
    let (status, approved) = stage.pointsman(&["explain", "--txn", &rrn_of(stage, 1)], "");
    assert!(status == 0 && approved.contains("not declined: nothing to explain"), "{approved}");
    let (status, nothing) = stage.pointsman(&["explain", "--txn", "999999999999"], "");
    assert!(status == 2 && nothing.contains("nothing found: searched by RRN"), "{nothing}");
}

#[test]
fn killed_and_started_again_the_archive_goes_on_where_its_rows_end() {
    let stage = Stage::new(ARCHIVE);
    for round in 0..3 {
        let process = stage.serve();
        trade(&stage, &process, 1 + round * 10);
        process.kill_nine();
    }
    let process = stage.serve();
    trade(&stage, &process, 41);
    settled(&stage, &process);
    process.terminate();
    assert!(process.ended().0.success());
    agrees(&stage);
    for pan in [HARBOUR_CARD, "4539578763621486"] {
        for form in forms(pan) {
            assert!(!holds(&stage.dir(), &form), "the archive holds {pan} as {form:02X?}");
        }
    }
    for (secret, what) in [(TRACK.as_bytes(), "a track"), (&PIN[..], "a PIN"), (PIN_HEX.as_bytes(), "a PIN")]
    {
        assert!(!holds(&stage.dir(), secret), "the archive holds {what}");
    }
    assert!(holds(&stage.dir(), b"******"), "what it holds of them is masked");
}

#[test]
fn a_missing_or_damaged_archive_is_made_again_from_the_journal() {
    let stage = Stage::new(ARCHIVE);
    let process = stage.serve();
    trade(&stage, &process, 1);
    process.terminate();
    assert!(process.ended().0.success());
    let before = all(&stage.dir());
    std::fs::remove_dir_all(stage.dir()).unwrap();
    assert_eq!(stage.json(&["txn", "find", "--stan", "1"], "")["transactions"].as_array().unwrap().len(), 1);
    assert_eq!(all(&stage.dir()), before);
    std::fs::write(stage.dir().join("timelines.sqlite"), [0x5A; 9_000]).unwrap();
    assert_eq!(stage.json(&["txn", "find", "--stan", "1"], "")["transactions"].as_array().unwrap().len(), 1);
    assert_eq!(all(&stage.dir()), before);
    agrees(&stage);
}

#[test]
fn a_paused_archive_says_how_far_it_is_behind_and_goes_on_when_it_is_told() {
    let stage = Stage::new(PAUSED);
    let process = stage.serve();
    trade(&stage, &process, 1);
    let figure = |family: &str| metric(&process.metrics(), family, &[]);
    wait_for("paused and behind", || {
        figure("pointsman_archive_paused") == 1.0 && figure("pointsman_archive_lag_records") >= 10.0
    });
    assert!(figure("pointsman_archive_lag_bytes") > 0.0);
    let text = std::fs::read_to_string(&stage.file).unwrap();
    std::fs::write(&stage.file, text.replace("paused = true", "paused = false")).unwrap();
    process.hang_up();
    settled(&stage, &process);
    wait_for("no lag", || {
        let families = ["paused", "lag_seconds", "lag_records", "lag_bytes"];
        families.iter().all(|family| figure(&format!("pointsman_archive_{family}")) == 0.0)
    });
    process.terminate();
    assert!(process.ended().0.success());
    agrees(&stage);
}

/// The first part of what was told, without what differs from run to run: times, numbers drawn by chance, widths.
fn without_chance(told: &str, one: &Value) -> String {
    let known = [("serial", "NUMBER"), ("rrn", "RRN"), ("token", "TOKEN")];
    let told = told.split("\njournaled:").next().unwrap();
    let word = |word: &str| {
        let (word, comma) = word.strip_suffix(',').map_or((word, ""), |word| (word, ","));
        let is_time = word.contains(':') && word.contains('.');
        let name = known.iter().find(|(key, _)| one[key].as_str() == Some(word)).map(|(_, name)| *name);
        let is_span = word.starts_with('+');
        let is_date = word.len() == 10 && word.matches('-').count() == 2;
        name.or(is_time.then_some("TIME"))
            .or(is_date.then_some("DATE"))
            .or(is_span.then_some("+N"))
            .unwrap_or(word)
            .to_owned()
            + comma
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    let lines = told.lines().map(line).map(|line| match line.split_once(" under our STAN ") {
        Some((before, after)) => format!("{before} under our STAN N{}", &after[6..]),
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The RRN of the transaction with that STAN.
fn rrn_of(stage: &Stage, stan: u32) -> String {
    let found = stage.json(&["txn", "find", "--stan", &stan.to_string()], "");
    found["transactions"][0]["rrn"].as_str().unwrap().to_owned()
}

const TOLD: &str = "\
DATE TIME (Asia/Shanghai) · 0200 purchase of 900000.00 156
declined · 51 insufficient funds 余额不足 · cause funds, found by issuer · who acts: cardholder

number NUMBER RRN RRN
terminal T0000001 merchant 123456789123456
acquirer 00010000 STAN 000002
batch 1 link harbour/a
card token TOKEN

after time hop what happened
+N ms TIME request 0200 purchase of 900000.00 from terminal T0000001, STAN 000002, batch 1
+N ms TIME INTENT durable; charged: card
+N ms TIME forward to harbour/a under our STAN N and RRN RRN, once durable
+N ms TIME answer the issuer said 51
+N ms TIME OUTCOME declined; code 51
+N ms TIME reply declined
";
const ARCHIVE: &str = "[archive]\ndir = \"archive\"\ncpu_percent = 50\nmessage_sample = 1\n[[calendar]]";
const TRACK: &str = "30122010000012345";
const PIN: [u8; 8] = [0x1A, 0x2B, 0x3C, 0x4D, 0x5E, 0x6F, 0x71, 0x82];
const PIN_HEX: &str = "1A2B3C4D5E6F7182";
const PAUSED: &str = "[archive]\ndir = \"archive\"\npaused = true\n[[calendar]]";
