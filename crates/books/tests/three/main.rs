//! The second reader of record payloads, the switch's book, and the comparison of the three books.

mod comparison;
mod folding;
mod payloads;
mod report;
mod writer;
