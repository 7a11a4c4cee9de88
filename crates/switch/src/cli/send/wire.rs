//! The connection of `send`: TCP, TLS unless told otherwise, one frame out, the matching frame back.
//! Never trusts a certificate that the given CA did not sign. Guards: every wait has an end.

use super::message::Outgoing;
use crate::cli::Failure;
use crate::cli::args::Send;
use bytes::{BufMut, BytesMut};
use framing::{Envelope, Framing, Next};
use iso8583::{Dialect, Index, answer, decode};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use terms::Answer;

/// A connection to a listener.
pub(super) struct Wire {
    stream: Stream,
    framing: Framing,
    input: BytesMut,
    /// What a listener that hangs up may have missed.
    hint: &'static str,
}

/// The answer, as it came and as it is understood.
pub(super) struct Incoming {
    /// Without framing.
    pub body: Vec<u8>,
    /// Canonical.
    pub answer: Answer,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Connects and, unless `--plain`, makes ready for TLS.
    pub(super) fn connect(args: &Send, framing: Framing) -> Result<Self, Failure> {
        let socket = dial(&args.to)?;
        let stream = match &args.ca {
            None => Stream::Plain(socket),
            Some(ca) => Stream::Tls(Box::new(StreamOwned::new(client(args, ca)?, socket))),
        };
        let hint = match (&stream, &args.cert) {
            (Stream::Tls(_), None) => " (does it ask for a client certificate? --cert, --key)",
            _ => "",
        };
        Ok(Self { stream, framing, input: BytesMut::new(), hint })
    }

    /// Sends one message and waits for its answer; other messages are passed over.
    pub(super) fn exchange(
        &mut self,
        outgoing: &Outgoing,
        dialect: &Dialect,
        timeout: Duration,
    ) -> Result<Incoming, Failure> {
        let until = Instant::now() + timeout;
        self.send(&outgoing.body, until)?;
        loop {
            let body = self.receive(until, timeout)?;
            let incoming = understood(dialect, body)?;
            let expected = (outgoing.mti.answer(), outgoing.stan);
            if (incoming.answer.mti, u64::from(incoming.answer.stan.get())) == expected {
                return Ok(incoming);
            }
            eprintln!("passed over {} with STAN {:?}", incoming.answer.mti, incoming.answer.stan);
        }
    }

    fn send(&mut self, body: &[u8], until: Instant) -> Result<(), Failure> {
        let mut frame = BytesMut::new();
        self.framing
            .write(&mut frame, &Envelope::request([0, 0], [0, 0]), |out: &mut BytesMut| out.put_slice(body))
            .map_err(|violation| Failure::because("the message does not fit a frame", violation))?;
        self.deadline(until)?;
        let written = self.stream.write_all(&frame).and_then(|()| self.stream.flush());
        written.map_err(|fault| Failure::because("the message was not sent", fault))
    }

    fn receive(&mut self, until: Instant, timeout: Duration) -> Result<Vec<u8>, Failure> {
        loop {
            match self
                .framing
                .next(&self.input)
                .map_err(|fault| Failure::because("the answer is no frame", fault))?
            {
                Next::KeepAlive { consumed } => drop(self.input.split_to(consumed)),
                Next::Frame { consumed, body, .. } => {
                    let frame = self.input.split_to(consumed);
                    return Ok(frame[body].to_vec());
                }
                Next::Incomplete { .. } => self.read_more(until, timeout)?,
            }
        }
    }

    fn read_more(&mut self, until: Instant, timeout: Duration) -> Result<(), Failure> {
        self.deadline(until)?;
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(self.closed()),
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Err(self.closed()),
            Ok(read) => {
                self.input.extend_from_slice(&chunk[..read]);
                Ok(())
            }
            Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(Failure::new(format!(
                    "no answer within {} s; what became of it is not known",
                    timeout.as_secs()
                )))
            }
            Err(fault) => Err(Failure::because("the connection broke before an answer came", fault)),
        }
    }

    fn closed(&self) -> Failure {
        Failure::new(format!("the listener closed the connection without an answer{}", self.hint))
    }

    /// No single wait of the socket outlasts the whole.
    fn deadline(&self, until: Instant) -> Result<(), Failure> {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let socket = match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => tls.get_ref(),
        };
        let set = socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left)));
        set.map_err(|fault| Failure::because("cannot set a time limit", fault))
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

fn understood(dialect: &Dialect, body: Vec<u8>) -> Result<Incoming, Failure> {
    let wrong = |error| Failure::because(format!("the answer is no message of {}", dialect.name()), error);
    let mut index = Index::new();
    decode(dialect, &body, &mut index).map_err(wrong)?;
    let answer = answer(dialect, &body, &index).map_err(wrong)?;
    Ok(Incoming { body, answer })
}

fn dial(to: &str) -> Result<TcpStream, Failure> {
    let failed = |fault| Failure::because(format!("cannot connect to {to}"), fault);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in to.to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(failed)?;
                return Ok(socket);
            }
            Err(fault) => last = fault,
        }
    }
    Err(failed(last))
}

fn client(args: &Send, ca: &Path) -> Result<ClientConnection, Failure> {
    let refused = |fault| Failure::because("the certificates do not make a TLS configuration", fault);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(refused)?;
    }
    let builder = builder.map_err(refused)?.with_root_certificates(roots);
    let config = match args.cert.as_deref().zip(args.key.as_deref()) {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let read = PrivateKeyDer::from_pem_file(key);
            let key = read.map_err(|fault| {
                Failure::because(format!("cannot read a key from {}", key.display()), fault)
            })?;
            builder.with_client_auth_cert(certificates(cert)?, key).map_err(refused)?
        }
    };
    ClientConnection::new(Arc::new(config), name(args)?).map_err(refused)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let failed = |fault| Failure::because(format!("cannot read certificates from {}", path.display()), fault);
    let read: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if read.is_empty() {
        Err(Failure::new(format!("{} holds no certificate", path.display())))
    } else {
        Ok(read)
    }
}

fn name(args: &Send) -> Result<ServerName<'static>, Failure> {
    let host = args.to.rsplit_once(':').map_or(args.to.as_str(), |(host, _)| host);
    let name = args.server_name.as_deref().unwrap_or(host).trim_matches(['[', ']']).to_owned();
    let parsed = ServerName::try_from(name.clone());
    parsed.map_err(|fault| Failure::because(format!("\"{name}\" is no name of a server"), fault))
}

/// A listener that is there answers sooner.
const CONNECT: Duration = Duration::from_secs(5);
