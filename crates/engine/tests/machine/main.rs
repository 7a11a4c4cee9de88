//! The money state machine against a shell, a journal and issuers of memory.

mod builders;
mod cells;
mod chaos;
mod crowd;
mod desk;
mod script;
mod stories;
mod world;
