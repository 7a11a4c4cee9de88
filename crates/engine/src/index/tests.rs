//! The index against a plain map.
