//! The words of the card trade as types: what every other room speaks.
//!
//! Never prints a secret (a [`Pan`] shows six and four digits, nothing shows more), never uses a float,
//! never allocates: every value is small, inline and `Copy`.
//! Guards: one thing has one word; a value that exists is valid.

pub mod answer;
pub mod batch;
pub mod card;
pub mod cause;
pub mod codes;
pub mod ids;
pub mod keys;
pub mod kind;
pub mod money;
pub mod mti;
pub mod numbers;
pub mod request;
pub mod text;
pub mod time;

pub use answer::Answer;
pub use card::{CardToken, Expiry, Pan};
pub use cause::{Cause, InternalCause, Source};
pub use codes::{ApprovalCode, Arpc, ResponseCode};
pub use ids::{CalendarIx, IssuerIx, LinkIx, ListenerIx, WorkerIx, stable_id};
pub use keys::{Check, KeyHasher, OriginalRef, SlotKey};
pub use kind::{InDoubt, Kind};
pub use money::{Currency, Minor, Money};
pub use mti::{Mti, MtiClass};
pub use numbers::{EntryMode, ProcessingCode, Rrn, Stan, TransmissionTime};
pub use request::{Flags, Request};
pub use text::Text;
pub use time::{BusinessDay, Now, Tick};
