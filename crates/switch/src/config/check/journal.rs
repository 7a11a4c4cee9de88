//! The journal's section, and the key file that must not lie beside what it opens.
//! Never creates a directory. Guards: keys are readable by their owner only and outside the journal.

use super::Known;
use crate::config::notes::Notes;
use crate::config::raw;
use crate::config::section::Section;
use crate::config::types::JournalConfig;
use journal::{Options, SyncMode};
use keys::KeyFile;
use std::path::{Path, PathBuf};
use telemetry::Chain;

pub(super) fn check(known: &Known<'_>, notes: &mut Notes) -> JournalConfig {
    let none = raw::Journal::default();
    let (raw, span) = match &known.file.journal {
        Some(section) => (section.get_ref(), section.span()),
        None => {
            notes.problem(None, "", "section [journal] is missing, expected one with dir and key_file");
            (&none, 0..0)
        }
    };
    let missing = known.file.journal.is_none();
    let mut quiet = Notes::default();
    let notes = if missing { &mut quiet } else { notes };
    let mut section = Section::new("journal", None, span, known.source, notes);
    settings(&mut section, raw)
}

fn settings(section: &mut Section<'_>, raw: &raw::Journal) -> JournalConfig {
    let dir = directory(section, raw);
    let mirror = mirror(section, raw, &dir);
    let key_file = key_file(section, raw, &dir);
    let modes = [("durable", SyncMode::Durable), ("relaxed", SyncMode::Relaxed)];
    let segment_bytes = section.number(
        "segment_bytes",
        &raw.segment_bytes,
        SEGMENT_MIN..=SEGMENT_MAX,
        Options::SEGMENT_BYTES,
    );
    if let (false, Some(value)) = (segment_bytes.is_multiple_of(PAGE), &raw.segment_bytes) {
        section
            .problem(value.span(), format!("segment_bytes = {segment_bytes}, expected a multiple of {PAGE}"));
    }
    let reserve_max = segment_bytes.saturating_sub(SEGMENT_MIN);
    let reserve = Options::RESERVE_BYTES.min(segment_bytes / 8);
    let config = JournalConfig {
        dir,
        mirror,
        key_file,
        sync: section.choice("sync", &raw.sync, &modes, SyncMode::Durable),
        segment_bytes,
        reserve_bytes: section.number("reserve_bytes", &raw.reserve_bytes, 0..=reserve_max, reserve),
        checkpoint_bytes: section.number(
            "checkpoint_bytes",
            &raw.checkpoint_bytes,
            PAGE..=SEGMENT_MAX,
            Options::CHECKPOINT_BYTES,
        ),
        // Longer than duplicates are known and business days stay open.
        keep_days: raw.keep_days.as_ref().map(|_| section.number("keep_days", &raw.keep_days, 8..=36_500, 8)),
        index_entries: section.number("index_entries", &raw.index_entries, 1_024..=2_000_000_000, 4_000_000),
        // Ten minutes at least: DESIGN 7, the duplicate index.
        index_window_ms: section.number(
            "index_window_ms",
            &raw.index_window_ms,
            600_000..=604_800_000,
            600_000,
        ),
        tombstones_per_terminal: section.number(
            "tombstones_per_terminal",
            &raw.tombstones_per_terminal,
            1..=10_000,
            64,
        ),
    };
    if let (SyncMode::Relaxed, Some(word)) = (config.sync, &raw.sync) {
        let text = "sync = \"relaxed\": approvals of the last moments are lost if the machine stops";
        section.notes.warn(Some(word.span()), &section.place, text);
    }
    config
}

fn directory(section: &mut Section<'_>, raw: &raw::Journal) -> PathBuf {
    let Some(dir) = section.required("dir", &raw.dir, "a directory") else { return PathBuf::new() };
    let path = section.source.resolve(dir.get_ref());
    if path.exists() && !path.is_dir() {
        section
            .problem(dir.span(), format!("dir = \"{}\": {} is no directory", dir.get_ref(), path.display()));
    }
    path
}

fn mirror(section: &mut Section<'_>, raw: &raw::Journal, dir: &Path) -> Option<PathBuf> {
    let value = raw.mirror.as_ref()?;
    let path = section.source.resolve(value.get_ref());
    if path.starts_with(dir) || dir.starts_with(&path) {
        let text = format!(
            "mirror = \"{}\" lies inside dir or around it, expected a place of its own",
            value.get_ref()
        );
        section.problem(value.span(), text);
    } else if path.exists() && !path.is_dir() {
        section.problem(value.span(), format!("mirror = \"{}\" is no directory", value.get_ref()));
    }
    Some(path)
}

fn key_file(section: &mut Section<'_>, raw: &raw::Journal, dir: &Path) -> PathBuf {
    let path = section.file("key_file", &raw.key_file, "a file made by `pointsman keys init`");
    let Some(value) = raw.key_file.as_ref() else { return path };
    if !dir.as_os_str().is_empty() && path.starts_with(dir) {
        let text = format!("key_file = \"{}\" lies inside dir, expected a place elsewhere", value.get_ref());
        section.problem(value.span(), text);
    } else if path.is_file()
        && let Err(fault) = KeyFile::load(&path, dir)
    {
        section.problem(value.span(), Chain(&fault).to_string());
    }
    path
}

const PAGE: u64 = 4096;
/// Room for a header and the longest record there is (64 KiB): one that fits into no segment would be owed for ever.
const SEGMENT_MIN: u64 = 131_072;
/// Positions in the log are 48 bits; this leaves room for 65,536 segments.
const SEGMENT_MAX: u64 = 1 << 32;
