//! Ground to write on, made off the hot path: space secured, zeros written and synced, a little ahead of the log.
//! Never touches bytes the writer may use. Guards: a prepared segment under its final name is whole and durable, so the
//! committer only switches; a disk without room is an answer ("no space"), not a failure.
//!
//! Zeros compete with commits for the disk, so they are written in small pieces, each due when the log has come so far:
//! the next segment is ready when half of the present one is used, and a quiet switch writes none. Only the segment a
//! journal starts with is opened before all of it is ground; its end is made first.

use std::io::{self, IoSlice};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Fault;
use crate::disk::DiskFile;
use crate::fault::is_no_space;
use crate::place::{Place, preparing_name};
use crate::stats::Stats;

/// Largest piece under one sync: a commit that comes in between waits for no more than this.
const PIECE_MAX: u64 = 256 << 10;
const PIECE_MIN: u64 = 4096;
/// Pieces of a segment; fewer if it is small.
const PIECES: u64 = 2048;
/// Share of the first segment that is ground before a new journal opens.
const FIRST_SHARE: u64 = 64;

/// How often space is looked for again when nobody asks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the committer finds when it needs ground.
pub(crate) enum Next<T> {
    /// It is there.
    Ready(T),
    /// The disk has no room for it at present.
    NoSpace,
    /// The disk failed while it was made.
    Broken,
}

/// The hand-over between the committer and whoever prepares: a helper thread, or the committer itself when stepped.
pub(crate) struct Preparer {
    place: Place,
    stats: Arc<Stats>,
    /// Whether there is no helper thread.
    stepped: bool,
    /// Bytes of the segment in use.
    filled: AtomicU64,
    /// Fill at which the next piece is due.
    due: AtomicU64,
    /// Bytes of the segment in use that are zeros or batches, durably.
    ground: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The segment behind the one in use.
    segment: u32,
    work: Work,
    pace: Pace,
    at: u64,
    /// The next segment, if it was there before the one in use was whole.
    spare: Option<Arc<dyn DiskFile>>,
    trouble: Trouble,
    /// The committer waits.
    hurry: bool,
    stop: bool,
}

