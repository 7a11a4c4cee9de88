//! Whole-switch stories
