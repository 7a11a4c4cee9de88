//! Another configuration under way: by SIGHUP, from the same file.
//! Never a restart. Guards: a reload takes over the whole of a file or nothing of it, and what is under way does not notice.

use crate::stories::{HARBOUR_CARD, Stage};
use books::journal::records;
use testkit::{metric, wait_for};
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::process::Process;
use tests::shop::Shop;
use tests::terminal::Terminal;

/// A card whose range the first configuration does not have.
const NEW_CARD: &str = "6225240000000017";
const NEW_ROUTE: &str = "[[route]]\nprefix = \"6225\"\nissuer = \"harbour\"\nscheme = \"CUP\"\n[[listener]]";
const RELOADED: &str = "pointsman_config_last_reload_successful";

/// Replaces `from` by `to` in the file of a running switch.
fn amend(shop: &Shop, from: &str, to: &str) {
    let file = shop.dir.path().join("pointsman.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from:?} does not stand in the file");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

/// Version and hash of every CONFIG record.
fn configs(shop: &Shop) -> Vec<(u32, u64)> {
    let all = records(&shop.journal()).unwrap().map(Result::unwrap);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let of_config = |payload: &[u8]| (number(&payload[8..12]) as u32, number(&payload[12..20]));
    all.filter(|record| record.kind == 12).map(|record| of_config(&record.payload)).collect()
}

#[test]
fn a_hang_up_takes_over_a_good_file_and_leaves_a_bad_one() {
    let issuer = Scripted::start();
    let shop = Shop::new(issuer.address);
    let process = Process::serve(&shop.file());
    process.ready();
    let client = shop.certificates.stranger();
    let mut till = Terminal::tls(process.listener("pos"), &Speech::unionpay(), &client).unwrap();
    assert_eq!(till.ask(&Ask::purchase(NEW_CARD, 1, 100)).unwrap().code.as_str(), "15");

    amend(&shop, "[[listener]]", NEW_ROUTE);
    process.hang_up();
    wait_for("the new file", || process.log().contains("configuration reloaded"));
    till.send(&Ask::purchase(NEW_CARD, 2, 100)).unwrap();
    issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00", "the new range has an issuer");

    amend(&shop, "prefix = \"6225\"", "prefix = \"62x5\"");
    amend(&shop, "id = \"123456789123456\"", "id = \"123456789123456\"\nstatus = \"suspended\"");
    process.hang_up();
    wait_for("the refusal", || process.log().contains("configuration not reloaded"));
    assert!(process.log().contains("62x5"), "it says what is wrong: {}", process.log());
    assert_eq!(metric(&process.metrics(), RELOADED, &[]), 0.0);
    till.send(&Ask::purchase(NEW_CARD, 3, 100)).unwrap();
    issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00", "nothing of the bad file is in force");

    amend(&shop, "prefix = \"62x5\"", "prefix = \"6225\"");
    process.hang_up();
    wait_for("the mended file", || metric(&process.metrics(), RELOADED, &[]) == 1.0);
    let suspended = till.ask(&Ask::purchase(NEW_CARD, 4, 100)).unwrap();
    assert_eq!(suspended.code.as_str(), "03");
    process.terminate();
    assert!(process.ended().0.success());
    let configs = configs(&shop);
    assert_eq!(configs.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(configs[0].1 != configs[1].1 && configs[1].1 != configs[2].1, "each names its file: {configs:?}");
}

#[test]
fn what_takes_a_restart_is_refused_with_its_line() {
    let stage = Stage::new();
    amend(&stage.shop, "workers = 2", "workers = 1");
    let refused = stage.switch.reload().unwrap_err().to_string();
    assert!(refused.contains("line 4: switch: workers has changed"), "{refused}");
    assert_eq!(stage.metric(RELOADED, &[]), 0.0);
    amend(&stage.shop, "workers = 1", "workers = 2");
    assert_eq!(stage.switch.reload().unwrap(), 2);
    assert_eq!(stage.metric(RELOADED, &[]), 1.0);
    stage.switch.stop().unwrap();
}

#[test]
fn a_transaction_ends_under_the_configuration_it_began_under() {
    let stage = Stage::new();
    let mut till = stage.till();
    till.send(&Ask::purchase(HARBOUR_CARD, 1, 100)).unwrap();
    let under_way = stage.issuer.asked();

    amend(
        &stage.shop,
        "reversal_timeout_ms = 300",
        "reversal_timeout_ms = 300\nrequire_approval_code = true",
    );
    amend(&stage.shop, "daily = \"1000000.00\"", "daily = \"0.50\"");
    assert_eq!(stage.switch.reload().unwrap(), 2);
    let over = till.ask(&Ask::purchase(HARBOUR_CARD, 2, 100)).unwrap();
    assert_eq!(over.code.as_str(), "61", "the new ceiling is in force");
    under_way.answer_uncoded("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00", "no approval code was asked for when it began");

    amend(&stage.shop, "daily = \"0.50\"", "daily = \"1000000.00\"");
    assert_eq!(stage.switch.reload().unwrap(), 3);
    till.send(&Ask::purchase(HARBOUR_CARD, 3, 100)).unwrap();
    stage.issuer.asked().answer_uncoded("00");
    assert_ne!(till.hear().unwrap().code.as_str(), "00", "now one is");
    stage.issuer.asked().answer("00");
    let book = stage.book();
    assert_eq!(book.transactions.values().filter(|entry| entry.stands()).count(), 1);
    assert!(book.findings.is_empty(), "{:?}", book.findings);
}
