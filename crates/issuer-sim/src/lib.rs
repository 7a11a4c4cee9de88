//! Issuers with accounts, ledgers and moods, for tests, the demo and load.
//!
//! The core ([`Issuer`]) takes messages and time and gives bytes back; it has no socket, no clock and no randomness but
//! its seed. [`serve`] and [`Simulator`] put sockets around it.
//! Never depends on the engine: its ledger is the third book, written by a second mind.
//! Guards: an account moves by exactly what the ledger books; the same request is booked once; a reversal gives back
//! what was taken and no more.
//!
//! ```
//! use issuer_sim::{Issuer, IssuerConfig, Mood};
//! let config = IssuerConfig::new("huaxia", "iso87-ascii")
//!     .account("6224242900000113", 100_000)
//!     .mood(Mood::decline("51").amount_ends("51"));
//! let issuer = Issuer::new(config).unwrap();
//! assert_eq!(issuer.totals().debits, 0);
//! ```

mod account;
mod answer;
mod book;
mod config;
mod control;
mod fuzz;
mod issuer;
mod ledger;
mod mood;
mod random;
mod recant;
mod related;
mod reverse;
mod server;
mod simulator;
mod tls;

pub use account::{Account, Status};
pub use config::{ConfigFault, IssuerConfig, ListenConfig, SimConfig, UnknownCards};
pub use control::Control;
pub use fuzz::fuzz_config;
pub use issuer::{Issuer, Later, Replies, Session};
pub use ledger::{Keep, Totals};
pub use mood::{Act, Ending, Mood, When, standard_moods};
pub use server::{Listen, ServeFault, Served, serve};
pub use simulator::Simulator;
pub use tls::{TlsFault, server_config};
