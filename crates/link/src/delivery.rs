//! Which messages the kernel has begun to take: the only evidence of delivery there is.
//! Never guesses: what was begun counts as delivered, what was not begun when the connection died was never sent.
//! Guards: each ticket comes out once.

use std::collections::VecDeque;

/// Messages of one connection that wait for the kernel, in the order of their bytes.
#[derive(Debug, Default)]
pub struct Delivery {
    waiting: VecDeque<(u64, u64)>,
    taken: u64,
}

impl Delivery {
    /// Nothing waits.
    pub const fn new() -> Self {
        Self { waiting: VecDeque::new(), taken: 0 }
    }

    /// The message of `ticket` begins with byte `at_byte` of all that this connection ever writes (of sealed bytes, where
    /// TLS seals them).
    ///
    /// # Panics
    /// If an earlier message begins later: bytes leave in order.
    pub fn queued(&mut self, ticket: u64, at_byte: u64) {
        let in_order = self.waiting.back().is_none_or(|(before, _)| *before <= at_byte);
        assert!(in_order, "a message was queued before the one ahead of it");
        self.waiting.push_back((at_byte, ticket));
    }

    /// The kernel has taken `total` bytes of all that this connection ever wrote: adds the tickets of those whose first
    /// byte is among them.
    pub fn taken(&mut self, total: u64, out: &mut Vec<u64>) {
        self.taken = self.taken.max(total);
        let begun = self.waiting.partition_point(|(at_byte, _)| *at_byte < self.taken);
        out.extend(self.waiting.drain(..begun).map(|(_, ticket)| ticket));
    }

    /// The connection is dead: adds the tickets of those whose first byte was never taken.
    pub fn died(&mut self, out: &mut Vec<u64>) {
        out.extend(self.waiting.drain(..).map(|(_, ticket)| ticket));
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
