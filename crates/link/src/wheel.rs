//! A timer wheel for the switch's own timers: grace, retry, resolve.
//! Never reads a clock; never fires early, never later than the first look after its millisecond. Guards: a cancelled or
//! fired handle is dead for ever, also when its place is used again.

use crate::gear::{GRANULE_US, Gear, NONE, Node, Nodes, due_granule};
use terms::Tick;

/// Timers carrying a `T` each. Arming and cancelling cost the same however many there are; places are used again, so the
/// memory is that of the most ever armed at once.
pub struct Wheel<T> {
    gear: Gear,
    slab: Slab<T>,
    free: u32,
    armed: usize,
}

/// A timer that was armed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle {
    at: u32,
    generation: u32,
}

struct Slab<T>(Vec<Place<T>>);

struct Place<T> {
    node: Node,
    generation: u32,
    /// Next free place while this one is free.
    free: u32,
    item: Option<T>,
}

impl<T> Nodes for Slab<T> {
    fn node(&mut self, at: u32) -> &mut Node {
        &mut self.0[at as usize].node
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Wheel<T> {
    /// No timers, no memory yet.
    pub const fn new() -> Self {
        Self { gear: Gear::new(), slab: Slab(Vec::new()), free: NONE, armed: 0 }
    }

    /// With room for so many before memory is asked for again.
    pub fn with_capacity(timers: usize) -> Self {
        Self { slab: Slab(Vec::with_capacity(timers)), ..Self::new() }
    }

    /// Fires with `item` at the first [`Wheel::expire`] in or after the millisecond that `at` rounds up to; a time that
    /// has passed fires at the next one.
    pub fn arm(&mut self, at: Tick, item: T) -> Handle {
        let place = self.take_place(item);
        self.gear.link(&mut self.slab, place, due_granule(at));
        self.armed += 1;
        Handle { at: place, generation: self.slab.0[place as usize].generation }
    }

    /// Takes the timer back; `None` if it has fired or was cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> Option<T> {
        let place = self.slab.0.get(handle.at as usize)?;
        if place.generation != handle.generation {
            return None;
        }
        self.gear.unlink(&mut self.slab, handle.at);
        self.leave_place(handle.at)
    }

    /// Hands every timer due at `now` to `fire`, in order of their milliseconds.
    pub fn expire(&mut self, now: Tick, mut fire: impl FnMut(T)) {
        while let Some(item) = self.pop(now) {
            fire(item);
        }
    }

    /// One timer that is due at `now`: for callers that arm others while they handle this one.
    pub fn pop(&mut self, now: Tick) -> Option<T> {
        let at = self.gear.pop(&mut self.slab, now.0 / GRANULE_US)?;
        self.leave_place(at)
    }

    /// When to look again: never after the earliest timer, now and then before it.
    pub fn next(&self) -> Option<Tick> {
        self.gear.next()
    }

    /// How many are armed.
    pub fn len(&self) -> usize {
        self.armed
    }

    /// Whether none is armed.
    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    fn take_place(&mut self, item: T) -> u32 {
        let places = &mut self.slab.0;
        if self.free == NONE {
            assert!(places.len() < PLACES_MAX, "over two thousand million timers are armed");
            places.push(Place { node: Node::IDLE, generation: 0, free: NONE, item: Some(item) });
            return places.len() as u32 - 1;
        }
        let at = self.free;
        let place = &mut places[at as usize];
        self.free = place.free;
        place.item = Some(item);
        at
    }

    fn leave_place(&mut self, at: u32) -> Option<T> {
        let place = &mut self.slab.0[at as usize];
        let item = place.item.take();
        debug_assert!(item.is_some(), "a free place was armed");
        place.generation = place.generation.wrapping_add(1);
        place.free = std::mem::replace(&mut self.free, at);
        self.armed -= 1;
        item
    }
}

/// Positions share their word with the mark of a list.
const PLACES_MAX: usize = (u32::MAX >> 1) as usize;
