//! One framing: where a frame ends, what stands around its message, and how to write the same again.
//! Never reserves a byte for a length it has not held against `max_frame`; never copies a message.
//! Guards: `write` then `next` gives the same envelope and message back, for every setting.

use std::ops::Range;

use crate::envelope::TPDU_SIZE;
use crate::{Envelope, Header, LengthForm, Output, Violation};

/// How frames are told apart on one listener or link. Plain data: cheap to copy, compared by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Framing {
    /// How the length is written.
    pub length: LengthForm,
    /// Whether the length counts its own bytes too.
    pub inclusive: bool,
    /// Whether a five-byte TPDU follows the length.
    pub tpdu: bool,
    /// The header after the TPDU.
    pub header: Header,
    /// One byte after the message, such as [`crate::ETX`].
    pub trailer: Option<u8>,
    /// Whether the length counts the trailer, as BASE24 over TCP does. Without a trailer it has no effect.
    pub trailer_counted: bool,
    /// Most bytes after the length prefix: TPDU, header, message and trailer together.
    pub max_frame: u32,
    /// Whether a frame of length zero is a sign of life; otherwise it is a violation.
    pub keepalive: bool,
}

/// What the front of a buffer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The frame is not whole.
    Incomplete {
        /// Bytes known to be needed from the front of the buffer, always more than are there.
        need: usize,
    },
    /// A frame of length zero.
    KeepAlive {
        /// Bytes to drop from the front of the buffer.
        consumed: usize,
    },
    /// A whole frame.
    Frame {
        /// Bytes to drop from the front of the buffer once the message is read.
        consumed: usize,
        /// TPDU and header as they came.
        envelope: Envelope,
        /// Where the message lies in the buffer; never empty.
        body: Range<usize>,
    },
}

impl Default for Framing {
    /// Two bytes, big-endian, exclusive, bare messages up to [`MAX_FRAME_DEFAULT`], keep-alives accepted.
    fn default() -> Self {
        Self {
            length: LengthForm::Binary2,
            inclusive: false,
            tpdu: false,
            header: Header::None,
            trailer: None,
            trailer_counted: true,
            max_frame: MAX_FRAME_DEFAULT,
            keepalive: true,
        }
    }
}

impl Framing {
    /// Looks at the front of `buf` for one frame. Pure and without allocation; the length is held
    /// against `max_frame` as soon as its prefix is there.
    ///
    /// # Errors
    /// [`Violation`] when the bytes can never become a frame; the stream has lost its place then.
    pub fn next(&self, buf: &[u8]) -> Result<Next, Violation> {
        let prefix = self.length.size();
        let Some(stated) = self.length.read(buf)? else { return Ok(Next::Incomplete { need: prefix }) };
        if self.keepalive && self.says_nothing(stated) {
            return Ok(Next::KeepAlive { consumed: prefix });
        }
        self.check(stated)?;
        let whole = stated as usize + self.uncounted();
        if buf.len() < whole {
            return Ok(Next::Incomplete { need: whole });
        }
        self.check_trailer(&buf[..whole])?;
        let start = prefix + self.overhead();
        let envelope = self.read_envelope(&buf[prefix..start]);
        Ok(Next::Frame { consumed: whole, envelope, body: start..whole - self.trailer_size() })
    }

    /// Appends one frame to `out`: length, the parts of `envelope` this framing has, what `body` writes,
    /// trailer. `body` may only append. No second buffer: the length is patched afterwards.
    ///
    /// # Errors
    /// [`Violation::TooLong`] over `max_frame` or what the length form can say, [`Violation::TooShort`] for
    /// a body without a byte; `out` is then as it was.
    pub fn write<B: Output>(
        &self,
        out: &mut B,
        envelope: &Envelope,
        body: impl FnOnce(&mut B),
    ) -> Result<(), Violation> {
        self.try_write(out, envelope, |out| {
            body(out);
            Ok(())
        })
    }

    /// As [`Framing::write`], for a body that can fail on its own account.
    ///
    /// # Errors
    /// What `body` said, or a [`Violation`] as in [`Framing::write`]; `out` is then as it was.
    pub fn try_write<B: Output, E: From<Violation>>(
        &self,
        out: &mut B,
        envelope: &Envelope,
        body: impl FnOnce(&mut B) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = out.len();
        let written = self.append(out, envelope, body).and_then(|()| Ok(self.close(&mut out[start..])?));
        if written.is_err() {
            out.cut_back(start);
        }
        written
    }

