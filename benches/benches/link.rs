//! What a desk and a wheel cost per message: permit, send, match; answers in order, in any order, and late.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use link::{Desk, DeskConfig, Wheel};
use std::hint::black_box;
use terms::{Now, Stan, Tick, TransmissionTime};

/// A desk with so many in flight, and the moment it is in.
struct World {
    desk: Desk,
    now: Now,
    flying: Vec<(Stan, TransmissionTime)>,
    next: usize,
    chance: u64,
}

impl World {
    fn with(in_flight: usize) -> Self {
        let window = (in_flight as u32 + 512).min(link::WINDOW_MAX);
        let config = DeskConfig {
            worker: 0,
            workers: 2,
            window,
            has_transmission: true,
            rest_ms: 56_000,
            late_ms: 60_000,
        };
        let now = Now::at(Tick(1_000_000), 1_795_000_000_000);
        let mut world = Self { desk: Desk::new(config), now, flying: Vec::new(), next: 0, chance: 7 };
        (0..in_flight).for_each(|_| {
            let flying = world.send();
            world.flying.push(flying);
        });
        world
    }

    /// Permit and send; time passes at two million a second, so that numbers may come round.
    fn send(&mut self) -> (Stan, TransmissionTime) {
        self.now.tick = Tick(self.now.tick.0 + 3);
        let flying = self.desk.permit(&self.now).expect("the window is wide enough");
        self.desk.sent_as(2, flying.0, self.next as u64, self.now.tick.plus_ms(28_000));
        flying
    }

    /// One message out and the answer to an earlier one in.
    fn turn(&mut self, in_order: bool) {
        let sent = self.send();
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.next = (self.next + 1) % self.flying.len();
        let at = if in_order { self.next } else { self.chance as usize % self.flying.len() };
        let (stan, transmission) = std::mem::replace(&mut self.flying[at], sent);
        black_box(self.desk.matches(2, stan, transmission));
    }
}

fn desk(c: &mut Criterion) {
    let mut group = c.benchmark_group("desk");
    for in_flight in [64, 4_096, 65_000] {
        for in_order in [true, false] {
            let order = if in_order { "in order" } else { "any order" };
            let mut world = World::with(in_flight);
            group.bench_function(format!("permit, sent, matches; {in_flight} in flight, {order}"), |b| {
                b.iter(|| world.turn(in_order));
            });
        }
    }
    group.bench_function("expire 4096 at once, each", |b| {
        b.iter_batched_ref(
            || (World::with(4_096), Vec::with_capacity(4_096)),
            |(world, out)| world.desk.expire(world.now.tick.plus_ms(29_000), out),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn wheel(c: &mut Criterion) {
    let mut group = c.benchmark_group("wheel");
    let mut wheel = Wheel::with_capacity(100_000);
    let mut now = Tick(0);
    let mut handles: Vec<_> = (0..100_000_u64).map(|n| wheel.arm(Tick(n * 300), n)).collect();
    let mut at = 0;
    group.bench_function("arm and cancel among 100000", |b| {
        b.iter(|| {
            now = Tick(now.0 + 1);
            at = (at + 7_919) % handles.len();
            black_box(wheel.cancel(handles[at]));
            handles[at] = wheel.arm(now.plus_ms(28_000), at as u64);
        });
    });
    group.finish();
}

criterion_group!(benches, desk, wheel);
criterion_main!(benches);
