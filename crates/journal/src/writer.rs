//! Frames into batches, batches onto the disk: one vectored write and one sync per group.
//! Never spans segments with a batch, never retries. Guards: a sequence is spent only on a batch that is written;
//! `durable` in a header claims only what a finished sync covered.

use std::io::{self, IoSlice};
use std::sync::Arc;

use zeroize::Zeroize;

use crate::disk::DiskFile;
use crate::format::{
    BATCH_ALIGN, BATCH_HEADER_BYTES, BatchHeader, Chain, GROUP_BYTES_MAX, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::frame::{Committed, Frame};
use crate::options::SyncMode;
use crate::place::Place;
use crate::seal::{Seal, SealNonce, seal_aad};
use crate::{Fault, Lsn};

const PADDING: [u8; BATCH_ALIGN as usize] = [0; BATCH_ALIGN as usize];

/// The end of the log and what is staged behind it.
pub(crate) struct Writer {
    pub(crate) place: Place,
    pub(crate) chain: Chain,
    pub(crate) segment: u32,
    seal: Arc<dyn Seal>,
    sync: SyncMode,
    epoch: u32,
    file: Arc<dyn DiskFile>,
    /// Where the next batch goes; 0 while the segment has no header yet.
    offset: u64,
    staged_from: u64,
    staged: Vec<Staged>,
    durable: u64,
    unsynced: u64,
    spare: Vec<Vec<u8>>,
}

struct Staged {
    lane: usize,
    frame: Frame,
    header: [u8; BATCH_HEADER_BYTES],
    sealed: Vec<u8>,
    lsn: Lsn,
    first_record: u64,
}

/// Where a writer takes up its work.
pub(crate) struct Tail {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    /// Bytes of the file that are batches or zeros.
    pub(crate) ground: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) chain: Chain,
}

impl Writer {
    /// A writer behind `tail`, whose chain is durable and carries the current epoch.
    pub(crate) fn new(place: Place, seal: Arc<dyn Seal>, sync: SyncMode, tail: Tail) -> Self {
        let Tail { segment, offset, file, chain, .. } = tail;
        let (staged, spare) = (Vec::new(), Vec::new());
        let (epoch, durable) = (chain.epoch, chain.batch);
        let staged_from = offset;
        Self {
            place,
            chain,
            segment,
            seal,
            sync,
            epoch,
            file,
            offset,
            staged_from,
            staged,
            durable,
            unsynced: 0,
            spare,
        }
    }

    /// Position behind the last staged batch.
    pub(crate) fn tail(&self) -> Lsn {
        self.place.lsn(self.segment, self.offset)
    }

    /// Bytes that `frame` takes as a batch.
    pub(crate) fn extent_of(&self, frame: &Frame) -> u64 {
        frame.extent(self.seal.overhead())
    }

    /// Bytes left for batches in this segment.
    pub(crate) fn room(&self) -> u64 {
        self.place.segment_bytes - self.offset.max(SEGMENT_HEADER_BYTES)
    }

    /// Offset in the segment behind a batch of `bytes`, if it were staged next.
    pub(crate) fn end_with(&self, bytes: u64) -> u64 {
        self.offset.max(SEGMENT_HEADER_BYTES) + bytes
    }

    /// Bytes of this segment that are used.
    pub(crate) fn filled(&self) -> u64 {
        self.offset
    }

    /// Bytes staged for the next flush.
    pub(crate) fn staged_bytes(&self) -> u64 {
        self.offset - self.staged_from
    }

    /// Moves to the next segment; everything staged must have been flushed.
    /// # Errors
    /// If the last sync of the old segment fails.
    pub(crate) fn switch(&mut self, file: Arc<dyn DiskFile>) -> io::Result<()> {
        assert!(self.staged.is_empty(), "a group never spans segments");
        self.sync_now()?;
        (self.segment, self.file) = (self.segment + 1, file);
        (self.offset, self.staged_from) = (0, 0);
        Ok(())
    }

