//! The console lines of the README, run as a newcomer would.
//! Never a line that is not in the README. Guards: what the first page promises works from a fresh directory.

use issuer_sim::{IssuerConfig, Listen, Simulator};
use std::path::Path;
use std::process::Command;
use tests::message::{Ask, Speech};
use tests::process::{Process, binary, root};
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn every_console_line_works() {
    let home = tempfile::tempdir().unwrap();
    settle(home.path());
    let journal = a_journal(home.path());
    let lines = lines();
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        let Some(arguments) = line.strip_prefix("cargo run --release -- ") else {
            assert_eq!(line, "cargo xtask test", "a line that this test does not know");
            continue;
        };
        let journal = journal.journal().display().to_string();
        let arguments = arguments.replace("DIR", &journal).replace("--for 20s", "--for 5s");
        run(home.path(), &arguments);
    }
}

/// What follows a prompt in blocks for the console.
fn lines() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// The checkout's `deploy`, with free ports: others may listen on this machine.
fn settle(home: &Path) {
    let deploy = home.join("deploy");
    std::fs::create_dir(&deploy).unwrap();
    let mut sample = std::fs::read_to_string(root().join("deploy/pointsman.toml")).unwrap();
    for taken in ["127.0.0.1:9464", "127.0.0.1:7001", "127.0.0.1:7002"] {
        assert!(sample.contains(taken), "the sample listens on {taken}");
        sample = sample.replace(taken, "127.0.0.1:0");
    }
    std::fs::write(deploy.join("pointsman.toml"), sample).unwrap();
}

fn run(home: &Path, arguments: &str) {
    if arguments == "serve --config deploy/pointsman.toml" {
        return serve(home);
    }
    let words: Vec<&str> = arguments.split(' ').collect();
    let output = Command::new(binary()).args(&words).current_dir(home).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // Nobody has traded: that nothing is found is the right answer, and has an exit status of its own.
    let is_nothing = words[0] == "txn" && output.status.code() == Some(2) && said.contains("nothing found");
    assert!(output.status.success() || is_nothing, "{arguments}: {}\n{said}", output.status);
    assert!(!said.trim().is_empty(), "{arguments} says what it did");
}

fn serve(home: &Path) {
    let process = Process::serve(&home.join("deploy/pointsman.toml"));
    assert_eq!(process.get("/livez").map(|(status, _)| status), Some(200));
    process.terminate();
    let (status, log) = process.ended();
    assert!(status.success(), "{status}\n{log}");
}

/// A journal with a few sales in it, and what their issuer booked.
fn a_journal(home: &Path) -> Shop {
    let config = IssuerConfig::new("harbour", "iso87-binary");
    let issuer = Simulator::start(vec![(config, Listen::loopback())]).unwrap();
    let mut shop = Shop::new(issuer.address("harbour").unwrap());
    shop.plain = true;
    let process = Process::serve(&shop.file());
    process.ready();
    let mut line = Terminal::plain(process.listener("acquirer"), &Speech::acquirer()).unwrap();
    for stan in 1..=20 {
        assert_eq!(
            line.ask(&Ask::purchase(crate::stories::HARBOUR_CARD, stan, 100)).unwrap().code.as_str(),
            "00"
        );
    }
    process.terminate();
    assert!(process.ended().0.success());
    let mut book = std::fs::File::create(home.join("harbour.json")).unwrap();
    issuer.control("harbour").unwrap().write_book(&mut book).unwrap();
    shop
}
