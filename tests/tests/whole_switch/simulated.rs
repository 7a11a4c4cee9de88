//! The simulator holds what it promises about itself: the same seed tells the same story, and a few seeds hold.
//! Never many seeds: `cargo xtask sim` plays those. Guards: a run depends on its seed and the code alone.

use std::collections::BTreeMap;
use tests::process::root;
use tests::sim::Stage;
use tests::sim::dose::Dose;
use tests::sim::tally::ROWS;

#[test]
fn a_seed_gives_the_same_journal_every_time() {
    for seed in [3, 7] {
        let first = Stage::new().play(seed);
        // On another stage, and after another run: nothing may be left over from one.
        let other = Stage::new();
        other.play_with(seed + 1, short(seed + 1), false);
        let second = other.play(seed);
        assert_eq!(first.failures, Vec::<String>::new(), "seed {seed}");
        assert_eq!((&first.journal, &first.tally), (&second.journal, &second.tally), "seed {seed}");
        assert_eq!(first.journal.len(), 64, "a journal has a last hash");
    }
}

#[test]
fn neighbouring_seeds_tell_other_stories() {
    let stage = Stage::new();
    let journals: Vec<_> = (20..24).map(|seed| stage.play_with(seed, short(seed), false).journal).collect();
    let mut different = journals.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), journals.len());
}

fn short(seed: u64) -> Dose {
    Dose { sales_per_till: 10, tills: 4, ..Dose::of(seed) }
}

#[test]
fn the_table_of_rows_is_true() {
    let page = std::fs::read_to_string(root().join("tests/README.md")).unwrap();
    let rows: BTreeMap<u8, Vec<&str>> = page
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| ")?.split('|').map(str::trim).collect();
            Some((cells[0].parse().ok()?, cells))
        })
        .collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=66).collect::<Vec<_>>(), "every row, once");
    for (row, cells) in &rows {
        let counted = ROWS.iter().find(|(number, _)| number == row);
        assert_eq!(cells[2] == "simulation", counted.is_some(), "row {row} says {}", cells[2]);
        assert!(counted.is_none_or(|(_, what)| *what == cells[1]), "row {row} says {}", cells[1]);
        match cells[2] {
            "later" => assert_eq!(cells[3], "", "row {row} has no proof yet"),
            "simulation" | "process" | "unit" => {
                let proofs: Vec<&str> = cells[3].split(", ").map(|place| place.trim_matches('`')).collect();
                proofs.iter().for_each(|proof| stands(*row, proof));
                // What the simulation counts, it counts in a place that is named.
                let counted = proofs.iter().any(|proof| proof.starts_with("tests/src/sim/"));
                assert_eq!(counted, cells[2] == "simulation", "row {row}: {proofs:?}");
            }
            other => panic!("row {row} is proven by {other}"),
        }
    }
}

/// `file::function`: a test, or where the simulation counts the row.
fn stands(row: u8, proof: &str) {
    let (file, function) =
        proof.split_once("::").unwrap_or_else(|| panic!("row {row}: {proof} names no test"));
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|_| panic!("row {row}: no {file}"));
    let begin = format!("fn {function}(");
    let mut lines = text.lines().map(str::trim_start);
    let mut before = "";
    let line = lines.find(|line| {
        let found = line
            .split_once(&begin)
            .is_some_and(|(visible, _)| visible.is_empty() || visible.starts_with("pub"));
        before = if found { before } else { line };
        found
    });
    assert!(line.is_some(), "row {row}: {file} has no {function}");
    if !file.starts_with("tests/src/sim/") {
        assert_eq!(before, "#[test]", "row {row}: {function} is no test");
    } else {
        let counts =
            [format!("row({row})"), format!("rows_met({row},"), format!(", {row})"), format!("{{ {row} }}")];
        assert!(counts.iter().any(|count| text.contains(count)), "row {row}: {file} does not count it");
    }
}

#[test]
fn the_switch_as_it_is_built_has_no_planted_bug() {
    let tree = crate::promises::cargo(&[
        "tree",
        "--workspace",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--offline",
        "--target",
        "all",
    ]);
    // Targets of every kind are listed, the planted bugs' among them: without their flag they must be gone.
    let built = crate::promises::cargo(&["tree", "--package", "switch", "--prefix", "none", "--offline"]);
    assert!(tree.lines().any(|line| line.starts_with("zoo ")), "the zoo is there to be looked for");
    assert!(!built.lines().any(|line| line.starts_with("zoo ")), "planted bugs are part of the switch");
    let binary = std::fs::read(tests::process::binary()).unwrap();
    // What asks for any of them carries this (`zoo::has`; its own test is the control).
    let mark = b"pointsman: planted bugs are compiled in";
    assert!(!binary.windows(mark.len()).any(|window| window == mark), "the binary asks for planted bugs");
    assert!(
        binary.windows(9).any(|window| window == b"pointsman"),
        "it is the switch that was looked through"
    );
}
