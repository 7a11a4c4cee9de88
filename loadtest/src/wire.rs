//! A client's connection: a channel over a socket that never blocks.
//! Never awaits: the caller knows when the socket is ready. Guards: bytes leave in order, many messages in one record.

use std::io;
use std::rc::Rc;
use tls::Channel;
use tokio::net::tcp::OwnedWriteHalf;

/// One connected socket.
pub(crate) struct Wire {
    stream: Rc<OwnedWriteHalf>,
    channel: Channel,
    /// Wire bytes that the kernel has not taken; those before `taken` it has.
    backlog: Vec<u8>,
    taken: usize,
    /// Application data may flow.
    pub established: bool,
}

impl Wire {
    /// Starts the handshake, if there is one.
    pub(crate) fn new(stream: Rc<OwnedWriteHalf>, tls: Option<&crate::Tls>) -> io::Result<Self> {
        let channel = match tls {
            None => Channel::Plain,
            Some(tls) => Channel::client(tls.config.clone(), tls.name.clone()).map_err(invalid)?,
        };
        let mut wire = Self { stream, channel, backlog: Vec::new(), taken: 0, established: false };
        wire.take(&mut [], &mut Vec::new())?;
        Ok(wire)
    }

    /// Takes what the socket gave and appends the plain bytes. False: the peer has said goodbye.
    pub(crate) fn take(&mut self, input: &mut [u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        let progress = self.channel.feed(input, plain, &mut self.backlog).map_err(invalid)?;
        self.established = progress.established;
        self.flush()?;
        Ok(!progress.closed)
    }

    /// Sends `plain` as far as the kernel takes it; the rest waits.
    pub(crate) fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        self.channel.seal(plain, &mut self.backlog).map_err(invalid)?;
        self.flush()
    }

    /// Whether bytes wait for the kernel.
    pub(crate) fn waits(&self) -> bool {
        self.taken < self.backlog.len()
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.waits() {
            match self.stream.try_write(&self.backlog[self.taken..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(took) => self.taken += took,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
        self.backlog.clear();
        self.taken = 0;
        Ok(())
    }

    /// Says goodbye as far as that goes at once; the socket closes in any case.
    pub(crate) fn goodbye(&mut self) {
        self.channel.goodbye(&mut self.backlog);
        let _ = self.flush();
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
