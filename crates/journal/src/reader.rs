//! One record by its position, its secret included, and the positions of a key. For originals, not for the hot path.
//! Never shows what is not durable. Guards: a record is returned only from a batch whose checksum holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use crate::disk::{DiskFile, read_exact_at};
use crate::format::{
    BATCH_ALIGN, BATCH_BYTES_MAX, BATCH_HEADER_BYTES, BatchHeader, FLAG_SECRET, SEGMENT_HEADER_BYTES,
    records, u32_at,
};
use crate::index::{Find, KeyIndex};
use crate::place::Place;
use crate::seal::{SECRET_MAX, Seal, SealNonce, seal_aad};
use crate::walk::body_of;
use crate::{Fault, Kind, Lsn};

/// Segment files kept open; the oldest of them goes first.
const OPEN_MAX: usize = 64;
/// Bytes read at a time when looking for a batch's header.
const STRIDE: u64 = 64 << 10;

/// Reads records. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) place: Place,
    pub(crate) seal: Arc<dyn Seal>,
    pub(crate) durable: Arc<AtomicU64>,
    pub(crate) index: Arc<KeyIndex>,
    pub(crate) files: Mutex<BTreeMap<u32, Arc<dyn DiskFile>>>,
}

/// One record: kind, payload, and its secret if it has one.
pub type RecordView<'a> = (Kind, &'a [u8], Option<&'a [u8]>);

/// Buffers of a reader; the secret in it is overwritten when it is used again or dropped.
#[derive(Default)]
pub struct RecordBuf {
    batch: Vec<u8>,
    secrets: Vec<u8>,
    /// The batch that both hold, checked; a neighbour's record needs no second look at the disk.
    held: Option<BatchHeader>,
    /// Its secrets are open.
    opened: bool,
}

impl RecordBuf {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Drop for RecordBuf {
    fn drop(&mut self) {
        self.secrets.zeroize();
    }
}

impl Reader {
    /// The record at `lsn`: kind, payload and, if it has one, its secret.
    /// # Errors
    /// [`Fault::NoRecord`] if no durable record starts there, [`Fault::Io`] if the disk fails, [`Fault::Damaged`] if
    /// its batch is not what was written, [`Fault::Seal`] if the secret cannot be opened.
    pub fn read<'a>(&self, lsn: Lsn, buf: &'a mut RecordBuf) -> Result<RecordView<'a>, Fault> {
        if lsn.0 >= self.shared.durable.load(Ordering::Acquire) {
            return Err(Fault::NoRecord { lsn, reason: "behind the durable end" });
        }
        let covers = |header: &BatchHeader| {
            let start = header.lsn.0 + BATCH_HEADER_BYTES as u64;
            (start..start + u64::from(header.body)).contains(&lsn.0)
        };
        let header = match buf.held.take().filter(covers) {
            Some(header) => header,
            None => {
                buf.opened = false;
                self.shared.load_batch(lsn, &mut buf.batch)?
            }
        };
        buf.held = Some(header.clone());
        let body = &buf.batch[BATCH_HEADER_BYTES..BATCH_HEADER_BYTES + header.body as usize];
        let offset = (lsn.0 - header.lsn.0).checked_sub(BATCH_HEADER_BYTES as u64);
        let mut numbered = records(body).filter_map(Result::ok).zip(0_u32..);
        let found = numbered.find(|(record, _)| Some(u64::from(record.offset)) == offset);
        let Some((record, ordinal)) = found else {
            return Err(Fault::NoRecord { lsn, reason: "no record starts there" });
        };
        if record.flags & FLAG_SECRET == 0 {
            return Ok((record.kind, record.payload, None));
        }
        if !buf.opened {
            let sealed = &buf.batch[BATCH_HEADER_BYTES + header.body as usize..][..header.sealed as usize];
            self.shared.open_secrets(&header, sealed, &mut buf.secrets)?;
            buf.opened = true;
        }
        let secret = secret_of(&buf.secrets, ordinal)
            .ok_or(Fault::NoRecord { lsn, reason: "the sealed part has no secret for the record" })?;
        Ok((record.kind, record.payload, Some(secret)))
    }

    /// Which records have `key`, by the rule given in [`Options::key`](crate::Options::key).
    pub fn find(&self, key: u64) -> Find {
        self.shared.index.find(key)
    }

    /// Position behind the last durable record.
    pub fn durable_end(&self) -> Lsn {
        Lsn(self.shared.durable.load(Ordering::Acquire))
    }
}

