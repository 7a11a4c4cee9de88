//! A worker's batch under construction, and what comes back when it is durable.
//! Never allocates once its buffers have grown; never holds a secret longer than until it is cleared.
//! Guards: a record is one unit, its header and padding are always complete (`tests/roundtrip.rs`).

use zeroize::Zeroize;

use crate::format::{BATCH_HEADER_BYTES, FLAG_SECRET, RECORD_ALIGN, RECORD_HEADER_BYTES, extent};
use crate::seal::SECRET_MAX;
use crate::{Kind, Lsn};

/// Longest payload of one record, bytes.
pub const PAYLOAD_MAX: usize = u16::MAX as usize;

/// Records per frame: their ordinals share a word with the secret's length.
pub const RECORDS_MAX: u32 = 1 << 24;

/// Whose frame it is when the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// New business: refused when only the reserve is left.
    Normal,
    /// Something already owed (reversals, acknowledgements, outcomes): served from the reserve.
    Owed,
}

/// A worker's batch under construction. Owns its buffers and is recycled through [`Committed::into_frame`].
#[derive(Default)]
pub struct Frame {
    pub(crate) body: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
    secrets: Vec<u8>,
    table: Vec<u32>,
    stamp: u64,
}

/// What the worker wants to hear again about one record.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    token: u64,
    offset: u32,
    kind: Kind,
}

impl Frame {
    /// An empty frame; it grows to what its worker needs and keeps that.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one record of `kind` (not 0); `write` pushes the payload, at most [`PAYLOAD_MAX`] bytes.
    /// `token` comes back with the record's position once it is durable. A `secret` (1 to [`SECRET_MAX`] bytes)
    /// goes into the sealed part of the batch and is found again by the record's position.
    /// # Panics
    /// On kind 0, a payload or secret out of its range: mistakes of the caller, never of the wire.
    pub fn append(
        &mut self,
        kind: Kind,
        token: u64,
        secret: Option<&[u8]>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        assert!(kind != 0, "record kind 0 is reserved");
        assert!(self.records() < RECORDS_MAX, "a frame holds fewer than {RECORDS_MAX} records");
        let start = self.body.len();
        self.body.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
        write(&mut self.body);
        let length = self.body.len().checked_sub(start + RECORD_HEADER_BYTES).expect("payload only grows");
        let length = u16::try_from(length).expect("a payload has at most 65535 bytes");
        let flags = self.keep_secret(secret);
        self.body[start..start + 2].copy_from_slice(&length.to_le_bytes());
        self.body[start + 2] = kind;
        self.body[start + 3] = flags;
        self.body.resize(self.body.len().next_multiple_of(RECORD_ALIGN), 0);
        self.marks.push(Mark { token, offset: start as u32, kind });
    }

    fn keep_secret(&mut self, secret: Option<&[u8]>) -> u8 {
        let Some(secret) = secret else { return 0 };
        assert!((1..=SECRET_MAX).contains(&secret.len()), "a secret has 1 to {SECRET_MAX} bytes");
        self.table.push((self.records() << 8) | secret.len() as u32);
        self.secrets.extend_from_slice(secret);
        FLAG_SECRET
    }

    /// Whether nothing was appended since the last clear.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Records appended.
    pub fn records(&self) -> u32 {
        self.marks.len() as u32
    }

