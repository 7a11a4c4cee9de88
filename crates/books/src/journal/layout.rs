//! The layout of format version 1, as `crates/journal/FORMAT.md` tells it.
//! Never reads a file. Guards: nothing is taken from a header whose checksum does not hold.

use sha2::{Digest, Sha256};

pub(super) const VERSION: u16 = 1;
pub(super) const SEGMENT_HEADER: usize = 4096;
pub(super) const BATCH_HEADER: usize = 128;
pub(super) const SECTOR: u64 = 512;
pub(super) const BATCH_MAX: u64 = 4 * 1024 * 1024;
/// No write group under one sync is longer, nor is a torn tail.
pub(super) const GROUP_MAX: u64 = 16 * 1024 * 1024;
const SEGMENT_MAGIC: &[u8] = b"PMSEG\0\0\x01";
const BATCH_MAGIC: &[u8] = b"PMB1";
const HAS_SECRET: u8 = 0b0000_0001;

/// Little-endian numbers, read one behind the other.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }
    fn u16(&mut self) -> u16 {
        self.bytes(2).iter().rev().fold(0, |number, byte| number << 8 | u16::from(*byte))
    }
    fn u32(&mut self) -> u32 {
        self.bytes(4).iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
    }
    fn u64(&mut self) -> u64 {
        self.bytes(8).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
    fn hash(&mut self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.bytes(32));
        hash
    }
}

/// What must come next: numbers and the hash of the batch before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) batch: u64,
    pub(super) record: u64,
    pub(super) hash: [u8; 32],
}

/// Before the first batch of a journal.
pub(super) const START: Expected = Expected { batch: 1, record: 1, hash: [0; 32] };

/// A segment's header block.
#[derive(Clone, Debug)]
pub(super) struct SegmentHead {
    pub(super) node: u16,
    pub(super) epoch: u32,
    pub(super) number: u64,
    pub(super) segment_bytes: u64,
    pub(super) first: Expected,
}

/// Reads a header block, if magic, version and checksum are right.
pub(super) fn segment_head(block: &[u8]) -> Option<SegmentHead> {
    let (content, crc) = block.get(..SEGMENT_HEADER)?.split_at(SEGMENT_HEADER - 4);
    if Cursor(crc).u32() != crc32c::crc32c(content) {
        return None;
    }
    let mut cursor = Cursor(content);
    if cursor.bytes(8) != SEGMENT_MAGIC || cursor.u16() != VERSION {
        return None;
    }
    let (node, epoch, number, segment_bytes) = (cursor.u16(), cursor.u32(), cursor.u64(), cursor.u64());
    let first = Expected { batch: cursor.u64(), record: cursor.u64(), hash: cursor.hash() };
    Some(SegmentHead { node, epoch, number, segment_bytes, first })
}

/// A batch's header.
#[derive(Clone, Debug)]
pub(super) struct BatchHead {
    pub(super) node: u16,
    pub(super) epoch: u32,
    crc: u32,
    pub(super) records: u32,
    pub(super) batch: u64,
    pub(super) first_record: u64,
    pub(super) body: u32,
    pub(super) sealed: u32,
    pub(super) lsn: u64,
    pub(super) durable: u64,
    pub(super) previous: [u8; 32],
    pub(super) hash: [u8; 32],
}

/// Reads a batch header, if magic, version and its own checksum are right.
pub(super) fn batch_head(bytes: &[u8]) -> Option<BatchHead> {
    let bytes = bytes.get(..BATCH_HEADER)?;
    if &bytes[..4] != BATCH_MAGIC || Cursor(&bytes[4..]).u16() != VERSION {
        return None;
    }
    let stored = Cursor(&bytes[12..]).u32();
    if crc_of(&[&bytes[..12], &[0; 4], &bytes[16..]]) != stored {
        return None;
    }
    let mut cursor = Cursor(&bytes[6..]);
    let (node, epoch, _) = (cursor.u16(), cursor.u32(), cursor.u32());
    let (crc, records) = (cursor.u32(), cursor.u32());
    let (batch, first_record, body, sealed) = (cursor.u64(), cursor.u64(), cursor.u32(), cursor.u32());
    let (lsn, durable, previous, hash) = (cursor.u64(), cursor.u64(), cursor.hash(), cursor.hash());
    Some(BatchHead {
        node,
        epoch,
        crc,
        records,
        batch,
        first_record,
        body,
        sealed,
        lsn,
        durable,
        previous,
        hash,
    })
}

impl BatchHead {
    /// Bytes on disk, padding included.
    pub(super) fn extent(&self) -> u64 {
        (BATCH_HEADER as u64 + u64::from(self.body) + u64::from(self.sealed)).div_ceil(SECTOR) * SECTOR
    }

    /// What must follow this batch.
    pub(super) fn next(&self) -> Expected {
        Expected {
            batch: self.batch + 1,
            record: self.first_record + u64::from(self.records),
            hash: self.hash,
        }
    }

    /// What is wrong with the bytes of the whole batch, if anything.
    pub(super) fn flaw(&self, whole: &[u8]) -> Option<&'static str> {
        let used = BATCH_HEADER + self.body as usize + self.sealed as usize;
        let (content, padding) = whole.split_at_checked(used)?;
        let (head, rest) = content.split_at(BATCH_HEADER);
        if crc_of(&[&head[..12], &[0; 8], &head[20..], rest]) != self.crc {
            return Some("checksum of the batch");
        }
        let mut hash = Sha256::new();
        [&head[..12], &[0; 8], &head[20..96], rest].iter().for_each(|part| hash.update(part));
        if hash.finalize()[..] != self.hash {
            return Some("hash of the batch");
        }
        if padding.iter().any(|byte| *byte != 0) {
            return Some("padding of the batch");
        }
        self.records_flaw(&rest[..self.body as usize])
    }

    fn records_flaw(&self, body: &[u8]) -> Option<&'static str> {
        let mut number = self.first_record;
        let mut secrets = false;
        let mut rest = body;
        while !rest.is_empty() {
            let Some((record, behind)) = split_record(rest) else { return Some("length of a record") };
            if record.sequence != (number & 0xffff_ffff) as u32 {
                return Some("sequence of a record");
            }
            if record.kind == 0 || record.flags & !HAS_SECRET != 0 {
                return Some("kind or flags of a record");
            }
            secrets |= record.has_secret();
            number += 1;
            rest = behind;
        }
        if number != self.first_record + u64::from(self.records) {
            return Some("number of records");
        }
        (secrets != (self.sealed > 0)).then_some("sealed part and the records' flags")
    }
}

/// A record as it stands in a body.
pub(super) struct RawRecord<'a> {
    pub(super) kind: u8,
    flags: u8,
    sequence: u32,
    pub(super) payload: &'a [u8],
}

impl RawRecord<'_> {
    pub(super) fn has_secret(&self) -> bool {
        self.flags & HAS_SECRET != 0
    }
}

/// The first record of `bytes` and what is behind it; `None` if it does not fit or is not padded with zeros.
pub(super) fn split_record(bytes: &[u8]) -> Option<(RawRecord<'_>, &[u8])> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let mut cursor = Cursor(head);
    let length = usize::from(cursor.u16());
    let (kind, flags) = (cursor.bytes(1)[0], cursor.bytes(1)[0]);
    let (payload, rest) = rest.split_at_checked(length)?;
    let (padding, rest) = rest.split_at_checked((8 - length % 8) % 8)?;
    let is_padded = padding.iter().all(|byte| *byte == 0);
    is_padded.then_some((RawRecord { kind, flags, sequence: cursor.u32(), payload }, rest))
}

fn crc_of(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}
