//! Micro-benchmarks
