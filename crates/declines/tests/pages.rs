//! The reference page and the runbook's rows are what the data file says. `cargo xtask docs` writes them again.

use declines::{Catalogue, reference, runbook};

#[test]
fn the_reference_page_is_up_to_date() {
    let written = include_str!("../REFERENCE.md");
    assert!(written == reference(Catalogue::builtin()), "REFERENCE.md is old: run `cargo xtask docs`");
}

#[test]
fn the_runbook_s_rows_are_up_to_date() {
    let written = include_str!("../../../deploy/runbook.md");
    let rows = runbook(Catalogue::builtin());
    assert!(written.contains(&rows), "deploy/runbook.md is old: run `cargo xtask docs`");
}

#[test]
fn every_code_and_cause_is_there_with_every_text() {
    let page = include_str!("../REFERENCE.md");
    let catalogue = Catalogue::builtin();
    let mut reasons: Vec<_> = catalogue.internals().iter().map(|internal| &internal.reason).collect();
    for scheme in catalogue.schemes() {
        let (_, table) = page.split_once(&format!("\n## Codes of {scheme}\n")).expect(scheme);
        for entry in catalogue.entries(scheme) {
            assert!(
                table.contains(&format!("\n| {} | {} |", entry.code, entry.name.en)),
                "{scheme} {}",
                entry.code
            );
            reasons.push(&entry.reason);
        }
    }
    for reason in reasons {
        assert!(page.contains(&format!("\n### {}\n", reason.name)), "{}", reason.name);
        for said in [&reason.cardholder, &reason.merchant, &reason.operator, &reason.receipt] {
            let cell = |text: &str| text.replace('|', "\\|");
            assert!(page.contains(&cell(&said.en)) && page.contains(&cell(&said.zh)), "{}", reason.name);
        }
    }
}
