//! Issuers with accounts, ledgers and moods
