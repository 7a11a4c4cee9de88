//! A journal without threads: the caller turns the wheels, on its own thread, one step at a time.
//! For simulations and tools, where the same calls must give the same bytes. Never waits for anybody.
//! Guards: committer, preparation and upkeep are those of [`Journal`](crate::Journal); only who calls them differs
//! (`tests/stepped.rs`).

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use crate::committer::Committer;
use crate::disk::Disk;
use crate::journal::{Base, Opened, open_still};
use crate::keeper::{Job, Keeper};
use crate::lane::{Lane, Wake};
use crate::options::Options;
use crate::reader::Reader;
use crate::recover::Recovery;
use crate::seal::Seal;
use crate::stats::Stats;
use crate::{Fault, Projection};

/// An open journal that does nothing unless [`Stepped::step`] is called. Dropping it is a crash.
pub struct Stepped {
    committer: Committer,
    keeper: Keeper,
    inbox: Receiver<Job>,
    base: Base,
}

/// As [`open`](crate::open), without starting a thread.
/// # Errors
/// Those of [`open`](crate::open).
pub fn open_stepped(
    options: Options,
    disk: Arc<dyn Disk>,
    seal: Arc<dyn Seal>,
    projection: &mut dyn Projection,
) -> Result<(Stepped, Recovery), Fault> {
    let Opened { base, committer, keeper, inbox, report } =
        open_still(options, disk, seal, projection, true)?;
    Ok((Stepped { committer, keeper, inbox, base }, report))
}

impl Stepped {
    /// Commits everything submitted so far as one group (or as many as it takes), hands it back and wakes its lanes;
    /// false if nothing was submitted. Then prepares what is due of the next segment; upkeep is left to
    /// [`Stepped::tidy`].
    pub fn step(&mut self) -> bool {
        let any = self.committer.commit_arrived();
        self.base.preparer.step();
        any
    }

    /// Does what the keeper's thread would do: key indexes, checkpoints. False if there was nothing to do.
    pub fn tidy(&mut self) -> bool {
        let mut any = false;
        while let Ok(job) = self.inbox.try_recv() {
            self.keeper.take(job);
            any = true;
        }
        any
    }

    /// The epoch of this opening: raised durably each time.
    pub fn epoch(&self) -> u32 {
        self.base.epoch
    }

    /// The lane of worker `i`; `wake` is called from within [`Stepped::step`]. No more than
    /// [`LANE_DEPTH`](crate::LANE_DEPTH) frames may wait between two steps: submitting another would wait for ever.
    /// # Panics
    /// If `i` is not below [`Options::lanes`] or the lane was given away before.
    pub fn lane(&self, i: usize, wake: Wake) -> Lane {
        Lane::new(self.base.lanes.clone(), i, thread::current(), wake)
    }

    /// A reader of durable records.
    pub fn reader(&self) -> Reader {
        self.base.reader.clone()
    }

    /// Figures, shared with whoever shows them.
    pub fn stats(&self) -> Arc<Stats> {
        self.base.stats.clone()
    }

    /// Commits what was submitted, does the upkeep, and marks the journal as cleanly closed. Frames submitted afterwards
    /// fail.
    /// # Errors
    /// [`Fault::Stopped`] if a write or sync failed, now or before; no mark is written then.
    pub fn close(mut self) -> Result<(), Fault> {
        self.step();
        self.tidy();
        self.base.lanes.leave();
        self.base.close(self.committer.writer)
    }
}
