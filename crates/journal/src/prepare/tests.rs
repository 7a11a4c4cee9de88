//! The committer and the preparer wait for each other, but never both at once.

use super::*;
use crate::testing::FakeDisk;
use std::path::PathBuf;
use std::sync::mpsc::channel;

const SEGMENT: u64 = 1 << 20;

#[test]
fn who_waits_for_the_next_segment_gets_it_though_the_open_one_is_not_whole_yet() {
    let place = Place {
        disk: Arc::new(FakeDisk::new()),
        dir: PathBuf::from("/journal"),
        node: 1,
        segment_bytes: SEGMENT,
    };
    place.disk.create_dir(&place.dir).unwrap();
    let ground = make_first(&place, 0).unwrap().len().unwrap();
    assert!(ground < SEGMENT, "there is something left to do");
    let preparer = Arc::new(Preparer::new(place, Arc::new(Stats::new()), false));
    preparer.start(0, 4096, ground, None).unwrap();
    // The committer is asleep before the preparer takes up its work: it sees the end of the open segment, and waits on.
    let (tell, told) = channel();
    let waiting = Arc::clone(&preparer);
    let committer = std::thread::spawn(move || {
        let next = waiting.next(false);
        tell.send(matches!(next, Next::Ready(_))).unwrap();
    });
    testkit::wait_for("the committer to wait", || preparer.lock().hurry);
    let working = Arc::clone(&preparer);
    let helper = std::thread::spawn(move || working.run());
    assert_eq!(told.recv_timeout(testkit::PATIENCE), Ok(true), "it is not left waiting");
    preparer.stop();
    helper.join().unwrap();
    committer.join().unwrap();
}
