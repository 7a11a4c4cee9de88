//! Limit rules, exact lock-free counters, business days
