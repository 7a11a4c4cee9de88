//! How many connections this process may hold.
//! Never lowers a limit. Guards: a run that cannot fit says so before it connects.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one and tells how many connections fit beside what is open.
pub fn connections_that_fit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it is refused the old one holds, which is then read.
    let _ = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/proc/self/fd").map_or(RESERVE, |entries| entries.count() as u64);
    current.saturating_sub(open + RESERVE)
}

/// For runtimes, files and what else opens meanwhile.
const RESERVE: u64 = 32;

#[cfg(test)]
mod tests {
    #[test]
    fn something_fits() {
        assert!(super::connections_that_fit() > 0);
    }
}
