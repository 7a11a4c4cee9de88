//! The words of the command line. One definition: `--help` is made from it.
//! Never an option for a card number or a key. Guards: what clap lets through has the right type.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Pointsman: a switch for card payments. Takes ISO 8583 from terminals, asks the right issuer, loses no money, and says
/// why whenever it declines.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Arguments {
    /// Leave core dumps and debuggers on: card numbers and keys can then be read from the process
    #[arg(long, global = true)]
    pub allow_profiling: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the switch until SIGTERM; then finish what is in flight and exit
    #[command(after_help = "Example:\n  pointsman serve --config /etc/pointsman/pointsman.toml")]
    Serve(Serve),
    /// See it work: issuers, the switch and terminals on this machine, then the verdict of the three books
    #[cfg(feature = "demo")]
    #[command(after_help = "Examples:\n  pointsman demo\n  pointsman demo --for 10s --json")]
    Demo(Demo),
    /// Read a configuration as `serve` does and report every mistake with its line
    #[command(after_help = "Example:\n  pointsman check --config deploy/pointsman.toml")]
    Check(Check),
    /// Send one message to a listener and print the answer explained: code, cause, whose move it is
    #[command(after_help = SEND_EXAMPLES)]
    Send(Box<Send>),
    /// Print a message field by field; card numbers and other secrets are masked
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
    /// Tell why something is declined: a response code, a cause of the switch's own, or one transaction; who acts and what to try
    #[command(after_help = super::explain::EXAMPLES)]
    Explain(Box<super::explain::Explain>),
    /// Look at dialects of ISO 8583
    Dialect {
        /// What to do with them
        #[command(subcommand)]
        command: DialectCommand,
    },
    /// Look at a journal without the switch
    Journal {
        /// What to do with it
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Find transactions and tell what happened to them; works while the switch runs
    Txn {
        /// What to do
        #[command(subcommand)]
        command: TxnCommand,
    },
    /// Look after the archive that `txn` searches
    Archive {
        /// What to do with it
        #[command(subcommand)]
        command: ArchiveCommand,
    },
    /// Compare the books of terminals, journal and issuers, to the cent
    #[command(after_help = BOOKS_EXAMPLES)]
    Books(Books),
    /// Make the key file
    Keys {
        /// What to do with it
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Make throw-away certificates, to try TLS with
    #[cfg(feature = "demo")]
    Certs {
        /// What to do with them
        #[command(subcommand)]
        command: CertsCommand,
    },
}

/// `serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Log lines as JSON, one object each
    #[arg(long)]
    pub json: bool,
    /// Least important lines to log: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log: String,
}

/// `demo`
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct Demo {
    /// How long terminals trade, such as 10s or 2m; without it until Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = super::demo::duration)]
    pub run_for: Option<std::time::Duration>,
    /// Transactions per second over all terminals
    #[arg(long, value_name = "N", default_value_t = 400.0)]
    pub rate: f64,
    /// Print the result as one JSON object instead of a live summary
    #[arg(long)]
    pub json: bool,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `decode`
#[derive(Debug, Args)]
pub struct Decode {
    /// Hex digits, a file with hex digits or raw bytes, or `-` for standard input
    #[arg(value_name = "HEX|FILE|-")]
    pub input: String,
    /// Name of a dialect or a .toml file; left out: every built-in one is tried
    #[arg(long, value_name = "NAME|FILE")]
    pub dialect: Option<String>,
    /// `auto`, `none` for a bare message, or the name of a framing such as `unionpay`, `binary2`, `ascii4+etx`
    #[arg(long, value_name = "auto|none|NAME", default_value = "auto")]
    pub framing: String,
    /// Print one JSON object per message
    #[arg(long)]
    pub json: bool,
    /// Show every field as it came, secrets included
    #[arg(long)]
    pub clear: bool,
}

/// `send`
#[derive(Debug, Args)]
pub struct Send {
    /// Host and port of the listener
    #[arg(long, value_name = "HOST:PORT")]
    pub to: String,
    /// Name of a dialect or a .toml file
    #[arg(long, value_name = "NAME|FILE")]
    pub dialect: String,
    /// Name of a framing such as `unionpay` or `binary2`
    #[arg(long, value_name = "NAME")]
    pub framing: String,
    /// Fields that a message of this type has, before `--field` changes them
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value = "purchase")]
    pub kind: super::send::Preset,
    /// Another message type than the preset's
    #[arg(long, value_name = "NNNN")]
    pub mti: Option<String>,
    /// A field: `4=1250`, `55=hex:9F02...`, `35=@FILE` or `52=@-` to read it from a file or standard input
    #[arg(long = "field", value_name = "N=VALUE", num_args = 1..)]
    pub fields: Vec<String>,
    /// A file with the card number (DE 2), or `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    pub pan: Option<String>,
    /// DE 41
    #[arg(long, value_name = "ID", default_value = "10000019")]
    pub terminal: String,
    /// DE 42
    #[arg(long, value_name = "ID", default_value = "850100082410002")]
    pub merchant: String,
    /// PEM file with who may have signed the listener's certificate
    #[arg(long, value_name = "FILE", required_unless_present = "plain")]
    pub ca: Option<PathBuf>,
    /// PEM file with our certificate, where the listener asks for one
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the listener's certificate bears, if it is not the host
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Without TLS
    #[arg(long, conflicts_with_all = ["ca", "cert", "server_name"])]
    pub plain: bool,
    /// Seconds to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value = "35", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// Print request, answer and explanation as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show every field as it came, secrets included
    #[arg(long)]
    pub clear: bool,
}

