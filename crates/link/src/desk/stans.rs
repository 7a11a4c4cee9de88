//! The order in which one worker uses its STANs, and how long each rests before it is used again.
//! Never looks at what is pending. Guards: the STANs of two workers never meet, and no number comes round within its rest.

use terms::{Stan, Tick};

/// STANs rest in blocks of so many: one time-stamp stands for all of them, a number rests longer by the time its block
/// took, never shorter.
const BLOCK: u32 = 256;
/// No block entered yet, or not since the last wrap.
const OUTSIDE: u32 = u32::MAX;

/// STANs `rank * workers + worker` in order of their ranks, wrapping.
pub(super) struct Stans {
    worker: u32,
    workers: u32,
    first: u32,
    last: u32,
    cursor: u32,
    rest_us: u64,
    /// Per block: until when it rests.
    resting: Box<[u64]>,
    entered: u32,
}

impl Stans {
    pub(super) fn new(worker: u16, workers: u16, rest_us: u64) -> Self {
        assert!(worker < workers, "worker {worker} of {workers} does not exist");
        let (worker, workers) = (u32::from(worker), u32::from(workers));
        let (first, last) = (u32::from(worker == 0), (Stan::COUNT - worker) / workers);
        let blocks = (last / BLOCK + 1) as usize;
        let resting = vec![0; blocks].into_boxed_slice();
        Self { worker, workers, first, last, cursor: first, rest_us, resting, entered: OUTSIDE }
    }

    /// Begins where the process before this one did not: one step of the golden section per start, so that starts in
    /// quick succession are at least a third of all STANs apart.
    pub(super) fn begin(&mut self, epoch: u32) {
        let step = epoch.wrapping_mul(0x9E37_79B9);
        let rank = (u64::from(step) * u64::from(self.count())) >> 32;
        self.cursor = self.first + rank as u32;
    }

    /// How long a STAN taken from now on rests.
    pub(super) fn rest(&mut self, rest_us: u64) {
        self.rest_us = rest_us;
    }

    /// How many STANs this worker has.
    pub(super) const fn count(&self) -> u32 {
        self.last - self.first + 1
    }

    /// The rank of a STAN; defined for the STANs of other workers too (recovered reversals may carry those).
    pub(super) const fn rank(&self, stan: Stan) -> u32 {
        stan.get() / self.workers
    }

    pub(super) const fn owns(&self, stan: Stan) -> bool {
        stan.get() % self.workers == self.worker
    }

    pub(super) fn stan(&self, rank: u32) -> Stan {
        let stan = Stan::new(rank * self.workers + self.worker);
        stan.expect("a rank within first..=last is a STAN of this worker")
    }

    /// The ranges of ranks to search for the next STAN, in order: up to the last one, then from the first.
    pub(super) const fn course(&self) -> [(u32, u32); 2] {
        [(self.cursor, self.last), (self.first, self.cursor.saturating_sub(1))]
    }

    /// Takes the STAN of `rank`, unless it still rests: then nothing changes, and no later one has rested longer.
    pub(super) fn take(&mut self, rank: u32, now: Tick) -> Option<Stan> {
        let block = rank / BLOCK;
        // Going on within a block that was entered this lap is going forward; entering one is coming round.
        let comes_round = block != self.entered || rank < self.cursor;
        if comes_round && self.resting[block as usize] > now.0 {
            return None;
        }
        self.entered = block;
        self.cursor = rank + 1;
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ReuseStan) {
            self.cursor = rank;
        }
        if self.cursor > self.last {
            (self.cursor, self.entered) = (self.first, OUTSIDE);
        }
        self.resting[block as usize] = now.0.saturating_add(self.rest_us);
        Some(self.stan(rank))
    }
}
