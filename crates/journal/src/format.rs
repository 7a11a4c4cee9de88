//! The bytes on disk: segment header, batch header, record header. `FORMAT.md` is the description.
//! Never allocates, never reads a file. Guards: a length is believed only under a correct checksum.

use sha2::{Digest, Sha256};

use crate::Lsn;

/// Version of this layout; another version is refused, never guessed at.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes of the block that opens each segment.
pub const SEGMENT_HEADER_BYTES: u64 = 4096;
/// Bytes of the header of each batch.
pub const BATCH_HEADER_BYTES: usize = 128;
/// Bytes of the header of each record.
pub const RECORD_HEADER_BYTES: usize = 8;
/// Records start at a multiple of this.
pub const RECORD_ALIGN: usize = 8;
/// Batches start at a multiple of this: a disk sector, so that no later write touches an acknowledged batch's sector.
pub const BATCH_ALIGN: u64 = 512;
/// Largest batch on disk, header and padding included.
pub const BATCH_BYTES_MAX: u64 = 4 << 20;
/// Most bytes written under one sync; a torn tail is never longer.
pub const GROUP_BYTES_MAX: u64 = 16 << 20;
/// Record flag: the sealed part holds a secret of this record.
pub const FLAG_SECRET: u8 = 1;

const _: () = assert!(BATCH_BYTES_MAX <= GROUP_BYTES_MAX, "a group must be able to hold any batch");
const _: () =
    assert!(SEGMENT_HEADER_BYTES.is_multiple_of(BATCH_ALIGN), "batches start behind the header, aligned");
const _: () =
    assert!(BATCH_HEADER_BYTES.is_multiple_of(RECORD_ALIGN), "records start behind the header, aligned");

const BATCH_MAGIC: u32 = u32::from_le_bytes(*b"PMB1");
const SEGMENT_MAGIC: [u8; 8] = *b"PMSEG\0\0\x01";
const SEGMENT_CRC_AT: usize = SEGMENT_HEADER_BYTES as usize - 4;

/// The chain so far: what the next batch must continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Sequence of the next batch, from 1.
    pub batch: u64,
    /// Sequence of the next record, from 1.
    pub record: u64,
    /// SHA-256 of the last batch; zeros before the first.
    pub hash: [u8; 32],
    /// Highest epoch seen.
    pub epoch: u32,
}

impl Chain {
    /// Before the first batch.
    pub const GENESIS: Self = Self { batch: 1, record: 1, hash: [0; 32], epoch: 0 };

    /// Moves on behind `header`.
    pub fn follow(&mut self, header: &BatchHeader) {
        self.batch = header.batch + 1;
        self.record = header.first_record + u64::from(header.records);
        self.hash = header.hash;
        self.epoch = self.epoch.max(header.epoch);
    }
}

/// The header of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Node that wrote it.
    pub node: u16,
    /// Epoch of the writing process.
    pub epoch: u32,
    /// Number of records.
    pub records: u32,
    /// Sequence of the batch.
    pub batch: u64,
    /// Sequence of its first record.
    pub first_record: u64,
    /// Bytes of records.
    pub body: u32,
    /// Bytes of the sealed part, 0 if there is none.
    pub sealed: u32,
    /// Position of this header.
    pub lsn: Lsn,
    /// Every batch with a lower sequence was durable when this one was written.
    pub durable: u64,
    /// SHA-256 of the batch before.
    pub previous: [u8; 32],
    /// SHA-256 of this batch.
    pub hash: [u8; 32],
    /// CRC32C of the whole batch.
    pub crc: u32,
}

impl BatchHeader {
    /// Bytes from the header to the next batch, padding included.
    pub fn extent(&self) -> u64 {
        extent(self.body as usize, self.sealed as usize)
    }

    /// Computes hash and checksums over `body` and `sealed`, and renders the header.
    pub fn finish(&mut self, body: &[u8], sealed: &[u8]) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = self.render();
        self.hash = Sha256::new()
            .chain_update(&bytes[..96])
            .chain_update(body)
            .chain_update(sealed)
            .finalize()
            .into();
        bytes[96..128].copy_from_slice(&self.hash);
        self.crc = checksum(&bytes, body, sealed);
        bytes[16..20].copy_from_slice(&self.crc.to_le_bytes());
        let header_crc = crc32c::crc32c(&bytes);
        bytes[12..16].copy_from_slice(&header_crc.to_le_bytes());
        bytes
    }

    fn render(&self) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&BATCH_MAGIC.to_le_bytes());
        bytes[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.node.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.records.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.batch.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_record.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.body.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.sealed.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.lsn.0.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.durable.to_le_bytes());
        bytes[64..96].copy_from_slice(&self.previous);
        bytes
    }

    /// Reads a header whose own checksum, magic and version are right; nothing else is checked.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BATCH_HEADER_BYTES] = bytes.try_into().ok()?;
        if u32_at(bytes, 0) != BATCH_MAGIC || u16_at(bytes, 4) != FORMAT_VERSION {
            return None;
        }
        let mut zeroed = *bytes;
        zeroed[12..16].fill(0);
        if crc32c::crc32c(&zeroed) != u32_at(bytes, 12) {
            return None;
        }
        Some(Self {
            node: u16_at(bytes, 6),
            epoch: u32_at(bytes, 8),
            crc: u32_at(bytes, 16),
            records: u32_at(bytes, 20),
            batch: u64_at(bytes, 24),
            first_record: u64_at(bytes, 32),
            body: u32_at(bytes, 40),
            sealed: u32_at(bytes, 44),
            lsn: Lsn(u64_at(bytes, 48)),
            durable: u64_at(bytes, 56),
            previous: hash_at(bytes, 64),
            hash: hash_at(bytes, 96),
        })
    }

    /// Whether `body` and `sealed` are what this header was written for.
    pub fn covers(&self, body: &[u8], sealed: &[u8]) -> bool {
        let mut bytes = self.render();
        bytes[96..128].copy_from_slice(&self.hash);
        checksum(&bytes, body, sealed) == self.crc
    }
}

