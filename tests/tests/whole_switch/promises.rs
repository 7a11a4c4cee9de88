//! Promises of the whole house: who depends on whom, what is never written in clear, what scrapes may rely on.
//! Never trusts a comment: manifests, files and live output are read. Guards: `crates/ARCHITECTURE.md` stays true.

use crate::stories::HARBOUR_CARD;
use issuer_sim::{IssuerConfig, Listen, Simulator};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use testkit::wait_for;
use tests::message::{Ask, Speech};
use tests::process::{Process, root};
use tests::shop::{Shop, holds};
use tests::terminal::Terminal;

#[test]
fn crates_depend_downwards_only_as_the_map_says() {
    let levels = levels();
    let manifests = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let metadata: Value = serde_json::from_str(&manifests).unwrap();
    let crates = root().join("crates").to_string_lossy().into_owned();
    let (mut wrong, mut rooms) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(level) = levels.get(name) else {
            // What stands under `crates` is a room, and a room without a row is bound by nothing.
            let is_room = package["manifest_path"].as_str().unwrap().starts_with(&crates);
            if is_room && !named_below(name) {
                wrong.push(format!("{name} is not on the map"));
            }
            continue;
        };
        rooms.push(name);
        for dependency in
            package["dependencies"].as_array().unwrap().iter().filter(|one| one["kind"].is_null())
        {
            let on = dependency["name"].as_str().unwrap();
            let allowed = levels.get(on).is_none_or(|below| below < level) || SIDEWAYS.contains(&(name, on));
            if !allowed || never(name).contains(&on) || CHORES.contains(&on) {
                wrong.push(format!("{name} depends on {on}"));
            }
        }
    }
    for mapped in levels.keys().filter(|mapped| !rooms.contains(&mapped.as_str())) {
        wrong.push(format!("{mapped} is on the map and not in the workspace"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(levels.len() >= 14, "the map lists the rooms: {levels:?}");
}

/// Whether the map's last row, of those that no level binds, names it.
fn named_below(name: &str) -> bool {
    let map = std::fs::read_to_string(root().join("crates/ARCHITECTURE.md")).unwrap();
    map.lines().filter(|line| line.starts_with("| – |")).any(|line| line.contains(&format!("`{name}`")))
}

/// What reads the journal a second time would agree with a mistake that it shares.
#[test]
fn the_second_reader_shares_no_code_with_the_writer() {
    let features: [&[&str]; 2] = [&[], &["--all-features"]];
    for features in features {
        let ask = ["tree", "--package", "books", "--edges", "normal,build", "--prefix", "none", "--offline"];
        let tree = cargo(&[&ask[..], features].concat());
        let ours: Vec<&str> = tree.lines().filter(|line| line.contains("(/")).collect();
        let [books] = ours[..] else { panic!("it takes code of this house: {ours:?}") };
        assert!(books.starts_with("books "), "{books}");
    }
}

#[test]
fn every_fuzz_target_is_built_and_explained() {
    let folder = root().join("fuzz");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let (manifest, page) = (read("Cargo.toml"), read("README.md"));
    let files = std::fs::read_dir(folder.join("fuzz_targets")).unwrap();
    let names: Vec<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    for name in &names {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is not in the manifest"
        );
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not on the page");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), names.len());
}

#[test]
fn the_service_build_carries_no_simulator() {
    let tree = cargo(&[
        "tree",
        "--package",
        "switch",
        "--no-default-features",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--offline",
    ]);
    for stranger in ["issuer-sim", "loadtest", "rcgen", "testkit", "tests"] {
        let found = tree.lines().any(|line| line.split(' ').next() == Some(stranger));
        assert!(!found, "{stranger} is part of the service");
    }
    assert!(tree.lines().any(|line| line.starts_with("engine ")), "{tree}");
}

#[test]
fn no_card_number_and_nothing_of_track_pin_or_cvv_is_written_in_clear() {
    let config = IssuerConfig::new("harbour", "iso87-binary");
    let issuer = Simulator::start(vec![(config, Listen::loopback())]).unwrap();
    let shop = Shop::new(issuer.address("harbour").unwrap());
    let process = Process::serve_logging(&shop.file(), "trace");
    process.ready();
    let seen = trade(&process, &shop);
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{log}");
    assert!(seen.contains("pointsman_transactions_total") && log.contains("listening"));
    for secret in [HARBOUR_CARD, UNKNOWN_CARD, TRACK_TAIL, VERIFICATION_VALUE] {
        for form in forms(secret) {
            is_nowhere(&shop, [&log, &seen], secret, &form);
        }
    }
    let hex = |upper: bool| -> String {
        PIN_BLOCK
            .iter()
            .map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") })
            .collect()
    };
    for form in [PIN_BLOCK.to_vec(), hex(true).into(), hex(false).into(), format!("{PIN_BLOCK:?}").into()] {
        is_nowhere(&shop, [&log, &seen], "a PIN block", &form);
    }
}

#[track_caller]
fn is_nowhere(shop: &Shop, texts: [&str; 2], secret: &str, form: &[u8]) {
    assert!(!holds(&shop.journal(), form), "the journal holds {secret} as {form:02X?}");
    for text in texts {
        let clear = text.as_bytes().windows(form.len()).any(|window| window == form);
        assert!(!clear, "log or metrics hold {secret} as {form:02X?}");
    }
}

/// Sales, refusals, a reversal, a malformed message and garbage with a card number in it; then a scrape.
fn trade(process: &Process, shop: &Shop) -> String {
    let mut till =
        Terminal::tls(process.listener("pos"), &Speech::unionpay(), &shop.certificates.stranger()).unwrap();
    let track2 = Some(format!("{HARBOUR_CARD}=3012{TRACK_TAIL}"));
    let sale = Ask { track2, ..Ask::purchase(HARBOUR_CARD, 1, 1_000) };
    assert_eq!(till.ask(&sale).unwrap().code.as_str(), "00");
    assert_eq!(till.ask(&sale.reversed()).unwrap().code.as_str(), "00");
    assert_eq!(till.ask(&Ask::purchase(UNKNOWN_CARD, 2, 1_000)).unwrap().code.as_str(), "15");
    let acquirer = Speech::acquirer();
    let open =
        || Terminal::tls(process.listener("acquirer"), &acquirer, &shop.certificates.client()).unwrap();
    let mut line = open();
    assert_eq!(line.ask(&Ask::purchase(HARBOUR_CARD, 3, 1_000)).unwrap().code.as_str(), "00");
    let loaded = Ask {
        totals: Some(format!("CVV2 {VERIFICATION_VALUE}")),
        track2: sale.track2.clone(),
        ..Ask::purchase(HARBOUR_CARD, 5, 1_000)
    };
    assert_eq!(line.ask(&loaded).unwrap().code.as_str(), "00");
    let with_pin = Ask { pin: Some(PIN_BLOCK), ..loaded };
    assert_eq!(line.ask(&Ask { stan: 6, ..with_pin.clone() }).unwrap().code.as_str(), "57");
    let mut broken = acquirer.frame(&Ask { stan: 4, ..with_pin });
    let amount = broken.windows(12).position(|window| window == b"000000001000").unwrap();
    broken[amount] = b'x';
    line.send_bytes(&broken).unwrap();
    assert_eq!(line.hear().unwrap().code.as_str(), "30");
    // The same bytes where no field is in its place: everything is read as something else.
    for cut in [2, 3, 7, 20, 21, 40, 60, 61] {
        let rest = &broken[2 + cut..];
        let shifted = [&(rest.len() as u16).to_be_bytes()[..], rest].concat();
        let mut line = open();
        line.send_bytes(&shifted).unwrap();
        assert!(line.hear().is_err(), "{cut} bytes cut off");
    }
    let garbage = [&[0, 40][..], HARBOUR_CARD.as_bytes(), &[0xEE; 24]].concat();
    let mut line = open();
    line.send_bytes(&garbage).unwrap();
    assert!(line.hear().is_err());
    process.metrics()
}

/// As characters, packed, and packed one digit further.
pub(crate) fn forms(pan: &str) -> Vec<Vec<u8>> {
    let digits: Vec<u8> = pan.bytes().map(|digit| digit - b'0').collect();
    let packed =
        |digits: &[u8]| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<u8>>();
    let ebcdic = digits.iter().map(|digit| digit + 0xF0).collect();
    vec![pan.as_bytes().to_vec(), ebcdic, packed(&digits), packed(&digits[1..])]
}

#[test]
fn promtool_finds_no_fault_with_a_live_scrape() {
    let config = IssuerConfig::new("harbour", "iso87-binary");
    let issuer = Simulator::start(vec![(config, Listen::loopback())]).unwrap();
    let shop = Shop::new(issuer.address("harbour").unwrap());
    let process = Process::serve(&shop.file());
    process.ready();
    let mut till =
        Terminal::tls(process.listener("pos"), &Speech::unionpay(), &shop.certificates.stranger()).unwrap();
    assert_eq!(till.ask(&Ask::purchase(HARBOUR_CARD, 1, 1_000)).unwrap().code.as_str(), "00");
    wait_for("a scrape that counts it", || process.metrics().contains("outcome=\"approved\"} 1"));
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there (Debian: package prometheus; `cargo xtask test` installs it)");
    promtool.stdin.take().unwrap().write_all(process.metrics().as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
}

/// Level by crate, from the table of rooms.
fn levels() -> BTreeMap<String, u8> {
    let map = std::fs::read_to_string(root().join("crates/ARCHITECTURE.md")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let level = cells.next()?.parse().ok()?;
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), level))
    };
    map.lines().filter_map(row).collect()
}