    /// Bytes of records so far, without batch header and sealed part.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Token and kind of each record, in the order of appending.
    pub fn tokens(&self) -> impl Iterator<Item = (u64, Kind)> + '_ {
        self.marks.iter().map(|mark| (mark.token, mark.kind))
    }

    /// Forgets the content, overwrites the secrets, keeps the buffers.
    pub fn clear(&mut self) {
        self.body.clear();
        self.marks.clear();
        self.table.clear();
        self.stamp = 0;
        self.secrets.as_mut_slice().zeroize();
        self.secrets.clear();
    }

    /// A number of the worker's own, such as when it submitted the frame: comes back with it and all its parts.
    pub fn stamp(&mut self, stamp: u64) {
        self.stamp = stamp;
    }

    /// The number last given; 0 before.
    pub fn stamped(&self) -> u64 {
        self.stamp
    }

    /// Bytes that the frame takes as a batch, where sealing adds `overhead`.
    pub(crate) fn extent(&self, overhead: usize) -> u64 {
        let clear = self.secret_bytes();
        extent(self.bytes(), if clear == 0 { 0 } else { clear + overhead })
    }

    /// Cuts the frame into frames that take at most `most` bytes as batches, in order, so that each is written and comes
    /// back by itself; `overhead` is what sealing adds. A record that is too long alone stays alone and too long.
    pub(crate) fn split(mut self, most: u64, overhead: usize) -> Vec<Self> {
        let cuts = self.cuts(most, overhead);
        let mut parts: Vec<Self> = cuts.into_iter().rev().map(|at| self.split_off(at)).collect();
        parts.push(self);
        parts.reverse();
        parts
    }

    /// Ordinals at which a new frame must begin.
    fn cuts(&self, most: u64, overhead: usize) -> Vec<usize> {
        let mut cuts = Vec::new();
        let (mut first, mut sealed, mut secrets) = (0, 0, self.table.iter().peekable());
        for ordinal in 0..self.marks.len() {
            let end = self.marks.get(ordinal + 1).map_or(self.body.len(), |next| next.offset as usize);
            let secret = secrets.next_if(|entry| (*entry >> 8) as usize == ordinal);
            let adds = secret.map_or(0, |entry| 4 + (entry & 0xff) as usize);
            let with = |sealed: usize| if sealed + adds == 0 { 0 } else { 4 + sealed + adds + overhead };
            let body = |first: usize| end - self.marks[first].offset as usize;
            if ordinal > first && extent(body(first), with(sealed)) > most {
                cuts.push(ordinal);
                (first, sealed) = (ordinal, 0);
            }
            sealed += adds;
        }
        cuts
    }

    /// Takes the records from ordinal `at` on.
    fn split_off(&mut self, at: usize) -> Self {
        let start = self.marks[at].offset;
        let body = self.body.split_off(start as usize);
        let mut marks = self.marks.split_off(at);
        marks.iter_mut().for_each(|mark| mark.offset -= start);
        let mut table = self.table.split_off(self.table.partition_point(|entry| (*entry >> 8) < at as u32));
        table.iter_mut().for_each(|entry| *entry -= (at as u32) << 8);
        let kept = self.table.iter().map(|entry| (entry & 0xff) as usize).sum();
        let secrets = self.secrets[kept..].to_vec();
        self.secrets[kept..].zeroize();
        self.secrets.truncate(kept);
        Self { body, marks, secrets, table, stamp: self.stamp }
    }

    /// Bytes of the clear text that is to be sealed; 0 if there are no secrets.
    pub(crate) fn secret_bytes(&self) -> usize {
        if self.table.is_empty() { 0 } else { 4 + 4 * self.table.len() + self.secrets.len() }
    }

    /// Writes table and secrets in the order of the format.
    pub(crate) fn write_secrets(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.table.len() as u32).to_le_bytes());
        for entry in &self.table {
            out.extend_from_slice(&entry.to_le_bytes());
        }
        out.extend_from_slice(&self.secrets);
    }

    /// Writes the low 32 bits of each record's sequence into its header.
    pub(crate) fn number(&mut self, first_record: u64) {
        for (ordinal, mark) in self.marks.iter().enumerate() {
            let sequence = first_record.wrapping_add(ordinal as u64) as u32;
            let at = mark.offset as usize + 4;
            self.body[at..at + 4].copy_from_slice(&sequence.to_le_bytes());
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.secrets.as_mut_slice().zeroize();
    }
}

/// A frame that is durable, with the positions its records got.
pub struct Committed {
    pub(crate) frame: Frame,
    pub(crate) batch_lsn: Lsn,
    pub(crate) first_record: u64,
}

impl Committed {
    /// Token, kind and position of each record, in the order of appending.
    pub fn tokens(&self) -> impl Iterator<Item = (u64, Kind, Lsn)> + '_ {
        let body = self.batch_lsn.0 + BATCH_HEADER_BYTES as u64;
        self.frame.marks.iter().map(move |mark| (mark.token, mark.kind, Lsn(body + u64::from(mark.offset))))
    }

    /// What the frame was stamped with.
    pub fn stamped(&self) -> u64 {
        self.frame.stamp
    }

    /// Sequence of the first record; the others follow without a gap.
    pub fn first_record(&self) -> u64 {
        self.first_record
    }

    /// The frame, cleared, to be filled again.
    pub fn into_frame(mut self) -> Frame {
        self.frame.clear();
        self.frame
    }
}

/// What became of a submitted frame.
pub enum Commit {
    /// Durable: answers may go out.
    Durable(Committed),
    /// No space, or a single record longer than a segment can hold: nothing of this frame was written; it comes back as it
    /// was.
    Full(Frame),
    /// A write, a sync or the sealing failed: the journal is dead, acknowledge nothing. The frame may be on the disk in
    /// part or whole; it comes back so that the worker knows whose records these were.
    Failed(Frame),
}
