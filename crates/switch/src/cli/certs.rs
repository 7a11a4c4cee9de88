//! `certs`: throw-away certificates, so that TLS can be tried before there is an authority.
//! Never for service: they end after 90 days and their authority cannot sign again. Guards: nothing is overwritten.

use super::{Failure, output};
use crate::demo::certificates::Certificates;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn trial(dir: &Path) -> Result<ExitCode, Failure> {
    let failed = "no certificates were made";
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|fault| Failure::because(failed, fault))?;
    let made = Certificates::make(dir, ["switch", "terminal"]);
    let made = made.map_err(|fault| Failure::because(failed, fault))?;
    let mut table = output::table(&["file", "for"]);
    for (file, what) in [
        (&made.ca, "whoever checks a peer: the authority"),
        (&made.server.0, "the switch: its certificate, for localhost and 127.0.0.1"),
        (&made.server.1, "the switch: its key"),
        (&made.client.0, "a terminal or acquirer: its certificate"),
        (&made.client.1, "a terminal or acquirer: its key"),
    ] {
        table.add_row([file.display().to_string(), what.to_owned()]);
    }
    output::print_table(&table)?;
    output::print("for trials only: good for 90 days, and nobody can sign another")?;
    Ok(ExitCode::SUCCESS)
}
