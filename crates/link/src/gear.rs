//! The wheel's works: six rings of sixty-four lists, linked through nodes that live in somebody else's slab.
//! Never allocates, never reads a clock, never owns what it times. Guards: nothing comes out before its time or twice,
//! and everything due at or before `target` is out once [`Gear::pop`] has said `None`.

use terms::Tick;

/// Resolution: deadlines are rounded *up* to the next millisecond, so that none is early.
pub(crate) const GRANULE_US: u64 = 1_000;
/// No node.
pub(crate) const NONE: u32 = u32::MAX;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 6;
/// Granules the rings span (over two years). Farther deadlines wait in the last ring and are placed again.
const SPAN: u64 = 1 << (BITS * LEVELS as u32);
/// A `prev` with this bit names a list instead of a node: unlinking needs no search for the list.
const LIST: u32 = 1 << 31;
/// The list of what is due already, behind those of the rings.
const READY: u32 = (LEVELS * SLOTS) as u32;

const _: () = assert!(LIST > READY, "a list's number must fit beside its mark");

/// What a timed thing carries in its slab.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Granule in which it is due.
    pub(crate) due: u64,
    prev: u32,
    next: u32,
}

/// A slab of things with nodes. Positions are below 2^31.
pub(crate) trait Nodes {
    fn node(&mut self, at: u32) -> &mut Node;
}

/// Hands and lists of one wheel.
pub(crate) struct Gear {
    elapsed: u64,
    occupied: [u64; LEVELS],
    heads: [u32; LEVELS * SLOTS + 1],
}

impl Node {
    /// Not in any list.
    pub(crate) const IDLE: Self = Self { due: 0, prev: NONE, next: NONE };

    /// Whether it is in a list.
    pub(crate) const fn is_linked(&self) -> bool {
        self.prev != NONE
    }
}

/// The granule at whose start `at` has passed.
pub(crate) const fn due_granule(at: Tick) -> u64 {
    at.0.div_ceil(GRANULE_US)
}

impl Gear {
    pub(crate) const fn new() -> Self {
        Self { elapsed: 0, occupied: [0; LEVELS], heads: [NONE; LEVELS * SLOTS + 1] }
    }

    /// The granule up to which everything has been popped.
    pub(crate) const fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// Puts the unlinked node `at` where its time `due` (granule) will find it.
    pub(crate) fn link(&mut self, nodes: &mut impl Nodes, at: u32, due: u64) {
        debug_assert!(!nodes.node(at).is_linked(), "a node was linked twice");
        nodes.node(at).due = due;
        let list = self.list_for(due);
        if list != READY {
            self.occupied[list as usize / SLOTS] |= 1 << (list as usize % SLOTS);
        }
        let head = std::mem::replace(&mut self.heads[list as usize], at);
        if head != NONE {
            nodes.node(head).prev = at;
        }
        let node = nodes.node(at);
        (node.prev, node.next) = (list | LIST, head);
    }

    /// Takes node `at` out of its list; no effect if it is in none.
    pub(crate) fn unlink(&mut self, nodes: &mut impl Nodes, at: u32) {
        let Node { prev, next, .. } = *nodes.node(at);
        if prev == NONE {
            return;
        }
        let node = nodes.node(at);
        (node.prev, node.next) = (NONE, NONE);
        if next != NONE {
            nodes.node(next).prev = prev;
        }
        if prev & LIST == 0 {
            nodes.node(prev).next = next;
        } else {
            self.set_head(prev & !LIST, next);
        }
    }

    /// The next node due in or before granule `target`, unlinked; in order of their granules. `None`: no more, and the
    /// hands stand at `target`.
    pub(crate) fn pop(&mut self, nodes: &mut impl Nodes, target: u64) -> Option<u32> {
        loop {
            let ready = self.heads[READY as usize];
            if ready != NONE {
                self.unlink(nodes, ready);
                return Some(ready);
            }
            match self.next_turn() {
                Some((list, granule)) if granule <= target => {
                    self.elapsed = self.elapsed.max(granule);
                    self.spread(nodes, list);
                }
                _ => {
                    self.elapsed = self.elapsed.max(target);
                    return None;
                }
            }
        }
    }

    /// When to look again: never after the earliest deadline, before it only to move a ring on.
    pub(crate) fn next(&self) -> Option<Tick> {
        if self.heads[READY as usize] != NONE {
            return Some(Tick(self.elapsed.saturating_mul(GRANULE_US)));
        }
        self.next_turn().map(|(_, granule)| Tick(granule.saturating_mul(GRANULE_US)))
    }

    /// Places every node of `list` again, now that the hands have reached it: nearer, or ready.
    fn spread(&mut self, nodes: &mut impl Nodes, list: u32) {
        let mut at = self.heads[list as usize];
        self.set_head(list, NONE);
        while at != NONE {
            let Node { due, next, .. } = *nodes.node(at);
            *nodes.node(at) = Node { due, ..Node::IDLE };
            self.link(nodes, at, due);
            at = next;
        }
    }

    /// The list that comes up next and the granule in which it does. A lower ring always comes before a higher one, as
    /// it lies within the slot of the higher one at which the hand stands.
    fn next_turn(&self) -> Option<(u32, u64)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        let shift = BITS * level as u32;
        let hand = (self.elapsed >> shift) as u32 % SLOTS as u32;
        let ahead = self.occupied[level].rotate_right(hand).trailing_zeros();
        let slot = (hand + ahead) % SLOTS as u32;
        let turn = (self.elapsed >> shift) + u64::from(ahead);
        Some((level as u32 * SLOTS as u32 + slot, turn << shift))
    }

    fn list_for(&self, due: u64) -> u32 {
        if due <= self.elapsed {
            return READY;
        }
        // What is beyond the span goes as far away as the last ring reaches without passing its own hand.
        let top = BITS * (LEVELS as u32 - 1);
        let farthest = ((self.elapsed >> top) + SLOTS as u64 - 1) << top;
        let place = due.min(farthest);
        let differs = (place ^ self.elapsed) | (SLOTS as u64 - 1);
        let level = ((u64::BITS - 1 - differs.leading_zeros()) / BITS).min(LEVELS as u32 - 1);
        let slot = (place >> (BITS * level)) as u32 % SLOTS as u32;
        level * SLOTS as u32 + slot
    }

    fn set_head(&mut self, list: u32, head: u32) {
        self.heads[list as usize] = head;
        if head == NONE && list != READY {
            self.occupied[list as usize / SLOTS] &= !(1 << (list as usize % SLOTS));
        }
    }
}

const _: () = assert!(SPAN > 2 * 366 * 86_400_000, "two years must fit the rings");
