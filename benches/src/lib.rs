//! Micro-benchmarks

pub mod codec;
