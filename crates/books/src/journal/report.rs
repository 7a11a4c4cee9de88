//! What a verification found, for people (a table) and machines (JSON).
//! Never holds a payload. Guards: "sound" is said only of a journal that a start would take as it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Everything a verification has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The directory.
    pub dir: String,
    /// Whether no acknowledged byte is missing; a torn tail is sound.
    pub sound: bool,
    /// Node of the journal; absent while nothing was written.
    pub node: Option<u16>,
    /// Size of a segment, bytes.
    pub segment_bytes: Option<u64>,
    /// One line per segment file.
    pub segments: Vec<SegmentLine>,
    /// Sound batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Records that have a secret in the sealed part.
    pub secrets: u64,
    /// Records per kind.
    pub kinds: BTreeMap<u8, u64>,
    /// Epochs that wrote batches, and how many.
    pub epochs: BTreeMap<u32, u64>,
    /// Position behind the last sound batch.
    pub end: u64,
    /// Hash of the last sound batch, hexadecimal: what an outside anchor would keep.
    pub head: String,
    /// Unacknowledged bytes behind the end that the next start will cut.
    pub torn: Option<Torn>,
    /// Acknowledged bytes that are missing; the next start will refuse.
    pub damage: Option<Damage>,
}

/// One segment file.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentLine {
    /// Number of the segment.
    pub number: u32,
    /// What it is.
    pub state: SegmentState,
    /// Sequence of its first batch, if it was opened.
    pub first_batch: Option<u64>,
    /// Sound batches in it.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes used, its header included.
    pub used: u64,
}

/// What a segment file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentState {
    /// A later one is in use.
    Closed,
    /// The end of the log is here.
    Open,
    /// Made ready and not used yet.
    Prepared,
    /// Behind the place where reading had to stop.
    Unread,
}

/// A torn tail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Torn {
    /// Segment where it starts.
    pub segment: u32,
    /// Offset of its first byte that is not zero.
    pub offset: u64,
    /// Bytes from there to its last one, over all segments.
    pub bytes: u64,
}

/// Damage, named as exactly as the bytes allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Segment where the log breaks off.
    pub segment: u32,
    /// Offset there.
    pub offset: u64,
    /// Sequence of the batch that should be there.
    pub batch: u64,
    /// Sequence of its first record.
    pub record: u64,
    /// What was found, and how it is known that more was there.
    pub reason: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>8}  {:<8}  {:>12}  {:>10}  {:>12}  {:>12}",
            "segment", "state", "first batch", "batches", "records", "bytes"
        )?;
        for line in &self.segments {
            let first = line.first_batch.map_or_else(|| "-".to_owned(), |batch| batch.to_string());
            let SegmentLine { number, batches, records, used, .. } = line;
            writeln!(
                f,
                "{number:>8}  {:<8}  {first:>12}  {batches:>10}  {records:>12}  {used:>12}",
                line.state.name()
            )?;
        }
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        writeln!(
            f,
            "records by kind   {}",
            if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
        )?;
        writeln!(f, "batches, records  {}, {} ({} with a secret)", self.batches, self.records, self.secrets)?;
        writeln!(f, "end, head         {:012x}, {}", self.end, self.head)?;
        if let Some(Torn { segment, offset, bytes }) = &self.torn {
            writeln!(
                f,
                "torn tail         {bytes} bytes from offset {offset} of segment {segment} on, never acknowledged"
            )?;
        }
        if let Some(Damage { segment, offset, batch, record, reason }) = &self.damage {
            writeln!(
                f,
                "DAMAGED           segment {segment}, offset {offset}: batch {batch}, from record {record} on: {reason}"
            )?;
        }
        write!(f, "{}", if self.sound { "the journal is sound" } else { "the journal is NOT sound" })
    }
}

impl SegmentState {
    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Prepared => "prepared",
            Self::Unread => "unread",
        }
    }
}
