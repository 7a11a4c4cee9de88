//! Which segments of the journal may go: those whose last record is older than the configured days.
//! Never decides whether something owed needs one: the journal does. Guards: an age that cannot be read keeps the segment.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// Past retention by the time of the last write. An archive that wants a segment first will be asked here, too.
pub(super) fn older_than(days: u32) -> journal::Retire {
    let kept = Duration::from_secs(u64::from(days) * 86_400);
    Box::new(move |_, path: &Path| {
        let written = path.metadata().and_then(|about| about.modified());
        written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > kept))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_whose_age_is_known_and_past_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment-00000000.journal");
        let file = std::fs::File::create(&path).unwrap();
        let retire = older_than(30);
        assert!(!retire(0, &path), "written just now");
        let aged = |days: u64| SystemTime::now() - Duration::from_secs(days * 86_400);
        file.set_modified(aged(29)).unwrap();
        assert!(!retire(0, &path));
        file.set_modified(aged(31)).unwrap();
        assert!(retire(0, &path));
        // A clock that was set back.
        file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
        assert!(!retire(0, &path) && !retire(1, &dir.path().join("segment-00000001.journal")));
    }
}
