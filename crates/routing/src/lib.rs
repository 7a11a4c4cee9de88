//! BIN table, conditions, choice among links
