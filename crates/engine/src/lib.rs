//! The money state machine: events in, effects out
