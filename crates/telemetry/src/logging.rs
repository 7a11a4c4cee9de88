//! Set-up of the log: one line per event on standard error, as JSON for machines or text for people.
//!
//! Never writes a line that did not pass the redaction. Guards: a line is written with one call, so that the lines of two
//! threads do not mix, and standard output stays free for results.

use crate::redact::redacted;
use std::io::{self, Write};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::fmt::MakeWriter;

/// Form of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One object per line.
    Json,
    /// For reading.
    Human,
}

/// The log is set up already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log of this process is set up already")]
pub struct AlreadySetUp;

/// Logs events of `level` and above to standard error for the rest of the process, those of the `log` crate included.
///
/// # Errors
/// [`AlreadySetUp`] if it was called before.
pub fn init(format: Format, level: LevelFilter) -> Result<(), AlreadySetUp> {
    use tracing_subscriber::util::SubscriberInitExt;
    subscriber(format, level, io::stderr).try_init().map_err(|_| AlreadySetUp)
}

/// The same for any writer, not installed: for tests and tools.
pub fn subscriber<W>(format: Format, level: LevelFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let json = format == Format::Json;
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(Redacting { writer, json });
    match format {
        Format::Json => Box::new(lines.json().flatten_event(true).with_current_span(true).finish()),
        // No colours: control codes would stand between the digits' neighbours and in files.
        Format::Human => Box::new(lines.with_ansi(false).finish()),
    }
}

struct Redacting<W> {
    writer: W,
    json: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacting<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { writer: self.writer.make_writer(), json: self.json, bytes: Vec::new() }
    }
}

/// Collects one event, so that no number can hide in two writes.
pub struct Line<W: Write> {
    writer: W,
    json: bool,
    bytes: Vec<u8>,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.writer.write_all(&redacted(&self.bytes, self.json));
        self.bytes.clear();
        written.and_then(|()| self.writer.flush())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        // A log that cannot be written has nobody to be told.
        if !self.bytes.is_empty() {
            let _ = self.flush();
        }
    }
}
