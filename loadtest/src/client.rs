//! One message, one answer: a blocking client for tests and tools.
//! Never sends twice. Guards: an answer belongs to the request by message type and STAN; every wait has an end.

use crate::config::Tls;
use bytes::{Buf, BytesMut};
use core::time::Duration;
use framing::{Envelope, Framing, Next, Violation};
use iso8583::{Dialect, Index, View, decode};
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// A connection to a listener.
pub struct Client {
    stream: Stream,
    dialect: Arc<Dialect>,
    framing: Framing,
    input: BytesMut,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
    /// The socket, the handshake, or the time.
    #[error("the connection failed")]
    Socket(#[from] io::Error),
    /// TLS settings.
    #[error("TLS cannot begin")]
    Tls(#[from] rustls::Error),
    /// Bytes that are no frame, or a message that does not fit one.
    #[error("no frame: {0}")]
    Framing(Violation),
    /// A message that the dialect cannot read.
    #[error("no message of the dialect: {0}")]
    Message(iso8583::DecodeError),
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Client {
    /// Connects. No single wait is longer than `timeout`.
    ///
    /// # Errors
    /// [`ClientFault::Socket`], [`ClientFault::Tls`].
    pub fn connect(
        to: SocketAddr,
        tls: Option<&Tls>,
        dialect: Arc<Dialect>,
        framing: Framing,
        timeout: Duration,
    ) -> Result<Self, ClientFault> {
        let socket = TcpStream::connect_timeout(&to, timeout)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(timeout))?;
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(tls) => {
                let connection = ClientConnection::new(tls.config.clone(), tls.name.clone())?;
                Stream::Tls(Box::new(StreamOwned::new(connection, socket)))
            }
        };
        Ok(Self { stream, dialect, framing, input: BytesMut::new(), timeout })
    }

    /// Sends a message (without framing) and returns its answer; messages that belong to another are passed over.
    ///
    /// # Errors
    /// [`ClientFault`]; of kind `TimedOut` or `WouldBlock` if no answer came.
    pub fn send(&mut self, message: &[u8]) -> Result<Vec<u8>, ClientFault> {
        let mut index = Index::new();
        decode(&self.dialect, message, &mut index).map_err(ClientFault::Message)?;
        let wanted = (index.mti().answer(), View::new(&self.dialect, message, &index).number(11));
        self.post(message)?;
        let until = Instant::now() + self.timeout;
        loop {
            let body = self.receive(until)?;
            decode(&self.dialect, &body, &mut index).map_err(ClientFault::Message)?;
            if (index.mti(), View::new(&self.dialect, &body, &index).number(11)) == wanted {
                return Ok(body);
            }
        }
    }

    /// Sends a message (without framing) and waits for nothing.
    ///
    /// # Errors
    /// [`ClientFault::Framing`], [`ClientFault::Socket`].
    pub fn post(&mut self, message: &[u8]) -> Result<(), ClientFault> {
        let mut frame = BytesMut::new();
        let body = |out: &mut BytesMut| out.extend_from_slice(message);
        let envelope = Envelope::request([0, 0], [0, 0]);
        self.framing.write(&mut frame, &envelope, body).map_err(ClientFault::Framing)?;
        let stream = self.stream.io();
        stream.write_all(&frame)?;
        Ok(stream.flush()?)
    }

    fn receive(&mut self, until: Instant) -> Result<Vec<u8>, ClientFault> {
        loop {
            match self.framing.next(&self.input).map_err(ClientFault::Framing)? {
                Next::Frame { consumed, body, .. } => {
                    let body = self.input[body].to_vec();
                    self.input.advance(consumed);
                    return Ok(body);
                }
                Next::KeepAlive { consumed } => self.input.advance(consumed),
                Next::Incomplete { .. } => self.read_more(until)?,
            }
        }
    }

    fn read_more(&mut self, until: Instant) -> Result<(), ClientFault> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        self.stream.socket().set_read_timeout(Some(left))?;
        let mut chunk = [0; 4096];
        match self.stream.io().read(&mut chunk)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => {
                self.input.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    fn io(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream,
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}