/// `dialect …`
#[derive(Debug, Subcommand)]
pub enum DialectCommand {
    /// Read a dialect, write and read a message with each of its fields, and report what does not come back
    #[command(
        after_help = "Example:\n  pointsman dialect show iso87-ascii > mine.toml\n  pointsman dialect check mine.toml"
    )]
    Check(DialectCheck),
    /// List the built-in dialects
    List(DialectList),
    /// Print a built-in dialect: the example to start a new one with
    Show {
        /// Its name
        name: String,
    },
}

/// `dialect check`
#[derive(Debug, Args)]
pub struct DialectCheck {
    /// A .toml file or the name of a built-in dialect
    #[arg(value_name = "FILE")]
    pub dialect: String,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `dialect list`
#[derive(Debug, Args)]
pub struct DialectList {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `journal …`
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Walk a journal by a second reader: checksums, chain, sequences; the switch need not run
    #[command(after_help = "Example:\n  pointsman journal verify /var/lib/pointsman/journal")]
    Verify(JournalVerify),
    /// Repair a mirrored journal: every batch that is damaged in one copy is taken from the other; the switch must not run
    #[command(after_help = "Example:\n  pointsman journal repair --config /etc/pointsman/pointsman.toml")]
    Repair(JournalRepair),
    /// Make the card numbers of a business day and of all before it unreadable for ever: destroys their data keys; the
    /// switch must not run
    #[command(after_help = "Example:\n  pointsman journal purge --config pointsman.toml --day 2025-06-30")]
    Purge(JournalPurge),
}

/// `journal repair`
#[derive(Debug, Args)]
pub struct JournalRepair {
    /// The configuration file, which names journal and mirror
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `journal purge`
#[derive(Debug, Args)]
pub struct JournalPurge {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The last day to purge
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = super::journal::day)]
    pub day: terms::BusinessDay,
}

/// `journal verify`
#[derive(Debug, Args)]
pub struct JournalVerify {
    /// The journal's directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `txn …`
#[derive(Debug, Subcommand)]
pub enum TxnCommand {
    /// Find transactions by RRN, STAN, terminal, card, time, outcome or cause; a single one is told hop by hop
    #[command(after_help = FIND_EXAMPLES)]
    Find(Box<TxnFind>),
    /// Tell what happened to one transaction, hop by hop
    #[command(after_help = "Example:\n  pointsman txn show 3-0-1204 --config /etc/pointsman/pointsman.toml")]
    Show(TxnShow),
}

/// Which archive, and how it is shown.
#[derive(Debug, Args)]
pub struct ArchiveAt {
    /// The configuration file, which names journal and archive
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Another directory than the configuration's [archive]; made and filled if it is not there
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `txn find`
#[derive(Debug, Args)]
pub struct TxnFind {
    #[command(flatten)]
    pub at: ArchiveAt,
    /// Retrieval reference number (DE 37): ours, or the terminal's
    #[arg(long, value_name = "RRN")]
    pub rrn: Option<String>,
    /// Trace number of the terminal (DE 11)
    #[arg(long, value_name = "STAN", value_parser = clap::value_parser!(u32).range(1..=999_999))]
    pub stan: Option<u32>,
    /// Terminal (DE 41)
    #[arg(long, value_name = "ID")]
    pub terminal: Option<String>,
    /// Card token, 32 hexadecimal digits, as `txn` prints it
    #[arg(long, value_name = "TOKEN", value_parser = super::txn::token)]
    pub token: Option<[u8; 16]>,
    /// A file with the card number, or `-` for standard input
    #[arg(long, value_name = "FILE|-", conflicts_with = "token")]
    pub pan: Option<String>,
    /// Not before: 2025-06-30, 2025-06-30T18:05, 18:05 (today) or 2025-06-30T10:05:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Before
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Of the last minutes, hours or days: 15m, 2h, 3d
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["from", "to"])]
    pub last: Option<String>,
    /// How it stands; several with commas
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = super::txn::outcome)]
    pub outcome: Vec<::archive::Outcome>,
    /// Why it was declined: an internal cause such as issuer-timeout, or one of network funds card limit authentication
    /// merchant operator system risk
    #[arg(long, value_name = "CAUSE", value_parser = super::txn::cause)]
    pub cause: Option<String>,
    /// The issuer's code (DE 39)
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

