//! Sessions without I/O: bytes and time in, bytes and timers out.
//!
//! Never owns a socket, never reads a clock, draws no chance (a seed is an argument), never decides about money.
//! Guards: every message sent ends exactly once (in time, expired, retired or lost), an answer is matched by its whole
//! link key or not at all, and a peer that is silent, slow or talks nonsense costs a bounded time and a bounded memory.
//!
//! Who is who: an [`IssuerSession`] or a [`TerminalSession`] is one connection and lives with the worker that owns its
//! socket. A [`Desk`] is what *one worker* has under way on *one link*: every worker has its own for every link, so none
//! is locked. STANs are shared out by their remainder, so [`worker_of`] tells whose desk an answer belongs to.

mod backoff;
mod delivery;
mod desk;
mod gear;
mod inbox;
mod issuer;
mod reason;
mod terminal;
mod violation;
mod wheel;

pub use backoff::Backoff;
pub use delivery::Delivery;
pub use desk::{Desk, DeskConfig, WINDOW_MAX, worker_of};
pub use issuer::{IssuerLinkConfig, IssuerSession, IssuerSink, LinkKey};
pub use reason::{Match, Reason};
pub use terminal::{Decoded, Refused, TerminalConfig, TerminalSession, TerminalSink};
pub use violation::{Unframed, Violation};
pub use wheel::{Handle, Wheel};
