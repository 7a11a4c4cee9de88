//! A second reader of the journal, and the three books

pub mod journal;
pub mod shapes;
