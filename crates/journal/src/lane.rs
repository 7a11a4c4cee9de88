//! A worker's way to the committer and back: two queues and a bell, one push per batch.
//! Never blocks while the committer keeps up, never reorders frames. Guards: every submitted frame comes back exactly
//! once, also when the journal closes at the same moment.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use crossbeam_queue::{ArrayQueue, SegQueue};

use crate::frame::{Class, Commit, Frame};
use crate::handoff::Bell;

/// Frames of one lane that may wait for the committer; above this a worker waits for it.
pub const LANE_DEPTH: usize = 1024;

/// What a lane calls when frames have come back: once per group, from the committer's thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Both ends of one lane.
pub(crate) struct LaneQueues {
    submitted: ArrayQueue<(Frame, Class)>,
    done: SegQueue<Commit>,
    outstanding: AtomicUsize,
    wake: OnceLock<Wake>,
}

/// What all lanes share with the committer.
pub(crate) struct Lanes {
    pub(crate) queues: Box<[LaneQueues]>,
    pub(crate) bell: Bell,
    pub(crate) closing: AtomicBool,
    /// Longest batch, bytes on disk, and what sealing adds to one.
    batch_max: u64,
    seal_overhead: usize,
    gone: AtomicBool,
}

impl Lanes {
    pub(crate) fn new(count: usize, batch_max: u64, seal_overhead: usize) -> Self {
        let queue = |_| LaneQueues {
            submitted: ArrayQueue::new(LANE_DEPTH),
            done: SegQueue::new(),
            outstanding: AtomicUsize::new(0),
            wake: OnceLock::new(),
        };
        let queues = (0..count).map(queue).collect();
        Self {
            queues,
            bell: Bell::new(),
            closing: AtomicBool::new(false),
            batch_max,
            seal_overhead,
            gone: AtomicBool::new(false),
        }
    }

    /// Whether the committer has a reason to be awake.
    pub(crate) fn has_work(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.queues.iter().any(|lane| !lane.submitted.is_empty())
    }

    pub(crate) fn pop(&self, lane: usize) -> Option<(Frame, Class)> {
        self.queues[lane].submitted.pop()
    }

    pub(crate) fn hand_back(&self, lane: usize, commit: Commit) {
        self.queues[lane].done.push(commit);
    }

    pub(crate) fn wake(&self, lane: usize) {
        if let Some(wake) = self.queues[lane].wake.get() {
            wake();
        }
    }

    /// The committer has left: what is still submitted fails, here or in [`Lane::submit`].
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        (0..self.queues.len()).for_each(|lane| self.fail_submitted(lane));
    }

    fn fail_submitted(&self, lane: usize) {
        let mut failed = false;
        while let Some((frame, _)) = self.pop(lane) {
            self.hand_back(lane, Commit::Failed(frame));
            failed = true;
        }
        if failed {
            self.wake(lane);
        }
    }
}

/// One worker's end. Frames come back in the order of submission.
pub struct Lane {
    lanes: Arc<Lanes>,
    index: usize,
    committer: Thread,
}

impl Lane {
    pub(crate) fn new(lanes: Arc<Lanes>, index: usize, committer: Thread, wake: Wake) -> Self {
        let first = lanes.queues[index].wake.set(wake).is_ok();
        assert!(first, "lane {index} belongs to one worker");
        Self { lanes, index, committer }
    }

    /// Hands `frame` to the committer. An empty frame costs a commit like any other: do not submit one.
    ///
    /// A frame that is too long for one batch (4 MiB, less where segments are smaller) is cut between records, and its
    /// parts come back one by one.
    pub fn submit(&self, frame: Frame, class: Class) {
        let Lanes { batch_max, seal_overhead, .. } = *self.lanes;
        if frame.extent(seal_overhead) <= batch_max {
            return self.submit_one(frame, class);
        }
        for part in frame.split(batch_max, seal_overhead) {
            self.submit_one(part, class);
        }
    }

    fn submit_one(&self, frame: Frame, class: Class) {
        let queues = &self.lanes.queues[self.index];
        queues.outstanding.fetch_add(1, Ordering::Relaxed);
        let mut item = (frame, class);
        while let Err(back) = queues.submitted.push(item) {
            item = back;
            self.lanes.bell.ring(&self.committer);
            thread::yield_now();
        }
        self.lanes.bell.ring(&self.committer);
        // Pairs with `Lanes::leave`: after a push, or after leaving, one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.lanes.gone.load(Ordering::Acquire) {
            self.lanes.fail_submitted(self.index);
        }
    }

    /// The next frame that came back, if any.
    pub fn take(&self) -> Option<Commit> {
        let queues = &self.lanes.queues[self.index];
        let commit = queues.done.pop()?;
        queues.outstanding.fetch_sub(1, Ordering::Relaxed);
        Some(commit)
    }

    /// Frames submitted and not yet taken back. A worker that keeps filling one frame while two are out holds at most
    /// three and loses nothing: the committer takes whatever has arrived.
    pub fn in_flight(&self) -> usize {
        self.lanes.queues[self.index].outstanding.load(Ordering::Relaxed)
    }
}