/// What a room must never depend on, besides the levels.
fn never(room: &str) -> &'static [&'static str] {
    match room {
        "engine" => &["tokio", "rustls", "socket2", "axum", "framing", "link", "keys"],
        "link" | "iso8583" | "limits" | "routing" => &["tokio", "rustls", "socket2", "journal", "engine"],
        "journal" => &["terms", "engine", "tokio"],
        "books" => &["journal", "engine"],
        "archive" => &["tokio", "keys", "link", "framing", "iso8583"],
        "tls" => &["tokio", "socket2", "rustix"],
        "issuer-sim" => &["engine", "link", "journal", "switch"],
        _ => &[],
    }
}

pub(crate) fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Steps sideways: an issuer prints its book in the shape that the comparison reads, and the archive reads records by the
/// types they are written with.
const SIDEWAYS: [(&str, &str); 2] = [("issuer-sim", "books"), ("archive", "engine")];
const CHORES: [&str; 3] = ["testkit", "xtask", "tests"];
/// What stands behind the expiry of a track: service code and discretionary data.
const TRACK_TAIL: &str = "2019846310275";
const VERIFICATION_VALUE: &str = "7340915826";
const PIN_BLOCK: [u8; 8] = [0xD1, 0xEE, 0xF4, 0x19, 0xD0, 0xAE, 0x26, 0xB7];
const UNKNOWN_CARD: &str = "4539578763621486";
