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