    /// Appends a frame of length zero: a length and nothing else, not even a trailer.
    pub fn keepalive<B: Output>(&self, out: &mut B) {
        let start = out.len();
        out.put_bytes(0, self.length.size());
        self.length.patch(&mut out[start..], self.counted_prefix() as u64);
    }

    /// Bytes this framing puts around a message, length and trailer included.
    pub const fn around(&self) -> usize {
        self.length.size() + self.overhead() + self.trailer_size()
    }

    fn append<B: Output, E>(
        &self,
        out: &mut B,
        envelope: &Envelope,
        body: impl FnOnce(&mut B) -> Result<(), E>,
    ) -> Result<(), E> {
        out.put_bytes(0, self.length.size());
        if self.tpdu {
            out.put_slice(&envelope.tpdu);
        }
        out.put_slice(&envelope.header[..self.header.size()]);
        let before = out.len();
        body(out)?;
        assert!(out.len() >= before, "the body of a frame was written by shortening the buffer");
        if let Some(trailer) = self.trailer {
            out.put_u8(trailer);
        }
        Ok(())
    }

    /// Patches the length of a frame that is written but for it.
    fn close(&self, frame: &mut [u8]) -> Result<(), Violation> {
        let stated = (frame.len() - self.uncounted()) as u64;
        self.check(stated)?;
        self.length.patch(&mut frame[..self.length.size()], stated);
        Ok(())
    }

    /// A bare length. An inclusive one should state its own size; peers that send plain zero can mean
    /// nothing else by it.
    fn says_nothing(&self, stated: u64) -> bool {
        stated == 0 || stated == self.counted_prefix() as u64
    }

    fn check(&self, found: u64) -> Result<(), Violation> {
        let least = (self.around() + 1 - self.uncounted()) as u64;
        let uncounted_tail = self.uncounted_trailer() as u64;
        let bound = u64::from(self.max_frame) + self.counted_prefix() as u64;
        let most = bound.saturating_sub(uncounted_tail).min(self.length.greatest());
        if found > most {
            return Err(Violation::TooLong { most, found });
        }
        if found < least {
            return Err(Violation::TooShort { least, found });
        }
        Ok(())
    }

    fn check_trailer(&self, frame: &[u8]) -> Result<(), Violation> {
        let (Some(expected), Some((&found, before))) = (self.trailer, frame.split_last()) else {
            return Ok(());
        };
        if found == expected {
            return Ok(());
        }
        Err(Violation::Trailer { position: before.len(), expected, found })
    }

    /// `bytes` are exactly those between length and message.
    fn read_envelope(&self, bytes: &[u8]) -> Envelope {
        let mut envelope = Envelope::default();
        let (tpdu, header) = bytes.split_at(bytes.len() - self.header.size());
        envelope.tpdu[..tpdu.len()].copy_from_slice(tpdu);
        envelope.header[..header.len()].copy_from_slice(header);
        envelope
    }

    /// Bytes between length and message.
    const fn overhead(&self) -> usize {
        self.header.size() + if self.tpdu { TPDU_SIZE } else { 0 }
    }

    const fn trailer_size(&self) -> usize {
        self.trailer.is_some() as usize
    }

    const fn uncounted_trailer(&self) -> usize {
        if self.trailer_counted { 0 } else { self.trailer_size() }
    }

    const fn counted_prefix(&self) -> usize {
        if self.inclusive { self.length.size() } else { 0 }
    }

    /// Bytes of a whole frame that its length does not count.
    const fn uncounted(&self) -> usize {
        self.length.size() - self.counted_prefix() + self.uncounted_trailer()
    }
}

/// Most bytes after the length unless a listener says otherwise: 4 KiB, about ten times a chip purchase
/// (426 bytes in the published UnionPay POS example the tests use).
pub const MAX_FRAME_DEFAULT: u32 = 4096;

const _: () = assert!(usize::BITS >= 64, "a four-byte length and its overhead must fit a usize");
