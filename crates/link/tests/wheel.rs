//! The wheel against a list that is searched: same timers, same moments, whatever is armed and cancelled.

mod chance;

use chance::Chance;
use link::{Handle, Wheel};
use terms::Tick;

const MS: u64 = 1_000;

/// What a timer list does that simply looks at everything: due means the millisecond of the deadline has begun.
#[derive(Default)]
struct Model {
    timers: Vec<(u64, u32, Handle)>,
}

impl Model {
    fn expire(&mut self, now: Tick) -> Vec<(u64, u32)> {
        let due = |at: u64| at.div_ceil(MS) <= now.0 / MS;
        let mut fired: Vec<_> = self
            .timers
            .iter()
            .filter(|timer| due(timer.0))
            .map(|timer| (timer.0.div_ceil(MS), timer.1))
            .collect();
        self.timers.retain(|timer| !due(timer.0));
        fired.sort_unstable();
        fired
    }

    fn earliest(&self) -> Option<u64> {
        self.timers.iter().map(|timer| timer.0.div_ceil(MS) * MS).min()
    }
}

struct World {
    wheel: Wheel<(u64, u32)>,
    model: Model,
    now: Tick,
    armed: u32,
    dead: Vec<Handle>,
}

impl World {
    fn starting(now: Tick) -> Self {
        Self { wheel: Wheel::new(), model: Model::default(), now, armed: 0, dead: Vec::new() }
    }

    fn arm(&mut self, at: Tick) {
        self.armed += 1;
        let handle = self.wheel.arm(at, (at.0, self.armed));
        self.model.timers.push((at.0, self.armed, handle));
    }

    fn cancel(&mut self, chance: &mut Chance) {
        if self.model.timers.is_empty() {
            return;
        }
        let (at, name, handle) =
            self.model.timers.swap_remove(chance.below(self.model.timers.len() as u64) as usize);
        assert_eq!(self.wheel.cancel(handle), Some((at, name)));
        self.dead.push(handle);
    }

    fn advance(&mut self, by: u64) {
        self.now = Tick(self.now.0 + by);
        let handles: Vec<_> = self.model.timers.iter().map(|timer| (timer.1, timer.2)).collect();
        let mut fired = Vec::new();
        self.wheel.expire(self.now, |(at, name)| fired.push((at.div_ceil(MS), name)));
        fired.sort_unstable();
        assert_eq!(fired, self.model.expire(self.now), "at {:?}", self.now);
        self.dead.extend(handles.iter().filter(|(name, _)| fired.iter().any(|f| f.1 == *name)).map(|h| h.1));
    }

    fn check(&mut self) {
        assert_eq!(self.wheel.len(), self.model.timers.len());
        assert_eq!(self.wheel.next().is_some(), self.model.earliest().is_some());
        if let (Some(next), Some(earliest)) = (self.wheel.next(), self.model.earliest()) {
            assert!(next.0 <= earliest.max(self.now.0), "looks at {next:?}, due at {earliest}");
        }
        for dead in &self.dead {
            assert_eq!(self.wheel.cancel(*dead), None, "a dead handle lives");
        }
        self.dead.truncate(8);
    }
}

#[test]
fn fires_what_a_searched_list_fires_and_nothing_else() {
    for seed in 0..300 {
        println!("seed {seed}");
        let mut chance = Chance::seeded(seed);
        // Start anywhere: a process may begin with any reading of its clock.
        let mut world = World::starting(Tick(chance.spread(45)));
        world.wheel.expire(world.now, |_| unreachable!());
        for _ in 0..400 {
            match chance.below(10) {
                0..=4 => world.arm(Tick(world.now.0 + chance.spread(38))),
                5 => world.arm(Tick(world.now.0.saturating_sub(chance.below(5 * MS)))),
                6..=7 => world.cancel(&mut chance),
                _ => world.advance(chance.spread(37)),
            }
            world.check();
        }
    }
}

#[test]
fn looking_when_told_to_misses_nothing_and_ends() {
    for seed in 0..50 {
        println!("seed {seed}");
        let mut chance = Chance::seeded(seed);
        let mut wheel = Wheel::with_capacity(64);
        let mut due: Vec<u64> = (0..64).map(|_| chance.spread(45)).collect();
        for at in &due {
            wheel.arm(Tick(*at), *at);
        }
        let (mut fired, mut looks) = (Vec::new(), 0);
        while let Some(next) = wheel.next() {
            looks += 1;
            wheel.expire(next, |at: u64| {
                assert_eq!(at.div_ceil(MS) * MS, next.0, "early or late");
                fired.push(at);
            });
        }
        fired.sort_by_key(|at| (at.div_ceil(MS), *at));
        due.sort_by_key(|at| (at.div_ceil(MS), *at));
        assert_eq!(fired, due);
        assert!(looks <= 64 * 7, "{looks} looks for 64 timers: at most one per ring and timer");
    }
}

#[test]
fn order_follows_the_millisecond() {
    let mut wheel = Wheel::new();
    for at in [70_000, 3_000, 5_000_000, 64_000, 65_000, 4_096_000, 3_000] {
        wheel.arm(Tick(at), at);
    }
    let mut fired = Vec::new();
    wheel.expire(Tick(5_000_000), |at| fired.push(at));
    assert_eq!(fired, [3_000, 3_000, 64_000, 65_000, 70_000, 4_096_000, 5_000_000]);
}

#[test]
fn a_handle_dies_with_its_timer() {
    let mut wheel = Wheel::new();
    let first = wheel.arm(Tick(1_000), "first");
    assert_eq!(wheel.cancel(first), Some("first"));
    let second = wheel.arm(Tick(1_000), "second");
    assert_eq!((wheel.cancel(first), wheel.len()), (None, 1), "the place is used again, the handle is not");
    assert_eq!(wheel.pop(Tick(1_000)), Some("second"));
    assert_eq!((wheel.cancel(second), wheel.is_empty(), wheel.next()), (None, true, None));
}

#[test]
fn beyond_the_rings_is_not_before_its_time() {
    let mut wheel = Wheel::new();
    let three_years = Tick(3 * 366 * 86_400_000 * MS);
    wheel.arm(three_years, ());
    wheel.arm(Tick(u64::MAX), ());
    assert_eq!(wheel.pop(Tick(three_years.0 - 1)), None);
    assert_eq!(wheel.pop(three_years), Some(()));
    assert_eq!(wheel.len(), 1);
}
