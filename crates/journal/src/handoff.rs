//! How a worker wakes the committer: at most one system call per batch, none while the committer is busy.
//! Never holds data: the queues do; this only answers "may the other side sleep?".
//! Guards: no wake-up is lost, in any interleaving (`tests/loom_handoff.rs`).

use crate::sync::{AtomicBool, Ordering, Thread, fence, park};

/// The committer's door bell.
///
/// Sleeper: announce, *then* look, then sleep. Ringer: put the work down, *then* look for the announcement.
/// Each side writes one word and reads the other's, with a full fence in between, so at least one of them sees the
/// other (store buffering, the one pattern where acquire and release are not enough).
pub struct Bell {
    asleep: AtomicBool,
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl Bell {
    /// A bell nobody sleeps beside.
    pub fn new() -> Self {
        Self { asleep: AtomicBool::new(false) }
    }

    /// Sleeps until `has_work`. Called by the one sleeper only; spurious wake-ups are absorbed.
    pub fn rest_until(&self, mut has_work: impl FnMut() -> bool) {
        loop {
            self.asleep.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if has_work() {
                // A ringer may have swapped already; its unpark then makes one later `park` return at once.
                self.asleep.store(false, Ordering::Relaxed);
                return;
            }
            park();
        }
    }

    /// Wakes `sleeper` if it sleeps or is about to. Call after the work is where `has_work` looks.
    pub fn ring(&self, sleeper: &Thread) {
        fence(Ordering::SeqCst);
        // Look first: while the committer is busy this is a read of a shared cache line, not a write. The exchange
        // writes only what it found: one ringer of many unparks, the others leave the word alone.
        let announced = self.asleep.load(Ordering::Relaxed);
        if announced && self.asleep.compare_exchange(true, false, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            sleeper.unpark();
        }
    }
}
