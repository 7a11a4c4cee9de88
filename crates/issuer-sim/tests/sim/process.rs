//! The program itself.

use std::process::Command;

fn run(arguments: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_issuer-sim")).args(arguments).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn it_says_where_it_listens_ends_by_itself_and_leaves_a_book() {
    let dir = tempfile::tempdir().unwrap();
    let book = dir.path().join("book.json");
    let (good, told) =
        run(&["--issuer", "a", "--issuer", "b", "--for", "0s", "--ledger-out", book.to_str().unwrap()]);
    assert!(good, "{told}");
    assert!(told.contains("a 127.0.0.1:") && told.contains("b: 0 messages"), "{told}");
    assert!(books::shapes::IssuerBook::load(&book).unwrap().entries.is_empty());
}

#[test]
fn mistakes_are_told() {
    for (arguments, expected) in [
        (vec!["--dialect", "iso99"], "iso87-ascii"),
        (vec!["--for", "9d"], "expected s, m or h"),
        (vec!["--for", "25h"], "at most 24h"),
        (vec!["--listen", "0.0.0.0:0"], "--any-address"),
        (vec!["--config", "/no/such/file"], "cannot read /no/such/file"),
        (vec!["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"], "one --listen for each"),
    ] {
        let (good, told) = run(&arguments);
        assert!(!good && told.contains(expected), "{told}");
    }
}