    /// Turns `frame` and its `sealed` part (from [`Writer::seal`]) into the next batch. The caller made sure it fits.
    pub(crate) fn stage(&mut self, lane: usize, mut frame: Frame, sealed: Vec<u8>) {
        let lsn = self.place.lsn(self.segment, self.offset.max(SEGMENT_HEADER_BYTES));
        frame.number(self.chain.record);
        let mut header = BatchHeader {
            node: self.place.node,
            epoch: self.epoch,
            records: frame.records(),
            batch: self.chain.batch,
            first_record: self.chain.record,
            body: frame.bytes() as u32,
            sealed: sealed.len() as u32,
            lsn,
            durable: self.durable,
            previous: self.chain.hash,
            hash: [0; 32],
            crc: 0,
        };
        let bytes = header.finish(&frame.body, &sealed);
        self.offset = lsn.offset(self.place.segment_bytes) + header.extent();
        self.chain.follow(&header);
        self.staged.push(Staged {
            lane,
            frame,
            header: bytes,
            sealed,
            lsn,
            first_record: header.first_record,
        });
    }

    /// Seals the secrets of `frame` for the next batch.
    /// # Errors
    /// [`Fault::Seal`]; no sequence is spent.
    pub(crate) fn seal(&mut self, frame: &Frame) -> Result<Vec<u8>, Fault> {
        let clear = frame.secret_bytes();
        if clear == 0 {
            return Ok(Vec::new());
        }
        let mut buf = self.spare.pop().unwrap_or_default();
        buf.clear();
        // Room for the tag from the start: growing later would leave a copy of the clear text behind.
        buf.reserve(clear + self.seal.overhead());
        frame.write_secrets(&mut buf);
        let nonce = SealNonce { epoch: self.epoch, batch: self.chain.batch };
        if let Err(fault) = self.seal.seal(nonce, &seal_aad(self.place.node, nonce), &mut buf) {
            buf.zeroize();
            return Err(fault);
        }
        assert_eq!(buf.len(), clear + self.seal.overhead(), "a seal adds exactly its overhead");
        Ok(buf)
    }

    /// Writes everything staged and, in durable mode, syncs it.
    /// # Errors
    /// Nothing of the group may be acknowledged, and nothing may be written afterwards.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let opening = (self.staged_from == 0).then(|| self.segment_header());
        let mut parts = Vec::with_capacity(1 + 4 * self.staged.len());
        parts.extend(opening.as_deref().map(IoSlice::new));
        for batch in &self.staged {
            let bytes = BATCH_HEADER_BYTES + batch.frame.bytes() + batch.sealed.len();
            let padding = &PADDING[..bytes.next_multiple_of(BATCH_ALIGN as usize) - bytes];
            let all = [&batch.header[..], &batch.frame.body, &batch.sealed, padding];
            parts.extend(all.into_iter().filter(|part| !part.is_empty()).map(IoSlice::new));
        }
        self.file.write_at(&mut parts, self.staged_from)?;
        self.unsynced += self.staged_bytes();
        self.staged_from = self.offset;
        match self.sync {
            #[cfg(pointsman_zoo)]
            SyncMode::Durable if zoo::has(zoo::Bug::AckBeforeSync) => Ok(()),
            SyncMode::Durable => self.sync_now(),
            // A torn tail is never longer than a group, also where syncs are rare.
            SyncMode::Relaxed if self.unsynced > GROUP_BYTES_MAX / 2 => self.sync_now(),
            SyncMode::Relaxed => Ok(()),
        }
    }

    fn segment_header(&self) -> Vec<u8> {
        let first = self.staged.first().expect("a segment is opened by a batch");
        let header = BatchHeader::parse(&first.header).expect("a header just rendered");
        let chain = Chain {
            batch: header.batch,
            record: header.first_record,
            hash: header.previous,
            epoch: self.epoch,
        };
        let Place { node, segment_bytes, .. } = self.place;
        SegmentHeader { node, epoch: self.epoch, segment: self.segment, segment_bytes, chain }.render()
    }

    /// Syncs what was written. A failure is final.
    pub(crate) fn sync_now(&mut self) -> io::Result<()> {
        if self.unsynced > 0 {
            #[cfg(pointsman_zoo)]
            if zoo::has(zoo::Bug::RetryFailedSync) {
                let _ = self.file.sync_data();
            }
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        if self.staged.is_empty() || self.staged_from == self.offset {
            self.durable = self.chain.batch;
        }
        Ok(())
    }

    /// The batches of the last flush, to be handed back.
    pub(crate) fn flushed(&mut self) -> impl Iterator<Item = (usize, Committed)> + '_ {
        let spare = &mut self.spare;
        self.staged.drain(..).map(move |batch| {
            if batch.sealed.capacity() > 0 {
                spare.push(batch.sealed);
            }
            (
                batch.lane,
                Committed { frame: batch.frame, batch_lsn: batch.lsn, first_record: batch.first_record },
            )
        })
    }
}
