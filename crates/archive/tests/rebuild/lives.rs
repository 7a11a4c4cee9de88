//! Whatever happens between two steps, the rows are those of a rebuild.

use crate::book::{Book, LIVES, Life, START, catch_up, place};
use archive::{Archiver, Held, Place, View};
use journal::Lsn;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::path::Path;

/// The archive's files as a `kill -9` would leave them: what was written, nothing closed.
fn image(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The index of the write-ahead log lives in memory shared by processes: nobody is left.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn dump(dir: &Path) -> Vec<String> {
    View::open(dir).unwrap().dump().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn killed_at_any_point_the_rows_are_those_of_a_rebuild(
        lives in vec(select(&LIVES[..]), 1..60),
        steps in vec((1_u64..3_000, any::<bool>()), 1..40),
    ) {
        let mut book = Book::new();
        book.name_things();
        let firsts: Vec<Lsn> = lives.iter().map(|life| book.live(*life)).collect();
        let end = book.end();
        let mut dir = book.dir.path().join("archive-0");
        for (at, (bytes, killed)) in steps.iter().enumerate() {
            let mut archiver = Archiver::open(place(&book.disk, &dir)).unwrap().unwrap();
            archiver.step_of(Some(end), *bytes).unwrap();
            if *killed {
                let next = book.dir.path().join(format!("archive-{}", at + 1));
                image(&dir, &next);
                dir = next;
            }
        }
        catch_up(place(&book.disk, &dir), Some(end));
        let whole = book.dir.path().join("whole");
        catch_up(place(&book.disk, &whole), Some(end));
        let rows = dump(&dir);
        prop_assert_eq!(&rows, &dump(&whole));
        let ids = View::open(&dir).unwrap().ids().unwrap();
        for first in firsts {
            prop_assert_eq!(ids.iter().filter(|id| **id == first).count(), 1);
        }
    }
}

#[test]
fn a_second_archiver_is_told_that_it_is_not_alone() {
    let book = Book::new();
    let first = Archiver::open(book.place()).unwrap().unwrap();
    assert!(matches!(Archiver::open(book.place()), Ok(Err(Held))));
    assert!(matches!(Archiver::rebuild(book.place()), Ok(Err(Held))));
    drop(first);
    assert!(matches!(Archiver::open(book.place()), Ok(Ok(_))));
}

#[test]
fn a_damaged_archive_is_put_aside_and_made_again() {
    let mut book = Book::new();
    let first = book.live(Life::Approved);
    book.archive();
    let file = book.place().dir.join("timelines.sqlite");
    std::fs::write(&file, b"this was a database once, believe me; now it is a text of some length").unwrap();
    assert!(matches!(View::open(&book.place().dir), Err(fault) if fault.wants_rebuild()));
    let archiver = Archiver::open(book.place()).unwrap().unwrap();
    assert_eq!(archiver.anew(), Some("it was damaged, or of another version"));
    drop(archiver);
    book.archive();
    assert_eq!(book.view().ids().unwrap(), [first]);
    assert!(book.place().dir.join("timelines.sqlite.damaged").is_file());
}

#[test]
fn a_journal_that_lost_its_tail_gets_another_archive() {
    let mut book = Book::new();
    book.live(Life::Approved);
    let before = book.disk.image();
    let lost = book.live(Life::DeclinedByIssuer);
    let dir = book.dir.path().join("archive");
    book.archive();
    assert!(book.view().ids().unwrap().contains(&lost));
    // The same journal as it was before: also while nothing new stands where the lost records stood.
    let archiver = Archiver::open(place(&before, &dir)).unwrap().unwrap();
    assert_eq!(archiver.anew(), Some("it was of another journal, or of one that lost its end"));
    drop(archiver);
    catch_up(place(&before, &dir), None);
    assert!(!View::open(&dir).unwrap().ids().unwrap().contains(&lost));
    let mut other = Book::on(before);
    let instead = other.live(Life::TimedOut);
    catch_up(place(&other.disk, &dir), None);
    assert!(View::open(&dir).unwrap().ids().unwrap().contains(&instead));
}

#[test]
fn what_is_synced_is_told_and_nothing_else() {
    let mut book = Book::new();
    for _ in 0..20 {
        book.live(Life::TimedOut);
    }
    let mut archiver = Archiver::open(book.place()).unwrap().unwrap();
    let durable = archiver.durable();
    let told = || durable.load(std::sync::atomic::Ordering::Acquire);
    archiver.step_of(Some(book.end()), 1_000).unwrap();
    let position = loop {
        let progress = archiver.step_of(Some(book.end()), 1_000).unwrap();
        if progress.is_done {
            break progress.position;
        }
    };
    assert!(told() < position.0);
    archiver.sync().unwrap();
    assert_eq!(told(), position.0);
}

#[test]
fn finished_transactions_go_when_their_days_are_over_and_what_is_owed_stays() {
    let mut book = Book::new();
    let gone = book.live(Life::Approved);
    let owed = book.live(Life::Parked);
    let open = book.live(Life::Open);
    // Ten days later.
    book.written += 10 * 86_400;
    let late = book.live(Life::Approved);
    catch_up(Place { keep_days: Some(9), ..book.place() }, Some(book.end()));
    assert_eq!(book.view().ids().unwrap(), [owed, open, late]);
    assert!(book.view().timeline(gone).unwrap().is_none());
    assert_eq!(
        book.view().reach().unwrap().since,
        Some(START + (book.written as i64 * 1_000) + 120 - 9 * 86_400_000)
    );
}
