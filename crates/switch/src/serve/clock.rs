//! The process's clocks: the one place that asks the system what time it is, or is told where a simulation knows better.
//! Guards: ticks never run backwards, whatever the wall clock does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terms::{Now, Tick};

/// Anchored once at start; clones agree with each other.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Instant),
    Shifted(Instant, Arc<AtomicI64>),
    Told(Arc<Hands>),
}

/// The hands of a clock that is told the time.
#[derive(Debug, Default)]
pub struct Hands {
    tick: AtomicU64,
    wall_ms: AtomicI64,
}

impl Hands {
    /// Moves both; the monotonic one never back.
    pub fn set(&self, tick: Tick, wall_ms: i64) {
        self.tick.fetch_max(tick.0, Ordering::Relaxed);
        self.wall_ms.store(wall_ms, Ordering::Relaxed);
    }
}

impl Clock {
    /// The system's. Tick 1 is now (0 would look like "never").
    pub fn start() -> Self {
        Self(Source::System(Instant::now() - Duration::from_micros(1)))
    }

    /// The system's, its wall clock off by so many milliseconds, which may change at any time: a wall clock that steps.
    pub fn shifted(off_ms: Arc<AtomicI64>) -> Self {
        Self(Source::Shifted(Instant::now() - Duration::from_micros(1), off_ms))
    }

    /// One that says what `hands` say.
    pub fn told(hands: Arc<Hands>) -> Self {
        Self(Source::Told(hands))
    }

    /// Both clocks, read once per turn.
    pub fn now(&self) -> Now {
        Now::at(self.tick(), self.wall_ms())
    }

    /// The monotonic clock alone.
    pub fn tick(&self) -> Tick {
        match &self.0 {
            Source::System(start) | Source::Shifted(start, _) => {
                Tick(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX))
            }
            Source::Told(hands) => Tick(hands.tick.load(Ordering::Relaxed)),
        }
    }

    /// The wall clock alone, milliseconds since 1970-01-01 UTC.
    pub fn wall_ms(&self) -> i64 {
        match &self.0 {
            Source::System(_) => system_ms(),
            Source::Shifted(_, off_ms) => system_ms() + off_ms.load(Ordering::Relaxed),
            Source::Told(hands) => hands.wall_ms.load(Ordering::Relaxed),
        }
    }

    /// The instant of a tick, for the runtime's timers: never one that has passed where the clock is told.
    pub fn instant(&self, tick: Tick) -> tokio::time::Instant {
        let since = Duration::from_micros(tick.0);
        tokio::time::Instant::from_std(match &self.0 {
            Source::System(start) | Source::Shifted(start, _) => *start + since,
            Source::Told(_) => Instant::now() + since,
        })
    }
}

fn system_ms() -> i64 {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)
}
