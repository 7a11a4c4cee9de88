//! Sessions without I/O: bytes and time in, bytes and timers out.
//!
//! Never owns a socket, never reads a clock, draws no chance (a seed is an argument), never decides about money.
//! Guards: every message sent ends exactly once (in time, expired, retired or lost), an answer is matched by its whole
//! link key or not at all, and a peer that is silent, slow or talks nonsense costs a bounded time and a bounded memory.

mod desk;
mod gear;
mod reason;
mod wheel;

pub use desk::{Desk, DeskConfig, WINDOW_MAX, worker_of};
pub use reason::{Match, Reason};
pub use wheel::{Handle, Wheel};
