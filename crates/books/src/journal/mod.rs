//! A second reader of the journal, written from `crates/journal/FORMAT.md` and sharing no code with the writer.
//! Never writes, never opens a sealed secret, never needs the lock. Guards: the two agree only if the description is true.

mod fault;
mod layout;
mod log;
mod report;
mod verify;

pub use fault::Fault;
pub use log::{Record, Records, records};
pub use report::{Damage, Report, SegmentLine, SegmentState, Torn};
pub use verify::verify;
