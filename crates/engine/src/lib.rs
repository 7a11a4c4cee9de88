//! The money state machine: events in, effects out.
//!
//! One [`Engine`] is one shard: it is used through `&mut self` by one worker, so the events of one transaction are in one
//! order without a lock. It never awaits, never calls a store, never reads a clock, a socket, a file or chance: time
//! comes with the [`Context`], records go into the turn's [`Frames`], everything else leaves as an [`Effect`].
//!
//! What the shell promises:
//! - it picks the shard with [`shard_of`]`(request.owner(), shards)`, and calls [`Engine::recover`] once before traffic;
//! - it does the effects in order, within the turn; an empty `effects` tells the engine that all earlier ones are done;
//! - [`Effect::Reserve`], `Enlist`, `StandIn`, `Fetch`, `Find` and `Name` are answered before the next event of the same transaction;
//! - it submits [`Frames::normal`] as [`journal::Class::Normal`] and then [`Frames::owed`] as [`journal::Class::Owed`], so
//!   that reversals are served when the disk is full; each token comes back as `Durable` or, of a frame that was refused,
//!   as `NotWritten`; after a failed sync nothing comes back at all;
//! - one [`Effect::Settle`] or [`Effect::Return`] ends each store-and-forward slot, taken for a request or by
//!   [`Effect::Occupy`] for what is owed without one; one [`Effect::Release`] each reservation that did not become a purchase;
//! - issuers and links keep their indexes for the life of the process, whatever configuration is loaded.
//!
//! Guards (DESIGN: on the wall): no forward before a durable INTENT, no answer that moves money before its durable
//! record, one final outcome per INTENT, a repeat never debits twice and never replays an approval that is no longer
//! true, a reservation is released exactly once, nothing is approved by default.

mod advice;
mod check;
mod content;
mod debts;
mod drain;
pub mod effect;
pub mod engine;
pub mod event;
mod flow;
pub mod frames;
mod full;
pub mod index;
pub mod ledger;
mod owe;
mod owed;
mod past;
mod recant;
pub mod record;
mod recover;
mod replay;
mod reverse;
mod settle;
mod slab;
pub mod snapshot;
mod stand_in;
pub mod state;
pub mod table;
mod tombs;
pub mod transaction;
mod turn;
mod views;
mod words;
mod write;

pub use content::CONTENT_MAX;
pub use debts::DEBT_BYTES;
pub use effect::{Code, Disposition, Effect, Effects, Reply, Timer};
pub use engine::{Config, Engine};
pub use event::{Context, Event, Fetched, Origin, Permit, TxnId, Verdict};
pub use flow::{BATCHES_MAX, Letter, NamedOriginal};
pub use frames::Frames;
pub use index::{Entry, Index, shard_of};
pub use ledger::{Ledger, LedgerOptions, Parts, ShardState};
pub use recant::IssuerAsk;
pub use snapshot::{
    IssuerTerms, LinkTerms, ListenerTerms, MerchantTerms, RefundTerms, Snapshot, StandInTerms, Standing,
    TerminalTerms,
};
pub use state::State;
pub use tombs::TOMBSTONES_MAX;
pub use transaction::Transaction;
