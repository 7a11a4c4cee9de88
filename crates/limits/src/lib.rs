//! Ceilings and what has been spent against them: exact lock-free counters, their keys, and the business days they count.
//!
//! Never blocks (a map shard's guard is dropped in the statement that took it), never approximates, never reads a clock:
//! the caller brings the [`terms::BusinessDay`], computed once per turn by a [`Calendar`].
//! Guards: no admission raises what is reserved and spent above a ceiling, in any interleaving (`tests/loom_cell.rs`);
//! a refusal leaves every counter as it was.

pub mod calendar;
pub mod cell;
pub mod key;
pub mod rule;
mod slab;
pub mod store;
mod sync;

/// Inner parts, for the walk of every interleaving alone.
#[cfg(loom)]
pub mod walked {
    pub use crate::slab::Slab;
}

pub use calendar::{Calendar, CalendarFault};
pub use cell::{Cell, Held, Over};
pub use key::{LimitKey, Scope, Scopes};
pub use rule::{Ceilings, Charge, Demand, Exceeded, OtherCurrency, Rule, RuleFault, Which};
pub use store::{Forced, Full, Store};
