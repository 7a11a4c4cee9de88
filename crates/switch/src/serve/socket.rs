//! One connection with its channel: reads that never block, one write per turn, an output backlog that is bounded.
//!
//! Never awaits and never spawns: a task polls it, a turn writes to it. Guards: bytes leave in order; `taken` counts what
//! the kernel accepted, which is the only evidence of delivery there is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tls::{Channel, Progress};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

/// The bytes' way to the peer: a TCP connection, or what a simulation puts in its place.
pub trait Transport {
    /// Reads once; no bytes mean that the peer has closed.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
    /// Takes as many of `bytes` as it can at once; `WouldBlock` if none.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Ready when bytes may be taken again.
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Transport for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        AsyncRead::poll_read(Pin::new(self), cx, buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_write_ready(self, cx)
    }
}

/// A connected socket.
pub struct Socket {
    stream: Box<dyn Transport>,
    channel: Channel,
    backlog: Vec<u8>,
    sent: usize,
    made: u64,
    taken: u64,
}

/// Buffers that all sockets of one worker share, so that an idle connection owns none.
pub struct Scratch {
    input: Box<[u8]>,
    /// Plain bytes of the read under way.
    pub plain: Vec<u8>,
    output: Vec<u8>,
}

impl Scratch {
    /// Bytes taken from a socket in one read: 64 KiB hold four full TLS records.
    pub const READ: usize = 64 * 1024;

    /// Empty buffers.
    pub fn new() -> Self {
        Self { input: vec![0; Self::READ].into_boxed_slice(), plain: Vec::new(), output: Vec::new() }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// What one read brought.
#[derive(Clone, Copy, Debug)]
pub enum Filled {
    /// Bytes, now plain in [`Scratch::plain`] (perhaps none: a handshake is under way).
    Bytes(Progress),
    /// The peer closed.
    End,
}

impl Socket {
    /// Wraps a connected stream; a TLS client's first flight goes out with the first flush.
    pub fn new(stream: impl Transport + 'static, mut channel: Channel) -> Result<Self, rustls::Error> {
        let mut backlog = Vec::new();
        if matches!(channel, Channel::Client(_)) {
            channel.feed(&mut [], &mut Vec::new(), &mut backlog)?;
        }
        let made = backlog.len() as u64;
        Ok(Self { stream: Box::new(stream), channel, backlog, sent: 0, made, taken: 0 })
    }

    /// Application data may flow.
    pub fn established(&self) -> bool {
        self.channel.established()
    }

    /// No TLS, so no handshake either.
    pub fn is_plain(&self) -> bool {
        matches!(self.channel, Channel::Plain)
    }

    /// The TLS session was resumed.
    pub fn resumed(&self) -> bool {
        self.channel.resumed()
    }

    /// Bytes that the kernel has not taken yet.
    pub fn backlog(&self) -> usize {
        self.backlog.len() - self.sent
    }

    /// Wire bytes made so far: a reply sealed next begins at this one.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Wire bytes the kernel has taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Reads once; `Pending` registers the task for the next readiness. Plain bytes are *appended* to the scratch.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<io::Result<Filled>> {
        let mut buffer = ReadBuf::new(&mut scratch.input);
        ready!(self.stream.poll_read(cx, &mut buffer))?;
        let input = buffer.filled_mut();
        if input.is_empty() {
            return Poll::Ready(Ok(Filled::End));
        }
        let before = self.backlog.len();
        let progress = self.channel.feed(input, &mut scratch.plain, &mut self.backlog);
        self.made += (self.backlog.len() - before) as u64;
        Poll::Ready(match progress {
            Ok(progress) => Ok(Filled::Bytes(progress)),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        })
    }

    /// Seals `plain` and hands it to the kernel as far as it takes it; the rest waits in the backlog.
    pub fn send(&mut self, plain: &[u8], scratch: &mut Scratch) -> io::Result<()> {
        let sealed = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        if self.backlog() > 0 {
            let before = self.backlog.len();
            self.channel.seal(plain, &mut self.backlog).map_err(sealed)?;
            self.made += (self.backlog.len() - before) as u64;
            return self.flush();
        }
        scratch.output.clear();
        self.channel.seal(plain, &mut scratch.output).map_err(sealed)?;
        self.made += scratch.output.len() as u64;
        let took = Self::write(&*self.stream, &scratch.output)?;
        self.taken += took as u64;
        self.backlog.clear();
        self.sent = 0;
        self.backlog.extend_from_slice(&scratch.output[took..]);
        Ok(())
    }

    /// Hands the backlog to the kernel as far as it takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.backlog() == 0 {
            return Ok(());
        }
        let took = Self::write(&*self.stream, &self.backlog[self.sent..])?;
        self.taken += took as u64;
        self.sent += took;
        if self.sent == self.backlog.len() {
            // An idle connection keeps no buffer.
            self.backlog = Vec::new();
            self.sent = 0;
        }
        Ok(())
    }

    /// Registers the task for the moment the kernel takes bytes again, if some wait.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.backlog() > 0 {
            ready!(self.stream.poll_write_ready(cx))?;
            self.flush()?;
        }
        Poll::Ready(Ok(()))
    }

    /// Says goodbye as far as the kernel takes it at once.
    pub fn goodbye(&mut self) {
        self.channel.goodbye(&mut self.backlog);
        // The socket closes in any case; a goodbye that does not fit is no loss.
        let _ = self.flush();
    }

    fn write(stream: &dyn Transport, mut bytes: &[u8]) -> io::Result<usize> {
        let mut took = 0;
        while !bytes.is_empty() {
            match stream.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    took += n;
                    bytes = &bytes[n..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What was taken must be told; the next write meets the error again.
                Err(_) if took > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(took)
    }
}