/// `txn show`
#[derive(Debug, Args)]
pub struct TxnShow {
    /// Its number, such as 3-0-1204, its RRN, or terminal and STAN as on the receipt: 10000019/000403
    #[arg(value_name = "NUMBER|RRN")]
    pub which: String,
    #[command(flatten)]
    pub at: ArchiveAt,
}

/// `archive …`
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Make the archive again from what the journal holds; a switch that fills it must not run
    #[command(after_help = "Example:\n  pointsman archive rebuild --config /etc/pointsman/pointsman.toml")]
    Rebuild(ArchiveAt),
}

/// `books`
#[derive(Debug, Args)]
pub struct Books {
    /// The journal's directory
    #[arg(long, value_name = "DIR")]
    pub journal: PathBuf,
    /// What the issuers have booked, as JSON; may be given more than once
    #[arg(long = "issuer", value_name = "FILE", required = true)]
    pub issuers: Vec<PathBuf>,
    /// What the terminals believe, as JSON; may be given more than once. Without it journal and issuers are compared
    #[arg(long, value_name = "FILE")]
    pub terminals: Vec<PathBuf>,
    /// One business day of the issuers, such as 2026-11-23; all days without it
    #[arg(long, value_name = "DAY", value_parser = super::books::day)]
    pub day: Option<u16>,
    /// Print the comparison as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Draw new keys and write them to a file that only its owner can read; never overwrites one
    #[command(after_help = "Example:\n  pointsman keys init /etc/pointsman/pointsman.keys")]
    Init {
        /// The file to make
        file: PathBuf,
    },
}

/// `certs`
#[cfg(feature = "demo")]
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// An authority, a certificate for the switch and one for a terminal, good for 90 days; never overwrites one
    #[command(after_help = "Example:\n  pointsman certs try deploy/tls")]
    Try {
        /// The directory to make them in
        dir: PathBuf,
    },
}

const EXAMPLES: &str = "Examples:
  pointsman keys init pointsman.keys
  pointsman check --config pointsman.toml
  pointsman serve --config pointsman.toml
  pointsman decode --dialect unionpay-pos message.hex";

const DECODE_EXAMPLES: &str = "Examples:
  pointsman decode 0063600049000060320032050108000020000000C000160000743132...
  pointsman decode --dialect iso87-ascii --framing none message.bin
  tail -1 capture.hex | pointsman decode --json -";

const FIND_EXAMPLES: &str = "Examples:
  pointsman txn find --config pointsman.toml --rrn 326A0000001B
  pointsman txn find --config pointsman.toml --terminal 10000019 --last 2h
  pointsman txn find --config pointsman.toml --outcome declined,refused --cause limit --from 18:05
  cat card.txt | pointsman txn find --config pointsman.toml --pan -

Exit status: 0 if something was found, 2 if nothing was.";

const BOOKS_EXAMPLES: &str = "Examples:
  pointsman books --journal journal --issuer harbour.json --day 2026-11-23
  pointsman books --journal journal --issuer harbour.json --terminals fleet.json --json

Exit status: 0 if the books agree, every difference being a named open item; 1 if not, or if
a book cannot be read, or if the journal has nothing of that day.";

const SEND_EXAMPLES: &str = "Examples:
  pointsman send --to 127.0.0.1:7001 --ca tls/ca.pem --server-name localhost \\
      --dialect unionpay-pos --framing unionpay --pan card.txt --field 4=1250
  pointsman send --to 127.0.0.1:7002 --plain --dialect iso87-ascii --framing binary2 --type echo

Exit status: 0 approved, 2 declined, 1 no answer or not sent.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_words_fit_each_other() {
        Arguments::command().debug_assert();
    }
}
