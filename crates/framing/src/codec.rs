//! The same framing as a `tokio-util` codec, for code that wants a stream of frames.
//! Never reserves for a length that was not checked; a message is a slice of the read buffer, not a copy.

use std::io;

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use crate::{Envelope, Framing, Next, Violation};

/// One arrival on a framed stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message with what stood around it.
    Message {
        /// TPDU and header as they came, or as they shall go.
        envelope: Envelope,
        /// The message; never empty when it was read.
        body: Bytes,
    },
    /// A frame of length zero.
    KeepAlive,
}

/// Why a framed stream ended. The two never mix: one is the peer's doing, the other the socket's.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The peer broke the framing.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The socket failed.
    #[error("framed stream failed")]
    Socket(#[from] io::Error),
}

/// Decoder and encoder of [`Frame`]s under one [`Framing`]. Holds no state between frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCodec {
    framing: Framing,
}

impl FrameCodec {
    /// A codec for `framing`.
    pub const fn new(framing: Framing) -> Self {
        Self { framing }
    }

    /// The framing it was made for.
    pub const fn framing(&self) -> &Framing {
        &self.framing
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        match self.framing.next(src)? {
            Next::Incomplete { need } => {
                src.reserve(need - src.len());
                Ok(None)
            }
            Next::KeepAlive { consumed } => {
                let _ = src.split_to(consumed);
                Ok(Some(Frame::KeepAlive))
            }
            Next::Frame { consumed, envelope, body } => {
                let body = src.split_to(consumed).freeze().slice(body);
                Ok(Some(Frame::Message { envelope, body }))
            }
        }
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        if src.is_empty() {
            return Ok(None);
        }
        match self.framing.next(src)? {
            Next::Incomplete { need } => Err(Violation::CutShort { expected: need, found: src.len() }.into()),
            Next::KeepAlive { .. } | Next::Frame { .. } => self.decode(src),
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = CodecError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), CodecError> {
        match frame {
            Frame::KeepAlive => self.framing.keepalive(dst),
            Frame::Message { envelope, body } => {
                dst.reserve(self.framing.around() + body.len());
                self.framing.write(dst, &envelope, |dst| dst.extend_from_slice(&body))?;
            }
        }
        Ok(())
    }
}
