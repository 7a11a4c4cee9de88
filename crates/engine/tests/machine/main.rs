//! The money state machine against a shell, a journal and issuers of memory.

mod builders;
mod desk;
mod script;
mod stories;
mod world;