#[derive(Clone)]
enum Work {
    Nothing,
    /// The end of the segment in use.
    Open(Arc<dyn DiskFile>),
    Begin,
    Fill(Arc<dyn DiskFile>),
    Ready(Arc<dyn DiskFile>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    NoSpace,
    Broken,
}

/// From which fill of the segment in use to which one the work goes, evenly.
#[derive(Clone, Copy)]
struct Pace {
    from_fill: u64,
    until_fill: u64,
    from: u64,
    until: u64,
}

impl Pace {
    /// Fill at which the piece at `at` is due.
    fn due(&self, at: u64) -> u64 {
        let share = u128::from(at.saturating_sub(self.from)) * u128::from(self.until_fill - self.from_fill);
        self.from_fill + (share / u128::from((self.until - self.from).max(1))) as u64
    }
}

impl Preparer {
    pub(crate) fn new(place: Place, stats: Arc<Stats>, stepped: bool) -> Self {
        let pace = Pace { from_fill: 0, until_fill: 0, from: 0, until: 0 };
        let state = State {
            segment: 0,
            work: Work::Nothing,
            pace,
            at: 0,
            spare: None,
            trouble: Trouble::None,
            hurry: false,
            stop: false,
        };
        Self {
            place,
            stats,
            stepped,
            filled: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            ground: AtomicU64::new(0),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Starts behind a tail at `offset` of `segment`, of which `ground` bytes are there; `spare` is the segment behind
    /// it if a former process left it prepared.
    /// # Errors
    /// If the segment cannot be opened once more: a sync of ours that fails must not be the one that the writer's own
    /// descriptor would have been told of.
    pub(crate) fn start(
        &self,
        segment: u32,
        offset: u64,
        ground: u64,
        spare: Option<Arc<dyn DiskFile>>,
    ) -> Result<(), Fault> {
        let whole = self.place.segment_bytes;
        self.filled.store(offset, Relaxed);
        self.ground.store(ground, Release);
        let mut state = self.lock();
        state.segment = segment + 1;
        match spare {
            _ if ground < whole => {
                let until_fill = offset + (whole - offset) / 4;
                state.pace = Pace { from_fill: offset, until_fill, from: ground, until: whole };
                (state.work, state.at) = (Work::Open(self.place.open_segment(segment)?), ground);
                state.spare = spare;
            }
            Some(file) => state.work = Work::Ready(file),
            None => self.want_next(&mut state),
        }
        self.tell(&mut state);
        Ok(())
    }

    /// The committer has moved to the prepared segment: asks for `segment` behind it.
    pub(crate) fn want(&self, segment: u32) {
        self.filled.store(0, Relaxed);
        self.ground.store(self.place.segment_bytes, Release);
        let mut state = self.lock();
        state.segment = segment;
        self.want_next(&mut state);
        self.tell(&mut state);
    }

    fn want_next(&self, state: &mut State) {
        let (filled, whole) = (self.filled.load(Relaxed), self.place.segment_bytes);
        let until_fill = filled + whole.saturating_sub(filled) / 2;
        state.pace = Pace { from_fill: filled, until_fill, from: 0, until: whole };
        (state.work, state.at, state.hurry) = (Work::Begin, 0, false);
    }

    /// Says how much of the segment in use is used. Costs two atomics unless a piece is due.
    pub(crate) fn filled(&self, bytes: u64) {
        self.filled.store(bytes, Relaxed);
        if bytes >= self.due.load(Relaxed) && !self.stepped {
            drop(self.lock());
            self.changed.notify_all();
        }
    }

    /// The next segment, waiting while it is being made. After "no space" the disk is asked again once if `again`.
    pub(crate) fn next(&self, again: bool) -> Next<Arc<dyn DiskFile>> {
        self.wait(again, |state| match &state.work {
            Work::Ready(file) => Some(file.clone()),
            _ => None,
        })
    }

    /// Whether the segment in use is ground up to `until`.
    pub(crate) fn is_ground(&self, until: u64) -> bool {
        self.ground.load(Acquire) >= until
    }

    /// Waits for ground up to `until` as [`Preparer::next`] does for a segment.
    pub(crate) fn ground(&self, until: u64, again: bool) -> Next<()> {
        self.wait(again, |_| self.is_ground(until).then_some(()))
    }

    fn wait<T>(&self, again: bool, found: impl Fn(&State) -> Option<T>) -> Next<T> {
        let mut state = self.lock();
        if again && state.trouble == Trouble::NoSpace {
            state.trouble = Trouble::None;
        }
        if found(&state).is_none() && state.trouble == Trouble::None {
            self.stats.segment_waits.fetch_add(1, Relaxed);
            state.hurry = true;
            self.changed.notify_all();
        }
        loop {
            if let Some(found) = found(&state) {
                return Next::Ready(found);
            }
            match state.trouble {
                Trouble::NoSpace => return Next::NoSpace,
                Trouble::Broken => return Next::Broken,
                Trouble::None if state.stop || matches!(state.work, Work::Nothing) => return Next::Broken,
                Trouble::None if self.stepped => state = self.work(state),
                Trouble::None => {
                    // Work that ended meanwhile asked for the next segment at the log's pace, and the log waits for us.
                    if !state.hurry {
                        state.hurry = true;
                        self.changed.notify_all();
                    }
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
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
            if self.is_due(&state) {
                state = self.work(state);
            } else if state.trouble == Trouble::NoSpace {
                let wait = self.changed.wait_timeout(state, LOOK_AGAIN);
                state = wait.unwrap_or_else(PoisonError::into_inner).0;
                if state.trouble == Trouble::NoSpace {
                    state.trouble = Trouble::None;
                }
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Does what is due on the caller's thread.
    pub(crate) fn step(&self) {
        let mut state = self.lock();
        while self.is_due(&state) {
            state = self.work(state);
        }
    }

    fn is_due(&self, state: &State) -> bool {
        let filled = self.filled.load(Relaxed);
        state.trouble == Trouble::None
            && match state.work {
                Work::Nothing | Work::Ready(_) => false,
                // Space is secured at once: whether there is any must be known early.
                Work::Begin => true,
                Work::Open(_) | Work::Fill(_) => state.hurry || filled >= state.pace.due(state.at),
            }
    }

    /// One piece; the lock is free meanwhile.
    fn work<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (work, at, segment) = (state.work.clone(), state.at, state.segment);
        drop(state);
        let done = self.piece(&work, at, segment);
        state = self.lock();
        match done {
            Ok((work, at)) => (state.work, state.at) = (work, at),
            Err(error) if is_no_space(&error) => state.trouble = Trouble::NoSpace,
            Err(_) => state.trouble = Trouble::Broken,
        }
        if state.trouble == Trouble::NoSpace && matches!(state.work, Work::Fill(_)) {
            // The space was given back.
            (state.work, state.at) = (Work::Begin, 0);
        }
        if matches!(state.work, Work::Nothing) {
            match state.spare.take() {
                Some(file) => state.work = Work::Ready(file),
                None => self.want_next(&mut state),
            }
        }
        if matches!(state.work, Work::Ready(_)) {
            self.stats.set_full(false);
        }
        self.tell(&mut state);
        state
    }

    /// What is to be done after this piece, and where.
    fn piece(&self, work: &Work, at: u64, segment: u32) -> io::Result<(Work, u64)> {
        let whole = self.place.segment_bytes;
        let until = whole.min(at + piece_bytes(whole));
        match work {
            Work::Begin => Ok((Work::Fill(begin(&self.place, segment)?), 0)),
            Work::Open(file) => {
                zero(&**file, at, until)?;
                self.ground.store(until, Release);
                Ok((if until == whole { Work::Nothing } else { work.clone() }, until))
            }
            Work::Fill(file) => {
                let filled = zero(&**file, at, until);
                if filled.is_err() {
                    abandon(&self.place, segment);
                }
                filled?;
                if until < whole {
                    return Ok((work.clone(), until));
                }
                name(&self.place, segment)?;
                Ok((Work::Ready(file.clone()), until))
            }
            Work::Nothing | Work::Ready(_) => Ok((work.clone(), at)),
        }
    }

    /// Tells the committer when to ring again, and whoever waits that something changed.
    fn tell(&self, state: &mut State) {
        let due = match state.work {
            Work::Nothing | Work::Ready(_) => u64::MAX,
            Work::Begin | Work::Open(_) | Work::Fill(_) => state.pace.due(state.at),
        };
        self.due.store(due, Relaxed);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn piece_bytes(segment_bytes: u64) -> u64 {
    (segment_bytes / PIECES).next_multiple_of(PIECE_MIN).clamp(PIECE_MIN, PIECE_MAX)
}

/// Makes the segment a journal starts with: named at once, with some ground; [`Preparer::start`] makes the rest.
pub(crate) fn make_first(place: &Place, segment: u32) -> io::Result<Arc<dyn DiskFile>> {
    let until = (place.segment_bytes / FIRST_SHARE).max(piece_bytes(place.segment_bytes));
    let made = begin(place, segment).and_then(|file| {
        zero(&*file, 0, until)?;
        name(place, segment)?;
        Ok(file)
    });
    made.inspect_err(|_| abandon(place, segment))
}

/// A file under another name, with space for a whole segment.
fn begin(place: &Place, segment: u32) -> io::Result<Arc<dyn DiskFile>> {
    if place.disk.free_bytes(&place.dir)? < place.segment_bytes {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let file = place.disk.create(&place.path(&preparing_name(segment)))?;
    match file.allocate(place.segment_bytes) {
        Ok(()) => Ok(file),
        Err(error) => {
            abandon(place, segment);
            Err(error)
        }
    }
}

fn name(place: &Place, segment: u32) -> io::Result<()> {
    place.disk.rename(&place.path(&preparing_name(segment)), &place.segment_path(segment))?;
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::SkipDirectorySync) {
        return Ok(());
    }
    place.disk.sync_dir(&place.dir)
}

/// Gives the space back; if even that fails, the next open removes the file.
fn abandon(place: &Place, segment: u32) {
    let _ = place.disk.remove(&place.path(&preparing_name(segment)));
}

/// Writes zeros from `from` to `to` and makes them durable.
pub(crate) fn zero(file: &dyn DiskFile, mut from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; PIECE_MAX.min(to.saturating_sub(from)) as usize];
    while from < to {
        let len = zeros.len().min((to - from) as usize);
        file.write_at(&mut [IoSlice::new(&zeros[..len])], from)?;
        file.sync_data()?;
        from += len as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
