//! The keys of one segment in memory: one open list, and runs behind it.
//! Never sorts on the committer's thread. Guards: a pair is in exactly one place at a time.

use std::sync::Arc;

use super::Pair;

/// Pairs in the open list before it becomes a run.
const RUN: usize = 16_384;

/// A run: pairs, and whether they are in order.
#[derive(Clone)]
pub(super) struct Run {
    pairs: Arc<Vec<Pair>>,
    sorted: bool,
}

/// The keys of one segment.
#[derive(Default)]
pub(super) struct SegmentKeys {
    runs: Vec<Run>,
    open: Vec<Pair>,
}

impl SegmentKeys {
    /// Appends pairs; true if a run became full.
    pub(super) fn extend(&mut self, pairs: impl Iterator<Item = Pair>) -> bool {
        self.open.extend(pairs);
        if self.open.len() < RUN {
            return false;
        }
        let pairs = std::mem::replace(&mut self.open, Vec::with_capacity(RUN + RUN / 4));
        self.runs.push(Run { pairs: Arc::new(pairs), sorted: false });
        true
    }

    /// The runs that should be merged next, if any: an unsorted one, or neighbours of like size.
    pub(super) fn untidy(&self) -> Option<Vec<Run>> {
        if let Some(run) = self.runs.iter().find(|run| !run.sorted) {
            return Some(vec![run.clone()]);
        }
        let alike = self.runs.windows(2).find(|two| two[0].pairs.len() <= 2 * two[1].pairs.len())?;
        Some(alike.to_vec())
    }

    /// Puts `merged` in the place of `runs`, which still stand where they stood: only the keeper takes runs out.
    pub(super) fn replace(&mut self, runs: &[Run], merged: Vec<Pair>) {
        let first = &runs[0];
        let at =
            self.runs.iter().position(|run| Arc::ptr_eq(&run.pairs, &first.pairs)).expect("the run is ours");
        let run = Run { pairs: Arc::new(merged), sorted: true };
        self.runs.splice(at..at + runs.len(), [run]);
    }

    /// All pairs, in no order.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        self.runs.iter().flat_map(|run| run.pairs.iter()).chain(&self.open).copied().collect()
    }

    /// Pushes the positions of `key`.
    pub(super) fn find(&self, key: u64, found: &mut Vec<u64>) {
        for run in &self.runs {
            let start = if run.sorted { run.pairs.partition_point(|pair| pair.0 < key) } else { 0 };
            let candidates = &run.pairs[start..];
            let end =
                if run.sorted { candidates.partition_point(|pair| pair.0 == key) } else { candidates.len() };
            push_equal(&candidates[..end], key, found);
        }
        push_equal(&self.open, key, found);
    }
}

fn push_equal(pairs: &[Pair], key: u64, found: &mut Vec<u64>) {
    found.extend(pairs.iter().filter(|pair| pair.0 == key).map(|pair| pair.1));
}

/// The pairs of all runs in order.
pub(super) fn merge(runs: &[Run]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = runs.iter().flat_map(|run| run.pairs.iter().copied()).collect();
    // The stable sort recognizes runs that are sorted already and merges them.
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_sorting_and_merging() {
        let mut keys = SegmentKeys::default();
        let mut state = 77_123_u64;
        let mut all = Vec::new();
        for position in 0..200_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let pair = (state >> 46, position);
            all.push(pair);
            keys.extend([pair].into_iter());
            while position % 20_011 == 0
                && let Some(runs) = keys.untidy()
            {
                let merged = merge(&runs);
                keys.replace(&runs, merged);
            }
        }
        for key in (0..1 << 18).step_by(977) {
            let mut found = Vec::new();
            keys.find(key, &mut found);
            found.sort_unstable();
            let expected: Vec<u64> = all.iter().filter(|pair| pair.0 == key).map(|pair| pair.1).collect();
            assert_eq!(found, expected, "key {key}");
        }
        assert!(keys.runs.len() < 12, "{} runs", keys.runs.len());
    }
}
