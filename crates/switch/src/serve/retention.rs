//! Which segments of the journal may go: those whose last record is older than the configured days, and archived where there
//! is an archive. Never decides whether something owed needs one: the journal does. Guards: an age that cannot be read keeps
//! the segment, and so does an archive that is behind, paused or damaged.

use super::archiving::Archived;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

/// What a running switch gives up: segments of `size` bytes.
pub(super) fn rule(keep_days: u32, size: u64, archived: Option<Archived>) -> journal::Retire {
    let old = older_than(keep_days);
    let Some(archived) = archived else { return old };
    Box::new(move |segment, path| {
        // The archive's place moves into the next segment when something stands there.
        let is_archived = archived.load(Ordering::Acquire) >= (u64::from(segment) + 1) * size;
        is_archived && old(segment, path)
    })
}

/// Past retention by the time of the last write.
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

    #[test]
    fn a_segment_stays_until_it_is_archived_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment-00000001.journal");
        let file = std::fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(31 * 86_400)).unwrap();
        let archived = Archived::default();
        let retire = rule(30, 1_000, Some(archived.clone()));
        for (position, goes) in [(0, false), (1_999, false), (2_000, true), (9_000, true)] {
            archived.store(position, Ordering::Release);
            assert_eq!(retire(1, &path), goes, "archived up to {position}");
        }
        assert!(rule(30, 1_000, None)(1, &path), "nobody archives");
    }
}
