//! The one thread that writes: drain all lanes, one vectored write, one sync, hand back, again.
//! Never waits on a timer: a group is whatever arrived while the previous sync ran.
//! Guards: nothing is handed back as durable before its sync; after a failure nothing ever is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::Lsn;
use crate::format::{BATCH_BYTES_MAX, GROUP_BYTES_MAX, SEGMENT_HEADER_BYTES};
use crate::frame::{Class, Commit, Frame};
use crate::index::KeyIndex;
use crate::keeper::Job;
use crate::lane::Lanes;
use crate::prepare::{Next, Preparer};
use crate::stats::Stats;
use crate::writer::Writer;

/// The committer's tools.
pub(crate) struct Committer {
    pub(crate) writer: Writer,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) preparer: Arc<Preparer>,
    pub(crate) jobs: Sender<Job>,
    pub(crate) index: Arc<KeyIndex>,
    pub(crate) stats: Arc<Stats>,
    /// End of what readers may see.
    pub(crate) durable: Arc<AtomicU64>,
    pub(crate) reserve_bytes: u64,
    /// Where the next checkpoint is due.
    pub(crate) checkpoint_due: Arc<AtomicU64>,
    /// The segment before this one still has to be told closed, once this one is durably open.
    pub(crate) closed: Option<u32>,
    pub(crate) touched: Vec<bool>,
    pub(crate) asked: bool,
}

/// Where a frame can go.
enum Space {
    Here,
    NextSegment,
    Nowhere,
}

impl Committer {
    /// The thread's life; gives the writer back when the journal closes.
    pub(crate) fn run(mut self) -> Writer {
        loop {
            if self.commit_arrived() {
                continue;
            }
            if self.lanes.closing.load(Ordering::Acquire) {
                self.lanes.leave();
                return self.writer;
            }
            self.lanes.bell.rest_until(|| self.lanes.has_work());
        }
    }

    /// Commits what has arrived; false if nothing had.
    pub(crate) fn commit_arrived(&mut self) -> bool {
        let mut any = false;
        self.asked = false;
        for lane in 0..self.lanes.queues.len() {
            while let Some((frame, class)) = self.lanes.pop(lane) {
                any = true;
                self.take(lane, frame, class);
            }
        }
        self.flush();
        any
    }

    fn take(&mut self, lane: usize, frame: Frame, class: Class) {
        let bytes = self.writer.extent_of(&frame);
        if self.writer.staged_bytes() + bytes > GROUP_BYTES_MAX / 2 {
            self.flush();
        }
        if self.stats.is_failed() {
            return self.give(lane, Commit::Failed(frame));
        }
        match self.space(bytes, class) {
            Space::Here if self.has_ground(bytes) => self.stage(lane, frame),
            Space::Here => self.refuse(lane, frame),
            Space::NextSegment => {
                self.open_next();
                self.stage(lane, frame);
            }
            Space::Nowhere => self.refuse(lane, frame),
        }
    }

    /// The last bytes of the last segment are for what is owed, until the next segment is there.
    fn space(&mut self, bytes: u64, class: Class) -> Space {
        let room = self.writer.room();
        let whole = self.writer.place.segment_bytes - SEGMENT_HEADER_BYTES;
        if bytes > BATCH_BYTES_MAX.min(whole) {
            return Space::Nowhere;
        }
        let kept = if class == Class::Owed { 0 } else { self.reserve_bytes };
        if bytes + kept <= room {
            return Space::Here;
        }
        match self.next_segment() {
            Some(()) if bytes <= room => Space::Here,
            Some(()) => Space::NextSegment,
            None => Space::Nowhere,
        }
    }

    fn next_segment(&mut self) -> Option<()> {
        if !self.writer.place.is_addressable(self.writer.segment + 1) {
            return None;
        }
        let again = self.asks_again();
        let next = self.preparer.next(again);
        self.found(next).map(drop)
    }

    /// Whether the open segment is zeros as far as a batch of `bytes` would reach: it is, but for the first segment of a
    /// new journal.
    fn has_ground(&mut self, bytes: u64) -> bool {
        let until = self.writer.end_with(bytes);
        if self.preparer.is_ground(until) {
            return true;
        }
        let again = self.asks_again();
        let ground = self.preparer.ground(until, again);
        self.found(ground).is_some()
    }

