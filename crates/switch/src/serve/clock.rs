//! The process's clocks: the one place that asks the system what time it is.
//! Guards: ticks never run backwards, whatever the wall clock does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use terms::{Now, Tick};

/// Anchored once at start; copies agree with each other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Tick 1 is now (0 would look like "never").
    pub fn start() -> Self {
        Self { start: Instant::now() - Duration::from_micros(1) }
    }

    /// Both clocks, read once per turn.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now::at(self.tick(), i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
    }

    /// The monotonic clock alone.
    pub fn tick(&self) -> Tick {
        Tick(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The instant of a tick, for the runtime's timers.
    pub fn instant(&self, tick: Tick) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start + Duration::from_micros(tick.0))
    }
}
