//! Bytes to frames and back: length prefix, TPDU, header, trailer, bound.
//! Never knows a field, never reads a clock, never owns a socket; the caller brings bytes and `now`.
//! Guards: no length is believed before it was held against the listener's bound, nothing is copied or
//! allocated to find a frame, and no sequence of bytes makes it panic (`fuzz_framing`, `tests/`).
//!
//! A frame on the wire:
//!
//! ```text
//! length (2 or 4 bytes) | TPDU (5)? | header (6)? | message (1..) | trailer (1)?
//!                       '------------ at most `max_frame` ------------'
//! ```

mod clock;
mod codec;
mod detect;
mod envelope;
mod framing;
mod fuzz;
mod length;
mod names;
mod output;
mod violation;

pub use clock::{FrameClock, FrameLimits, Overdue};
pub use codec::{CodecError, Frame, FrameCodec};
pub use detect::{Candidate, detect};
pub use envelope::{Demand, Envelope, Header};
pub use framing::{Framing, MAX_FRAME_DEFAULT, Next};
pub use fuzz::fuzz_framing;
pub use length::LengthForm;
pub use names::ETX;
pub use output::Output;
pub use violation::Violation;
