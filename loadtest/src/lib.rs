//! The load harness
