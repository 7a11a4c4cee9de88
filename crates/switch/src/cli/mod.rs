//! The command line: what an operator, an engineer at a wire and a script ask of the switch.
//!
//! Never takes a card number as an argument, never says yes by mistake: exit status 0 means success only. Guards: nothing
//! secret is printed unless `--clear` asks for it, and core dumps are off before a key is read.

mod archive;
mod args;
mod books;
#[cfg(feature = "demo")]
mod certs;
mod check;
mod decode;
#[cfg(feature = "demo")]
mod demo;
mod dialect;
mod explain;
mod failure;
mod input;
mod journal;
mod keys;
mod output;
mod process;
mod send;
mod serve;
mod txn;

pub use args::Arguments;
pub use failure::Failure;

use args::{ArchiveCommand, Command, DialectCommand, JournalCommand, KeysCommand, TxnCommand};
use clap::Parser;
use std::process::ExitCode;

/// The binary's whole life.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Does what was asked.
/// # Errors
/// [`Failure`]: what to tell the user; the exit status is then not 0.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    process::no_core_dumps(arguments.allow_profiling)?;
    match arguments.command {
        Command::Serve(serve) => serve::run(&serve),
        #[cfg(feature = "demo")]
        Command::Demo(demo) => demo::run(&demo),
        Command::Check(check) => check::run(&check),
        Command::Send(send) => send::run(&send),
        Command::Decode(decode) => decode::run(&decode),
        Command::Explain(explain) => explain::run(&explain),
        Command::Dialect { command: DialectCommand::Check(check) } => dialect::check(&check),
        Command::Dialect { command: DialectCommand::List(list) } => dialect::list(&list),
        Command::Dialect { command: DialectCommand::Show { name } } => dialect::show(&name),
        Command::Journal { command } => match command {
            JournalCommand::Verify(verify) => journal::verify(&verify),
            JournalCommand::Repair(repair) => journal::repair(&repair),
            JournalCommand::Purge(purge) => journal::purge(&purge),
        },
        Command::Txn { command: TxnCommand::Find(find) } => txn::find(&find),
        Command::Txn { command: TxnCommand::Show(show) } => txn::show(&show),
        Command::Archive { command: ArchiveCommand::Rebuild(rebuild) } => archive::rebuild(&rebuild),
        Command::Books(books) => books::run(&books),
        Command::Keys { command: KeysCommand::Init { file } } => keys::init(&file),
        #[cfg(feature = "demo")]
        Command::Certs { command: args::CertsCommand::Try { dir } } => certs::trial(&dir),
    }
}
