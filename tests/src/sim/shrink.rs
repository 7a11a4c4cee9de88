//! A failure made smaller: fewer sales, fewer terminals, fewer kinds of fault, as long as it still fails.
//! Never changes the seed. Guards: what is shown fails by itself, with the doses shown.

use super::dose::{Dose, IssuerDose};
use super::{Outcome, Stage};

/// The smallest failure found, and the doses that give it.
pub struct Shrunk {
    /// The doses.
    pub dose: Dose,
    /// How it fails, with its story.
    pub outcome: Outcome,
    /// Runs it took.
    pub runs: u32,
}

type Cut = fn(&mut Dose);

/// What can be left out, the most telling first.
const CUTS: &[Cut] = &[
    |dose| dose.days = (dose.days / 2).max(1),
    |dose| dose.tills = (dose.tills / 2).max(1),
    |dose| dose.sales_per_till = (dose.sales_per_till / 2).max(1),
    |dose| dose.changes_workers = false,
    |dose| dose.workers = 1,
    |dose| dose.twin_links = false,
    |dose| dose.issuer = IssuerDose { reversal_denied: dose.issuer.reversal_denied, ..IssuerDose::calm() },
    |dose| (dose.slow_net, dose.drip) = (0, 0),
    |dose| (dose.till_cut, dose.link_cut) = (0, 0),
    |dose| (dose.blackhole, dose.unread, dose.junk) = (0, 0, 0),
    |dose| (dose.process_kills, dose.crash_in_recovery) = (0, 0),
    |dose| dose.machine_crashes = 0,
    |dose| dose.failed_syncs = 0,
    |dose| (dose.disk_full, dose.disk_stall) = (0, 0),
    |dose| dose.wall_steps = 0,
    |dose| dose.freezes = 0,
    |dose| (dose.second_starts, dose.drains) = (0, 0),
    |dose| (dose.reverse_first, dose.stray_reversals) = (0, 0),
    |dose| dose.contradicts = 0,
    |dose| dose.follows = 0,
    |dose| (dose.rude, dose.miscounts) = (0, 0),
    |dose| dose.takes_parts = false,
    |dose| dose.stand_in = false,
    |dose| dose.rechecks = 0,
    |dose| dose.voluntary = 0,
    |dose| (dose.repeats, dose.reconnects) = (0, 0),
    |dose| dose.impatient = false,
    |dose| dose.stan_near_wrap = false,
    |dose| dose.hot_card = false,
    |dose| dose.tills = dose.tills.saturating_sub(1).max(1),
    |dose| dose.sales_per_till = dose.sales_per_till.saturating_sub(1).max(1),
    |dose| dose.faults_max = (dose.faults_max.min(64) / 2).max(1),
];

/// Runs spent on one failure.
const RUNS_MAX: u32 = 200;

/// Makes the failure of `seed` smaller; `None` if it does not fail.
pub fn shrink(stage: &Stage, seed: u64, mut dose: Dose) -> Option<Shrunk> {
    let mut runs = 1;
    let whole = stage.play_with(seed, dose.clone(), false).failures;
    let sign = sign_of(whole.first()?);
    let fails_so = |failures: &[String]| failures.iter().any(|failure| sign_of(failure) == sign);
    let mut smaller = true;
    while smaller && runs < RUNS_MAX {
        smaller = false;
        for cut in CUTS {
            let mut less = dose.clone();
            cut(&mut less);
            if runs >= RUNS_MAX || format!("{less:?}") == format!("{dose:?}") {
                continue;
            }
            runs += 1;
            if fails_so(&stage.play_with(seed, less.clone(), false).failures) {
                (dose, smaller) = (less, true);
            }
        }
    }
    let outcome = stage.play_with(seed, dose.clone(), true);
    Some(Shrunk { dose, outcome, runs })
}

/// A failure without its numbers and names: what a smaller run must show as well.
fn sign_of(failure: &str) -> String {
    let words =
        failure.split_whitespace().filter(|word| !word.contains(|letter: char| letter.is_ascii_digit()));
    words.take(8).collect::<Vec<_>>().join(" ")
}
