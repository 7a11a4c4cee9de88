//! The whole switch in a simulated world: the code that serves, with clock, network and disk of the simulator's making.
//!
//! Never a thread, socket, file or clock of the machine while a run goes on; never chance but the seed's. Guards: the same seed
//! and code give the same journal, byte for byte; after the safety phase everything owed drains, and the three books agree.

pub(crate) mod bank;
mod batch_end;
mod cards;
pub mod disk;
pub mod dose;
mod faults;
pub mod flows;
mod heard;
mod manners;
mod net;
mod phases;
pub(crate) mod pipe;
mod roll;
mod sale;
pub mod scene;
pub mod shrink;
pub mod tally;
mod till;
mod verdict;
mod world;

use dose::Dose;
use scene::Ground;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tally::Tally;
use telemetry::Families;
use world::World;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Hash of its journal.
    pub journal: String,
    /// What is wrong; empty if nothing is.
    pub failures: Vec<String>,
    /// What it did.
    pub tally: Tally,
    /// What happened, where it was asked for.
    pub story: Vec<String>,
}

/// Where runs of one thread happen: what they share that does not depend on a seed.
pub struct Stage {
    ground: Arc<Ground>,
    families: RefCell<Option<Arc<Families>>>,
}

impl Stage {
    /// Empty.
    pub fn new() -> Self {
        Self { ground: Arc::default(), families: RefCell::default() }
    }

    /// Plays seeds until one of them fails; how many it took.
    pub fn seeds_to_failure(&self, seeds: std::ops::Range<u64>) -> Option<(u64, String)> {
        seeds.zip(1..).find_map(|(seed, count)| {
            let failures = self.play(seed).failures;
            failures.into_iter().next().map(|first| (count, first))
        })
    }

    /// Plays a seed with its own doses.
    pub fn play(&self, seed: u64) -> Outcome {
        self.play_with(seed, Dose::of(seed), false)
    }

    /// Plays a seed with other doses; tells its story if asked to.
    pub fn play_with(&self, seed: u64, dose: Dose, tells: bool) -> Outcome {
        let played = catch_unwind(AssertUnwindSafe(|| self.run(seed, dose, tells)));
        played.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let text: String = text.unwrap_or_default().chars().take(400).collect();
            let failures = vec![format!("panicked: {text}")];
            Outcome { seed, journal: String::new(), failures, tally: Tally::default(), story: Vec::new() }
        })
    }

    fn run(&self, seed: u64, dose: Dose, tells: bool) -> Outcome {
        let mut world = World::new(seed, dose, &self.ground, &mut self.families.borrow_mut());
        world.story = tells.then(Vec::new);
        world.begin();
        world.safety();
        world.liveness();
        let story = world.story.take().unwrap_or_default();
        world.tally.simulated_us = world.now_us;
        let (finished, tally) = world.judge();
        Outcome { seed, journal: finished.head, failures: finished.failures, tally, story }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}
