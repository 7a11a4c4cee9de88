//! The binary `pointsman` as a library, so that tests reach every rule without a socket: configuration, command line,
//! sockets, wiring.
//! Never holds a rule of the trade: those live in the rooms below. Guards: nothing is bound before the configuration is
//! found clean.

pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod serve;
