//! Cells by number, in chunks that are made when first needed; numbers given back are used again.
//!
//! Never more than its capacity, never moves a cell. Guards: a number handed out is nobody else's until given back
//! (`tests/loom_cell.rs` walks the free list).

use crate::Cell;
use crate::sync::{AtomicU64, Ordering};
use std::sync::OnceLock;

/// Up to `capacity` cells.
#[derive(Debug)]
pub struct Slab {
    chunks: Box<[OnceLock<Box<[Cell]>>]>,
    capacity: u32,
    /// How many numbers were ever handed out: those below it exist.
    opened: AtomicU64,
    /// Free list: a tag in the high half (so that a head seen twice is not taken for unchanged), number + 1 in the low.
    free: AtomicU64,
}

impl Slab {
    /// Room for `capacity` cells, none of them made yet.
    pub fn new(capacity: u32) -> Self {
        let chunks = (0..capacity.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect();
        Self { chunks, capacity, opened: AtomicU64::new(0), free: AtomicU64::new(0) }
    }

    /// A fresh cell's number; `None` at the capacity. Makes the next chunk where the last is used up: once in
    /// [`CHUNK`] new holders, not once per transaction.
    pub fn take(&self) -> Option<u32> {
        if let Some(number) = self.pop() {
            self.cell(number).reset();
            return Some(number);
        }
        let mut opened = self.opened.load(Ordering::Relaxed);
        while opened < u64::from(self.capacity) {
            let next = opened + 1;
            match self.opened.compare_exchange_weak(opened, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(opened as u32),
                Err(now) => opened = now,
            }
        }
        None
    }

    /// Gives a number back. Nobody may use it after this.
    pub fn give(&self, number: u32) {
        let mut head = self.free.load(Ordering::Relaxed);
        loop {
            self.cell(number).spare().store(head & LOW, Ordering::Relaxed);
            let next = tagged(head, u64::from(number) + 1);
            // Release: whoever takes this number from the list sees what was just written in it.
            match self.free.compare_exchange_weak(head, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// The cell of a number that was handed out.
    pub fn cell(&self, number: u32) -> &Cell {
        let chunk = self.chunks[(number / CHUNK) as usize]
            .get_or_init(|| (0..CHUNK.min(self.capacity)).map(|_| Cell::new()).collect());
        &chunk[(number % CHUNK) as usize]
    }

    fn pop(&self) -> Option<u32> {
        // Acquire: pairs with the release in `give`, so that the next number is the one written with this head.
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            let number = (head & LOW).checked_sub(1)? as u32;
            // Another may take the number meanwhile and write over this; then the tag has moved on and the swap fails.
            let below = self.cell(number).spare().load(Ordering::Relaxed) & LOW;
            let next = tagged(head, below);
            match self.free.compare_exchange_weak(head, next, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(number),
                Err(now) => head = now,
            }
        }
    }
}

fn tagged(head: u64, low: u64) -> u64 {
    (head >> 32).wrapping_add(1) << 32 | low
}

/// Cells a chunk: 64 KiB.
const CHUNK: u32 = 4096;
const LOW: u64 = u32::MAX as u64;
