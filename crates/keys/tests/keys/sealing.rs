//! Sealing across day rolls, restarts and purges; and everything that must not open.

use crate::write;
use journal::{Seal, SealNonce};
use keys::{DataKeys, Fault, KeyFile, OVERHEAD, Sealer};
use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;
use terms::BusinessDay;

const NODE: u16 = 7;
const MONDAY: BusinessDay = BusinessDay(9823);
const TUESDAY: BusinessDay = BusinessDay(9824);
const WEDNESDAY: BusinessDay = BusinessDay(9825);

struct House {
    dir: TempDir,
    keys: KeyFile,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let keys = KeyFile::generate(&dir.path().join("pointsman.keys")).unwrap();
        Self { dir, keys }
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("journal").join(format!("keys-{NODE}.toml"))
    }

    fn open(&self) -> Result<Sealer, Fault> {
        Sealer::new(DataKeys::open(&self.dir.path().join("journal"), NODE, self.keys.kek())?)
    }

    /// A sealer as after a start on that day.
    fn on(&self, day: BusinessDay) -> Sealer {
        let sealer = self.open().unwrap();
        sealer.roll(day).unwrap();
        sealer
    }
}

fn nonce(batch: u64) -> SealNonce {
    SealNonce { epoch: 3, batch }
}

fn sealed(sealer: &Sealer, batch: u64, text: &[u8]) -> Vec<u8> {
    let mut buf = text.to_vec();
    sealer.seal(nonce(batch), b"aad", &mut buf).unwrap();
    assert_eq!(buf.len(), text.len() + sealer.overhead());
    buf
}

fn opened(sealer: &Sealer, batch: u64, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut buf = sealed.to_vec();
    let outcome = sealer.open_in_place(&nonce(batch).to_bytes(), b"aad", &mut buf);
    assert!(outcome.is_ok() || buf == sealed, "a part that does not open is left as it was");
    outcome.map(|()| buf)
}

#[test]
fn what_was_sealed_opens_after_day_rolls_and_restarts() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    let texts: Vec<Vec<u8>> = (0..40).map(|len| (0..len * 17).map(|i| i as u8).collect()).collect();
    let monday: Vec<_> = (0_u64..).zip(&texts).map(|(batch, text)| sealed(&sealer, batch, text)).collect();
    sealer.roll(TUESDAY).unwrap();
    let tuesday = sealed(&sealer, 100, b"6224242900000113");
    assert_eq!((&monday[5][..2], &tuesday[..2]), (&MONDAY.0.to_le_bytes()[..], &TUESDAY.0.to_le_bytes()[..]));
    for sealer in [sealer, house.open().unwrap(), house.on(TUESDAY), house.on(WEDNESDAY)] {
        for (batch, (text, part)) in (0_u64..).zip(texts.iter().zip(&monday)) {
            assert_eq!(opened(&sealer, batch, part).unwrap(), *text);
        }
        assert_eq!(opened(&sealer, 100, &tuesday).unwrap(), b"6224242900000113");
    }
}

#[test]
fn nothing_is_sealed_before_the_first_day() {
    let house = House::new();
    let sealer = house.open().unwrap();
    let mut buf = b"6224242900000113".to_vec();
    assert!(matches!(sealer.seal_in_place(&[0; 12], b"", &mut buf), Err(Fault::NoDay)));
    assert_eq!(
        (sealer.day(), buf.as_slice(), house.store().exists()),
        (None, &b"6224242900000113"[..], false)
    );
    let fault = sealer.seal(nonce(1), b"", &mut buf).unwrap_err().to_string();
    assert_eq!(fault, "sealing module failed on batch 1 of epoch 3");
}

#[test]
fn the_day_only_goes_forward() {
    let house = House::new();
    let sealer = house.on(TUESDAY);
    sealer.roll(MONDAY).unwrap();
    sealer.roll(TUESDAY).unwrap();
    assert_eq!(sealer.day(), Some(TUESDAY));
    let kept = fs::read_to_string(house.store()).unwrap();
    assert!(
        !kept.contains("9823 =") && kept.contains("9824 = \"") && kept.contains("# 2026-11-23"),
        "{kept}"
    );
}

#[test]
fn a_changed_bit_another_batch_or_another_node_does_not_open() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    let part = sealed(&sealer, 1, b"6224242900000113");
    for bit in 0..part.len() * 8 {
        let mut changed = part.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let fault = opened(&sealer, 1, &changed).unwrap_err();
        assert!(matches!(fault, Fault::Forged { .. } | Fault::NoKey { .. }), "bit {bit}: {fault}");
    }
    assert!(matches!(opened(&sealer, 2, &part), Err(Fault::Forged { day: MONDAY, len: 34 })));
    let mut buf = part.clone();
    assert!(sealer.open(nonce(1), b"AAD", &mut buf).is_err());
    for len in 0..OVERHEAD {
        assert!(
            matches!(opened(&sealer, 1, &part[..len]), Err(Fault::Short { len: found, least: OVERHEAD }) if found == len)
        );
    }
}

#[test]
fn one_text_sealed_twice_never_looks_the_same() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    let parts: HashSet<_> = (0..100).map(|batch| sealed(&sealer, batch, b"6224242900000113")).collect();
    assert_eq!(parts.len(), 100);
    let other = House::new().on(MONDAY);
    assert!(!parts.contains(&sealed(&other, 0, b"6224242900000113")));
}

