//! What whole-switch tests stand on: certificates, configurations, terminals, issuers and the real process.
//!
//! Never looks into a room of the switch: everything here is done over sockets, signals and files, as the world does it.
//! Guards: no test waits by guessing a time; it waits for what it needs, and gives up loudly.

pub mod certificates;
pub mod chaos;
pub mod failpoints;
pub mod issuer;
pub mod message;
pub mod paused;
pub mod process;
pub mod shop;
pub mod sim;
pub mod terminal;
pub mod tills;
