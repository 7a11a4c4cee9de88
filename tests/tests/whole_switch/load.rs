//! The load harness against the whole switch, all three as processes.
//! Never trusts a figure alone. Guards: a load ends with the verdict of the three books, and its status is that verdict.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tests::process::{Process, program};
use tests::shop::Shop;

/// `issuer-sim` as a process that writes its ledger all the time.
struct Issuer {
    child: Child,
    address: SocketAddr,
}

impl Issuer {
    fn start(ledger: &Path) -> Self {
        let mut child = Command::new(program("issuer-sim", "issuer-sim"))
            .args([
                "--issuer",
                "harbour",
                "--dialect",
                "iso87-binary",
                "--framing",
                "binary2",
                "--for",
                "10m",
            ])
            .args(["--ledger-every", "1s", "--ledger-out"])
            .arg(ledger)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(' ').nth(1).unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // Nothing of it is wanted any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Trades from this terminal on and compares; its status and what it said.
fn load(to: SocketAddr, first: u32, shop: &Shop, more: &[&str]) -> (ExitStatus, Value) {
    let done = Command::new(program("loadtest", "loadtest"))
        .args(["closed", "--plain", "--dialect", "iso87-ascii", "--acquirer", "00020000", "--json"])
        .args([
            "--connections",
            "4",
            "--in-flight",
            "8",
            "--count",
            "1000",
            "--warm-up",
            "0s",
            "--for",
            "60s",
        ])
        .args(["--decline", "51=100", "--reversals", "100", "--repeats", "50", "--balances", "20"])
        .args(["--to", &to.to_string(), "--first-terminal", &first.to_string()])
        .arg("--journal")
        .arg(shop.journal())
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    (done.status, serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}\n{errors}")))
}

#[test]
fn a_load_ends_with_the_verdict_of_the_three_books() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let (ledger, book) = (file("ledger.json"), file("terminals.json"));
    let issuer = Issuer::start(Path::new(&ledger));
    let mut shop = Shop::new(issuer.address);
    shop.plain = true;
    let process = Process::serve(&shop.file());
    process.ready();
    let to = process.listener("acquirer");

    let (status, said) = load(to, 1, &shop, &["--issuers", &ledger, "--book", &book]);
    assert!(status.success(), "{said}");
    assert_eq!((&said["books_agree"], &said["open_items"]), (&Value::Bool(true), &Value::Array(vec![])));
    assert!(
        said["transactions_compared"].as_u64().unwrap() > 900 && said["reversed"].as_u64() > Some(0),
        "{said}"
    );

    // The ledger as it was, less one booking: what the second fleet buys is missing too.
    let robbed = file("robbed.json");
    let mut bookings: Value = serde_json::from_slice(&std::fs::read(&ledger).unwrap()).unwrap();
    bookings["entries"].as_array_mut().unwrap().pop();
    std::fs::write(&robbed, bookings.to_string()).unwrap();
    let both = ["--issuers", &robbed, "--terminals", &book, "--settle", "0s"];
    let (status, said) = load(to, 101, &shop, &both);
    assert!(!status.success() && said["books_agree"] == false, "{said}");
    assert!(said["disagreements"].as_u64() > Some(700), "{said}");
}
