//! The process as its operator sees it: signals, exit status, the lock on its journal.
//! Never calls into the switch. Guards: a stop loses nothing, two processes never share a journal.

use crate::stories::HARBOUR_CARD;
use std::process::Command;
use testkit::wait_for;
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::{Process, binary};
use tests::shop::Shop;
use tests::terminal::Terminal;

#[test]
fn sigterm_answers_what_is_in_flight_and_exits_0() {
    let issuer = Scripted::start();
    let shop = Shop::new(issuer.address);
    let process = Process::serve(&shop.file());
    process.ready();
    let client = shop.certificates.stranger();
    let mut till = Terminal::tls(process.listener("pos"), &Speech::unionpay(), &client).unwrap();
    till.send(&Ask::purchase(HARBOUR_CARD, 1, 700)).unwrap();
    let asked = issuer.asked();
    process.terminate();
    wait_for("draining", || process.log().contains("draining"));
    asked.answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00", "it was in flight before the signal");
    let (status, log) = process.ended();
    assert!(status.success(), "{status}\n{log}");
    let book = books::SwitchBook::of_journal(&shop.journal()).unwrap();
    assert_eq!(book.transactions.values().filter(|entry| entry.stands()).count(), 1);
    assert!(books::journal::verify(&shop.journal()).unwrap().sound);
}

#[test]
fn a_second_process_on_one_journal_says_who_holds_it() {
    let issuer = Scripted::start();
    let shop = Shop::new(issuer.address);
    let file = shop.file();
    let first = Process::serve(&file);
    let second = Command::new(binary()).args(["serve", "--config"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success(), "{said}");
    assert!(said.contains(&first.id().to_string()), "it names process {}: {said}", first.id());
    assert_eq!(first.get("/livez").map(|(status, _)| status), Some(200), "the first does not notice");
}

#[test]
fn of_many_started_at_once_on_one_journal_exactly_one_serves() {
    let issuer = Scripted::start();
    let shop = Shop::new(issuer.address);
    let file = shop.file();
    for _ in 0..ROUNDS {
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let mut command = Command::new(binary());
                command.args(["serve", "--json", "--log", "info", "--config"]).arg(&file);
                std::thread::spawn(move || Process::try_start(command))
            })
            .collect();
        let (mut serving, mut refused) = (Vec::new(), Vec::new());
        for racer in racers {
            match racer.join().unwrap() {
                Ok(process) => serving.push(process),
                Err(ended) => refused.push(ended),
            }
        }
        let [one] = &serving[..] else { panic!("{} serve", serving.len()) };
        for (status, log) in &refused {
            let named = log.contains(&format!("process {}", one.id()));
            assert!(!status.success() && named, "{status}, it names process {}: {log}", one.id());
        }
        assert_eq!(one.get("/livez").map(|(status, _)| status), Some(200), "the one does not notice");
    }
    assert!(books::journal::verify(&shop.journal()).unwrap().sound);
}

/// A hundred starts in vain.
const ROUNDS: usize = 10;
const RACERS: usize = 11;
