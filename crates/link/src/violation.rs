//! What ends a connection, and what keeps a message off it. Never holds a field's value but response codes and MTIs.

use framing::Overdue;
use iso8583::DecodeError;
use terms::{Mti, ResponseCode};
use thiserror::Error;

/// The peer broke the protocol or fell silent: the connection must go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The place in the stream is lost.
    #[error("cannot find the next frame")]
    Framing(#[from] framing::Violation),
    /// A message that is none, and not enough of it can be trusted to answer it.
    #[error("cannot read a message")]
    Unreadable(#[source] DecodeError),
    /// One bad message too many.
    #[error("expected at most {most} bad messages, found one more")]
    TooManyBad {
        /// The bound.
        most: u32,
        /// The last one.
        #[source]
        last: DecodeError,
    },
    /// An answer came from a peer that we ask nothing.
    #[error("expected a request, found message type {found}")]
    NotARequest {
        /// Its type.
        found: Mti,
    },
    /// A patience has run out.
    #[error("{}", overdue_text(.0))]
    Overdue(Overdue),
    /// The issuer answered our sign-on with another code than an approving one.
    #[error("expected the sign-on to be approved, found code {code}")]
    SignOnRefused {
        /// As it came; empty if absent.
        code: ResponseCode,
    },
    /// The issuer did not answer our sign-on.
    #[error("sign-on unanswered")]
    SignOnUnanswered,
    /// The issuer was silent although asked for an echo.
    #[error("echo unanswered")]
    EchoUnanswered,
}

/// Why a message was not put on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unframed<E> {
    /// The link is not up: nothing may go out but network management.
    #[error("link is not signed on")]
    Down,
    /// As many bytes wait for the peer as may.
    #[error("output is full")]
    Full,
    /// The frame would break the framing, as one that is too long does.
    #[error("message does not fit a frame")]
    Framing(#[from] framing::Violation),
    /// The message could not be built.
    #[error("cannot build message")]
    Body(E),
}

const fn overdue_text(overdue: &Overdue) -> &'static str {
    match overdue {
        Overdue::Handshake => "handshake not finished in time",
        Overdue::Frame => "frame begun and not finished in time",
        Overdue::Output => "peer does not read",
        Overdue::Idle => "nothing came between frames for too long",
    }
}
