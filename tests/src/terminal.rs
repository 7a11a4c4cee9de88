//! A terminal: one connection, plain or over TLS, that sends and hears.
//! Never repeats or reverses by itself: the test says what it does. Guards: an answer that does not come ends the test.

use crate::message::{Ask, Speech};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use terms::Answer;
use testkit::PATIENCE;

/// One connection to a listener.
pub struct Terminal {
    wire: Wire,
    rest: Vec<u8>,
    speech: Speech,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Terminal {
    /// Over plain TCP.
    ///
    /// # Errors
    /// What the socket says.
    pub fn plain(address: SocketAddr, speech: &Speech) -> io::Result<Self> {
        Ok(Self { wire: Wire::Plain(open(address)?), rest: Vec::new(), speech: speech.clone() })
    }

    /// Over TLS, to the name `localhost`. The handshake is finished when this returns, but for what TLS 1.3 lets the
    /// server refuse later.
    ///
    /// # Errors
    /// What the socket or the handshake says.
    ///
    /// # Panics
    /// If the configuration makes no client.
    pub fn tls(address: SocketAddr, speech: &Speech, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut socket = open(address)?;
        let mut session = ClientConnection::new(Arc::clone(config), "localhost".try_into().unwrap()).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        let wire = Wire::Tls(Box::new(StreamOwned::new(session, socket)));
        Ok(Self { wire, rest: Vec::new(), speech: speech.clone() })
    }

    /// How long it waits for bytes; then hearing fails.
    ///
    /// # Errors
    /// What the socket says.
    pub fn wait_at_most(&mut self, patience: Duration) -> io::Result<()> {
        let socket = match &self.wire {
            Wire::Plain(socket) => socket,
            Wire::Tls(session) => &session.sock,
        };
        socket.set_read_timeout(Some(patience))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// What the socket says.
    pub fn send(&mut self, ask: &Ask) -> io::Result<()> {
        let frame = self.speech.frame(ask);
        self.send_bytes(&frame)
    }

    /// Sends many messages in one go.
    ///
    /// # Errors
    /// What the socket says.
    pub fn send_all<'a>(&mut self, asks: impl IntoIterator<Item = &'a Ask>) -> io::Result<()> {
        let frames: Vec<u8> = asks.into_iter().flat_map(|ask| self.speech.frame(ask)).collect();
        self.send_bytes(&frames)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// What the socket says.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes)?;
        self.wire.flush()
    }

    /// The next answer.
    ///
    /// # Errors
    /// What the socket says; `UnexpectedEof` if the switch has closed.
    pub fn hear(&mut self) -> io::Result<Answer> {
        let body = self.hear_body()?;
        Ok(self.speech.answer(&body))
    }

    /// Sends, and gives a field of the answer.
    ///
    /// # Errors
    /// As [`Terminal::ask`].
    pub fn ask_field(&mut self, ask: &Ask, field: u8) -> io::Result<Option<String>> {
        self.send(ask)?;
        let body = self.hear_body()?;
        Ok(self.speech.text(&body, field))
    }

    /// The code of the next answer, and a field of it as bytes.
    ///
    /// # Errors
    /// As [`Terminal::hear`].
    pub fn hear_with(&mut self, field: u8) -> io::Result<(String, Option<Vec<u8>>)> {
        let body = self.hear_body()?;
        Ok((self.speech.answer(&body).code.as_str().to_owned(), self.speech.content(&body, field)))
    }

    fn hear_body(&mut self) -> io::Result<Vec<u8>> {
        let frame = self.speech.read(&mut self.wire, &mut self.rest)?;
        Ok(frame.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?.1)
    }

    /// Sends and hears.
    ///
    /// # Errors
    /// As both.
    pub fn ask(&mut self, ask: &Ask) -> io::Result<Answer> {
        self.send(ask)?;
        self.hear()
    }
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Tls(session) => session.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(session) => session.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(session) => session.flush(),
        }
    }
}
