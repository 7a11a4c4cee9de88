//! `dialect`: what a dialect is called, and whether everything it can write it can also read.
//! Never changes one. Guards: a mistake in the text is told with its line, all in one go.

use super::args::{DialectCheck, DialectList};
use super::{Failure, input, output};
use iso8583::Dialect;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Checked<'a> {
    dialect: &'a str,
    ok: bool,
    fields: usize,
    problems: &'a [String],
}

pub(super) fn check(args: &DialectCheck) -> Result<ExitCode, Failure> {
    let dialect = input::dialect(&args.dialect)?;
    let problems = dialect.check();
    let fields = dialect.field_numbers().count();
    let checked = Checked { dialect: dialect.name(), ok: problems.is_empty(), fields, problems: &problems };
    match (args.json, checked.ok) {
        (true, _) => output::json(&checked)?,
        (false, true) => {
            output::print(format!("{}: {fields} fields, each comes back as it was written", dialect.name()))?;
        }
        (false, false) => {
            let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            return Err(Failure::new(format!("{} problems in {}{lines}", problems.len(), args.dialect)));
        }
    }
    Ok(if checked.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    about: String,
    fields: usize,
}

pub(super) fn list(args: &DialectList) -> Result<ExitCode, Failure> {
    let listed: Vec<_> = Dialect::builtin_names()
        .filter_map(|name| {
            let dialect = Dialect::builtin(name)?;
            Some(Listed { name, about: dialect.about().to_owned(), fields: dialect.field_numbers().count() })
        })
        .collect();
    if args.json {
        output::json(&listed)?;
    } else {
        let mut table = output::table(&["dialect", "fields", "about"]);
        for one in &listed {
            table.add_row([one.name, &one.fields.to_string(), &one.about]);
        }
        output::print_table(&table)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn show(name: &str) -> Result<ExitCode, Failure> {
    // Asking for the dialect first gives the error that names the known ones.
    input::dialect(name)?;
    let text = Dialect::builtin_source(name);
    output::print(text.ok_or_else(|| Failure::new(format!("{name} is a file already")))?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
