//! A client's connection: rustls' unbuffered state machine over a socket that never
//! blocks, or plain bytes.
//! Never awaits: the caller knows when the socket is ready. Guards: bytes leave in order, many messages in one record.

use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use std::io;
use std::rc::Rc;
use tokio::net::tcp::OwnedWriteHalf;

/// One connected socket.
pub(crate) struct Wire {
    stream: Rc<OwnedWriteHalf>,
    tls: Option<Box<Tls>>,
    /// Wire bytes that the kernel has not taken; those before `taken` it has.
    backlog: Vec<u8>,
    taken: usize,
    /// Application data may flow.
    pub established: bool,
}

struct Tls {
    connection: UnbufferedClientConnection,
    /// An unfinished record.
    carry: Vec<u8>,
    closed: bool,
}

impl Wire {
    /// Starts the handshake, if there is one.
    pub(crate) fn new(stream: Rc<OwnedWriteHalf>, tls: Option<&crate::Tls>) -> io::Result<Self> {
        let Some(tls) = tls else {
            return Ok(Self { stream, tls: None, backlog: Vec::new(), taken: 0, established: true });
        };
        let connection =
            UnbufferedClientConnection::new(tls.config.clone(), tls.name.clone()).map_err(invalid)?;
        let tls = Box::new(Tls { connection, carry: Vec::new(), closed: false });
        let mut wire = Self { stream, tls: Some(tls), backlog: Vec::new(), taken: 0, established: false };
        wire.feed(&mut [], &mut Vec::new())?;
        wire.flush()?;
        Ok(wire)
    }

    /// Takes what the socket gave and appends the plain bytes. False: the peer has said goodbye.
    pub(crate) fn take(&mut self, input: &mut [u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        self.feed(input, plain)?;
        self.flush()?;
        Ok(!self.tls.as_ref().is_some_and(|tls| tls.closed))
    }

    /// Sends `plain` as far as the kernel takes it; the rest waits.
    pub(crate) fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.backlog.extend_from_slice(plain),
            Some(tls) => tls.seal(plain, &mut self.backlog).map_err(invalid)?,
        }
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
        if let Some(tls) = &mut self.tls {
            tls.goodbye(&mut self.backlog);
            let _ = self.flush();
        }
    }

    fn feed(&mut self, input: &mut [u8], plain: &mut Vec<u8>) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            plain.extend_from_slice(input);
            return Ok(());
        };
        tls.feed(input, plain, &mut self.backlog, &mut self.established).map_err(invalid)
    }
}

impl Tls {
    fn feed(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
        established: &mut bool,
    ) -> Result<(), rustls::Error> {
        if self.carry.is_empty() {
            let used = self.drive(input, plain, out, established)?;
            self.carry.extend_from_slice(&input[used..]);
        } else {
            let mut whole = core::mem::take(&mut self.carry);
            whole.extend_from_slice(input);
            let used = self.drive(&mut whole, plain, out, established)?;
            whole.drain(..used);
            self.carry = whole;
        }
        Ok(())
    }

    /// Runs the state machine until it wants more bytes; how many of `input` it is done with.
    fn drive(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
        established: &mut bool,
    ) -> Result<usize, rustls::Error> {
        let mut used = 0;
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut input[used..]);
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
                    into_space(out, 1_024, |space| data.encode(space).map_err(encode_room))?;
                    true
                }
                // `out` is sent in order: as good as transmitted.
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::WriteTraffic(_) => {
                    *established = true;
                    false
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.closed = true;
                    false
                }
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
            match self.connection.process_tls_records(&mut []).state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let room = plain.len() + (plain.len() / RECORD + 1) * RECORD_OVERHEAD;
                    return into_space(out, room, |space| {
                        traffic.encrypt(plain, space).map_err(encrypt_room)
                    });
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    into_space(out, 1_024, |space| data.encode(space).map_err(encode_room))?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                _ => return Err(rustls::Error::HandshakeNotComplete),
            }
        }
    }

    fn goodbye(&mut self, out: &mut Vec<u8>) {
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) =
            self.connection.process_tls_records(&mut []).state
        {
            let _ = into_space(out, 64, |space| traffic.queue_close_notify(space).map_err(encrypt_room));
        }
    }
}

/// Lets `write` fill free space at the end of `out`, growing it once if it says how much it needs.
fn into_space(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) -> Result<(), rustls::Error> {
    let start = out.len();
    out.resize(start + room, 0);
    let mut written = write(&mut out[start..]);
    if let Err(Some(need)) = &written {
        out.resize(start + need.required_size, 0);
        written = write(&mut out[start..]);
    }
    out.truncate(start + *written.as_ref().unwrap_or(&0));
    written.map(|_| ()).map_err(|_| rustls::Error::General("the record could not be encoded".into()))
}

fn encode_room(error: EncodeError) -> Option<InsufficientSizeError> {
    match error {
        EncodeError::InsufficientSize(need) => Some(need),
        EncodeError::AlreadyEncoded => None,
    }
}

fn encrypt_room(error: EncryptError) -> Option<InsufficientSizeError> {
    match error {
        EncryptError::InsufficientSize(need) => Some(need),
        EncryptError::EncryptExhausted => None,
    }
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Most plain bytes in a record (RFC 8446, 5.1), a little less.
const RECORD: usize = 16_000;
/// Header, tag and content type of a record, with room to spare.
const RECORD_OVERHEAD: usize = 48;
