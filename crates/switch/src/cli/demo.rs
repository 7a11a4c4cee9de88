//! `pointsman demo`: the arguments of the show; what happens is in [`crate::demo`].
//! Never reaches beyond this machine. Guards: the exit status is 0 only if the three books agree.

use super::args::Demo;
use super::failure::Failure;
use crate::demo::{Options, run as play};
use std::process::ExitCode;
use std::time::Duration;

/// Plays it.
pub(super) fn run(arguments: &Demo) -> Result<ExitCode, Failure> {
    let options = Options { run_for: arguments.run_for, rate: arguments.rate, json: arguments.json };
    let verdict =
        play(&options).map_err(|fault| Failure::because("the demo did not come to its end", fault))?;
    Ok(verdict.status())
}

/// `10s`, `500ms`, `2m`, `1h`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: u64 =
        text[..digits].parse().map_err(|_| format!("expected a time such as 10s, found {text:?}"))?;
    let duration = match &text[digits..] {
        "" | "s" => Duration::from_secs(count),
        "ms" => Duration::from_millis(count),
        "m" => Duration::from_secs(count.saturating_mul(60)),
        "h" => Duration::from_secs(count.saturating_mul(3600)),
        unit => return Err(format!("expected ms, s, m or h, found {unit:?}")),
    };
    if duration.is_zero() || duration > Duration::from_secs(86_400) {
        return Err(format!("expected more than nothing and at most a day, found {text:?}"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, millis) in
            [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("7", 7_000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "s", "10y", "-1s", "0s", "25h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
