//! Where a record stands: a position in the endless log, segment borders included.
//! Never names a file: the segment size, fixed for a journal's life, turns it into file and offset.
//! Guards: a position is never reused, because segments are never recycled.

use std::fmt;

/// Logical position of a record: byte offset in the endless log, that is segment number × segment size +
/// offset in the segment. Fits 48 bits (256 TiB of log).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// No record: offset 0 is a segment header, never a record.
    pub const NONE: Self = Self(0);

    /// The first position that does not fit 48 bits.
    pub const END: Self = Self(1 << 48);

    /// The position of byte `offset` in segment `segment`.
    pub fn at(segment: u32, offset: u64, segment_bytes: u64) -> Self {
        Self(u64::from(segment) * segment_bytes + offset)
    }

    /// Number of the segment that holds this position.
    pub fn segment(self, segment_bytes: u64) -> u32 {
        (self.0 / segment_bytes) as u32
    }

    /// Byte offset within that segment.
    pub fn offset(self, segment_bytes: u64) -> u64 {
        self.0 % segment_bytes
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}
