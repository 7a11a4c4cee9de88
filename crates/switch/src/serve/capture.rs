//! Messages on their way to the archive's ring: of declines, and of a sample of approvals.
//!
//! Never blocks a worker, never hands on a secret: every field is masked here, before it leaves the worker. Guards: so many a
//! second and so many waiting, the rest is counted; what is not captured costs a comparison and no allocation.

use super::effects::AtHand;
use super::worker::Worker;
use crate::config::MessagesConfig;
use archive::Captured;
use crossbeam_queue::ArrayQueue;
use engine::TxnId;
use engine::record::Serial;
use iso8583::{Dialect, View};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use terms::{Now, Tick};

/// Between workers and the archiving thread.
pub struct Captures {
    queue: ArrayQueue<Captured>,
    dropped: AtomicU64,
}

impl Captures {
    /// Empty.
    pub fn new() -> Self {
        Self { queue: ArrayQueue::new(WAITING), dropped: AtomicU64::new(0) }
    }

    /// What waits, the oldest first.
    pub fn take(&self) -> Vec<Captured> {
        std::iter::from_fn(|| self.queue.pop()).take(WAITING).collect()
    }

    /// How many were to be kept and were not.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// One worker's end of it.
pub struct Capture {
    to: Arc<Captures>,
    /// One approval in so many; 0: none.
    sample: u32,
    approvals: u32,
    /// So many a second.
    rate: u32,
    left: u32,
    since: Tick,
}

impl Capture {
    /// With its share of the rate.
    pub fn new(to: &Arc<Captures>, settings: &MessagesConfig, workers: usize) -> Self {
        let rate = settings.per_second.div_ceil(workers as u32);
        Self { to: Arc::clone(to), sample: settings.sample, approvals: 0, rate, left: rate, since: Tick(0) }
    }

    /// Whether a reply that approves, or does not, is one to keep; one that is over the rate is counted.
    pub fn wants(&mut self, approves: bool, now: Tick) -> bool {
        if approves {
            self.approvals = self.approvals.wrapping_add(1);
            if self.sample == 0 || !self.approvals.is_multiple_of(self.sample) {
                return false;
            }
        }
        if now.since(self.since) >= SECOND_US {
            (self.since, self.left) = (now, self.rate);
        }
        if self.left == 0 || self.to.queue.is_full() {
            self.to.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.left -= 1;
        true
    }

    /// Hands it on.
    pub fn keep(&self, captured: Captured) {
        if self.to.queue.push(captured).is_err() {
            self.to.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Worker {
    /// Keeps what was said about a transaction, if it is one to keep; the reply is in `self.body`.
    pub(super) fn capture_kept(&mut self, txn: TxnId, approves: bool) {
        let Some(capture) = &mut self.capture else { return };
        if !capture.wants(approves, self.now.tick) {
            return;
        }
        let Some((wire, transaction)) = self.wires.get(txn).zip(self.engine.transaction(txn)) else { return };
        let config = &self.shared.config;
        let ours = &config.listeners[wire.listener.at()].dialect;
        let theirs = config.issuers.get(transaction.issuer.at()).filter(|_| !wire.answer.is_empty());
        capture.keep(Captured {
            serial: (transaction.serial != Serial::NONE).then_some(transaction.serial.0),
            terminal: transaction.request.terminal.as_str().to_owned(),
            stan: transaction.request.stan.get(),
            received: wall(&self.now, wire.received),
            forwarded: (wire.forwarded.0 != 0).then(|| wall(&self.now, wire.forwarded)),
            replied: self.now.wall_ms,
            request: masked(ours, &wire.request),
            answer: theirs.map(|issuer| masked(&issuer.dialect, &wire.answer)),
            reply: masked(ours, &self.body),
        });
    }

    /// Keeps a request that was refused at once, if it is one to keep; `self.index` is the request's.
    pub(super) fn capture_at_hand(&mut self, message: &AtHand<'_>, approves: bool) {
        let Some(capture) = &mut self.capture else { return };
        // Sign-ins, echoes and reversals that were answered: nothing to explain, and no sample.
        if approves || !capture.wants(false, self.now.tick) {
            return;
        }
        let dialect = &self.shared.config.listeners[message.origin.listener.at()].dialect;
        let view = View::new(dialect, message.body, &self.index);
        capture.keep(Captured {
            terminal: view.text::<16>(41).map_or(String::new(), |terminal| terminal.as_str().to_owned()),
            stan: view.number(11).unwrap_or(0) as u32,
            received: self.now.wall_ms,
            replied: self.now.wall_ms,
            request: masked(dialect, message.body),
            reply: masked(dialect, &self.body),
            ..Captured::default()
        });
    }
}

/// When something happened that was noted by the monotonic clock, ms since 1970.
pub fn wall(now: &Now, at: Tick) -> i64 {
    now.wall_ms - (now.tick.since(at) / 1_000) as i64
}

/// A message field by field, a line each, secrets masked.
pub fn masked(dialect: &Dialect, bytes: &[u8]) -> String {
    let Ok(description) = iso8583::describe(dialect, bytes, false) else {
        return "a message that its dialect cannot read".into();
    };
    let mut text = format!("MTI {}", description.mti);
    for row in &description.rows {
        let part = row.part.as_ref().map_or(String::new(), |part| format!(".{part}"));
        // A line for each: what a peer put into a field cannot make more of them.
        let value = row.value.replace(char::is_control, "·");
        let _ = write!(text, "\n{}{part} {} = {value}", row.field, row.name);
    }
    text
}

/// Captures that may wait for the archive at once; some two kilobytes each.
pub const WAITING: usize = 1_024;
const SECOND_US: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(sample: u32, per_second: u32) -> (Arc<Captures>, Capture) {
        let captures = Arc::new(Captures::new());
        let settings = MessagesConfig { sample, per_second, bytes: 1 };
        let capture = Capture::new(&captures, &settings, 1);
        (captures, capture)
    }

    #[test]
    fn declines_and_one_approval_in_so_many() {
        let (_, mut capture) = capture(3, 100);
        let wanted: Vec<bool> = (0..6).map(|_| capture.wants(true, Tick(1))).collect();
        assert_eq!(wanted, [false, false, true, false, false, true]);
        assert!(capture.wants(false, Tick(1)));
        let (captures, mut none) = super::tests::capture(0, 100);
        assert!(!none.wants(true, Tick(1)) && none.wants(false, Tick(1)));
        assert_eq!(captures.dropped(), 0, "what nobody wants is not dropped");
    }

    #[test]
    fn beyond_the_rate_and_the_queue_they_are_counted() {
        let (captures, mut capture) = capture(1, 2);
        let second = |n: u64| Tick(n * SECOND_US);
        assert!(capture.wants(false, second(1)) && capture.wants(false, second(1)));
        assert!(!capture.wants(false, second(1)));
        assert!(capture.wants(false, second(2)), "another second");
        assert_eq!(captures.dropped(), 1);
        for _ in 0..WAITING {
            capture.keep(Captured::default());
        }
        assert!(!capture.wants(false, second(3)), "the queue is full");
        assert_eq!((captures.dropped(), captures.take().len()), (2, WAITING));
        assert!(capture.wants(false, second(3)));
    }
}