    /// Once per group: asking again costs one look at the file system.
    fn asks_again(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    fn found<T>(&mut self, next: Next<T>) -> Option<T> {
        match next {
            Next::Ready(found) => Some(found),
            Next::NoSpace => None,
            Next::Broken => {
                self.fail();
                None
            }
        }
    }

    fn open_next(&mut self) {
        self.flush();
        let Next::Ready(file) = self.preparer.next(false) else { return self.fail() };
        if self.stats.is_failed() {
            return;
        }
        self.closed = Some(self.writer.segment);
        if self.writer.switch(file).is_err() {
            return self.fail();
        }
        self.index.begin(self.writer.segment, true);
        self.stats.segments.fetch_add(1, Ordering::Relaxed);
        self.preparer.want(self.writer.segment + 1);
    }

    fn stage(&mut self, lane: usize, frame: Frame) {
        if self.stats.is_failed() {
            return self.give(lane, Commit::Failed(frame));
        }
        self.stats.batch_records.record(u64::from(frame.records()));
        match self.writer.seal(&frame) {
            Ok(sealed) => self.writer.stage(lane, frame, sealed),
            Err(_) => {
                // A PAN that cannot be sealed cannot be journaled, and what was staged before it is not synced yet.
                self.fail();
                self.give(lane, Commit::Failed(frame));
            }
        }
    }

    fn refuse(&mut self, lane: usize, frame: Frame) {
        if self.stats.is_failed() {
            return self.give(lane, Commit::Failed(frame));
        }
        self.stats.set_full(true);
        self.stats.refused_full.fetch_add(1, Ordering::Relaxed);
        // Frames of one lane come back in their order, so those staged before go first.
        self.flush();
        self.give(lane, Commit::Full(frame));
    }

    /// Writes and syncs what is staged, and hands it back.
    fn flush(&mut self) {
        let started = Instant::now();
        let bytes = self.writer.staged_bytes();
        let failed = self.stats.is_failed() || self.writer.flush().is_err();
        if failed {
            self.stats.set_failed();
        }
        self.hand_back(bytes, started, failed);
        self.wake_touched();
    }

    fn hand_back(&mut self, bytes: u64, started: Instant, failed: bool) {
        let (segment, tail) = (self.writer.segment, self.writer.tail());
        let (mut batches, mut records, mut untidy) = (0, 0, false);
        let took = started.elapsed();
        if !failed {
            self.durable.store(tail.0, Ordering::Release);
        }
        for (lane, committed) in self.writer.flushed() {
            self.touched[lane] = true;
            if failed {
                self.lanes.hand_back(lane, Commit::Failed(committed.frame));
                continue;
            }
            batches += 1;
            records += u64::from(committed.frame.records());
            untidy |= self.index.add(segment, committed.batch_lsn, &committed.frame.body);
            self.lanes.hand_back(lane, Commit::Durable(committed));
        }
        if batches > 0 {
            self.stats.count_group(batches, records, bytes, took);
            self.preparer.filled(self.writer.filled());
            self.tell_keeper(segment, untidy, tail);
        }
    }

    fn tell_keeper(&mut self, segment: u32, untidy: bool, tail: Lsn) {
        let sort = untidy.then_some(Job::Sort(segment));
        let closed = self.closed.take().map(Job::Closed);
        // The end of a full segment is the start of one that is not open yet.
        let is_inside = tail.offset(self.writer.place.segment_bytes) > 0;
        let is_due = is_inside && tail.0 >= self.checkpoint_due.load(Ordering::Relaxed);
        let checkpoint = is_due.then_some(Job::Checkpoint(tail));
        if is_due {
            // The keeper says when the next one is due.
            self.checkpoint_due.store(u64::MAX, Ordering::Relaxed);
        }
        // The keeper outlives the committer, so sending cannot fail.
        for job in [sort, closed, checkpoint].into_iter().flatten() {
            let _ = self.jobs.send(job);
        }
    }

    fn fail(&mut self) {
        self.stats.set_failed();
        self.flush();
    }

    fn give(&mut self, lane: usize, commit: Commit) {
        self.lanes.hand_back(lane, commit);
        self.touched[lane] = true;
    }

    fn wake_touched(&mut self) {
        for (lane, touched) in self.touched.iter_mut().enumerate() {
            if std::mem::take(touched) {
                self.lanes.wake(lane);
            }
        }
    }
}
