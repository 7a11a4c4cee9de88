//! What commands print: tables for people, JSON for machines.
//! Never a colour where nobody looks: tables ask the terminal. Guards: a closed pipe ends the command quietly.

use super::Failure;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, Write};

/// A table with a header.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = plain_table();
    table.set_header(header.iter().copied());
    table
}

/// A table without one.
pub(super) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// Prints a table, without the blanks that fill its last column.
pub(super) fn print_table(table: &Table) -> Result<(), Failure> {
    print(table.trim_fmt())
}

/// Prints lines to standard output.
pub(super) fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    written(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints one JSON object (or array) on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(|fault| Failure::because("cannot write JSON", fault))?;
    print(line)
}

/// `head` closes the pipe when it has enough: that is no fault of ours, but no success to be told either.
fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|fault| match fault.kind() {
        io::ErrorKind::BrokenPipe => Failure::Told(1),
        _ => Failure::because("cannot write to standard output", fault),
    })
}
