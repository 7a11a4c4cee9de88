//! Keys: the key file, card tokens, and the sealing of card numbers in the journal.
//!
//! Never logs, never derives `Debug` on a key, never has a default key, never uses a random nonce for a batch.
//! Guards: a nonce meets a key once (the journal's epoch and batch sequence are the nonce); a card number is read again
//! only by one who has the key-encryption key, and by nobody once the data key of its day is destroyed.

mod data_keys;
mod durable;
mod fault;
mod fuzz;
mod hex;
mod key_file;
mod lines;
mod sealer;
mod token;

pub use data_keys::DataKeys;
pub use fault::Fault;
pub use fuzz::fuzz_key_files;
pub use key_file::{Kek, KeyFile, TokenKey};
pub use sealer::{OVERHEAD, Sealer};
pub use token::Tokenizer;
