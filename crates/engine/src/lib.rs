//! The money state machine: events in, effects out.
//!
//! One [`Engine`] is one shard: it is used through `&mut self` by one worker, so the events of one transaction are in one
//! order without a lock. It never awaits, never calls a store, never reads a clock, a socket, a file or chance: time
//! comes with the [`Context`], records go into the turn's [`journal::Frame`], everything else leaves as an [`Effect`].
//!
//! Guards (DESIGN: on the wall): no forward before a durable INTENT, no answer that moves money before its durable
//! record, one final outcome per INTENT, a repeat never debits twice and never replays an approval that is no longer
//! true, a reservation is released exactly once, nothing is approved by default.

mod check;
pub mod effect;
pub mod engine;
pub mod event;
pub mod frames;
mod full;
pub mod index;
pub mod ledger;
mod owe;
mod owed;
mod past;
pub mod record;
mod recover;
mod replay;
mod reverse;
mod settle;
mod slab;
pub mod snapshot;
pub mod state;
pub mod table;
mod tombs;
pub mod transaction;
mod turn;
mod write;

pub use effect::{Code, Disposition, Effect, Effects, Reply, Timer};
pub use engine::{Config, Engine};
pub use event::{Context, Event, Fetched, Origin, Permit, TxnId, Verdict};
pub use frames::Frames;
pub use index::{Entry, Index, shard_of};
pub use ledger::{Ledger, LedgerOptions, Parts, ShardState};
pub use snapshot::{IssuerTerms, LinkTerms, ListenerTerms, MerchantTerms, Snapshot, Standing, TerminalTerms};
pub use state::State;
pub use transaction::Transaction;
