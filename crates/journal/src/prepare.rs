//! The next segment, made ready off the hot path: space secured, filled with zeros, synced, named.
//! Never touches a segment in use. Guards: a file under a segment's final name is whole and durable, so the committer
//! only switches; a disk without room is an answer ("no space"), not a failure.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::DiskFile;
use crate::fault::is_no_space;
use crate::place::{Place, preparing_name};
use crate::stats::Stats;

/// Zeros are written and synced in pieces of this size, so that commits never queue behind a whole segment.
const PIECE: usize = 4 << 20;

/// How often space is looked for again when nobody asks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the committer finds when it needs the next segment.
pub(crate) enum Next {
    /// It is there.
    Ready(Arc<dyn DiskFile>),
    /// The disk has no room for it at present.
    NoSpace,
    /// The disk failed while it was made.
    Broken,
}

/// The hand-over between the committer and the helper thread.
pub(crate) struct Preparer {
    place: Place,
    stats: Arc<Stats>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    segment: u32,
    step: Step,
    stop: bool,
}

enum Step {
    Idle,
    Wanted,
    Working,
    Ready(Arc<dyn DiskFile>),
    NoSpace,
    Broken,
}

impl Preparer {
    pub(crate) fn new(place: Place, stats: Arc<Stats>) -> Self {
        let state = Mutex::new(State { segment: 0, step: Step::Idle, stop: false });
        Self { place, stats, state, changed: Condvar::new() }
    }

    /// Asks for `segment`; `ready` if a former process left it prepared.
    pub(crate) fn want(&self, segment: u32, ready: Option<Arc<dyn DiskFile>>) {
        let mut state = self.lock();
        state.segment = segment;
        state.step = ready.map_or(Step::Wanted, Step::Ready);
        self.changed.notify_all();
    }

    /// The prepared segment, waiting while it is being made. After "no space" the disk is asked again once if `again`.
    pub(crate) fn next(&self, again: bool) -> Next {
        let mut state = self.lock();
        if again && matches!(state.step, Step::NoSpace) {
            state.step = Step::Wanted;
            self.changed.notify_all();
        }
        if matches!(state.step, Step::Wanted | Step::Working) {
            self.stats.segment_waits.fetch_add(1, Relaxed);
        }
        while !state.stop && matches!(state.step, Step::Wanted | Step::Working) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match &state.step {
            Step::Ready(file) => Next::Ready(file.clone()),
            Step::NoSpace => Next::NoSpace,
            Step::Idle | Step::Wanted | Step::Working | Step::Broken => Next::Broken,
        }
    }

    /// Ends [`Preparer::run`].
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// The helper thread's life.
    pub(crate) fn run(&self) {
        let mut state = self.lock();
        while !state.stop {
            match state.step {
                Step::Wanted => state = self.work(state),
                Step::NoSpace => {
                    let wait =
                        self.changed.wait_timeout(state, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner);
                    state = wait.0;
                    if wait.1.timed_out() && matches!(state.step, Step::NoSpace) {
                        state.step = Step::Wanted;
                    }
                }
                Step::Idle | Step::Working | Step::Ready(_) | Step::Broken => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn work<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let segment = state.segment;
        state.step = Step::Working;
        drop(state);
        let made = prepare(&self.place, segment);
        let mut state = self.lock();
        state.step = match made {
            Ok(file) => {
                self.stats.set_full(false);
                Step::Ready(file)
            }
            Err(error) if is_no_space(&error) => Step::NoSpace,
            Err(_) => Step::Broken,
        };
        self.changed.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes `segment`: filled with zeros under another name, synced, renamed, directory synced.
pub(crate) fn prepare(place: &Place, segment: u32) -> io::Result<Arc<dyn DiskFile>> {
    if place.disk.free_bytes(&place.dir)? < place.segment_bytes {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let aside = place.path(&preparing_name(segment));
    let made = fill(place, &aside).and_then(|file| {
        place.disk.rename(&aside, &place.segment_path(segment))?;
        place.disk.sync_dir(&place.dir)?;
        Ok(file)
    });
    if made.is_err() {
        // Gives the space back; if even that fails, the next open removes the file.
        let _ = place.disk.remove(&aside);
    }
    made
}

fn fill(place: &Place, aside: &std::path::Path) -> io::Result<Arc<dyn DiskFile>> {
    let file = place.disk.create(aside)?;
    file.allocate(place.segment_bytes)?;
    zero(&*file, 0, place.segment_bytes)?;
    Ok(file)
}

/// Writes zeros from `from` to `to` and makes them durable.
pub(crate) fn zero(file: &dyn DiskFile, mut from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; PIECE.min((to - from) as usize)];
    while from < to {
        let len = zeros.len().min((to - from) as usize);
        file.write_at(&mut [IoSlice::new(&zeros[..len])], from)?;
        file.sync_data()?;
        from += len as u64;
    }
    Ok(())
}
