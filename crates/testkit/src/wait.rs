//! Waiting for conditions.
//! Never waits for a time to pass. Guards: what never comes about is reported with the place that waited.

use std::time::{Duration, Instant};

/// Long enough for a machine that builds something else meanwhile; only a broken test gets there.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns as soon as `holds`.
///
/// # Panics
/// If that takes longer than [`PATIENCE`].
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "it never came about: {what}");
        // Leaves the processor to what is waited for.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The sum of all series of a family in an exposition text, of those that carry every label in `labels`.
pub fn metric(text: &str, family: &str, labels: &[&str]) -> f64 {
    let series = text.lines().filter(|line| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
