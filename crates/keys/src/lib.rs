//! Sealing, card tokens, key files
