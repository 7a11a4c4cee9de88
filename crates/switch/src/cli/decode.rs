//! `decode`: bytes to a message that people and scripts can read, or the byte where they stop making sense.
//! Never guesses against what it was told: a named framing or dialect is the only one tried. Guards: a length that
//! disagrees with the bytes is an error; what is left over is an error.

mod explain;

pub(super) use explain::{Explained, Message, Wanted, explain, framing};

use super::args::Decode;
use super::{Failure, input, output};
use iso8583::{Description, Dialect};
use serde::Serialize;
use std::process::ExitCode;

pub(super) fn run(args: &Decode) -> Result<ExitCode, Failure> {
    let wanted = Wanted::parse(&args.framing)?;
    let dialect = args.dialect.as_deref().map(input::dialect).transpose()?;
    let bytes = input::bytes(&args.input)?;
    let explained = first(&bytes.meanings, |bytes| explain(bytes, dialect.as_ref(), wanted, args.clear))?;
    if args.clear {
        eprintln!("warning: every field is shown as it came, card numbers, tracks and PIN blocks included");
    }
    for message in &explained.messages {
        if args.json { output::json(&Json::new(&explained, message))? } else { print(&explained, message)? }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first meaning that makes sense; if none does, what is wrong with the likeliest.
fn first<T>(meanings: &[Vec<u8>], explain: impl Fn(&[u8]) -> Result<T, Failure>) -> Result<T, Failure> {
    let mut tried = meanings.iter().map(|bytes| explain(bytes));
    let likeliest = tried.next().unwrap_or_else(|| Err(Failure::new("no bytes to decode")));
    match likeliest {
        Ok(explained) => Ok(explained),
        Err(failure) => tried.find_map(Result::ok).ok_or(failure),
    }
}

/// A message as JSON: type and fields, and where they were found.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    #[serde(flatten)]
    message: &'a Description,
    dialect: &'a str,
    framing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpdu: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
}

impl<'a> Json<'a> {
    pub(super) fn new(explained: &'a Explained, message: &'a Message) -> Self {
        Self {
            message: &message.description,
            dialect: explained.dialect.name(),
            framing: explained.framing_name(),
            tpdu: message.tpdu.clone(),
            header: message.header.clone(),
        }
    }
}

fn print(explained: &Explained, message: &Message) -> Result<(), Failure> {
    let around = [("TPDU", &message.tpdu), ("header", &message.header)];
    let around: String =
        around.iter().filter_map(|(name, part)| Some(format!(" · {name} {}", part.as_ref()?))).collect();
    let (mti, dialect) = (&message.description.mti, &explained.dialect);
    output::print(format!("{mti} · {} · framing {}{around}", dialect.name(), explained.framing_name()))?;
    output::print_table(&table(&message.description))
}

/// Fields as rows; parts of a field are indented under it.
pub(super) fn table(description: &Description) -> comfy_table::Table {
    let mut table = output::table(&["field", "name", "value", "byte", "as it came"]);
    for row in &description.rows {
        let field = row.part.as_ref().map_or(row.field.to_string(), |part| format!("  {}.{part}", row.field));
        table.add_row([&field, &row.name, &row.value, &row.offset.to_string(), &row.raw]);
    }
    table
}

/// A dialect's name, for error texts.
pub(super) fn named(dialect: Option<&std::sync::Arc<Dialect>>) -> String {
    dialect.map_or("any built-in dialect".to_owned(), |dialect| dialect.name().to_owned())
}

#[cfg(test)]
mod tests;
