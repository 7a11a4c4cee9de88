//! Operations that do something to an earlier transaction: voids, cancellations, completions, refunds.
//!
//! An operation is a transaction of its own: INTENT, answer, OUTCOME, reversal, all by the same table. What is here comes
//! beside it: the original is found first, what is left of it is reserved while the operation is under way, and its ceilings
//! follow when the operation is approved or taken back.
//! Never changes an original's state; guards: no more is taken of an original than it had, in flight or settled; a
//! reversal of an original waits for what is under way on it.

mod batches;
mod lend;
mod link;
mod rules;
mod settlement;
mod take_back;
mod ties;

pub use batches::{BATCHES_MAX, Batches};
pub use lend::Letter;
pub use ties::NamedOriginal;
pub(crate) use ties::{Key, Phase, Ties};