/// The block that opens a segment. It is written together with the segment's first batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Node that wrote it.
    pub node: u16,
    /// Epoch at the time of writing.
    pub epoch: u32,
    /// Number of the segment.
    pub segment: u32,
    /// Size of every segment of this journal.
    pub segment_bytes: u64,
    /// What the first batch continues.
    pub chain: Chain,
}

impl SegmentHeader {
    /// Renders the whole block.
    pub fn render(&self) -> Vec<u8> {
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES as usize];
        bytes[0..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.node.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..24].copy_from_slice(&u64::from(self.segment).to_le_bytes());
        bytes[24..32].copy_from_slice(&self.segment_bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.chain.batch.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.chain.record.to_le_bytes());
        bytes[48..80].copy_from_slice(&self.chain.hash);
        let crc = crc32c::crc32c(&bytes[..SEGMENT_CRC_AT]);
        bytes[SEGMENT_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a block whose checksum, magic and version are right.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.len() == SEGMENT_HEADER_BYTES as usize && bytes[0..8] == SEGMENT_MAGIC;
        if !whole
            || u16_at(bytes, 8) != FORMAT_VERSION
            || crc32c::crc32c(&bytes[..SEGMENT_CRC_AT]) != u32_at(bytes, SEGMENT_CRC_AT)
        {
            return None;
        }
        let epoch = u32_at(bytes, 12);
        Some(Self {
            node: u16_at(bytes, 10),
            epoch,
            segment: u32::try_from(u64_at(bytes, 16)).ok()?,
            segment_bytes: u64_at(bytes, 24),
            chain: Chain {
                batch: u64_at(bytes, 32),
                record: u64_at(bytes, 40),
                hash: hash_at(bytes, 48),
                epoch,
            },
        })
    }
}

/// Bytes a batch takes on disk, header and padding included.
pub fn extent(body: usize, sealed: usize) -> u64 {
    ((BATCH_HEADER_BYTES + body + sealed) as u64).next_multiple_of(BATCH_ALIGN)
}

/// One record as it stands in a batch's body.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Offset of the record's header in the body.
    pub offset: u32,
    /// The caller's kind, never 0.
    pub kind: u8,
    /// Flags, see [`FLAG_SECRET`].
    pub flags: u8,
    /// Low 32 bits of the record's sequence.
    pub sequence: u32,
    /// The payload.
    pub payload: &'a [u8],
}

/// Walks the records of a batch's body. A record that does not fit ends the walk with `Err(offset)`.
pub fn records(body: &[u8]) -> impl Iterator<Item = Result<RawRecord<'_>, u32>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let start = at;
        let record = record_at(body, start);
        let end = record.map_or(body.len(), |record| start + RECORD_HEADER_BYTES + record.payload.len());
        at = end.next_multiple_of(RECORD_ALIGN);
        Some(record.ok_or(start as u32))
    })
}

fn record_at(body: &[u8], at: usize) -> Option<RawRecord<'_>> {
    let header = body.get(at..at + RECORD_HEADER_BYTES)?;
    let start = at + RECORD_HEADER_BYTES;
    let payload = body.get(start..start + usize::from(u16_at(header, 0)))?;
    let record = RawRecord {
        offset: at as u32,
        kind: header[2],
        flags: header[3],
        sequence: u32_at(header, 4),
        payload,
    };
    (record.kind != 0).then_some(record)
}

fn checksum(header: &[u8; BATCH_HEADER_BYTES], body: &[u8], sealed: &[u8]) -> u32 {
    let crc = crc32c::crc32c(header);
    crc32c::crc32c_append(crc32c::crc32c_append(crc, body), sealed)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn hash_at(bytes: &[u8], at: usize) -> [u8; 32] {
    bytes[at..at + 32].try_into().expect("thirty-two bytes")
}
