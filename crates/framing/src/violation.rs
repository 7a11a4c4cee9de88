//! What a peer can do wrong between two frames.
//! Never carries a byte of the message: only lengths, and the one byte that stood where a digit or a
//! trailer was due. Positions count from the first byte of the frame, its length prefix included.

use thiserror::Error;

/// The peer broke the framing; the position in the stream is lost, so the connection must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A digit of the length prefix is none. `found` is the whole byte, for BCD both its nibbles.
    #[error("length digit at byte {position}: expected {expected}, found 0x{found:02x}")]
    LengthDigit {
        /// Byte offset in the frame.
        position: usize,
        /// What the length form asks for.
        expected: &'static str,
        /// The byte that came.
        found: u8,
    },
    /// The frame is longer than the bound, or (when writing) than its length form can say.
    #[error("frame length at byte 0: expected at most {most}, found {found}")]
    TooLong {
        /// Greatest length the prefix may state here, counted as the prefix counts.
        most: u64,
        /// The length stated.
        found: u64,
    },
    /// The frame has no room for its own length, TPDU, header, trailer and one byte of message.
    #[error("frame length at byte 0: expected at least {least}, found {found}")]
    TooShort {
        /// Least length the prefix may state here, counted as the prefix counts.
        least: u64,
        /// The length stated.
        found: u64,
    },
    /// The byte where the trailer was due is another.
    #[error("trailer at byte {position}: expected 0x{expected:02x}, found 0x{found:02x}")]
    Trailer {
        /// Byte offset in the frame.
        position: usize,
        /// The trailer of this framing.
        expected: u8,
        /// The byte that came.
        found: u8,
    },
    /// The peer closed the stream inside a frame.
    #[error("stream closed at byte {found} of a frame: expected at least {expected} bytes")]
    CutShort {
        /// Bytes known to be needed for the whole frame.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
}
