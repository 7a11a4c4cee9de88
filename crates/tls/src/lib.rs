//! Bytes of a socket to plain bytes and back: TLS by rustls' unbuffered connections, or nothing at all.
//!
//! No I/O here: the caller brings what the socket gave and sends what comes out. A connection that waits between frames
//! holds no buffer of ours but an unfinished record.
//! Never hands out a byte before the handshake is done; guards: ciphertext leaves in the order it was made.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use std::sync::Arc;

/// The wire form of one connection.
pub enum Channel {
    /// Plain TCP: only where the configuration allows it.
    Plain,
    /// TLS, our side being the server.
    Server(Box<Records<UnbufferedServerConnection>>),
    /// TLS, our side being the client.
    Client(Box<Records<UnbufferedClientConnection>>),
}

/// A TLS connection and the bytes of an unfinished record.
pub struct Records<C> {
    connection: C,
    carry: Vec<u8>,
    established: bool,
    closed: bool,
}

/// What a feed brought besides bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Application data may flow.
    pub established: bool,
    /// The peer said that nothing more will come.
    pub closed: bool,
}

impl Channel {
    /// The server's end.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self::Server(Box::new(Records::new(UnbufferedServerConnection::new(config)?))))
    }

    /// The client's end.
    pub fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, rustls::Error> {
        Ok(Self::Client(Box::new(Records::new(UnbufferedClientConnection::new(config, name)?))))
    }

    /// Whether application data may flow.
    pub fn established(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Server(records) => records.established,
            Self::Client(records) => records.established,
        }
    }

    /// Whether the handshake resumed an earlier session.
    pub fn resumed(&self) -> bool {
        let kind = match self {
            Self::Plain => None,
            Self::Server(records) => records.connection.handshake_kind(),
            Self::Client(records) => records.connection.handshake_kind(),
        };
        kind == Some(rustls::HandshakeKind::Resumed)
    }

    /// Takes what the socket gave; appends plain bytes to `plain` and what must be sent to `out`.
    /// An empty `input` starts a client's handshake.
    pub fn feed(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, rustls::Error> {
        match self {
            Self::Plain => {
                plain.extend_from_slice(input);
                Ok(Progress { established: true, closed: false })
            }
            Self::Server(records) => records.feed(input, plain, out),
            Self::Client(records) => records.feed(input, plain, out),
        }
    }

    /// Appends `plain` in wire form to `out`. Call only once [`Channel::established`].
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), rustls::Error> {
        match self {
            Self::Plain => {
                out.extend_from_slice(plain);
                Ok(())
            }
            Self::Server(records) => records.seal(plain, out),
            Self::Client(records) => records.seal(plain, out),
        }
    }

    /// Appends the goodbye of TLS (close_notify), if there is one.
    pub fn goodbye(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Plain => {}
            Self::Server(records) => records.goodbye(out),
            Self::Client(records) => records.goodbye(out),
        }
    }
}

/// What both ends of rustls' unbuffered connection can do.
pub trait Process {
    /// rustls' own side marker.
    type Side;
    /// See `UnbufferedConnectionCommon::process_tls_records`.
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side>;
}

impl Process for UnbufferedServerConnection {
    type Side = ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side> {
        self.process_tls_records(input)
    }
}

impl Process for UnbufferedClientConnection {
    type Side = ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side> {
        self.process_tls_records(input)
    }
}

impl<C: Process> Records<C> {
    fn new(connection: C) -> Self {
        Self { connection, carry: Vec::new(), established: false, closed: false }
    }

    fn feed(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, rustls::Error> {
        if self.carry.is_empty() {
            let used = self.drive(input, plain, out)?;
            self.carry.extend_from_slice(&input[used..]);
        } else {
            let mut whole = core::mem::take(&mut self.carry);
            whole.extend_from_slice(input);
            let used = self.drive(&mut whole, plain, out)?;
            whole.drain(..used);
            // An idle connection keeps no buffer.
            self.carry = if whole.is_empty() { Vec::new() } else { whole };
        }
        Ok(Progress { established: self.established, closed: self.closed })
    }

    /// Runs the state machine over `input` until it wants more; returns how many bytes it is done with.
    fn drive(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<usize, rustls::Error> {
        let mut used = 0;
        loop {
            let UnbufferedStatus { mut discard, state } = self.connection.process(&mut input[used..]);
            let more = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                    true
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    grown(out, 512, |space| match data.encode(space) {
                        Ok(written) => Ok(written),
                        Err(EncodeError::InsufficientSize(need)) => Err(Some(need)),
                        Err(EncodeError::AlreadyEncoded) => Err(None),
                    })?;
                    true
                }
                // What was encoded is in `out`, which the caller sends in order: as good as transmitted.
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::WriteTraffic(_) => {
                    self.established = true;
                    false
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.closed = true;
                    false
                }
                // Early data is never offered by our configuration; anything else waits for more bytes.
                _ => false,
            };
            used += discard;
            if !more {
                return Ok(used);
            }
        }
    }

    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), rustls::Error> {
        loop {
            match self.connection.process(&mut []).state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let room = plain.len() + (plain.len() / 16_000 + 1) * 48;
                    return grown(out, room, |space| match traffic.encrypt(plain, space) {
                        Ok(written) => Ok(written),
                        Err(EncryptError::InsufficientSize(need)) => Err(Some(need)),
                        Err(EncryptError::EncryptExhausted) => Err(None),
                    });
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    grown(out, 512, |space| match data.encode(space) {
                        Ok(written) => Ok(written),
                        Err(EncodeError::InsufficientSize(need)) => Err(Some(need)),
                        Err(EncodeError::AlreadyEncoded) => Err(None),
                    })?
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                _ => return Err(rustls::Error::HandshakeNotComplete),
            }
        }
    }

    fn goodbye(&mut self, out: &mut Vec<u8>) {
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.connection.process(&mut []).state {
            // A goodbye that does not fit or comes too late is no loss: the socket closes anyway.
            let _ = grown(out, 64, |space| traffic.queue_close_notify(space).map_err(|_| None));
        }
    }
}

/// Lets `write` fill free space at the end of `out`, growing it once if it says how much it needs.
fn grown(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) -> Result<(), rustls::Error> {
    let start = out.len();
    out.resize(start + room, 0);
    let written = match write(&mut out[start..]) {
        Err(Some(need)) => {
            out.resize(start + need.required_size, 0);
            write(&mut out[start..])
        }
        first => first,
    };
    out.truncate(start + *written.as_ref().unwrap_or(&0));
    written.map(|_| ()).map_err(|_| rustls::Error::General("the record could not be encoded".into()))
}
