//! The processor budget: how long to rest after how much work.
//! Never reads a clock: the caller measured. Guards: over any run of steps the share of work stays within the budget.

use std::time::Duration;

/// A share of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    percent: u32,
}

impl Pace {
    /// Works at most `percent` of the time, 1 to 100.
    pub fn new(percent: u32) -> Self {
        Self { percent: percent.clamp(1, 100) }
    }

    /// No bound: for a rebuild that somebody waits for.
    pub const UNBOUND: Self = Self { percent: 100 };

    /// How long to rest after `worked`.
    pub fn rest(self, worked: Duration) -> Duration {
        worked * (100 - self.percent) / self.percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_rest_keep_the_share() {
        for percent in 1..=100 {
            let worked = Duration::from_millis(37);
            let all = worked + Pace::new(percent).rest(worked);
            let share = worked.as_secs_f64() / all.as_secs_f64();
            assert!((share - f64::from(percent) / 100.0).abs() < 1e-6, "{percent} % became {share}");
        }
        assert_eq!(Pace::UNBOUND.rest(Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(Pace::new(0), Pace::new(1));
    }
}
