//! Append-only log over a Disk trait: group commit, batch chain, recovery
