//! The second line of defence against card numbers in the log (the first: their types cannot print them).
//!
//! Masks every run of twelve or more digits to its first six and last four, in whatever a formatter wrote. Some long
//! numbers that are no card number are masked as well; that is the price, so times are logged as text, not as epochs.
//! Guards: JSON stays JSON (a number that is masked becomes a text).

use std::borrow::Cow;

/// `line` without any run of twelve or more digits. A run over 19 digits is no card number but may contain one
/// (a dump of a message in hex), so it is masked the same way. `json`: a bare number that is masked is put in quotes.
pub fn redacted(line: &[u8], json: bool) -> Cow<'_, [u8]> {
    let Some(first) = next_run(line, 0) else { return Cow::Borrowed(line) };
    let mut out = Vec::with_capacity(line.len() + 2);
    let mut quotes = Quotes::default();
    let mut run = Some(first);
    let mut done = 0;
    while let Some((start, end)) = run {
        quotes.pass(&line[done..start]);
        if json && !quotes.inside {
            done = masked_number(line, (start, end), &mut out, done);
        } else {
            out.extend_from_slice(&line[done..start]);
            masked(&line[start..end], &mut out);
            done = end;
        }
        run = next_run(line, done);
    }
    out.extend_from_slice(&line[done..]);
    Cow::Owned(out)
}

/// The next run of at least [`RUN_MIN`] digits at or after `from`.
fn next_run(line: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while at < line.len() {
        let Some(skip) = line[at..].iter().position(u8::is_ascii_digit) else { break };
        let start = at + skip;
        let len = line[start..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(line.len() - start);
        if len >= RUN_MIN {
            return Some((start, start + len));
        }
        at = start + len;
    }
    None
}

fn masked(run: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&run[..FIRST]);
    out.resize(out.len() + run.len() - FIRST - LAST, b'*');
    out.extend_from_slice(&run[run.len() - LAST..]);
}

/// A number outside quotes with a sign, fraction or exponent around the run: all of it becomes a text, each run masked.
/// Returns where it ends.
fn masked_number(line: &[u8], (start, end): (usize, usize), out: &mut Vec<u8>, done: usize) -> usize {
    let of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let first = done + line[done..start].iter().rposition(|byte| !of_number(byte)).map_or(0, |at| at + 1);
    let last = end + line[end..].iter().position(|byte| !of_number(byte)).unwrap_or(line.len() - end);
    out.extend_from_slice(&line[done..first]);
    out.push(b'"');
    out.extend_from_slice(&redacted(&line[first..last], false));
    out.push(b'"');
    last
}

/// Whether we are inside a JSON string.
#[derive(Default)]
struct Quotes {
    inside: bool,
    escaped: bool,
}

impl Quotes {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.inside => self.escaped = true,
                b'"' => self.inside = !self.inside,
                _ => {}
            }
        }
    }
}

const RUN_MIN: usize = 12;
const FIRST: usize = 6;
const LAST: usize = 4;
