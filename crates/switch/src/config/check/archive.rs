//! The archive's section: without it there is none.
//! Never creates a directory. Guards: it does not lie inside the journal's directory, whose files are the journal's own.

use super::Known;
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::section::Section;
use crate::config::types::{ArchiveConfig, MessagesConfig};
use std::path::PathBuf;

pub(super) fn check(known: &Known<'_>, notes: &mut Notes) -> Option<ArchiveConfig> {
    let section = known.file.archive.as_ref()?;
    let (raw, span) = (section.get_ref(), section.span());
    let mut section = Section::new("archive", None, span, known.source, notes);
    let config = ArchiveConfig {
        dir: directory(&mut section, known, raw),
        cpu_percent: section.number("cpu_percent", &raw.cpu_percent, 1..=100, 20),
        paused: raw.paused.as_ref().is_some_and(|paused| *paused.get_ref()),
        keep_days: raw.keep_days.as_ref().map(|_| section.number("keep_days", &raw.keep_days, 8..=36_500, 8)),
        messages: messages(&mut section, raw),
    };
    if let (true, Some(paused)) = (config.paused, &raw.paused) {
        let text = "paused = true: the journal keeps every segment until it is archived";
        section.notes.warn(Some(paused.span()), &section.place, text);
    }
    Some(config)
}

/// Without bytes there are none.
fn messages(section: &mut Section<'_>, raw: &raw::Archive) -> Option<MessagesConfig> {
    let settings = MessagesConfig {
        bytes: section.number("messages_bytes", &raw.messages_bytes, 0..=1 << 40, 64 << 20),
        sample: section.number("message_sample", &raw.message_sample, 0..=1_000_000_000, 1_000),
        per_second: section.number("messages_per_second", &raw.messages_per_second, 1..=100_000, 50),
    };
    (settings.bytes > 0).then_some(settings)
}

fn directory(section: &mut Section<'_>, known: &Known<'_>, raw: &raw::Archive) -> PathBuf {
    let Some(dir) = section.required("dir", &raw.dir, "a directory") else { return PathBuf::new() };
    let path = section.source.resolve(dir.get_ref());
    let journal = known.file.journal.as_ref().and_then(|journal| journal.get_ref().dir.as_ref());
    let journal = journal.map(|dir| section.source.resolve(dir.get_ref()));
    if path.exists() && !path.is_dir() {
        section
            .problem(dir.span(), format!("dir = \"{}\": {} is no directory", dir.get_ref(), path.display()));
    } else if journal.is_some_and(|journal| path.starts_with(journal)) {
        let text =
            format!("dir = \"{}\" lies inside the journal, expected a place of its own", dir.get_ref());
        section.problem(dir.span(), text);
    }
    path
}