#[test]
fn a_successor_that_read_the_store_too_early_does_not_make_a_second_key() {
    let house = House::new();
    let successor = house.open().unwrap();
    let sealer = house.on(MONDAY);
    sealer.roll(TUESDAY).unwrap();
    let (monday, tuesday) = (house.on(MONDAY), sealed(&sealer, 2, b"tuesday"));
    let monday = sealed(&monday, 1, b"monday");
    drop(sealer);
    successor.roll(TUESDAY).unwrap();
    assert_eq!(opened(&successor, 1, &monday).unwrap(), b"monday");
    assert_eq!(opened(&successor, 2, &tuesday).unwrap(), b"tuesday");
}

#[test]
fn a_destroyed_key_is_gone_for_ever_and_only_it() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    let monday = sealed(&sealer, 1, b"6224242900000113");
    sealer.roll(TUESDAY).unwrap();
    let tuesday = sealed(&sealer, 2, b"6224242900000113");
    let before = fs::read_to_string(house.store()).unwrap();
    assert!(matches!(sealer.destroy_through(TUESDAY), Err(Fault::InUse { day: TUESDAY })));
    sealer.destroy_through(MONDAY).unwrap();
    sealer.destroy_through(MONDAY).unwrap();

    let after = fs::read_to_string(house.store()).unwrap();
    let monday_key = before.lines().find(|line| line.starts_with("9823 =")).unwrap();
    assert!(!after.contains(monday_key) && after.contains("purged_through = 9823"), "{after}");
    for sealer in [sealer, house.open().unwrap()] {
        assert!(matches!(opened(&sealer, 1, &monday), Err(Fault::NoKey { day: MONDAY })));
        assert_eq!(opened(&sealer, 2, &tuesday).unwrap(), b"6224242900000113");
    }
    // A clock set back must not make a second key for a day that had one.
    let late = house.open().unwrap();
    assert!(matches!(late.roll(MONDAY), Err(Fault::Purged { day: MONDAY, through: MONDAY })));
    assert_eq!(late.day(), None);
}

#[test]
fn the_store_is_owner_only_holds_no_clear_key_and_leaves_nothing_behind() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    // As a run leaves it that was killed between write and rename.
    write(&house.store().with_extension("toml.new"), "half a li", 0o600);
    sealer.roll(TUESDAY).unwrap();
    let mode = fs::metadata(house.store()).unwrap().permissions().mode() & 0o7777;
    let files = fs::read_dir(house.store().parent().unwrap()).unwrap().count();
    assert_eq!((mode, files), (0o600, 1));
    assert_eq!(format!("{sealer:?}"), "Sealer(2 days)");
}

#[test]
fn a_wrong_key_file_or_a_moved_entry_shows_at_start() {
    let house = House::new();
    house.on(MONDAY).roll(TUESDAY).unwrap();
    let other = House::new();
    let strange = DataKeys::open(house.store().parent().unwrap(), NODE, other.keys.kek()).unwrap();
    assert!(matches!(Sealer::new(strange), Err(Fault::Unwrap { day: MONDAY, .. })));

    let good = fs::read_to_string(house.store()).unwrap();
    let moved = good.replace("9823 =", "9825 =").replace("9824 =", "9823 =");
    write(&house.store(), &moved, 0o600);
    assert!(matches!(house.open(), Err(Fault::Unwrap { day: MONDAY, .. })));
}

#[test]
fn a_damaged_store_is_told_by_line() {
    let house = House::new();
    house.on(MONDAY);
    let good = fs::read_to_string(house.store()).unwrap();
    let key = good.lines().last().unwrap().to_owned();
    for (text, expected) in [
        (good.replace("format = 1", "format = 2"), "line 3: expected format = 1"),
        (good.replace("node = 7\n", "node = 8\n"), "belongs to node 8, expected node 7"),
        (good.replace("purged_through = 0", "purged_through = x"), "line 5: expected a number below 65536"),
        (format!("{good}{key}"), "line 9: expected each business day once"),
        (good.replace("9823 = \"", "9823 = \"00"), "line 8: expected a wrapped key of 60 bytes in hex"),
        (good.replace("9823 =", "monday ="), "line 8: expected the number of a business day"),
        (format!("{good}\nnonsense"), "line 10: expected name = \"value\""),
    ] {
        write(&house.store(), &text, 0o600);
        let fault = house.open().unwrap_err().to_string();
        assert!(fault.ends_with(expected), "{fault}");
    }
}

#[test]
fn a_key_that_cannot_be_stored_seals_nothing() {
    let house = House::new();
    let sealer = house.on(MONDAY);
    // A directory in the way of the new file: the roll fails, the day stays, and the next try works.
    let in_the_way = house.store().with_extension("toml.new");
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(sealer.roll(TUESDAY), Err(Fault::Disk { .. })));
    assert_eq!((sealer.day(), sealed(&sealer, 1, b"x")[0]), (Some(MONDAY), MONDAY.0.to_le_bytes()[0]));
    fs::remove_dir(&in_the_way).unwrap();
    sealer.roll(TUESDAY).unwrap();
    assert_eq!(sealer.day(), Some(TUESDAY));
}
