//! Sample contents.
