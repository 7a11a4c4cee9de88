//! `send`: one message of any type to a listener, and its answer explained.
//! Never takes card data as an argument: other users of the machine can read those. Guards: an answer counts only if its
//! type and STAN are those of the request; exit status 0 means approved.

mod explain;
mod message;
mod wire;

pub use message::Preset;

use super::args::Send;
use super::{Failure, decode, input, output};
use explain::Explanation;
use iso8583::{Description, describe};
use message::Outgoing;
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Serialize)]
struct Exchange<'a> {
    request: &'a Description,
    answer: &'a Description,
    explanation: &'a Explanation,
    micros: u64,
}

pub(super) fn run(args: &Send) -> Result<ExitCode, Failure> {
    let dialect = input::dialect(&args.dialect)?;
    let framing = decode::framing(&args.framing)?;
    let outgoing = Outgoing::build(args, &dialect)?;
    let mut wire = wire::Wire::connect(args, framing)?;
    let began = Instant::now();
    let answer = wire.exchange(&outgoing, &dialect, Duration::from_secs(args.timeout))?;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let shown = |bytes: &[u8]| {
        describe(&dialect, bytes, args.clear)
            .map_err(|error| Failure::because("cannot print a message", error))
    };
    let (request, answered) = (shown(&outgoing.body)?, shown(&answer.body)?);
    let explanation = Explanation::of(&dialect, &answer.answer);
    let exchange = Exchange { request: &request, answer: &answered, explanation: &explanation, micros };
    if args.clear {
        eprintln!("warning: every field is shown as it was sent, secrets included");
    }
    if args.json {
        output::json(&exchange)?
    } else {
        print(&exchange)?
    }
    Ok(ExitCode::from(if explanation.approved { 0 } else { DECLINED }))
}

fn print(exchange: &Exchange<'_>) -> Result<(), Failure> {
    for (which, description) in [("request", exchange.request), ("answer", exchange.answer)] {
        output::print(format!("{which} {}", description.mti))?;
        output::print_table(&decode::table(description))?;
    }
    output::print(format!("{} · after {} ms", exchange.explanation, exchange.micros / 1000))
}

/// Told apart from "no answer", which is 1.
const DECLINED: u8 = 2;

#[cfg(test)]
mod tests;
