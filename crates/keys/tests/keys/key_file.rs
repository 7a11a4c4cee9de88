//! What a key file must be, and what a wrong one is told.

use crate::write;
use keys::{Fault, KeyFile, Tokenizer};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;
use terms::Pan;

const TOKEN_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const KEK: &str = "F0E1D2C3B4A5968778695A4B3C2D1E0Ff0e1d2c3b4a5968778695a4b3c2d1e01";

struct Place {
    _dir: TempDir,
    journal: PathBuf,
    file: PathBuf,
}

fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal");
    fs::create_dir(&journal).unwrap();
    let file = dir.path().join("pointsman.keys");
    Place { _dir: dir, journal, file }
}

fn told(text: &str) -> String {
    let place = place();
    write(&place.file, text, 0o600);
    let fault = KeyFile::load(&place.file, &place.journal).unwrap_err().to_string();
    for secret in [TOKEN_KEY, KEK, "beef"] {
        assert!(!fault.contains(secret), "a key in an error: {fault}");
    }
    fault.replace(place.file.to_str().unwrap(), "FILE")
}

#[test]
fn both_forms_of_a_line_are_read() {
    let place = place();
    for text in [
        format!("# ours\ntoken_key = \"{TOKEN_KEY}\" # 128 bits\n\nkek = \"{KEK}\"\n"),
        format!("[keys]\nkek={KEK}\r\ntoken_key={TOKEN_KEY}"),
    ] {
        write(&place.file, &text, 0o400);
        fs::set_permissions(&place.file, fs::Permissions::from_mode(0o400)).unwrap();
        let keys = KeyFile::load(&place.file, &place.journal).unwrap();
        assert_eq!(
            format!("{keys:?} {:?} {:?}", keys.kek(), keys.token_key()),
            "KeyFile(..) Kek(..) TokenKey(..)"
        );
        fs::remove_file(&place.file).unwrap();
    }
}

#[test]
fn only_the_owner_may_reach_it() {
    let place = place();
    for mode in [0o644, 0o640, 0o660, 0o604, 0o700, 0o500, 0o200] {
        write(&place.file, &format!("token_key = {TOKEN_KEY}\nkek = {KEK}\n"), 0o600);
        fs::set_permissions(&place.file, fs::Permissions::from_mode(mode)).unwrap();
        let fault = KeyFile::load(&place.file, &place.journal).unwrap_err();
        // 0200 cannot even be opened, unless the tests run as root.
        assert!(
            matches!(fault, Fault::Mode { mode: found, .. } if found == mode) || mode == 0o200,
            "{fault}"
        );
        if mode == 0o640 {
            let text = fault.to_string();
            assert!(
                text.ends_with("has mode 0640, expected 0600 or 0400: only its owner may read it"),
                "{text}"
            );
        }
    }
}

#[test]
fn it_lies_outside_the_journal_directory_links_or_not() {
    let place = place();
    let inside = place.journal.join("pointsman.keys");
    KeyFile::generate(&inside).unwrap();
    assert!(matches!(KeyFile::load(&inside, &place.journal), Err(Fault::InsideJournal { .. })));
    let link = place.file.with_file_name("link.keys");
    std::os::unix::fs::symlink(&inside, &link).unwrap();
    assert!(matches!(KeyFile::load(&link, &place.journal), Err(Fault::InsideJournal { .. })));
    let up_and_down = place.journal.join("..").join("journal").join("pointsman.keys");
    assert!(matches!(KeyFile::load(&up_and_down, &place.journal), Err(Fault::InsideJournal { .. })));
    KeyFile::generate(&place.file).unwrap();
    let link_inside = place.journal.join("link.keys");
    std::os::unix::fs::symlink(&place.file, &link_inside).unwrap();
    assert!(matches!(KeyFile::load(&link_inside, &place.journal), Err(Fault::InsideJournal { .. })));
    assert!(KeyFile::load(&place.file, &place.journal).is_ok());
    assert!(KeyFile::load(&place.file, &place.journal.join("not-made-yet")).is_ok());
}

#[test]
fn a_generated_file_is_owner_only_and_never_overwritten() {
    let place = place();
    let made = KeyFile::generate(&place.file).unwrap();
    assert_eq!(fs::metadata(&place.file).unwrap().permissions().mode() & 0o7777, 0o600);
    let read = KeyFile::load(&place.file, &place.journal).unwrap();
    let pan = Pan::new(b"6224242900000113").unwrap();
    let token = |keys: &KeyFile| Tokenizer::new(keys.token_key()).token(pan);
    assert_eq!(token(&made), token(&read));
    assert!(matches!(KeyFile::generate(&place.file), Err(Fault::Disk { action: "create", .. })));
    let other = KeyFile::generate(&place.file.with_extension("other")).unwrap();
    assert_ne!(token(&made), token(&other), "no default key");
}

#[test]
fn wrong_files_are_told_where_and_what_was_expected() {
    let both = format!("token_key = {TOKEN_KEY}\nkek = {KEK}\n");
    for (text, expected) in [
        (String::new(), "FILE: `token_key` is missing, expected 16 or 32 bytes in hex"),
        (format!("token_key = {TOKEN_KEY}"), "FILE: `kek` is missing, expected 32 bytes in hex"),
        (both.replace(&KEK[..2], ""), "FILE: `kek` is missing, expected 32 bytes in hex"),
        (both.replace("0001", ""), "FILE: `token_key` is missing, expected 16 or 32 bytes in hex"),
        (both.replace("0001", "00g1"), "FILE line 1: expected a key in hex digits"),
        (both.replace("0001", "001"), "FILE line 1: expected a key in hex digits"),
        (format!("{both}kek = {KEK}"), "FILE line 3: expected each key once"),
        (format!("{both}pin_key = beef"), "FILE line 3: expected `token_key` or `kek`"),
        (format!("\n{TOKEN_KEY}"), "FILE line 2: expected name = \"value\""),
        (format!("kek = \"{KEK}"), "FILE line 1: expected name = \"value\""),
        (
            both.replace(TOKEN_KEY, &"00".repeat(16)),
            "FILE: a key repeats one byte, expected one drawn at random (`pointsman keys init`)",
        ),
        (both.replace(TOKEN_KEY, KEK), "FILE: `token_key` and `kek` are the same, expected two keys"),
        ("#".repeat(5000), "FILE line 1: expected a key file of at most 4096 bytes"),
    ] {
        assert_eq!(told(&text), expected);
    }
    let place = place();
    let fault = KeyFile::load(&place.file, &place.journal).unwrap_err().to_string();
    assert_eq!(fault, format!("cannot find {}", place.file.display()));
}