impl Shared {
    /// Finds and reads the batch around `lsn`: the nearest valid header before it, on the sectors where batches start.
    fn load_batch(&self, lsn: Lsn, batch: &mut Vec<u8>) -> Result<BatchHeader, Fault> {
        let Place { segment_bytes, .. } = self.place;
        let (segment, offset) = (lsn.segment(segment_bytes), lsn.offset(segment_bytes));
        let file = self.file(segment)?;
        let [main, twin] = match file.copies() {
            None => return self.load_from(&*file, lsn, segment, offset, batch),
            Some(copies) => copies,
        };
        // Rot since the start: the other copy has it.
        self.load_from(&*main, lsn, segment, offset, batch)
            .or_else(|_| self.load_from(&*twin, lsn, segment, offset, batch))
    }

    fn load_from(
        &self,
        file: &dyn DiskFile,
        lsn: Lsn,
        segment: u32,
        offset: u64,
        batch: &mut Vec<u8>,
    ) -> Result<BatchHeader, Fault> {
        let Place { segment_bytes, .. } = self.place;
        let io = |error| Fault::io("read", &self.place.segment_path(segment), error);
        let header = self.find_header(file, segment, offset).map_err(io)?;
        let end = |header: &BatchHeader| header.lsn.0 + BATCH_HEADER_BYTES as u64 + u64::from(header.body);
        let Some(header) = header.filter(|header| lsn.0 < end(header)) else {
            return Err(Fault::NoRecord { lsn, reason: "no batch covers it" });
        };
        batch.resize(header.extent() as usize, 0);
        let at = header.lsn.offset(segment_bytes);
        read_exact_at(file, batch, at).map_err(io)?;
        if body_of(&header, batch).is_none() {
            let (batch, record) = (header.batch, header.first_record);
            let reason = "checksum of the batch".to_owned();
            return Err(Fault::Damaged { segment, offset: at, batch, record, reason });
        }
        Ok(header)
    }

    fn find_header(
        &self,
        file: &dyn DiskFile,
        segment: u32,
        offset: u64,
    ) -> std::io::Result<Option<BatchHeader>> {
        let lowest = offset.saturating_sub(BATCH_BYTES_MAX).max(SEGMENT_HEADER_BYTES);
        let mut end = (offset / BATCH_ALIGN + 1) * BATCH_ALIGN;
        let mut buf = vec![0; STRIDE as usize];
        while end > lowest {
            let start = end.saturating_sub(STRIDE).max(lowest / BATCH_ALIGN * BATCH_ALIGN);
            let chunk = &mut buf[..(end - start) as usize];
            read_exact_at(file, chunk, start)?;
            for (index, sector) in chunk.chunks(BATCH_ALIGN as usize).enumerate().rev() {
                let here = self.place.lsn(segment, start + index as u64 * BATCH_ALIGN);
                let header = BatchHeader::parse(&sector[..BATCH_HEADER_BYTES]);
                // A payload that looks like a header does not know its own position, node and checksum at once.
                let ours = header.filter(|header| header.lsn == here && header.node == self.place.node);
                if ours.as_ref().is_some_and(|header| header.extent() <= BATCH_BYTES_MAX) {
                    return Ok(ours);
                }
            }
            end = start;
        }
        Ok(None)
    }

    fn file(&self, segment: u32) -> Result<Arc<dyn DiskFile>, Fault> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&segment) {
            return Ok(file.clone());
        }
        let file = self.place.open_segment(segment)?;
        if files.len() >= OPEN_MAX {
            files.pop_first();
        }
        files.insert(segment, file.clone());
        Ok(file)
    }

    fn open_secrets(&self, header: &BatchHeader, sealed: &[u8], clear: &mut Vec<u8>) -> Result<(), Fault> {
        clear.zeroize();
        clear.extend_from_slice(sealed);
        let nonce = SealNonce { epoch: header.epoch, batch: header.batch };
        self.seal.open(nonce, &seal_aad(header.node, nonce), clear)?;
        Ok(())
    }
}

/// The secret of record `ordinal` in an opened sealed part.
fn secret_of(clear: &[u8], ordinal: u32) -> Option<&[u8]> {
    let count = u32_at(clear.get(..4)?, 0) as usize;
    let table = clear.get(4..4 + 4 * count)?;
    let mut start = 4 + 4 * count;
    for entry in table.chunks_exact(4).map(|entry| u32_at(entry, 0)) {
        let len = (entry & 0xff) as usize;
        if entry >> 8 == ordinal {
            return clear.get(start..start + len).filter(|secret| secret.len() <= SECRET_MAX);
        }
        start += len;
    }
    None
}
